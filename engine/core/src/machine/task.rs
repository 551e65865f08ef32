//! One action's life: gates, attempts, retries, its end.

use serde_json::Value;

use super::{
    Command, Key, Machine, RunStatus, Stage, Status, Timer, checks::Purpose, outputs, render::masked_order,
    state::Progress,
};
use crate::{
    action::{Kind, Order, Outcome},
    evidence::{
        Event,
        event::{ActionFinished, AfterFailure, Artifact, Gate, Resolution, Resolved, Task},
    },
    model::{Effect, Mode, OnFailure, Phase, Unattended},
    policy::{objectives, retry},
};

/// How an attempt ended.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub outcome: Outcome,
    pub duration_ms: u64,
    pub result: Value,
    pub error: Option<String>,
    pub requests: Option<u64>,
    pub artifacts: Vec<Artifact>,
}

impl Ending {
    pub(crate) fn failed(outcome: Outcome, error: &str) -> Self {
        Self {
            outcome,
            duration_ms: 0,
            result: Value::Null,
            error: Some(error.to_owned()),
            artifacts: Vec::new(),
            requests: None,
        }
    }
}

impl Machine {
    /// Passes the gates of an action, or waits at one. Whether it may go on.
    pub(crate) fn gates(&mut self, key: Key) -> bool {
        let (node, task) = key;
        let work = self.work(key);
        if let Some(approval) = work.approval().cloned()
            && !self.gate(
                key,
                Gate::Approval,
                approval.by.as_deref(),
                *approval.count,
                approval.unattended,
                approval.expires,
            )
        {
            return false;
        }
        let shifts = task == Task::Do && self.step(node).is_some_and(|step| step.phase == Some(Phase::ShiftTraffic));
        if shifts && !self.rpo_accepted && self.rpo_is_missed() {
            return self.gate(key, Gate::Rpo, None, 1, Unattended::Hold, None);
        }
        true
    }

    fn rpo_is_missed(&self) -> bool {
        self.oldest.is_some_and(|(at, _)| !objectives::rpo_met(&self.state, at))
    }

    fn gate(
        &mut self,
        key: Key,
        gate: Gate,
        by: Option<&String>,
        count: u32,
        unattended: Unattended,
        expires: Option<crate::duration::Duration>,
    ) -> bool {
        let (node, task) = key;
        let step = self.id(node);
        let known = self.state.steps[node].task(task).gates.get(&gate).cloned();
        match &known {
            Some(known) if known.passed() => return true,
            Some(known) if known.denied.is_some() => {
                let reason = known.denied.clone().unwrap_or_default();
                self.fail(key, &reason);
                return false;
            }
            // While it was open and its time ran out, no engine was there that could have taken an answer: it is asked
            // anew, answers and all.
            Some(known)
                if self.live.get(&key) == Some(&Stage::Gate)
                    || known.expires_at.is_none_or(|expires_at| expires_at > self.now.at) => {}
            _ => {
                let expires_at = expires.and_then(|after| {
                    let after = jiff::SignedDuration::try_from(after.as_std()).ok()?;
                    self.now.at.checked_add(after).ok()
                });
                let by = by.cloned();
                self.emit(Event::ApprovalRequested { step: step.clone(), task, gate, by, count, expires_at });
            }
        }
        if !self.state.attended {
            match unattended {
                Unattended::DrillOnly if self.plan.mode == Mode::Drill => {
                    let who = "policy:drill-only".to_owned();
                    self.emit(Event::ApprovalGiven { step, task, gate, who, given: count });
                    return true;
                }
                Unattended::Deny => {
                    let who = "policy:deny".to_owned();
                    let reason = "nobody is at the terminal, and the gate says `unattended: deny`".to_owned();
                    self.emit(Event::ApprovalDenied { step, task, gate, who, reason: reason.clone() });
                    self.fail(key, &format!("its approval was denied: {reason}"));
                    return false;
                }
                Unattended::Hold | Unattended::DrillOnly => {}
            }
        }
        self.stage(key, Some(Stage::Gate));
        let expires_at = self.state.steps[node].task(task).gates.get(&gate).and_then(|gate| gate.expires_at);
        if let Some(expires_at) = expires_at {
            let after = expires_at.as_millisecond().saturating_sub(self.now.at.as_millisecond());
            self.push(Command::Arm {
                timer: Timer::Approval { node, task },
                after_ms: u64::try_from(after).unwrap_or(0),
            });
        }
        self.ask_approval(key, gate);
        false
    }

