//! Who is told what while a run goes on.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretTemplate;
use crate::source::Spanned;

/// A place that is told of some events of the run. Telling is tried again and never holds up or fails the run. Only the
/// runbook that is run tells: `notify` of a runbook that it includes has no effect there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notify {
    /// What it is told of.
    pub on: Spanned<Vec<Occasion>>,
    /// An HTTP address that takes a POST.
    pub webhook: Webhook,
}

/// An HTTP address that takes a POST. They see `inputs`, secrets too, and `run`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Webhook {
    /// The address, `http://` or `https://`. Addresses of chat systems are secrets: give them by a secret input.
    pub url: SecretTemplate,
    /// What the body looks like.
    #[serde(default)]
    pub format: Format,
    /// Headers, `Authorization` for example.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, SecretTemplate>,
}

/// What the body of a notification looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// All that is known, for programs.
    #[default]
    Json,
    /// `{"text": …}`, as Slack and whatever is compatible with its incoming webhooks take it.
    Slack,
}

/// What somebody can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// The pre-flight passed; the first step may start.
    Started,
    /// A step waits for an approval.
    ApprovalNeeded,
    /// A step failed, after all its attempts.
    Failed,
    /// The run is paused, by a person or a guard.
    Paused,
    /// The abort began.
    Aborted,
    /// The capability is back.
    Restored,
    /// The engine left the run because it waits for people.
    Held,
    /// The run is over.
    Finished,
}

impl Occasion {
    /// Every occasion.
    pub const ALL: [Self; 8] = [
        Self::Started,
        Self::ApprovalNeeded,
        Self::Failed,
        Self::Paused,
        Self::Aborted,
        Self::Restored,
        Self::Held,
        Self::Finished,
    ];

    /// The name in runbooks and bodies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::ApprovalNeeded => "approval-needed",
            Self::Failed => "failed",
            Self::Paused => "paused",
            Self::Aborted => "aborted",
            Self::Restored => "restored",
            Self::Held => "held",
            Self::Finished => "finished",
        }
    }
}
