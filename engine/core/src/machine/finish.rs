//! The ends of a stage, of a run, and of this process's part in it.

use super::{Command, Key, Machine, RunStatus, Stage, Status};
use crate::{
    action::Outcome,
    evidence::{
        Event,
        event::{RunFinished, SkippedBy, Stays, Task, Verdict},
    },
    model::Mode,
    policy::objectives,
};

impl Verdict {
    /// The exit code of a run that ended so; documented and stable.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Failed => 1,
            Self::PreflightFailed => 2,
            Self::Aborted => 3,
            Self::AbortIncomplete => 4,
            Self::ObjectiveMissed => 6,
        }
    }

    /// The name in reports and machine formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::ObjectiveMissed => "objective-missed",
            Self::Failed => "failed",
            Self::PreflightFailed => "preflight-failed",
            Self::Aborted => "aborted",
            Self::AbortIncomplete => "abort-incomplete",
        }
    }
}

impl Machine {
    /// Nothing can be started now: is this stage over, does the run hold, or is there something to wait for? Whether
    /// anything changed.
    pub(crate) fn end_of_stage(&mut self) -> bool {
        if self.exited {
            return false;
        }
        if self.state.run == RunStatus::Aborting && self.undo_waiting.is_empty() && self.begin_undo() {
            return true;
        }
        let over = match self.state.run {
            RunStatus::Running => self.open_steps == 0 && self.live.is_empty(),
            RunStatus::Aborting => !self.undo_waiting.is_empty() && self.undo_open == 0,
            RunStatus::CleaningUp => self.open_cleanup == 0 && self.live.is_empty(),
            RunStatus::Created | RunStatus::Finished(_) => false,
        };
        if over {
            match self.state.run {
                RunStatus::Running if self.plan.mode == Mode::Drill => self.begin_cleanup(),
                RunStatus::Aborting => self.begin_cleanup(),
                _ => self.finish(),
            }
            return true;
        }
        self.leave_if_asked();
        if self.exited || self.stop.is_some() || self.state.attended {
            return false;
        }
        if self.is_idle() && !self.waits_for_expiry() {
            self.hold();
        }
        false
    }

    /// Whether nothing goes on that could bring the run forward without a person. What is startable and does not start
    /// waits for a pause to end, or for a lock that somebody has to decide about.
    fn is_idle(&self) -> bool {
        self.busy == self.startable.len() + self.parked_at.len()
    }

    /// Whether an open gate says how long to wait for an answer.
    fn waits_for_expiry(&self) -> bool {
        self.live.iter().any(|(&key, &stage)| {
            stage == Stage::Gate
                && self.open_gate(key).is_some_and(|gate| {
                    let gate = self.state.steps[key.0].task(key.1).gates.get(&gate);
                    gate.and_then(|gate| gate.expires_at).is_some_and(|at| at > self.now.at)
                })
        })
    }

    /// The run waits for a person, and there is none: leave it, to be resumed.
    fn hold(&mut self) {
        let waits_for = self.waits_for();
        let reason = match waits_for.first() {
            Some(first) => format!("held: {first}"),
            None => "held: the run is paused".to_owned(),
        };
        self.leave(5, reason, waits_for);
    }

    /// What the run waits for, one line each.
    #[must_use]
    pub fn waits_for(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        if self.state.paused {
            lines.push("the run is paused".to_owned());
        }
        for (&(node, task), stage) in &self.live {
            let step = &self.plan.nodes[node].id;
            let undo = if task == Task::Undo { "the undo of " } else { "" };
            lines.push(match stage {
                Stage::Gate => format!("{undo}`{step}` waits for approval"),
                Stage::Asking => format!("`{step}` waits for the commander's go"),
                Stage::Manual => format!("{undo}`{step}` is to be done by a person"),
                Stage::Decide => format!("`{step}` failed and waits for a decision: retry, accept, skip or abort"),
                // What to do comes first: where there is little room, the end is left out.
                Stage::Unknown => format!(
                    "{undo}`{step}` waits for a person to look, then retry, accept, skip or abort: it was in \
                     flight when its engine stopped, it is not idempotent, and no check proves it done"
                ),
                _ => continue,
            });
        }
        lines
    }

    /// Leaves the run when a signal or a person asked for it, and nothing runs any more.
    pub(crate) fn leave_if_asked(&mut self) {
        let Some(stop) = self.stop.clone() else { return };
        let runs = |(&key, stage): (&Key, &Stage)| match stage {
            Stage::Action | Stage::Stopping => true,
            // A check that waits for a person could wait for ever.
            Stage::Verify | Stage::Resolve | Stage::Control => stop.waits_for_checks && self.asked(key).is_none(),
            Stage::Follow => stop.waits_for_checks,
            _ => false,
        };
        if !self.live.iter().any(runs) {
            let waits_for = self.waits_for();
            self.drop_all_checks();
            self.leave(stop.code, stop.reason, waits_for);
        }
    }

    fn leave(&mut self, code: u8, reason: String, waits_for: Vec<String>) {
        self.tell_requests();
        self.emit(Event::EngineStopped { reason: reason.clone(), waits_for, exit_code: code });
        self.exit(code, reason);
    }

