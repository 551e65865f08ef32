//! How something that an object was asked to do has ended, or that it has not.
//!
//! Duty: the shape of such a verdict. Judging is done next to what is known of each kind.

use serde_json::Value;

/// A verdict on work in a cluster, with what evidence keeps of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Whether it has ended, and how.
    pub outcome: Outcome,
    /// What was seen, an object; also while it is pending. Times are RFC 3339, and what is not known is null.
    pub facts: Value,
}

/// Whether work in a cluster has ended, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Not yet.
    Pending {
        /// How far it is, for display: `InProgress, 812 of 1040 items`. Nothing may be decided by it.
        progress: String,
    },
    /// It did what was asked.
    Succeeded,
    /// It did not, and will not by itself.
    Failed {
        /// Why, and what to look at.
        why: String,
        /// Whether the same request, made anew, may well succeed: it was interrupted, not refused.
        retriable: bool,
    },
}

impl Outcome {
    /// Pending.
    #[must_use]
    pub fn pending(progress: impl Into<String>) -> Self {
        Self::Pending { progress: progress.into() }
    }

    /// Failed, and no better when asked again.
    #[must_use]
    pub fn failed(why: impl Into<String>) -> Self {
        Self::Failed { why: why.into(), retriable: false }
    }
}
