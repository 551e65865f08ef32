//! Gates: who has to say yes before a step starts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{duration::Duration, source::Spanned};

/// A gate before a step.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    /// The role whose people may approve; a key of `roles`. Without it, whoever commands the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Spanned<String>>,
    /// How many distinct people have to approve.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 16))]
    pub count: Spanned<u32>,
    /// What happens when nobody is there.
    #[serde(default)]
    pub unattended: Unattended,
    /// How long to wait. When it is over, the gate is denied: a gate never means consent by time-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Duration>,
    /// What the person who decides should look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

fn one() -> Spanned<u32> {
    Spanned::new(1, crate::source::Span::default())
}

/// What a gate does in a run without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unattended {
    /// The run holds with exit code 5 until somebody resumes it.
    #[default]
    Hold,
    /// The gate is denied.
    Deny,
    /// In a drill the gate is passed by policy, and recorded as such; in an incident the run holds.
    DrillOnly,
}
