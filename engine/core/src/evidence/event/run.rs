//! The parts of events that tell of a run as a whole: its first record, its pre-flight, its end.

use indexmap::IndexMap;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is about to be run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunCreated {
    /// Version of this log's format.
    pub format: u32,
    /// Engine version.
    pub engine: String,
    /// Run id; ids sort by time.
    pub run: String,
    /// `incident` or `drill`.
    pub mode: crate::model::Mode,
    /// The runbook.
    pub runbook: RunbookIdentity,
    /// SHA-256 of the plan, in hex.
    pub plan_digest: String,
    /// Number of steps.
    pub steps: u32,
    /// Inputs by name: `{"value": …}` or `{"secret": true}`.
    pub inputs: IndexMap<String, InputRecord>,
    /// SHA-256 of every file of `files`, by path.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub files: IndexMap<String, String>,
    /// Objectives.
    pub objectives: crate::model::Objectives,
    /// Validation level that a passing run proves.
    pub level: crate::model::Level,
    /// When the outage began, where known.
    pub outage_at: Option<Timestamp>,
    /// When it was detected, where known.
    pub detected_at: Option<Timestamp>,
    /// When the disaster was declared, where known.
    pub declared_at: Option<Timestamp>,
    /// SHA-256 of the run's `allowed_signers`: then an act from elsewhere counts only when it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signers: Option<String>,
    /// The host's name.
    pub host: String,
    /// The system user.
    pub user: String,
    /// Directory that relative paths of the runbook begin at, as it was on that host.
    pub directory: String,
}

/// Which runbook it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunbookIdentity {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.title`, or the name.
    pub title: String,
    /// `metadata.owner`.
    pub owner: String,
    /// `recovery.capability`.
    pub capability: String,
    /// The path it was read from.
    pub path: String,
    /// SHA-256 of every file of the runbook, included ones too, by frozen path.
    pub digests: IndexMap<String, String>,
    /// Git commit of the working tree, where there is one.
    pub commit: Option<String>,
    /// Whether the working tree had changes that were not committed.
    pub dirty: Option<bool>,
}

/// An input as it is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum InputRecord {
    /// Its value.
    Value(Value),
    /// It is a secret: the value is nowhere on disk.
    Secret(bool),
}

/// What an abort leaves alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stays {
    /// Step.
    pub step: String,
    /// Why.
    pub why: String,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunFinished {
    /// How it ended.
    pub verdict: Verdict,
    /// The process's exit code.
    pub exit_code: u8,
    /// Why, for people.
    pub reason: String,
    /// Objectives against actuals.
    pub objectives: Actuals,
    /// What an abort could not undo, and what a clean-up could not remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Stays>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything is proven, within the objectives.
    Succeeded,
    /// Everything is proven, but an objective was missed.
    ObjectiveMissed,
    /// Something failed.
    Failed,
    /// Something that is required was not there; nothing was touched.
    PreflightFailed,
    /// Aborted, and all of it undone.
    Aborted,
    /// Aborted, and not all of it undone.
    AbortIncomplete,
}

/// Objectives against actuals.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Actuals {
    /// Recovery time.
    pub rto: Rto,
    /// Recovery point.
    pub rpo: Rpo,
}

/// Recovery time: target, actual, and where it went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rto {
    /// Objective.
    pub target_ms: u64,
    /// Outage to restored; null when the capability was not restored.
    pub actual_ms: Option<u64>,
    /// Whether it was met; null when there is nothing to compare.
    pub met: Option<bool>,
    /// Its parts, in order, as far as the marks are known.
    pub split: IndexMap<String, u64>,
}

/// Recovery point: target and actual.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rpo {
    /// Objective.
    pub target_ms: u64,
    /// Outage minus the oldest recovery point; null when no step told one.
    pub actual_ms: Option<u64>,
    /// Whether it was met; null when there is nothing to compare.
    pub met: Option<bool>,
    /// The step with the oldest recovery point.
    pub step: Option<String>,
}
