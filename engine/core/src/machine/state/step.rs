//! Where a step of a run is, and how far its action and its undo have come.
//!
//! Duty: the shape of it. What changes it is in `State::apply`.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use super::Now;
use crate::{
    action::{Outcome, kube::Prepared},
    evidence::event::{AfterFailure, Gate, SkippedBy, Task},
};

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Not begun.
    Pending,
    /// A gate is open.
    AwaitingApproval,
    /// Its action runs, or will be tried again.
    Running,
    /// Its checks run.
    Verifying,
    /// Done and proven.
    Succeeded,
    /// Left out.
    Skipped(SkippedBy),
    /// It cannot run.
    Blocked,
    /// It failed, and that is final unless a person tries it again.
    Failed,
    /// Nobody knows what its action did.
    Unknown,
    /// Its undo runs.
    Undoing,
    /// Undone.
    Undone,
    /// Its undo failed.
    UndoFailed,
}

impl Status {
    /// The name in reports and machine formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::AwaitingApproval => "awaiting-approval",
            Self::Running => "running",
            Self::Verifying => "verifying",
            Self::Succeeded => "succeeded",
            Self::Skipped(_) => "skipped",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::UndoFailed => "undo-failed",
        }
    }
}

/// How far an action of a step (its own, or its undo) has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Progress {
    /// Not begun.
    #[default]
    Idle,
    /// The action was announced and has not ended.
    Started,
    /// An attempt ended with this outcome, and nothing was decided about it yet.
    Ended(Outcome),
    /// The next attempt is due after a delay.
    Retrying,
    /// The checks run.
    Verifying,
    /// The outcome is not known.
    Unknown,
    /// It may be run again.
    Again,
    /// Over, well or not.
    Over,
}

/// An action of a step, as the log tells it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskState {
    /// How far it has come.
    pub progress: Progress,
    /// Attempts announced so far.
    pub attempts: u32,
    /// Attempts at the time a person asked for another try: the retry budget begins anew there.
    pub budget_from: u32,
    /// When its first attempt, or its verification, began.
    pub began: Option<Now>,
    /// When its last attempt began.
    pub since: Option<Now>,
    /// When the next attempt is due, in milliseconds since the run was created.
    pub due_ms: Option<u64>,
    /// Process of the attempt in flight: pid and identity.
    pub process: Option<(u32, String)>,
    /// What each attempt on a cluster found before it changed anything.
    pub prepared: Vec<Prepared>,
    /// Checks that have passed since the last attempt.
    pub checks_passed: u32,
    /// Gates by kind.
    pub gates: IndexMap<Gate, GateState>,
}

/// A gate, as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GateState {
    /// How many distinct people are needed.
    pub count: u32,
    /// How many of them there are. A policy may count for all.
    pub given: u32,
    /// Who said yes.
    pub people: Vec<String>,
    /// It was denied, or expired.
    pub denied: Option<String>,
    /// When it is denied by itself.
    pub expires_at: Option<Timestamp>,
}

impl GateState {
    /// Whether the step may pass.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.denied.is_none() && self.given >= self.count
    }
}

/// A step, as the log tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct StepState {
    /// Where it is.
    pub status: Status,
    /// Its action.
    pub own: TaskState,
    /// Its undo.
    pub undo: TaskState,
    /// What was taken from its result.
    pub outputs: IndexMap<String, Value>,
    /// Whether every negative control was seen to fail.
    pub controls_seen: u32,
    /// The recovery point it told.
    pub recovery_point: Option<Timestamp>,
    /// First start.
    pub started: Option<Now>,
    /// Last end.
    pub finished: Option<Now>,
    /// Why it failed, was skipped or blocked.
    pub reason: Option<String>,
    /// What was decided about its failure.
    pub then: Option<AfterFailure>,
    /// Who took it as done.
    pub accepted_by: Option<String>,
    /// Names of the files that people have attached.
    pub attached: BTreeSet<String>,
    /// What the last check that failed expected, and what it found; until the next attempt.
    pub failed_check: Option<(String, String)>,
}

impl Default for StepState {
    fn default() -> Self {
        Self {
            status: Status::Pending,
            own: TaskState::default(),
            undo: TaskState::default(),
            outputs: IndexMap::new(),
            controls_seen: 0,
            recovery_point: None,
            started: None,
            finished: None,
            reason: None,
            then: None,
            accepted_by: None,
            attached: BTreeSet::new(),
            failed_check: None,
        }
    }
}

impl StepState {
    /// The action or the undo.
    #[must_use]
    pub fn task(&self, task: Task) -> &TaskState {
        match task {
            Task::Do => &self.own,
            Task::Undo => &self.undo,
        }
    }

    pub(super) fn task_mut(&mut self, task: Task) -> &mut TaskState {
        match task {
            Task::Do => &mut self.own,
            Task::Undo => &mut self.undo,
        }
    }
}