    /// The open gate of an action.
    pub(crate) fn open_gate(&self, key: Key) -> Option<Gate> {
        let gates = &self.state.steps[key.0].task(key.1).gates;
        gates.iter().find(|(_, gate)| !gate.passed() && gate.denied.is_none()).map(|(&gate, _)| gate)
    }

    pub(crate) fn on_gate_time(&mut self, key: Key) {
        if self.live.get(&key) != Some(&Stage::Gate) {
            return;
        }
        let Some(gate) = self.open_gate(key) else { return };
        let expires_at = self.state.steps[key.0].task(key.1).gates.get(&gate).and_then(|gate| gate.expires_at);
        if expires_at.is_none_or(|at| at > self.now.at) {
            // A timer of an earlier request, or one that fired a little early on the other clock.
            if let Some(at) = expires_at {
                let after = at.as_millisecond().saturating_sub(self.now.at.as_millisecond()).saturating_add(1);
                let timer = Timer::Approval { node: key.0, task: key.1 };
                self.push(Command::Arm { timer, after_ms: u64::try_from(after).unwrap_or(1) });
            }
            return;
        }
        // Nobody is there and the gate says hold: the run holds as soon as nothing else is worth waiting for, and
        // whoever resumes it finds the gate open.
        if !self.state.attended {
            return;
        }
        let step = self.id(key.0);
        self.emit(Event::ApprovalExpired { step, task: key.1, gate });
        self.close_question(key.0);
        self.fail(key, "its approval expired: nobody answered in time");
    }

    /// A slot and the locks are there.
    pub(crate) fn begin(&mut self, key: Key) {
        let work = self.work(key);
        let fresh = self.state.steps[key.0].own.attempts == 0;
        let seen = self.state.steps[key.0].controls_seen as usize;
        let controls = work.checks().iter().enumerate().filter(|(_, check)| check.must_fail_first);
        let next = controls.map(|(at, _)| at).nth(seen).and_then(|at| u32::try_from(at).ok());
        if key.1 == Task::Do
            && fresh
            && let Some(next) = next
        {
            self.stage(key, Some(Stage::Control));
            return self.next_control(key, next);
        }
        self.launch(key);
    }

    /// Announces an attempt and starts it.
    pub(crate) fn launch(&mut self, key: Key) {
        let (node, task) = key;
        let order = match self.action_order(key) {
            Ok(order) => order,
            Err(reason) => {
                self.slots.remove(&key);
                return self.fail(key, &format!("its action cannot be rendered: {reason}"));
            }
        };
        let step = self.id(node);
        let attempt = self.state.steps[node].task(task).attempts.saturating_add(1);
        if task == Task::Do && attempt == 1 && self.injectors.contains(&node) {
            self.emit(Event::OutageMarked { step: step.clone(), at: self.now.at });
        }
        if order == Order::Nothing {
            self.slots.remove(&key);
            return self.verify(key);
        }
        let timeout = self.timeout(key);
        let recorded = masked_order(&order);
        self.emit(Event::ActionStarted { step, task, attempt, order: recorded, timeout_ms: timeout.as_millis() });
        match order {
            Order::Manual { instructions } => {
                self.slots.remove(&key);
                self.stage(key, Some(Stage::Manual));
                self.ask_manual(key, instructions);
            }
            order => {
                self.stage(key, Some(Stage::Action));
                // Soak time is free: it must not keep others from starting.
                if matches!(order, Order::Pause { .. }) {
                    self.slots.remove(&key);
                }
                let pause = matches!(order, Order::Pause { .. });
                let prepared = self.state.steps[node].task(task).prepared.clone();
                self.push(Command::StartAction { node, task, attempt, order, prepared });
                if pause {
                    return;
                }
            }
        }
        self.push(Command::Arm { timer: Timer::Action { node, task, attempt }, after_ms: timeout.as_millis() });
    }

    /// An attempt ended.
    pub(crate) fn on_action_finished(&mut self, key: Key, attempt: u32, mut ending: Ending) {
        let (node, task) = key;
        if self.live.get(&key) == Some(&Stage::Follow) {
            // It was told to stop and has; how it would have ended nobody knows.
            return self.on_process_gone(key);
        }
        let running = matches!(self.live.get(&key), Some(Stage::Action | Stage::Stopping | Stage::Manual));
        if !running || self.state.steps[node].task(task).attempts != attempt {
            return;
        }
        self.slots.remove(&key);
        let mut taken = indexmap::IndexMap::new();
        let mut recovery_point = None;
        if task == Task::Do && ending.outcome == Outcome::Succeeded {
            match self.take_outputs(node, &ending.result) {
                Ok((outputs, point)) => (taken, recovery_point) = (outputs, point),
                Err(reason) => {
                    ending.outcome = Outcome::Failed;
                    ending.error = Some(reason);
                }
            }
        }
        self.emit(Event::ActionFinished(Box::new(ActionFinished {
            step: self.id(node),
            task,
            attempt,
            outcome: ending.outcome,
            duration_ms: ending.duration_ms,
            result: outputs::for_the_record(&ending.result),
            outputs: taken,
            recovery_point,
            error: ending.error.clone(),
            requests: ending.requests,
            artifacts: ending.artifacts,
        })));
        let reason = ending.error.unwrap_or_else(|| "it failed".to_owned());
        self.after_attempt(key, ending.outcome, &reason);
    }

