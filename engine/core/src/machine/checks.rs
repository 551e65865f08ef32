//! Verification: trying a check until it passes, holds, or its time is over; negative controls; pre-flight checks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Command, Key, Machine, Stage, Timer, needs, outputs};
use crate::{
    check,
    duration::Duration,
    evidence::{
        Event,
        event::{Finding, Task},
    },
    model::Check,
};

/// Time between two tries when the author does not say.
const EVERY: Duration = Duration::from_secs(2);
/// Longest time for one try when the author does not say.
pub(crate) const TRY: Duration = Duration::from_secs(30);
/// Why a question has no answer.
const NOBODY: &str = "a person has to answer, and nobody is at the terminal";

/// What a series of tries is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To prove an action.
    Verify,
    /// To find out what an action did; only once when it can be repeated anyway.
    Resolve {
        /// Do not wait for `within`.
        once: bool,
    },
    /// It must fail before the action.
    Control,
    /// It must pass before anything is touched.
    Preflight,
}

/// A check that is being tried.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    key: Option<Key>,
    check: u32,
    purpose: Purpose,
    tries: u32,
    began_ms: u64,
    /// When it began to pass without a break.
    passing_ms: Option<u64>,
    /// The try that is under way.
    run: Option<u64>,
    /// A person was asked.
    asked: bool,
}

/// Why something is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// For people.
    pub reason: String,
    /// `false`: nobody could tell.
    pub evaluated: bool,
}

/// What the pre-flight found so far.
#[derive(Debug, Default)]
pub(crate) struct Preflight {
    pub findings: Vec<Finding>,
    pub tools_done: bool,
    pub begun: bool,
    /// What its checks found, by their number: they end in any order, and are told in that of the runbook.
    checked: BTreeMap<u32, Finding>,
    /// Checks that have not ended: scope and number in it, by series.
    open: usize,
    checks: Vec<(usize, usize)>,
}

impl Machine {
    /// Asks for everything that must be true before anything is touched.
    pub(crate) fn begin_preflight(&mut self) {
        self.preflight.begun = true;
        let clusters = self.clusters();
        let objectives = self.state.created.objectives;
        let mut needs = needs::of(&self.plan, self);
        needs.rpo_ms = objectives.rpo.as_millis();
        needs.rto_ms = objectives.rto.as_millis();
        self.push(Command::Preflight { clusters, needs: Box::new(needs) });
        let plan = std::sync::Arc::clone(&self.plan);
        for (scope, what) in plan.scopes.iter().enumerate() {
            for check in 0..what.runbook.requires.checks.len() {
                self.preflight.checks.push((scope, check));
            }
        }
        self.preflight.open = self.preflight.checks.len();
        for at in 0..self.preflight.checks.len() {
            let check = u32::try_from(at).unwrap_or(u32::MAX);
            self.new_series(None, check, Purpose::Preflight);
        }
    }

    /// Ends the pre-flight when all of it was looked at. Whether the run went on.
    pub(crate) fn finish_preflight(&mut self) -> bool {
        if !self.preflight.begun || !self.preflight.tools_done || self.preflight.open > 0 || self.stop.is_some() {
            return false;
        }
        let mut findings = std::mem::take(&mut self.preflight.findings);
        findings.extend(std::mem::take(&mut self.preflight.checked).into_values());
        let missing: Vec<String> = findings.iter().filter(|finding| finding.blocks()).map(Finding::title).collect();
        let reason = format!("not ready: {}; nothing was touched", missing.join(", "));
        let passed = missing.is_empty();
        self.emit(Event::PreflightFinished { passed, findings });
        if passed {
            self.load();
        } else {
            self.preflight_failed(&reason);
        }
        true
    }

    pub(crate) fn start_check(&mut self, key: Key, check: u32, purpose: Purpose) {
        self.new_series(Some(key), check, purpose);
    }

    /// Runs the next negative control from check `from` on, or the action when there is none left.
    pub(crate) fn next_control(&mut self, key: Key, from: u32) {
        let work = self.work(key);
        let next = work.checks().iter().enumerate().skip(from as usize).find(|(_, check)| check.must_fail_first);
        match next {
            Some((at, _)) => self.new_series(Some(key), u32::try_from(at).unwrap_or(u32::MAX), Purpose::Control),
            None => self.launch(key),
        }
    }

