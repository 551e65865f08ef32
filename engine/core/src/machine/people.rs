//! People: what they are asked, and what they do.

use serde_json::json;

use super::{
    Act, Command, Key, Machine, Proof, Question, QuestionKind, RunStatus, Signal, Stage, Stop, TERMINATE_GRACE_MS,
    Timer, task::Ending,
};
use crate::{
    action::{Order, Outcome},
    evidence::{
        Event,
        event::{ActName, Gate, Resolution, Resolved, SkippedBy, Task},
    },
    model::Check,
};

impl Machine {
    fn ask(&mut self, step: String, kind: QuestionKind, text: String, choices: &[ActName]) {
        if !self.state.attended {
            return;
        }
        let key = self.state.node(&step).map(|node| self.live_of(node).map_or((node, Task::Do), |(key, _)| key));
        let details = key.map_or_else(String::new, |key| self.details(key));
        let question = Question { step: step.clone(), kind, text, details, choices: choices.to_vec() };
        self.questions.insert(step, question.clone());
        self.push(Command::Ask(question));
    }

    /// A question about a node does not matter any more.
    pub(crate) fn close_question(&mut self, node: usize) {
        let step = self.id(node);
        self.close(&step);
    }

    fn close(&mut self, step: &str) {
        if self.questions.remove(step).is_some() {
            self.push(Command::CloseQuestion { step: step.to_owned() });
        }
    }

    /// No question matters any more.
    pub(crate) fn close_all(&mut self) {
        for (step, _) in std::mem::take(&mut self.questions) {
            self.push(Command::CloseQuestion { step });
        }
    }

    pub(crate) fn ask_approval(&mut self, key: Key, gate: Gate) {
        let (node, task) = key;
        let approval = self.work(key).approval().cloned();
        let state = self.state.steps[node].task(task).gates.get(&gate).cloned().unwrap_or_default();
        let text = match (gate, &approval) {
            (Gate::Rpo, _) => {
                let rpo = crate::policy::objectives::rpo(&self.plan, &self.state);
                let told = |ms: Option<u64>| {
                    ms.map_or_else(|| "unknown".to_owned(), |ms| crate::duration::Duration::from_millis(ms).to_string())
                };
                format!(
                    "the restored data is {} old at the outage, the RPO allows {}; shifting traffic accepts that loss",
                    told(rpo.actual_ms),
                    told(Some(rpo.target_ms))
                )
            }
            (Gate::Approval, Some(approval)) => {
                let who =
                    approval.by.as_ref().map_or_else(|| "the commander".to_owned(), |by| format!("role {}", **by));
                let what = if task == Task::Undo { "to undo it" } else { "to start it" };
                let message = approval.message.as_deref().map(|text| format!("\n{text}")).unwrap_or_default();
                let left = state.count - state.given.min(state.count);
                let until = state
                    .expires_at
                    .map_or_else(String::new, |at| format!(", denied at {}", crate::words::instant(at)));
                format!("{}needs {left} of {} from {who} {what}{until}{message}", self.card(key), state.count)
            }
            (Gate::Approval, None) => "needs approval".to_owned(),
        };
        let step = self.id(node);
        self.ask(step, QuestionKind::Approval, text, &[ActName::Approve, ActName::Deny, ActName::Abort]);
    }

    pub(crate) fn ask_step(&mut self, node: usize) {
        let step = self.id(node);
        let choices = [ActName::Continue, ActName::Skip, ActName::Pause, ActName::Abort];
        let text = self.card((node, Task::Do));
        self.ask(step, QuestionKind::Step, text, &choices);
    }

    pub(crate) fn ask_failure(&mut self, node: usize) {
        let step = self.id(node);
        let mut reason = self.state.steps[node].reason.clone().unwrap_or_default();
        if let Some((expected, observed)) = &self.state.steps[node].failed_check {
            reason.push_str(&format!("\nexpected  {expected}"));
            if !observed.is_empty() {
                reason.push_str(&format!("\nfound     {observed}"));
            }
        }
        let mut choices = vec![ActName::Retry];
        if !self.work((node, Task::Do)).checks().is_empty() {
            choices.push(ActName::Recheck);
        }
        choices.extend([ActName::Accept, ActName::Skip, ActName::Abort]);
        self.ask(step, QuestionKind::Failure, reason, &choices);
    }

