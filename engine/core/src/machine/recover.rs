//! A log becomes a machine again, and what was in flight is found out.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{
    Command, Key, Machine, Now, RunStatus, Stage, Status, Timer,
    state::{FoldError, Progress, fold},
};
use crate::{
    action::Order,
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
        for node in 0..self.plan.nodes.len() {
            if self.state.steps[node].status == Status::Succeeded {
                self.mark_restored(node);
            }
        }
        let failed = (0..self.plan.nodes.len()).find(|&node| {
            self.state.steps[node].status == Status::Failed && self.state.steps[node].then == Some(AfterFailure::Abort)
        });
        for node in 0..self.plan.nodes.len() {
            if self.settled[node].is_none() && self.plan.nodes[node].step().is_some() {
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
            Status::Failed => {
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
        match state.progress {
            Progress::Started if self.is_manual(key) && !aborting => {
                self.stage(key, Some(Stage::Manual));
                if let Ok(Order::Manual { instructions }) = self.action_order(key) {
                    self.ask_manual(key, instructions);
                }
                let timer = Timer::Action { node, task, attempt: state.attempts };
                let after_ms = self.timeout(key).as_millis();
                self.push(Command::Arm { timer, after_ms });
            }
            Progress::Started => match state.process {
                Some((pid, identity)) => {
                    self.stage(key, Some(Stage::Follow));
                    self.push(Command::FollowProcess { node, task, pid, identity });
                    if aborting {
                        self.abort_live(key);
                    }
                }
                None => self.unknown(key),
            },
            Progress::Unknown if aborting => {}
            Progress::Unknown => self.resolve(key),
            Progress::Ended(outcome) => self.after_attempt(key, outcome, "it failed before its engine stopped"),
            Progress::Verifying if aborting => self.break_off(key, "it was broken off because the run is aborted"),
            Progress::Verifying => self.verify_again(key),
            Progress::Retrying | Progress::Again if aborting => {
                self.break_off(key, "it was broken off because the run is aborted");
            }
            // The delay is over, or nearly: it began before the engine stopped.
            Progress::Retrying | Progress::Again | Progress::Idle => self.stage(key, Some(Stage::Startable)),
            Progress::Over => {}
        }
    }
}