    fn new_series(&mut self, key: Option<Key>, check: u32, purpose: Purpose) {
        let number = self.number();
        let began_ms = self.now.elapsed_ms;
        let series = Series { key, check, purpose, tries: 0, began_ms, passing_ms: None, run: None, asked: false };
        self.series.insert(number, series);
        if let Some(key) = key {
            self.series_of.insert(key, number);
        }
        // By the queue and not at once: a step may have thousands of checks that need nobody, and each would be a
        // level of recursion.
        self.due.push_back(number);
    }

    /// The check of a series, and the node it belongs to.
    fn check_of(&self, series: &Series) -> Option<Check> {
        if let Some(key) = series.key {
            return self.work(key).check(series.check).cloned();
        }
        let &(scope, at) = self.preflight.checks.get(series.check as usize)?;
        self.plan.scopes.get(scope)?.runbook.requires.checks.get(at).map(|check| (**check).clone())
    }

    /// One try.
    pub(crate) fn try_check(&mut self, number: u64) {
        let Some(series) = self.series.get(&number).cloned() else { return };
        if series.run.is_some() {
            return;
        }
        let Some(check) = self.check_of(&series) else { return };
        let scope = series.key.is_none().then(|| self.preflight.checks[series.check as usize].0);
        let order = self.check_order(series.key, scope, &check, series.tries == 0);
        if let Some(series) = self.series.get_mut(&number) {
            series.tries += 1;
        }
        match order {
            Err(reason) => self.judged(number, &Value::Null, Err(format!("it cannot be rendered: {reason}")), true),
            Ok(check::Order::Expr) => {
                let verdict = self.judge_of(&series, &check, &Value::Null);
                self.judged(number, &Value::Null, verdict, false);
            }
            Ok(check::Order::Ask { question }) => {
                if self.state.attended
                    && let Some((node, _)) = series.key
                {
                    if let Some(series) = self.series.get_mut(&number) {
                        series.asked = true;
                    }
                    self.ask_check(node, &check, &question);
                } else {
                    self.judged(number, &Value::Null, Err(NOBODY.to_owned()), true);
                }
            }
            Ok(order) => {
                let run = self.number();
                if let Some(series) = self.series.get_mut(&number) {
                    series.run = Some(run);
                }
                self.runs.insert(run, number);
                let timeout = check.timeout.unwrap_or(TRY);
                self.push(Command::RunCheck { run, node: series.key.map(|(node, _)| node), order, timeout });
            }
        }
    }

    pub(crate) fn on_check_finished(&mut self, run: u64, observed: Result<Value, String>) {
        let Some(number) = self.runs.remove(&run) else { return self.on_guard_observed(run, observed) };
        let Some(series) = self.series.get_mut(&number) else { return };
        series.run = None;
        let series = series.clone();
        let Some(check) = self.check_of(&series) else { return };
        match observed {
            Ok(observed) => {
                let verdict = self.judge_of(&series, &check, &observed);
                // What cannot come any more is not waited for.
                let last = verdict.is_err() && check.expect.is_none() && observed["hopeless"] == true;
                self.judged(number, &observed, verdict, last);
            }
            Err(reason) => self.judged(number, &Value::Null, Err(reason), false),
        }
    }

    /// A person answered a check's question.
    pub(crate) fn on_answer(&mut self, key: Key, yes: bool, who: &str) {
        let Some(number) = self.asked(key) else { return };
        let Some(series) = self.series.get(&number).cloned() else { return };
        let Some(check) = self.check_of(&series) else { return };
        let observed = json!({"yes": yes, "by": who});
        let verdict = self.judge_of(&series, &check, &observed);
        // An answer is final: asking the same person again until the answer is yes is no verification.
        self.judged(number, &observed, verdict, true);
    }

    /// The check of an action that waits for a person's answer.
    pub(crate) fn asked(&self, key: Key) -> Option<u64> {
        self.series_of.get(&key).copied().filter(|number| self.series.get(number).is_some_and(|series| series.asked))
    }

