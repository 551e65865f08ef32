//! Guards: abort criteria that are watched while their part of the run goes on.
//!
//! Duty: when a guard is looked at, what it saw, and what follows. Looks are not recorded; changes are: good to bad, bad to
//! good, and that it tripped.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Command, Machine, RunStatus, Timer,
    checks::{Doubt, TRY},
    outputs,
};
use crate::{
    check,
    evidence::Event,
    model::{Guard, Phase, Then},
    plan::Plan,
};

/// A guard, and where this engine is with it.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Its runbook.
    scope: usize,
    /// Its number there.
    number: usize,
    /// Its name in the evidence.
    name: String,
    /// Any of these starts it; empty: the run does.
    from: Option<BTreeSet<usize>>,
    /// When all of these have ended it is over; empty: with the run.
    until: Option<BTreeSet<usize>>,
    /// It was looked at, or is about to be.
    watched: bool,
    /// Looks in a row that were bad.
    bad: u32,
    /// The look that is under way.
    run: Option<u64>,
}

/// Every guard of a plan.
pub(crate) fn of(plan: &Plan) -> Vec<Watch> {
    let mut watches = Vec::new();
    for (scope, what) in plan.scopes.iter().enumerate() {
        let prefix = &what.prefix;
        // A guard of an included runbook is watched while that one runs.
        let all = (!prefix.is_empty()).then(|| steps(plan, prefix, |_, _| true));
        for (number, guard) in what.runbook.guards.iter().enumerate() {
            let during = guard.during.clone().unwrap_or_default();
            let part = |bound: Option<&str>| bound.map(|name| named(plan, prefix, name)).or_else(|| all.clone());
            watches.push(Watch {
                scope,
                number,
                name: format!("{prefix}{}", *guard.name),
                from: part(during.from.as_deref().map(String::as_str)),
                until: part(during.until.as_deref().map(String::as_str)),
                watched: false,
                bad: 0,
                run: None,
            });
        }
    }
    watches
}

/// The steps of a runbook that fit, without clean-up.
fn steps(plan: &Plan, prefix: &str, fits: impl Fn(&str, Option<Phase>) -> bool) -> BTreeSet<usize> {
    let nodes = plan.nodes.iter().enumerate();
    nodes
        .filter(|(_, node)| {
            let own = node.step().filter(|step| !step.cleanup).zip(node.id.strip_prefix(prefix));
            own.is_some_and(|(step, id)| fits(id, step.phase))
        })
        .map(|(at, _)| at)
        .collect()
}

/// The instances of a step, or what it includes; or the steps of a phase.
fn named(plan: &Plan, prefix: &str, name: &str) -> BTreeSet<usize> {
    let of_step = steps(plan, prefix, |id, _| {
        id.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '/']))
    });
    if of_step.is_empty() {
        steps(plan, prefix, |_, phase| phase.is_some_and(|phase| phase.name() == name))
    } else {
        of_step
    }
}

impl Machine {
    fn guard(&self, at: usize) -> Guard {
        let watch = &self.guards[at];
        (*self.plan.scopes[watch.scope].runbook.guards[watch.number]).clone()
    }

    /// Begins to watch what has to be watched from now on. Whether anything changed.
    pub(crate) fn watch_guards(&mut self) -> bool {
        if self.state.run != RunStatus::Running || self.stop.is_some() {
            return false;
        }
        let started = |nodes: &BTreeSet<usize>| nodes.iter().any(|&node| self.state.steps[node].started.is_some());
        let due: Vec<usize> = (0..self.guards.len())
            .filter(|&at| !self.guards[at].watched && self.guards[at].from.as_ref().is_none_or(started))
            .collect();
        for &at in &due {
            self.guards[at].watched = true;
            self.look_at_guard(at);
        }
        !due.is_empty()
    }

