//! What happened to one step, as its records tell it.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use super::Moment;
use crate::{
    action::Outcome,
    evidence::event::{AfterFailure, Artifact, Gate, Resolution, Resolved, SkippedBy, Task},
    machine::state::Status,
};

/// A step, as the log tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Id.
    pub id: String,
    /// Title, from the plan.
    pub title: Option<String>,
    /// Phase, from the plan.
    pub phase: Option<String>,
    /// Kind of its action, from the plan.
    pub action: Option<String>,
    /// Whether it belongs to the clean-up.
    pub cleanup: bool,
    /// Whether it cannot be taken back, from the plan.
    pub irreversible: bool,
    /// Whether it proves that the capability is back, from the plan.
    pub restores: bool,
    /// Estimate, from the plan.
    pub estimate_ms: Option<u64>,
    /// Ids of what it needs, from the plan: steps and barriers.
    pub needs: Vec<String>,
    /// Where it is.
    pub status: Status,
    /// Its first start.
    pub started: Option<Moment>,
    /// Its last end, the undo aside.
    pub finished: Option<Moment>,
    /// From its first start to its end, by the monotonic clock within one engine.
    pub duration_ms: Option<u64>,
    /// Why it failed, was skipped, is blocked, or could not be undone: the last of it.
    pub reason: Option<String>,
    /// Each time it failed.
    pub failures: Vec<Failure>,
    /// Who left it out, and what its condition saw.
    pub skipped: Option<Skipped>,
    /// The steps that it needs and that did not succeed.
    pub blocked_by: Vec<String>,
    /// Who took it as done without its proof.
    pub accepted_by: Option<String>,
    /// Attempts of its action and of its undo, in order.
    pub attempts: Vec<Attempt>,
    /// Retries that were scheduled.
    pub retries: Vec<Retry>,
    /// Its checks and those of its undo, each time they ended.
    pub checks: Vec<Check>,
    /// Negative controls.
    pub controls: Vec<Control>,
    /// What was taken from its result.
    pub outputs: IndexMap<String, Value>,
    /// The recovery point it told; it counts when the step is proven.
    pub recovery_point: Option<Timestamp>,
    /// Its gates, each time they opened.
    pub gates: Vec<GateStory>,
    /// When nobody knew what its action did.
    pub unknowns: Vec<Unknown>,
    /// Its undo.
    pub undo: Option<UndoStory>,
}

/// A failure of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: Moment,
    /// Why.
    pub reason: String,
    /// What followed.
    pub then: AfterFailure,
}

/// Who left a step out.
#[derive(Debug, Clone, PartialEq)]
pub struct Skipped {
    /// Its condition, or a person.
    pub by: SkippedBy,
    /// The false condition, or the person's reason.
    pub reason: String,
    /// The values that the condition saw.
    pub values: IndexMap<String, Value>,
}

/// An attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The action, or the undo.
    pub task: Task,
    /// From 1.
    pub number: u32,
    /// When it was announced; none when the record is not there.
    pub started: Option<Moment>,
    /// When it ended; none while it runs, and when nobody saw its end.
    pub ended: Option<Moment>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// What was asked for.
    pub order: Value,
    /// What it found and settled before it changed anything; null where nothing is told of that.
    pub prepared: Value,
    /// What it returned.
    pub result: Value,
    /// Why it failed.
    pub error: Option<String>,
    /// What it wrote.
    pub artifacts: Vec<Artifact>,
}

/// A retry that was scheduled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// When it was decided.
    pub at: Moment,
    /// The action, or the undo.
    pub task: Task,
    /// The attempt to come.
    pub attempt: u32,
    /// How long to wait.
    pub delay_ms: u64,
    /// Why.
    pub reason: String,
}

/// A check that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// When.
    pub at: Moment,
    /// Of the action, or of the undo.
    pub task: Task,
    /// Its number in `verify`, from 0.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// After which attempt; 0 when there was none.
    pub attempt: u32,
    /// Whether it passed.
    pub passed: bool,
    /// How often it was tried.
    pub tries: u32,
    /// From its first try.
    pub duration_ms: u64,
    /// What had to be true; only recorded when it failed.
    pub expected: Option<String>,
    /// What was observed at last.
    pub observed: Value,
    /// Why it failed.
    pub reason: Option<String>,
}

/// A negative control: a check that had to fail before the action.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// When.
    pub at: Moment,
    /// The check's number in `verify`, from 0.
    pub number: u32,
    /// The check's name.
    pub name: String,
    /// Whether it failed, as it must.
    pub failed_as_it_must: bool,
    /// What was observed.
    pub observed: Value,
}

/// A gate that opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateStory {
    /// When it was asked for.
    pub asked: Moment,
    /// Before the action, or before the undo.
    pub task: Task,
    /// Which gate.
    pub gate: Gate,
    /// The role that may approve.
    pub by: Option<String>,
    /// How many distinct people.
    pub count: u32,
    /// When it is denied by itself.
    pub expires_at: Option<Timestamp>,
    /// Who said yes.
    pub given: Vec<(Moment, String)>,
    /// Who said no, and why.
    pub denied: Option<(Moment, String, String)>,
    /// When it was denied because nobody answered.
    pub expired: Option<Moment>,
    /// How many of the needed approvals there are. A policy may count for all.
    pub have: u32,
}

/// Nobody knew what an action did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Since when.
    pub at: Moment,
    /// The action, or the undo.
    pub task: Task,
    /// Which attempt.
    pub attempt: u32,
    /// When it was known again, how it was found out, and what it was.
    pub resolved: Option<(Moment, Resolution, Resolved)>,
}

/// The undo of a step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UndoStory {
    /// When it began.
    pub started: Option<Moment>,
    /// When it ended, well or not.
    pub ended: Option<Moment>,
    /// How long it took, when it ended well.
    pub duration_ms: Option<u64>,
    /// Why it failed.
    pub failed: Option<String>,
}