    /// Decides about an attempt that has ended; also after a crash, when the log ends there.
    pub(crate) fn after_attempt(&mut self, key: Key, outcome: Outcome, reason: &str) {
        let (node, task) = key;
        if self.state.run == RunStatus::Aborting && task == Task::Do {
            return self.break_off(key, "it was stopped because the run is aborted");
        }
        match outcome {
            Outcome::Succeeded => self.verify(key),
            Outcome::Stopped if self.stop.is_some() => {
                // This process is about to leave: the next one finds out.
                let step = self.id(node);
                let attempt = self.state.steps[node].task(task).attempts;
                self.emit(Event::StepUnknown { step, task, attempt });
                self.stage(key, Some(Stage::Unknown));
            }
            Outcome::Stopped => self.unknown(key),
            Outcome::Failed | Outcome::TimedOut => {
                let state = self.state.steps[node].task(task);
                let made = state.attempts.saturating_sub(state.budget_from);
                let next = state.attempts.saturating_add(1);
                match retry::next(self.retry(key).as_ref(), made, outcome) {
                    Some(delay) => {
                        let step = self.id(node);
                        let delay_ms = delay.as_millis();
                        let reason = reason.to_owned();
                        self.emit(Event::RetryScheduled { step, task, attempt: next, delay_ms, reason });
                        self.stage(key, Some(Stage::Delay));
                        let timer = Timer::Retry { node, task, attempt: next };
                        self.push(Command::Arm { timer, after_ms: delay_ms });
                    }
                    None => self.fail(key, reason),
                }
            }
        }
    }

    /// The checks of an action, from the first one.
    pub(crate) fn verify(&mut self, key: Key) {
        let step = self.id(key.0);
        if self.work(key).checks().is_empty() {
            return self.succeed(key);
        }
        self.emit(Event::VerificationStarted { step, task: key.1 });
        self.stage(key, Some(Stage::Verify));
        self.start_check(key, 0, Purpose::Verify);
    }

    /// Done, and proven.
    pub(crate) fn succeed(&mut self, key: Key) {
        let (node, task) = key;
        match task {
            Task::Do => {
                let step = self.id(node);
                let started = self.state.steps[node].started.unwrap_or(self.now);
                let duration_ms = self.now.elapsed_ms.saturating_sub(started.elapsed_ms);
                self.emit(Event::StepSucceeded { step, duration_ms, accepted_by: None });
                self.succeeded(node);
            }
            Task::Undo => self.undone(node),
        }
    }

    /// What follows from a success.
    pub(crate) fn succeeded(&mut self, node: usize) {
        if let Some(at) = self.state.steps[node].recovery_point {
            let step = self.id(node);
            self.emit(Event::RecoveryPoint { step, at });
            self.oldest = Some(self.oldest.map_or((at, node), |oldest| oldest.min((at, node))));
        }
        self.settle(node, true);
    }

    /// The RTO clock stops when every step that says `restores` has succeeded or was left out by its condition, at the
    /// end of the last one that succeeded; without one nothing was restored.
    pub(crate) fn mark_restored(&mut self) {
        if self.open_restores > 0 || self.state.restored.is_some() {
            return;
        }
        let plan = std::sync::Arc::clone(&self.plan);
        let proven = plan.nodes.iter().zip(&self.state.steps).enumerate().filter_map(|(at, (node, state))| {
            let restores = node.step().is_some_and(|step| step.spec.restores && !step.cleanup);
            (restores && state.status == Status::Succeeded).then_some((state.finished?.at, at))
        });
        if let Some((at, node)) = proven.max() {
            let step = self.id(node);
            self.emit(Event::CapabilityRestored { step, at });
        }
    }

