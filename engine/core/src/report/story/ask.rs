//! What every report asks of a story.

use super::{Check, Control, Decision, Engine, GateStory, RunState, Step, Story};
use crate::{
    evidence::event::{Gate, SkippedBy, Task, Verdict},
    machine::state::Status,
    model::Level,
    words,
};

impl RunState {
    /// The name in reports and machine formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Held => "held",
            Self::Interrupted => "interrupted",
            Self::Aborting => "aborting",
            Self::CleaningUp => "cleaning-up",
            Self::Finished => "finished",
        }
    }
}

impl Story {
    /// How it ended, when it has.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.end.as_ref().map(|end| end.verdict)
    }

    /// The level that the run proves: the one it claimed when it passed, and none otherwise. Overrides do not change
    /// it, so they must be shown next to it.
    #[must_use]
    pub fn proven(&self) -> Option<Level> {
        matches!(self.verdict()?, Verdict::Succeeded | Verdict::ObjectiveMissed).then_some(self.created.level)
    }

    /// Decisions by which the run proves less than its plan: steps skipped or taken as done, unknown outcomes that a
    /// person resolved, data loss that was accepted, gates that a policy passed. A denial is none: the plan asked, and
    /// no is one of its answers.
    pub fn overrides(&self) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().filter(|decision| decision.overrides.is_some())
    }

    /// Steps that ended other than their plan wanted and were not skipped: failed, unknown, not undone.
    pub fn failed(&self) -> impl Iterator<Item = &Step> {
        self.steps.values().filter(|step| {
            matches!(step.status, Status::Failed | Status::Unknown | Status::UndoFailed)
                // What was undone after it failed is clean now, but it is still the reason.
                || (matches!(step.status, Status::Undone | Status::Undoing) && !step.failures.is_empty())
        })
    }

    /// Steps with something to explain: those that failed or were unknown at any time, and those with a failed check.
    pub fn troubled(&self) -> impl Iterator<Item = &Step> {
        self.steps.values().filter(|step| {
            !step.failures.is_empty()
                || !step.unknowns.is_empty()
                || matches!(step.status, Status::UndoFailed | Status::Failed | Status::Unknown)
                || step.checks.iter().any(|check| !check.passed)
                || step.controls.iter().any(|control| !control.failed_as_it_must)
        })
    }

    /// How many steps are in each status, those that ended well first.
    #[must_use]
    pub fn counts(&self) -> Vec<(&'static str, usize)> {
        const ORDER: [Status; 13] = [
            Status::Succeeded,
            Status::Skipped(SkippedBy::Condition),
            Status::Skipped(SkippedBy::Person),
            Status::Failed,
            Status::Unknown,
            Status::Blocked,
            Status::Undone,
            Status::UndoFailed,
            Status::Undoing,
            Status::Running,
            Status::Verifying,
            Status::AwaitingApproval,
            Status::Pending,
        ];
        let mut counts: Vec<(&'static str, usize)> = Vec::new();
        for status in ORDER {
            let number = self.steps.values().filter(|step| step.status == status).count();
            match counts.iter_mut().find(|(known, _)| *known == status.name()) {
                _ if number == 0 => {}
                Some((_, count)) => *count += number,
                None => counts.push((status.name(), number)),
            }
        }
        counts
    }

    /// Whether any step could prove that the capability is back; `true` when the plan is not known.
    #[must_use]
    pub fn measures_rto(&self) -> bool {
        !self.planned || self.marks.restored.is_some() || self.steps.values().any(|step| step.restores)
    }

    /// From the outage to the last record, while the capability is not restored.
    #[must_use]
    pub fn down_for_ms(&self) -> Option<u64> {
        if self.marks.restored.is_some() {
            return None;
        }
        let millis = self.last.at.as_millisecond().saturating_sub(self.marks.outage.as_millisecond());
        Some(u64::try_from(millis).unwrap_or(0))
    }

    /// What the run waits for, one line each: what its engine said when it left, or else the gates that are open.
    #[must_use]
    pub fn waits_for(&self) -> Vec<String> {
        if self.state == RunState::Finished {
            return Vec::new();
        }
        if let Some(left) = self.engines.last().and_then(|engine| engine.left.as_ref()) {
            return left.waits_for.clone();
        }
        let gates = self.steps.values().filter_map(|step| Some((step, step.open_gate()?)));
        gates
            .map(|(step, gate)| {
                let undo = if gate.task == Task::Undo { "the undo of " } else { "" };
                format!("{undo}`{}` waits for approval", step.id)
            })
            .collect()
    }

    /// Steps that run by the last record.
    pub fn in_flight(&self) -> impl Iterator<Item = &Step> {
        self.steps.values().filter(|step| matches!(step.status, Status::Running | Status::Verifying | Status::Undoing))
    }

    /// Whether an engine ended without a word: it wrote neither a farewell nor the verdict, and another one took over.
    #[must_use]
    pub fn went_silent(&self, engine: usize) -> bool {
        engine + 1 < self.engines.len() && self.engines.get(engine).is_some_and(|engine| engine.left.is_none())
    }

    /// The engine that has the run.
    #[must_use]
    pub fn engine(&self) -> Option<&Engine> {
        self.engines.last()
    }

    /// The longest part of the RTO clock: name and milliseconds.
    #[must_use]
    pub fn longest_part(&self) -> Option<(&str, u64)> {
        let parts = self.objectives.rto.split.iter().map(|(name, millis)| (name.as_str(), *millis));
        parts.max_by_key(|&(_, millis)| millis).filter(|&(_, millis)| millis > 0)
    }
}