    pub(crate) fn ask_unknown(&mut self, node: usize, task: Task) {
        let step = self.id(node);
        let what = if task == Task::Undo { "its undo" } else { "its action" };
        let text = format!(
            "the engine stopped in the middle of {what}, and nobody knows what it did: look, then say \
             `retry` (run it again), `accept` (it is done) or `skip`"
        );
        let text = format!("{}{text}", self.card((node, task)));
        self.ask(step, QuestionKind::Unknown, text, &[ActName::Retry, ActName::Accept, ActName::Skip, ActName::Abort]);
    }

    pub(crate) fn ask_manual(&mut self, key: Key, instructions: String) {
        let step = self.id(key.0);
        let mut instructions = instructions;
        for name in self.missing(key) {
            instructions.push_str(&format!("\nattach    {name}: `attach FILE {name}`"));
        }
        let choices = [ActName::Done, ActName::Fail, ActName::Skip, ActName::Abort];
        self.ask(step, QuestionKind::Manual, instructions, &choices);
    }

    /// The files that a manual step asks for and nobody has attached.
    fn missing(&self, key: Key) -> Vec<String> {
        let work = self.work(key);
        let manual = match work.undo().filter(|_| key.1 == Task::Undo) {
            Some(undo) => undo.manual.as_deref(),
            None => work.spec().manual.as_deref(),
        };
        let attached = &self.state.steps[key.0].attached;
        let wanted = manual.map(|manual| manual.attach.clone()).unwrap_or_default();
        wanted.into_iter().filter(|name| !attached.contains(name)).collect()
    }

    pub(crate) fn ask_check(&mut self, node: usize, check: &Check, question: &str) {
        let step = self.id(node);
        let text = check.name.as_ref().map_or_else(|| question.to_owned(), |name| format!("{name}: {question}"));
        self.ask(step, QuestionKind::Check, text, &[ActName::Yes, ActName::No, ActName::Abort]);
    }

    /// A person acted. Whatever comes of it is recorded; an act that cannot be done is refused with the reason.
    pub(crate) fn on_act(&mut self, act: &Act) {
        // It was done, or refused, before an engine died that had not put it away yet.
        if act.id.as_ref().is_some_and(|id| self.state.acts.contains(id)) {
            return;
        }
        let refusal = self.refusal(act);
        self.emit(Event::Act {
            act: act.act,
            step: act.step.clone(),
            who: act.who.clone(),
            reason: act.reason.clone(),
            how: act.proof.how(),
            id: act.id.clone(),
            to: act.to.clone(),
            artifacts: act.artifacts.clone(),
            accepted: refusal.is_none(),
            refusal: refusal.clone(),
        });
        if refusal.is_some() {
            // The question stays; whoever asked it has to be told.
            if let Some(question) = act.step.as_ref().and_then(|step| self.questions.get(step)).cloned() {
                self.push(Command::Ask(question));
            }
            return;
        }
        match &act.step {
            Some(step) => {
                if let Some(node) = self.state.node(step) {
                    self.act_on_step(node, act);
                }
            }
            None => self.act_on_run(act),
        }
    }