    /// It failed, after all its attempts.
    pub(crate) fn fail(&mut self, key: Key, reason: &str) {
        let (node, task) = key;
        if task == Task::Undo {
            return self.undo_failed(node, reason);
        }
        let Some(step) = self.step(node) else { return };
        let asked = step.spec.on_failure.as_deref().copied();
        let then = if step.cleanup {
            AfterFailure::Continue
        } else if self.state.run == RunStatus::Aborting {
            AfterFailure::Abort
        } else {
            match asked {
                Some(OnFailure::Pause) => AfterFailure::Pause,
                Some(OnFailure::Continue) => AfterFailure::Continue,
                None if self.state.attended => AfterFailure::Pause,
                Some(OnFailure::Abort) | None => AfterFailure::Abort,
            }
        };
        let step = self.id(node);
        self.emit(Event::StepFailed { step: step.clone(), reason: reason.to_owned(), then });
        match then {
            AfterFailure::Continue => self.settle(node, false),
            AfterFailure::Pause => {
                self.slots.remove(&key);
                self.stage(key, Some(Stage::Decide));
                self.ask_failure(node);
            }
            AfterFailure::Abort => {
                self.settle(node, false);
                if self.state.run == RunStatus::Running {
                    self.start_abort(&format!("step `{step}` failed: {reason}"));
                }
            }
        }
    }

    /// Whether a failed step still waits for a decision.
    pub(crate) fn decision_is_open(&self, node: usize) -> bool {
        self.state.run == RunStatus::Running
            && self.state.steps[node].then != Some(AfterFailure::Continue)
            && !self.is_cleanup(node)
    }

    /// An attempt whose outcome nobody knows: can it be found out without a person?
    pub(crate) fn resolve(&mut self, key: Key) {
        let (node, task) = key;
        let work = self.work(key);
        if work.finds_itself() {
            return self.follow(key);
        }
        let repeatable = work.idempotent() || work.effect() == Effect::Reads;
        let by_checks = !work.checks().is_empty() && !work.result_matters();
        if by_checks && !work.checks().iter().all(|check| check.ask.is_some()) {
            self.stage(key, Some(Stage::Resolve));
            return self.start_check(key, 0, Purpose::Resolve { once: repeatable });
        }
        if repeatable {
            return self.run_again(key);
        }
        self.stage(key, Some(Stage::Unknown));
        self.ask_unknown(node, task);
    }

    /// The verification that was to find out what happened has ended.
    pub(crate) fn resolved(&mut self, key: Key, passed: bool) {
        let (node, task) = key;
        let work = self.work(key);
        if passed {
            let step = self.id(node);
            let (way, outcome) = (Resolution::Verification, Resolved::Done);
            self.emit(Event::UnknownResolved { step, task, way, outcome });
            return self.succeed(key);
        }
        if work.idempotent() || work.effect() == Effect::Reads {
            return self.run_again(key);
        }
        self.stage(key, Some(Stage::Unknown));
        self.ask_unknown(node, task);
    }

    fn run_again(&mut self, key: Key) {
        let work = self.work(key);
        let way = if work.effect() == Effect::Reads { Resolution::Reads } else { Resolution::Idempotent };
        let step = self.id(key.0);
        self.emit(Event::UnknownResolved { step, task: key.1, way, outcome: Resolved::RunAgain });
        self.stage(key, Some(Stage::Startable));
    }

    /// A process that an earlier engine left behind is gone; nobody saw how it ended.
    pub(crate) fn on_process_gone(&mut self, key: Key) {
        if self.live.get(&key) != Some(&Stage::Follow) {
            return;
        }
        self.slots.remove(&key);
        self.unknown(key);
    }

    /// Records that the outcome of the attempt in flight is unknown, and tries to find it out.
    pub(crate) fn unknown(&mut self, key: Key) {
        let (node, task) = key;
        let state = self.state.steps[node].task(task);
        if state.progress != Progress::Unknown {
            let attempt = state.attempts;
            let step = self.id(node);
            self.emit(Event::StepUnknown { step, task, attempt });
        }
        if self.state.run == RunStatus::Aborting && task == Task::Do {
            self.release(key);
            return self.stage(key, None);
        }
        self.resolve(key);
    }

    /// Ends an action that the abort broke off.
    pub(crate) fn break_off(&mut self, key: Key, reason: &str) {
        let (node, _) = key;
        if self.state.steps[node].own.progress != Progress::Unknown && self.settled[node].is_none() {
            let step = self.id(node);
            self.emit(Event::StepFailed { step, reason: reason.to_owned(), then: AfterFailure::Abort });
        }
        self.settle(node, false);
        self.close_question(node);
    }

    /// The kind of an action, if it is one that a process carries out.
    pub(crate) fn is_manual(&self, key: Key) -> bool {
        self.work(key).kind() == Some(Kind::Manual)
    }
}
