//! Whether the newest backup is new enough.
//!
//! Duty: an age against an objective, and the sentence about it. Which backup is the newest is decided in `choose`.

use jiff::Timestamp;

use crate::{duration::Duration, kube::words};

/// The age of a recovery point against its objective.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// How long ago the recovery point is.
    pub age: Duration,
    /// Whether that is within the objective.
    pub met: bool,
    /// `backup nightly-20261120020000 started 26 h 3 m ago; the objective is 1 h`.
    pub message: String,
}

/// Compares when a backup started with a recovery point objective.
#[must_use]
pub fn freshness(name: &str, recovery_point: Timestamp, objective: Duration, now: Timestamp) -> Freshness {
    let age = Duration::from_millis(words::between(recovery_point, now));
    Freshness {
        age,
        met: age <= objective,
        message: format!(
            "backup {name} started {} ago; the objective is {}",
            words::length(age.as_millis()),
            words::length(objective.as_millis())
        ),
    }
}
