//! The parts of events that tell of one step: its actions, its gates, its failures.

use indexmap::IndexMap;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which of a step's two actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// The step itself.
    Do,
    /// Its undo.
    Undo,
}

/// Why a step waits for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// The runbook says so: `approval`.
    Approval,
    /// The restored data is older than the RPO allows, and traffic is about to be shifted to it.
    Rpo,
}

/// Who skipped a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SkippedBy {
    /// Its `when`.
    Condition,
    /// A person.
    Person,
}

/// The end of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActionFinished {
    /// Step.
    pub step: String,
    /// The step's action, or its undo.
    pub task: Task,
    /// From 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: crate::action::Outcome,
    /// From its start, by the monotonic clock.
    pub duration_ms: u64,
    /// What it returned, without long texts: those are artifacts.
    pub result: Value,
    /// What was taken from it.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, Value>,
    /// The point in time to which it says data was restored; it counts when the step has succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<Timestamp>,
    /// Why it failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Requests that the action made to the API of a cluster. Watches that several wait on are not in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// What it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
}

/// A file of the evidence, by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// What it is: `stdout`, `stderr`, a file name.
    pub name: String,
    /// SHA-256 of its bytes, in hex; its name below `artifacts/`.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

/// What happens after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AfterFailure {
    /// A person decides.
    Pause,
    /// The run is aborted.
    Abort,
    /// The run goes on without it.
    Continue,
}

/// How an unknown outcome became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// The step's verification.
    Verification,
    /// It is idempotent, so it may be repeated.
    Idempotent,
    /// It only reads, so it may be repeated.
    Reads,
    /// A person said.
    Person,
    /// The action can say by itself.
    Action,
}

/// What an unknown outcome was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Resolved {
    /// It is done.
    Done,
    /// It is run again.
    RunAgain,
    /// It is not run again, and counts as failed.
    Failed,
    /// It goes on: the action looks for what it has begun, and follows it to its end.
    Followed,
}
