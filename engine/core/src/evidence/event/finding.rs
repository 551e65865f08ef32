//! What the pre-flight has found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What it means when a requirement is not met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The run does not begin.
    #[default]
    Error,
    /// The run begins, as the capability has to come back anyway; but it will miss an objective.
    Objective,
    /// The run begins; somebody should look at it.
    Warning,
}

impl Severity {
    /// The name as it is recorded.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Objective => "objective",
            Self::Warning => "warning",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    const fn is_error(&self) -> bool {
        matches!(self, Self::Error)
    }
}

/// One requirement of the pre-flight.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The cluster that it is about, by its name in the evidence; without it: the machine that the engine runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// What is required.
    pub requirement: String,
    /// Whether it is so.
    pub passed: bool,
    /// What it means when it is not so. Without it: `error`.
    #[serde(default, skip_serializing_if = "Severity::is_error")]
    pub severity: Severity,
    /// What was found.
    pub found: String,
    /// What to do, when it is not so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Finding {
    /// A requirement that is met.
    #[must_use]
    pub fn met(requirement: impl Into<String>, found: impl Into<String>) -> Self {
        Self { requirement: requirement.into(), passed: true, found: found.into(), ..Self::default() }
    }

    /// One that is not, and what to do about it.
    #[must_use]
    pub fn missing(requirement: impl Into<String>, found: impl Into<String>, help: impl Into<String>) -> Self {
        Self { passed: false, help: Some(help.into()), ..Self::met(requirement, found) }
    }

    /// The same about a cluster.
    #[must_use]
    pub fn of(self, cluster: &str) -> Self {
        Self { cluster: Some(cluster.to_owned()), ..self }
    }

    /// The same with another meaning when it is not met.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// Whether the run does not begin because of it.
    #[must_use]
    pub const fn blocks(&self) -> bool {
        !self.passed && matches!(self.severity, Severity::Error)
    }

    /// What is required, with the cluster in front: for lists that are not by cluster.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.cluster {
            Some(cluster) => format!("{cluster}: {}", self.requirement),
            None => self.requirement.clone(),
        }
    }
}