impl Step {
    /// How often its own action was started.
    #[must_use]
    pub fn tries(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.task == Task::Do).count()
    }

    /// The gate that is open.
    #[must_use]
    pub fn open_gate(&self) -> Option<&GateStory> {
        let gate = self.gates.last()?;
        let waits = self.status == Status::AwaitingApproval || (gate.task == Task::Undo && !self.undo_ended());
        (waits && gate.is_open()).then_some(gate)
    }

    fn undo_ended(&self) -> bool {
        matches!(self.status, Status::Undone | Status::UndoFailed)
    }

    /// Checks that failed, and whether the same check passed later.
    pub fn failed_checks(&self) -> impl Iterator<Item = (&Check, bool)> {
        self.checks.iter().enumerate().filter(|(_, check)| !check.passed).map(|(at, check)| {
            let later = self.checks.iter().skip(at + 1);
            let passed =
                later.into_iter().any(|later| later.passed && (later.task, later.number) == (check.task, check.number));
            (check, passed)
        })
    }

    /// Negative controls that passed although they had to fail: the check proves nothing.
    pub fn empty_controls(&self) -> impl Iterator<Item = &Control> {
        self.controls.iter().filter(|control| !control.failed_as_it_must)
    }

    /// Why it is where it is, for the statuses that need a reason.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        match self.status {
            Status::Blocked => Some(format!("needs {}", words::list(&self.blocked_by, 6))),
            Status::Skipped(SkippedBy::Condition) => {
                Some(format!("its condition was false: {}", self.reason.as_deref().unwrap_or_default()))
            }
            Status::Skipped(SkippedBy::Person) => Some(format!("by {}", self.reason.as_deref().unwrap_or_default())),
            Status::Failed => self.reason.clone(),
            Status::UndoFailed => Some(format!("its undo failed: {}", self.reason.as_deref().unwrap_or_default())),
            Status::Unknown => Some("its engine stopped in the middle of it: nobody knows what it did".to_owned()),
            Status::Undone | Status::Undoing => {
                let failure = self.failures.last()?;
                Some(format!("it failed: {}", failure.reason))
            }
            Status::Succeeded => {
                let who = self.accepted_by.as_ref()?;
                Some(format!("taken as done by {who}, without its proof"))
            }
            Status::AwaitingApproval => {
                let gate = self.open_gate()?;
                let role = gate.by.as_ref().map(|role| format!(" from role {role}")).unwrap_or_default();
                let rpo = if gate.gate == Gate::Rpo { "; the restored data is older than the RPO allows" } else { "" };
                let expires = gate.expires_at.map(|at| format!("; denied by itself at {}", words::instant(at)));
                let expires = expires.unwrap_or_default();
                Some(format!("has {} of {} approvals{role}{rpo}{expires}", gate.have, gate.count))
            }
            Status::Pending | Status::Running | Status::Verifying => None,
        }
    }
}

impl GateStory {
    /// Whether it still waits for an answer.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.denied.is_none() && self.expired.is_none() && self.have < self.count
    }

    /// How it stands, in one word.
    #[must_use]
    pub fn standing(&self) -> &'static str {
        if self.denied.is_some() {
            "denied"
        } else if self.expired.is_some() {
            "expired"
        } else if self.have >= self.count {
            "approved"
        } else {
            "open"
        }
    }
}