    pub(crate) fn exit(&mut self, code: u8, reason: String) {
        self.exited = true;
        self.close_all();
        self.push(Command::Exit { code, reason });
    }

    pub(crate) fn preflight_failed(&mut self, reason: &str) {
        self.end(Verdict::PreflightFailed, reason, Vec::new());
    }

    /// The log cannot be written any more: nothing new starts, what runs is told to stop, and nobody may believe that
    /// the run is recorded.
    pub(crate) fn on_evidence_lost(&mut self, reason: &str) {
        // What an earlier engine left behind too: nobody would write down what it does.
        let left: Vec<_> =
            self.live.iter().filter(|&(_, &stage)| stage == Stage::Follow).map(|(&key, _)| key).collect();
        for (node, task) in left {
            let attempt = self.state.steps[node].task(task).attempts;
            self.push(Command::StopAction { node, task, attempt, outcome: Outcome::Stopped, now: false });
        }
        self.stop_actions(false);
        self.exit(7, format!("evidence could not be written: {reason}"));
    }

    /// The run is over: what was it?
    pub(crate) fn finish(&mut self) {
        let (verdict, reason, left) = self.verdict();
        self.end(verdict, &reason, left);
    }

    fn end(&mut self, verdict: Verdict, reason: &str, left: Vec<Stays>) {
        let objectives = objectives::actuals(&self.plan, &self.state);
        let exit_code = verdict.exit_code();
        self.tell_requests();
        self.emit(Event::RunFinished(Box::new(RunFinished {
            verdict,
            exit_code,
            reason: reason.to_owned(),
            objectives,
            left,
        })));
        self.exit(exit_code, reason.to_owned());
    }

    fn verdict(&self) -> (Verdict, String, Vec<Stays>) {
        let with = |wanted: &dyn Fn(Status) -> bool, cleanup: bool| -> Vec<usize> {
            (0..self.plan.nodes.len())
                .filter(|&at| self.step(at).is_some_and(|step| step.cleanup == cleanup))
                .filter(|&at| wanted(self.state.steps[at].status))
                .collect()
        };
        let names = |nodes: &[usize]| {
            nodes.iter().map(|&at| format!("`{}`", self.plan.nodes[at].id)).collect::<Vec<_>>().join(", ")
        };
        let stays = |nodes: &[usize], what: &str| -> Vec<Stays> {
            nodes
                .iter()
                .map(|&at| Stays {
                    step: self.id(at),
                    why: format!("{what}: {}", self.state.steps[at].reason.clone().unwrap_or_default()),
                })
                .collect()
        };
        // A clean-up that a person left out has not cleaned up.
        let clean = |status| matches!(status, Status::Succeeded | Status::Skipped(SkippedBy::Condition));
        let dirty = with(&|status| !clean(status), true);
        let dirty = if self.state.cleanup_started { dirty } else { Vec::new() };
        if let Some(reason) = &self.state.abort_reason {
            let mut left = self.state.stays.clone();
            left.extend(stays(&with(&|status| status == Status::UndoFailed, false), "its undo failed"));
            left.extend(stays(&dirty, "the clean-up failed"));
            return if left.is_empty() {
                (Verdict::Aborted, format!("aborted and rolled back: {reason}"), left)
            } else {
                (Verdict::AbortIncomplete, format!("aborted, {} left: {reason}", left.len()), left)
            };
        }
        let failed = with(&|status| !matches!(status, Status::Succeeded | Status::Skipped(_)), false);
        let left = stays(&dirty, "the clean-up failed");
        if !failed.is_empty() {
            return (Verdict::Failed, format!("not succeeded: {}", names(&failed)), left);
        }
        let restores =
            (0..self.plan.nodes.len()).any(|at| self.step(at).is_some_and(|step| step.spec.restores && !step.cleanup));
        if restores && self.state.restored.is_none() {
            return (Verdict::Failed, "the capability was not restored".to_owned(), left);
        }
        if !left.is_empty() {
            return (Verdict::Failed, format!("the clean-up failed: {}", names(&dirty)), left);
        }
        let actuals = objectives::actuals(&self.plan, &self.state);
        let missed: Vec<&str> = [("RTO", actuals.rto.met), ("RPO", actuals.rpo.met)]
            .into_iter()
            .filter(|&(_, met)| met == Some(false))
            .map(|(name, _)| name)
            .collect();
        let skipped = with(&|status| status == Status::Skipped(SkippedBy::Person), false);
        let accepted: Vec<usize> =
            (0..self.plan.nodes.len()).filter(|&at| self.state.steps[at].accepted_by.is_some()).collect();
        let mut reason = "every step is done".to_owned();
        if skipped.is_empty() && accepted.is_empty() && missed.is_empty() {
            reason.push_str(" and proven");
        }
        for (nodes, what) in [(&skipped, "left out"), (&accepted, "taken as done")] {
            if !nodes.is_empty() {
                reason.push_str(&format!(", {} {what} by a person", names(nodes)));
            }
        }
        if missed.is_empty() {
            return (Verdict::Succeeded, reason, left);
        }
        (Verdict::ObjectiveMissed, format!("{reason}, but {} was missed", missed.join(" and ")), left)
    }
}