    /// One look at a guard, unless its part of the run is over.
    pub(crate) fn look_at_guard(&mut self, at: usize) {
        let Some(watch) = self.guards.get(at) else { return };
        let over =
            |nodes: &BTreeSet<usize>| !nodes.is_empty() && nodes.iter().all(|&node| self.settled[node].is_some());
        if self.state.run != RunStatus::Running || watch.run.is_some() || watch.until.as_ref().is_some_and(over) {
            return;
        }
        let scope = Some(watch.scope);
        let guard = self.guard(at);
        if let Some(when) = &guard.when {
            let text = when.as_str();
            let verdict = match self.test(None, scope, text, Vec::new()) {
                Ok(false) => Ok(()),
                Ok(true) => Err(Doubt { reason: format!("`{text}` is true"), evaluated: true }),
                Err(reason) => {
                    Err(Doubt { reason: format!("`{text}` cannot be evaluated: {reason}"), evaluated: false })
                }
            };
            return self.guard_judged(at, &guard, verdict, &Value::Null);
        }
        let Some(check) = guard.check.as_deref() else { return };
        match self.check_order(None, scope, check, true) {
            Err(reason) => {
                let doubt = Doubt { reason: format!("it cannot be rendered: {reason}"), evaluated: false };
                self.guard_judged(at, &guard, Err(doubt), &Value::Null);
            }
            Ok(check::Order::Expr) => {
                let verdict = self.judge(None, scope, check, &Value::Null);
                self.guard_judged(at, &guard, verdict, &Value::Null);
            }
            Ok(order) => {
                let run = self.number();
                self.guards[at].run = Some(run);
                self.push(Command::RunCheck { run, node: None, order, timeout: check.timeout.unwrap_or(TRY) });
            }
        }
    }

    /// What a guard's check observed.
    pub(crate) fn on_guard_observed(&mut self, run: u64, observed: Result<Value, String>) {
        let Some(at) = self.guards.iter().position(|watch| watch.run == Some(run)) else { return };
        self.guards[at].run = None;
        if self.state.run != RunStatus::Running {
            return;
        }
        let guard = self.guard(at);
        let Some(check) = guard.check.as_deref() else { return };
        match observed {
            Ok(observed) => {
                let verdict = self.judge(None, Some(self.guards[at].scope), check, &observed);
                self.guard_judged(at, &guard, verdict, &observed);
            }
            Err(reason) => self.guard_judged(at, &guard, Err(Doubt { reason, evaluated: false }), &Value::Null),
        }
    }

    fn guard_judged(&mut self, at: usize, guard: &Guard, verdict: Result<(), Doubt>, observed: &Value) {
        self.push(Command::Arm { timer: Timer::Guard { guard: at }, after_ms: guard.interval().as_millis().max(1) });
        let name = self.guards[at].name.clone();
        let Err(doubt) = verdict else {
            self.guards[at].bad = 0;
            if let Some(before) = self.state.guards.get(&name) {
                let duration_ms = self.now.elapsed_ms.saturating_sub(before.since.elapsed_ms);
                self.emit(Event::GuardRecovered { guard: name, duration_ms });
            }
            return;
        };
        self.guards[at].bad = self.guards[at].bad.saturating_add(1);
        let failures = self.guards[at].bad;
        let Doubt { reason, evaluated } = doubt;
        if !self.state.guards.contains_key(&name) {
            let observed = outputs::for_the_record(observed);
            self.emit(Event::GuardFailing { guard: name.clone(), reason: reason.clone(), evaluated, observed });
        }
        let Some(state) = self.state.guards.get(&name).copied() else { return };
        let duration_ms = self.now.elapsed_ms.saturating_sub(state.since.elapsed_ms);
        let lasting = guard.lasting.as_ref().map_or(0, |lasting| lasting.as_millis());
        if state.tripped || failures < guard.most() || duration_ms < lasting {
            return;
        }
        let (then, why) = (guard.then, format!("guard `{name}`: {reason}"));
        let paused = self.state.paused;
        self.emit(Event::GuardTripped { guard: name, then, reason, evaluated, failures, duration_ms });
        match then {
            Then::Abort => self.start_abort(&why),
            Then::Pause if !paused => self.pause(&why),
            Then::Pause => {}
        }
    }

    /// Nobody wants to know any more.
    pub(crate) fn leave_guards(&mut self) {
        let runs: Vec<u64> = self.guards.iter_mut().filter_map(|watch| watch.run.take()).collect();
        for run in runs {
            self.push(Command::CancelCheck { run });
        }
    }
}