    /// Why an act cannot be done.
    fn refusal(&self, act: &Act) -> Option<String> {
        if act.who.trim().is_empty() || act.who.starts_with("policy:") {
            return Some("whoever acts on a run says who they are".to_owned());
        }
        if let Some(refusal) = self.refusal_of_proof(act) {
            return Some(refusal);
        }
        let needs_reason = matches!(act.act, ActName::Skip | ActName::Accept | ActName::Deny | ActName::Fail);
        if needs_reason && act.reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
            return Some("it overrides the plan, so it needs a reason".to_owned());
        }
        match act.act {
            ActName::Handover if act.to.as_ref().is_none_or(|to| to.trim().is_empty()) => {
                return Some("say to whom command is passed".to_owned());
            }
            ActName::AttachFile if act.artifacts.is_empty() => return Some("there is no file with it".to_owned()),
            _ => {}
        }
        let Some(step) = &act.step else { return self.refusal_for_run(act.act) };
        let Some(node) = self.state.node(step) else {
            return Some(format!("expected a step of the plan, found `{step}`"));
        };
        if act.act == ActName::Abort {
            return self.refusal_for_run(ActName::Abort);
        }
        let (key, stage) = match self.live_of(node) {
            Some((key, stage)) => (key, Some(stage)),
            None => ((node, Task::Do), None),
        };
        let allowed = match act.act {
            ActName::Approve | ActName::Deny => stage == Some(Stage::Gate),
            ActName::Skip => matches!(
                stage,
                Some(Stage::Gate | Stage::Asking | Stage::Decide | Stage::Unknown | Stage::Manual | Stage::Delay)
            ),
            ActName::Accept | ActName::Retry => matches!(stage, Some(Stage::Decide | Stage::Unknown)),
            ActName::Recheck => stage == Some(Stage::Decide) && !self.work(key).checks().is_empty(),
            ActName::Continue => stage == Some(Stage::Asking),
            ActName::Done | ActName::Fail => stage == Some(Stage::Manual),
            ActName::Yes | ActName::No => self.asked(key).is_some(),
            ActName::AttachFile => true,
            ActName::Pause | ActName::Abort | ActName::Detach | ActName::Handover => false,
        };
        if !allowed {
            return Some(format!("the step is {} and does not wait for that", self.status_name(node)));
        }
        if act.act == ActName::Approve {
            return self.refusal_to_approve(key, &act.who);
        }
        if matches!(act.act, ActName::Accept | ActName::Recheck) && self.result_is_missing(key) {
            return Some(
                "later steps use what this one returns, and it returned nothing: retry it, or skip it".to_owned(),
            );
        }
        None
    }

    /// Whether later steps use what an action returns, and it has returned nothing.
    fn result_is_missing(&self, key: Key) -> bool {
        let (work, state) = (self.work(key), &self.state.steps[key.0]);
        let spec = work.spec();
        let outputs = !spec.outputs.is_empty() && state.outputs.is_empty();
        work.result_matters() && (outputs || (spec.recovery_point.is_some() && state.recovery_point.is_none()))
    }

    /// Why it is not theirs to do, when the people of this run are bound to keys.
    fn refusal_of_proof(&self, act: &Act) -> Option<String> {
        let who = &act.who;
        let wanted = || format!("expected it signed with a key that `allowed_signers` has for {who}");
        match &act.proof {
            Proof::Forged { why } => Some(format!("{}, found: {why}", wanted())),
            Proof::Signed { .. } => None,
            _ if self.state.created.signers.is_none() => None,
            Proof::Unsigned => Some(format!("{}, found no signature", wanted())),
            // Whoever starts a run may command it; but a role is its people's alone.
            Proof::Terminal if matches!(act.act, ActName::Approve | ActName::Deny) && self.role_of(act).is_some() => {
                Some(format!(
                    "{}, found only a name: use `lifeboat {}`",
                    wanted(),
                    if act.act == ActName::Deny { "deny" } else { "approve" }
                ))
            }
            Proof::Terminal => None,
        }
    }

    /// The role whose people may answer the gate that an act is about.
    fn role_of(&self, act: &Act) -> Option<String> {
        let node = self.state.node(act.step.as_deref()?)?;
        let (key, _) = self.live_of(node)?;
        self.open_gate(key).filter(|gate| *gate == Gate::Approval)?;
        self.work(key).approval()?.by.as_ref().map(|by| (**by).clone())
    }

    fn refusal_for_run(&self, act: ActName) -> Option<String> {
        match (act, self.state.run) {
            (ActName::Abort, RunStatus::Running) | (ActName::Detach | ActName::AttachFile | ActName::Handover, _) => {
                None
            }
            (ActName::Abort, RunStatus::Created) => Some("nothing has started yet: use detach".to_owned()),
            (ActName::Abort, RunStatus::Aborting) => Some("the run is being aborted already".to_owned()),
            (ActName::Abort, RunStatus::CleaningUp) => Some("the run is over and being cleaned up".to_owned()),
            (ActName::Pause, RunStatus::Running) if !self.state.paused => None,
            (ActName::Pause, _) if self.state.paused => Some("the run is paused already".to_owned()),
            (ActName::Pause, _) => Some("there is nothing left to pause".to_owned()),
            (ActName::Continue, _) if self.state.paused => None,
            (ActName::Continue, _) => Some("the run is not paused".to_owned()),
            _ => Some("say which step".to_owned()),
        }
    }

    fn refusal_to_approve(&self, key: Key, who: &str) -> Option<String> {
        let gate = self.open_gate(key)?;
        let state = self.state.steps[key.0].task(key.1).gates.get(&gate)?;
        if state.people.iter().any(|person| person == who) {
            return Some(format!("{who} has approved already; {} distinct people are needed", state.count));
        }
        // An engine without a person keeps the gate open and holds; whoever resumes the run is asked anew.
        if let Some(at) = state.expires_at.filter(|at| *at <= self.now.at) {
            let at = crate::words::instant(at);
            return Some(format!("the time to answer was over at {at}; resume the run to be asked anew"));
        }
        let by = self.work(key).approval()?.by.clone()?;
        let scope = self.step(key.0)?.scope;
        // A role that the runbook does not have is a role of nobody.
        let nobody = Vec::new();
        let people = self.plan.scopes.get(scope)?.runbook.roles.get(&*by).unwrap_or(&nobody);
        (gate == Gate::Approval && !people.iter().any(|person| person == who))
            .then(|| format!("expected one of the role `{}` ({}), found {who}", *by, people.join(", ")))
    }

    /// What is live of a step: its action, or its undo.
    fn live_of(&self, node: usize) -> Option<(Key, Stage)> {
        [Task::Undo, Task::Do]
            .into_iter()
            .find_map(|task| self.live.get(&(node, task)).map(|&stage| ((node, task), stage)))
    }

    fn act_on_step(&mut self, node: usize, act: &Act) {
        let step = self.id(node);
        if act.act == ActName::Abort {
            return self.start_abort(&asked(act));
        }
        let Some((key, stage)) = self.live_of(node) else { return };
        let task = key.1;
        let reason = act.reason.clone().unwrap_or_default();
        match act.act {
            ActName::Approve => {
                let Some(gate) = self.open_gate(key) else { return };
                let given = self.state.steps[node].task(task).gates.get(&gate).map_or(0, |gate| gate.given) + 1;
                self.emit(Event::ApprovalGiven { step: step.clone(), task, gate, who: act.who.clone(), given });
                self.rpo_accepted |= gate == Gate::Rpo;
                self.close(&step);
                self.queue(key);
            }
            ActName::Deny => {
                let Some(gate) = self.open_gate(key) else { return };
                let who = act.who.clone();
                self.emit(Event::ApprovalDenied { step: step.clone(), task, gate, who, reason: reason.clone() });
                self.close(&step);
                self.fail(key, &format!("its approval was denied by {}: {reason}", act.who));
            }
            ActName::Skip => {
                self.close(&step);
                if task == Task::Undo {
                    return self.undo_failed(node, &format!("skipped by {}: {reason}", act.who));
                }
                let reason = format!("{}: {reason}", act.who);
                self.emit(Event::StepSkipped {
                    step,
                    by: SkippedBy::Person,
                    reason,
                    values: indexmap::IndexMap::new(),
                });
                self.settle(node, false);
            }
            ActName::Accept => {
                self.close(&step);
                if stage == Stage::Unknown {
                    let (way, outcome) = (Resolution::Person, Resolved::Done);
                    self.emit(Event::UnknownResolved { step: step.clone(), task, way, outcome });
                }
                if task == Task::Undo {
                    return self.undone(node);
                }
                let started = self.state.steps[node].started.unwrap_or(self.now);
                let duration_ms = self.now.elapsed_ms.saturating_sub(started.elapsed_ms);
                self.emit(Event::StepSucceeded { step, duration_ms, accepted_by: Some(act.who.clone()) });
                self.succeeded(node);
            }
            ActName::Retry => {
                self.close(&step);
                if stage == Stage::Unknown {
                    let (way, outcome) = (Resolution::Person, Resolved::RunAgain);
                    self.emit(Event::UnknownResolved { step, task, way, outcome });
                    return self.stage(key, Some(Stage::Startable));
                }
                self.stage(key, None);
                self.ready(node);
            }
            ActName::Recheck => {
                self.close(&step);
                self.verify(key);
            }
            ActName::Continue => {
                self.close(&step);
                self.stage(key, Some(Stage::Startable));
            }
            ActName::Done | ActName::Fail => {
                self.close(&step);
                let outcome = if act.act == ActName::Done { Outcome::Succeeded } else { Outcome::Failed };
                let attempt = self.state.steps[node].task(task).attempts;
                let ending = Ending {
                    outcome,
                    duration_ms: 0,
                    result: json!({"by": act.who, "note": reason, "missing": self.missing(key)}),
                    error: (outcome == Outcome::Failed).then(|| format!("{} says: {reason}", act.who)),
                    artifacts: Vec::new(),
                    requests: None,
                };
                self.on_action_finished(key, attempt, ending);
            }
            ActName::Yes | ActName::No => {
                self.close(&step);
                self.on_answer(key, act.act == ActName::Yes, &act.who);
            }
            ActName::AttachFile if stage == Stage::Manual => {
                if let Ok(Order::Manual { instructions }) = self.action_order(key) {
                    self.ask_manual(key, instructions);
                }
            }
            ActName::Pause | ActName::Abort | ActName::Detach | ActName::AttachFile | ActName::Handover => {}
        }
    }

    fn act_on_run(&mut self, act: &Act) {
        match act.act {
            ActName::Abort => self.start_abort(&asked(act)),
            ActName::Pause => self.pause(&asked(act)),
            ActName::Continue => {
                self.emit(Event::RunContinued {});
                self.close("");
                self.interrupts = 0;
            }
            // No grace: whoever leaves in good order does not want what runs to be cut off.
            ActName::Detach => {
                let reason = format!("{} detached", act.who);
                self.stop.get_or_insert(Stop { code: 5, reason, waits_for_checks: false });
            }
            _ => {}
        }
    }

    pub(crate) fn pause(&mut self, reason: &str) {
        self.emit(Event::RunPaused { reason: reason.to_owned() });
        self.ask_paused();
    }

    pub(crate) fn ask_paused(&mut self) {
        let choices = [ActName::Continue, ActName::Abort, ActName::Detach];
        let text = "nothing new starts; what runs goes on".to_owned();
        self.ask(String::new(), QuestionKind::Paused, text, &choices);
    }

    pub(crate) fn stop(&mut self, code: u8, reason: &str) {
        // Whoever detached waits as long as it takes; a signal does not.
        if self.stop.as_ref().is_none_or(|stop| !stop.waits_for_checks) {
            self.stop = Some(Stop { code, reason: reason.to_owned(), waits_for_checks: true });
            self.push(Command::Arm { timer: Timer::Grace, after_ms: TERMINATE_GRACE_MS });
        }
    }

    pub(crate) fn on_signal(&mut self, signal: Signal) {
        match signal {
            Signal::Hangup => {
                if self.state.attended {
                    self.emit(Event::TerminalLost {});
                    self.close_all();
                    self.go_on_alone();
                }
            }
            Signal::Terminate => self.stop(143, "SIGTERM"),
            Signal::Interrupt => {
                self.interrupts += 1;
                match self.interrupts {
                    1 if self.state.attended && self.state.run == RunStatus::Running && self.stop.is_none() => {
                        if !self.state.paused {
                            self.pause("Ctrl-C");
                        }
                    }
                    1 => self.stop(130, "interrupted"),
                    2 if self.state.run == RunStatus::Running => {
                        self.stop = None;
                        self.start_abort("Ctrl-C, twice");
                    }
                    _ => {
                        self.stop(130, "interrupted");
                        self.stop_actions(true);
                    }
                }
            }
        }
    }

    /// Everything that waits for a person is looked at again by the rules of an unattended run.
    fn go_on_alone(&mut self) {
        let waiting: Vec<(Key, Stage)> = self.live.iter().map(|(&key, &stage)| (key, stage)).collect();
        for (key, stage) in waiting {
            match stage {
                Stage::Gate | Stage::Asking if self.live.get(&key) == Some(&stage) => self.queue(key),
                Stage::Verify | Stage::Resolve | Stage::Control => self.nobody_answers(key),
                // A failure that somebody was to decide about stays open, and the run holds for it: an abort is too much
                // for a lost connection.
                _ => {}
            }
        }
    }

    /// The grace after SIGTERM is over: what still runs is stopped, and its outcome is then unknown.
    pub(crate) fn on_grace(&mut self) {
        if self.stop.is_some() {
            self.stop_actions(false);
        }
    }

    pub(crate) fn stop_actions(&mut self, now: bool) {
        let keys: Vec<Key> = self.live.keys().copied().collect();
        for key in keys {
            match self.live.get(&key) {
                Some(Stage::Action) => self.stop_action(key, now),
                Some(Stage::Stopping) if now => self.stop_action(key, true),
                Some(Stage::Verify | Stage::Resolve | Stage::Control) => {
                    // Checks only look: they are dropped, and begin anew when the run is resumed.
                    self.drop_checks(key);
                    self.release(key);
                    self.stage(key, None);
                }
                Some(Stage::Follow) => {
                    self.release(key);
                    self.stage(key, None);
                }
                _ => {}
            }
        }
    }

    pub(crate) fn stop_action(&mut self, key: Key, now: bool) {
        let (node, task) = key;
        let attempt = self.state.steps[node].task(task).attempts;
        self.stage(key, Some(Stage::Stopping));
        self.push(Command::StopAction { node, task, attempt, outcome: Outcome::Stopped, now });
    }
}

fn asked(act: &Act) -> String {
    match act.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{}: {reason}", act.who),
        None => format!("{} asked for it", act.who),
    }
}