    /// Nobody is there any more who could answer.
    pub(crate) fn nobody_answers(&mut self, key: Key) {
        if let Some(number) = self.asked(key) {
            self.judged(number, &Value::Null, Err(NOBODY.to_owned()), true);
        }
    }

    /// What must be true of the observation.
    fn expectation(check: &Check) -> String {
        if let Some(expression) = &check.expr {
            return expression.as_str().to_owned();
        }
        match &check.expect {
            Some(expect) => expect.as_str().to_owned(),
            None => check::present(check).next().map_or("true", |kind| kind.facts().expect).to_owned(),
        }
    }

    fn judge_of(&self, series: &Series, check: &Check, observed: &Value) -> Result<(), String> {
        let scope = series.key.is_none().then(|| self.preflight.checks[series.check as usize].0);
        let node = series.key.map(|(node, _)| node);
        self.judge(node, scope, check, observed).map_err(|doubt| doubt.reason)
    }

    /// Whether an observation is what is expected of it, for a step or for a runbook of the plan.
    pub(crate) fn judge(
        &self,
        node: Option<usize>,
        scope: Option<usize>,
        check: &Check,
        observed: &Value,
    ) -> Result<(), Doubt> {
        let mut extra: Vec<(String, Value)> = Vec::new();
        if let Value::Object(fields) = observed {
            extra.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        extra.push(("result".to_owned(), observed.clone()));
        if let Some(node) = node {
            let own = self.state.steps[node].outputs.iter().map(|(name, value)| (name.clone(), value.clone()));
            extra.push(("outputs".to_owned(), Value::Object(own.collect())));
        }
        let mut wanted = vec![Self::expectation(check)];
        // `expr` with `expect` on top: both must be true.
        if check.expr.is_some()
            && let Some(expect) = &check.expect
        {
            wanted.push(expect.as_str().to_owned());
        }
        for text in wanted {
            match self.test(node, scope, &text, extra.clone()) {
                Ok(true) => {}
                Ok(false) => {
                    // Some checks say in words what they miss; `expected ok` says nothing.
                    let own = observed["why"].as_str().filter(|why| !why.is_empty());
                    let reason = match (own, &check.expect) {
                        (Some(own), None) => own.to_owned(),
                        (Some(own), Some(_)) => format!("{own}; expected `{text}`"),
                        (None, _) => format!("expected `{text}`"),
                    };
                    return Err(Doubt { reason, evaluated: true });
                }
                Err(reason) => {
                    let reason = format!("`{text}` cannot be evaluated: {reason}");
                    return Err(Doubt { reason, evaluated: false });
                }
            }
        }
        Ok(())
    }

    /// A try was judged: passed for good, try again, or failed for good.
    fn judged(&mut self, number: u64, observed: &Value, verdict: Result<(), String>, last: bool) {
        let Some(series) = self.series.get_mut(&number) else { return };
        let series_key = series.key;
        let now = self.now.elapsed_ms;
        let passed = verdict.is_ok();
        series.passing_ms = if passed { series.passing_ms.or(Some(now)) } else { None };
        let series = series.clone();
        let Some(check) = self.check_of(&series) else { return };
        let once = matches!(series.purpose, Purpose::Control | Purpose::Resolve { once: true });
        let every = check.every.as_ref().map_or(EVERY, |every| **every).as_millis().max(1);
        let next = if last || once {
            None
        } else if passed {
            let holds = check.holds.as_ref().map_or(0, |holds| holds.as_millis());
            let held = now.saturating_sub(series.passing_ms.unwrap_or(now));
            (held < holds).then(|| every.min(holds - held))
        } else {
            let within = check.within.as_ref().map_or(0, |within| within.as_millis());
            let spent = now.saturating_sub(series.began_ms);
            (spent < within).then(|| every.min(within - spent))
        };
        if let Some(after_ms) = next {
            return self.push(Command::Arm { timer: Timer::Poll { series: number }, after_ms });
        }
        self.series.remove(&number);
        if let Some(key) = series_key {
            self.series_of.remove(&key);
        }
        match series_key {
            Some(key) => self.check_ended(key, &series, &check, observed, verdict),
            None => self.preflight_check_ended(series.check, &check, verdict, observed),
        }
    }

    fn check_ended(&mut self, key: Key, series: &Series, check: &Check, observed: &Value, verdict: Result<(), String>) {
        let (node, task) = key;
        let step = self.id(node);
        let name = check_name(check, series.check);
        let observed = outputs::for_the_record(observed);
        if series.purpose == Purpose::Control {
            let failed = verdict.is_err();
            let seen = match &verdict {
                Err(reason) if observed.is_null() => Value::String(reason.clone()),
                _ => observed,
            };
            let check = series.check;
            self.emit(Event::NegativeControl {
                step,
                check,
                name: name.clone(),
                failed_as_it_must: failed,
                observed: seen,
            });
            if failed {
                return self.next_control(key, check + 1);
            }
            self.slots.remove(&key);
            return self.fail(
                key,
                &format!("the check `{name}` must fail before the action and passed already: it proves nothing"),
            );
        }
        let duration_ms = self.now.elapsed_ms.saturating_sub(series.began_ms);
        let (check_number, tries) = (series.check, series.tries);
        match verdict {
            Ok(()) => {
                self.emit(Event::CheckPassed { step, task, check: check_number, name, tries, duration_ms, observed });
                let next = check_number + 1;
                if (next as usize) < self.work(key).checks().len() {
                    return self.start_check(key, next, series.purpose);
                }
                match series.purpose {
                    Purpose::Resolve { .. } => self.resolved(key, true),
                    _ => self.succeed(key),
                }
            }
            Err(reason) => {
                let expected = Self::expectation(check);
                self.emit(Event::CheckFailed {
                    step,
                    task,
                    check: check_number,
                    name: name.clone(),
                    tries,
                    duration_ms,
                    expected,
                    observed,
                    reason: reason.clone(),
                });
                match series.purpose {
                    Purpose::Resolve { .. } => self.resolved(key, false),
                    _ => self.fail(key, &format!("the check `{name}` did not pass: {reason}")),
                }
            }
        }
    }

    fn preflight_check_ended(&mut self, at: u32, check: &Check, verdict: Result<(), String>, observed: &Value) {
        self.preflight.open -= 1;
        let (passed, found) = match verdict {
            Ok(()) => (true, "ok".to_owned()),
            Err(reason) if observed.is_null() => (false, reason),
            Err(reason) => (false, format!("{reason}, found {}", outputs::for_the_record(observed))),
        };
        let requirement = format!("check: {}", check_name(check, 0));
        let scope = self.preflight.checks.get(at as usize).and_then(|&(scope, _)| self.plan.scopes.get(scope));
        let prefix = scope.map_or("", |scope| scope.prefix.as_str());
        let cluster = check::clusters(check).next().map(|cluster| format!("{prefix}{}", **cluster));
        self.preflight.checked.insert(at, Finding { cluster, passed, ..Finding::met(requirement, found) });
    }

    /// Forgets every check of an action.
    pub(crate) fn drop_checks(&mut self, key: Key) {
        let Some(number) = self.series_of.remove(&key) else { return };
        if let Some(run) = self.series.remove(&number).and_then(|series| series.run) {
            self.runs.remove(&run);
            self.push(Command::CancelCheck { run });
        }
    }

    /// Forgets every check that runs.
    pub(crate) fn drop_all_checks(&mut self) {
        self.series.clear();
        self.series_of.clear();
        let mut runs: Vec<u64> = std::mem::take(&mut self.runs).into_keys().collect();
        runs.sort_unstable();
        for run in runs {
            self.push(Command::CancelCheck { run });
        }
        self.leave_guards();
    }

    /// Begins the checks of an action anew; used after a crash in the middle of them.
    pub(crate) fn verify_again(&mut self, key: Key) {
        debug_assert!(matches!(key.1, Task::Do | Task::Undo));
        self.stage(key, Some(Stage::Verify));
        self.verify(key);
    }
}

/// A check's name, or what it is.
pub(crate) fn check_name(check: &Check, at: u32) -> String {
    check.name.clone().unwrap_or_else(|| {
        let kind = check::present(check).next().map_or("check", |kind| kind.facts().name);
        format!("{kind} #{}", at + 1)
    })
}
