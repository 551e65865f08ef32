//! A log becomes a machine again, and what was in flight is found out.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{
    Command, Key, Machine, Now, RunStatus, Stage, Status, Timer,
    state::{FoldError, Progress, fold},
};
use crate::{
    action::{Order, Outcome},
    evidence::{
        Event,
        event::{AfterFailure, Task},
    },
    plan::Plan,
};

impl Machine {
    /// A machine for a run that an earlier engine left, from the records of its log. Its first input has to be
    /// `Input::Started`.
    ///
    /// # Errors
    /// When the log is not one of this plan.
    pub fn recover<'a>(
        plan: Arc<Plan>,
        records: impl IntoIterator<Item = (&'a Event, Now)>,
        secrets: IndexMap<String, String>,
    ) -> Result<Self, FoldError> {
        let state = fold(&plan, records)?;
        Ok(Self::with_state(plan, state, secrets))
    }

    /// Takes up everything that has begun and not ended.
    pub(crate) fn recover_live(&mut self) {
        // An engine may have died between two records that belong together.
        self.mark_restored();
        let cleanup = self.state.run == RunStatus::CleaningUp;
        let failed = (0..self.plan.nodes.len()).find(|&node| {
            self.state.steps[node].status == Status::Failed && self.state.steps[node].then == Some(AfterFailure::Abort)
        });
        for node in 0..self.plan.nodes.len() {
            // What an abort left as it was is over once the clean-up has begun, whatever it was.
            let its_turn = self.plan.nodes[node].step().is_some_and(|step| step.cleanup == cleanup);
            if self.settled[node].is_none() && its_turn {
                self.recover_step(node);
            }
        }
        if let Some(node) = failed
            && self.state.run == RunStatus::Running
        {
            let reason = self.state.steps[node].reason.clone().unwrap_or_default();
            let reason = format!("step `{}` failed: {reason}", self.id(node));
            self.start_abort(&reason);
        }
    }

    fn recover_step(&mut self, node: usize) {
        let key = (node, Task::Do);
        match self.state.steps[node].status {
            // Another step that was taken up before this one has begun the abort: nobody decides any more.
            Status::Failed if self.state.run != RunStatus::Running => self.settle(node, false),
            Status::Failed => {
                if self.state.steps[node].own.began.is_some() {
                    self.retake(key);
                }
                self.stage(key, Some(Stage::Decide));
                self.ask_failure(node);
            }
            Status::Running | Status::Verifying | Status::Unknown => self.recover_task(key),
            // Its predecessors have ended, so it is entered again; the gate that is open in the log stays open.
            _ => {}
        }
    }

    /// Takes up an action that has begun.
    pub(crate) fn recover_task(&mut self, key: Key) {
        let (node, task) = key;
        let state = self.state.steps[node].task(task).clone();
        let aborting = self.state.run == RunStatus::Aborting && task == Task::Do;
        if !(aborting && state.progress == Progress::Unknown) {
            self.retake(key);
        }
        match state.progress {
            Progress::Started if self.is_manual(key) && !aborting => {
                self.stage(key, Some(Stage::Manual));
                if let Ok(Order::Manual { instructions }) = self.action_order(key) {
                    self.ask_manual(key, instructions);
                }
                // Whoever is asked anew has all of the time: nobody could have said done before.
                let timer = Timer::Action { node, task, attempt: state.attempts };
                self.push(Command::Arm { timer, after_ms: self.timeout(key).as_millis() });
            }
            Progress::Started => match state.process {
                Some((pid, identity)) => {
                    self.stage(key, Some(Stage::Follow));
                    self.slots.insert(key);
                    self.push(Command::FollowProcess { node, task, pid, identity });
                    self.arm_the_rest(key);
                    if aborting {
                        self.abort_live(key);
                    }
                }
                None => self.unknown(key),
            },
            Progress::Unknown if aborting => {}
            Progress::Unknown => self.resolve(key),
            Progress::Ended(Outcome::Stopped) => self.unknown(key),
            Progress::Ended(outcome) => self.after_attempt(key, outcome, "it failed before its engine stopped"),
            Progress::Verifying if aborting => self.break_off(key, "it was broken off because the run is aborted"),
            Progress::Verifying => self.verify_again(key),
            Progress::Retrying | Progress::Again if aborting => {
                self.break_off(key, "it was broken off because the run is aborted");
            }
            Progress::Retrying if state.due_ms.is_some_and(|due| due > self.now.elapsed_ms) => {
                self.stage(key, Some(Stage::Delay));
                let attempt = state.attempts.saturating_add(1);
                let after_ms = state.due_ms.unwrap_or_default().saturating_sub(self.now.elapsed_ms);
                self.push(Command::Arm { timer: Timer::Retry { node, task, attempt }, after_ms });
            }
            Progress::Retrying | Progress::Again | Progress::Idle => self.stage(key, Some(Stage::Startable)),
            Progress::Over => {}
        }
    }

    /// What is left of an attempt's time; the engine that began it took its timer along.
    pub(crate) fn arm_the_rest(&mut self, key: Key) {
        let (node, task) = key;
        let state = self.state.steps[node].task(task);
        let spent = state.since.map_or(0, |since| self.now.elapsed_ms.saturating_sub(since.elapsed_ms));
        let timer = Timer::Action { node, task, attempt: state.attempts };
        self.push(Command::Arm { timer, after_ms: self.timeout(key).as_millis().saturating_sub(spent) });
    }
}
