//! Whether a Restore restored.
//!
//! Duty: its phase and counts, by a policy. What stands in its results, which must be downloaded, is judged in
//! `results`.

use serde_json::Value;

use super::{Phase, facts, progress, reason, status, was_interrupted};
use crate::kube::{
    judged::{Judged, Outcome},
    object, words,
};

/// What a restore may end with and still be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RestorePolicy {
    /// `PartiallyFailed`.
    pub allow_partial: bool,
    /// `Completed` with nothing in it. Velero calls a restore whose selection matches nothing completed.
    pub allow_empty: bool,
    /// Objects that were in the cluster before and differ from the backup: Velero keeps them, and warns.
    pub allow_kept: bool,
}

/// Judges a restore that was asked for.
///
/// Facts: `name`, `phase`, `startedAt`, `completedAt`, `items`, `itemsTotal`, `errors`, `warnings`, `hooksFailed`,
/// `itemOperationsFailed`, `failureReason`, `validationErrors`, `backup`.
#[must_use]
pub fn judge_restore(restore: &Value, policy: &RestorePolicy) -> Judged {
    let mut facts = facts(restore, "itemsRestored");
    facts["backup"] = object::text(restore, "/spec/backupName").into();
    facts["itemOperationsFailed"] = status(restore, "restoreItemOperationsFailed").into();
    Judged { outcome: outcome(restore, *policy), facts }
}

fn outcome(restore: &Value, policy: RestorePolicy) -> Outcome {
    let mut because: Vec<String> = Some(reason(restore)).filter(|text| !text.is_empty()).into_iter().collect();
    for (field, what) in [
        ("errors", "error"),
        ("hookStatus/hooksFailed", "failed hook"),
        ("restoreItemOperationsFailed", "failed item operation"),
    ] {
        let count = status(restore, field);
        if count > 0 {
            because.push(words::count(count, what));
        }
    }
    let because = if because.is_empty() { String::new() } else { format!(": {}", because.join("; ")) };
    let empty = status(restore, "progress/totalItems") == 0;
    match Phase::of(restore) {
        Phase::Waiting | Phase::Running | Phase::RunningPartly => Outcome::pending(progress(restore, "itemsRestored")),
        Phase::Completed | Phase::PartiallyFailed if empty && !policy.allow_empty => Outcome::failed(format!(
            "ended as {}, but restored nothing: no item of the backup matched; look at its namespaces, resources and \
             selectors",
            object::text(restore, "/status/phase")
        )),
        Phase::Completed => Outcome::Succeeded,
        Phase::PartiallyFailed if policy.allow_partial => Outcome::Succeeded,
        Phase::PartiallyFailed => Outcome::failed(format!("ended as PartiallyFailed{because}; look at its results")),
        Phase::FailedValidation => Outcome::failed(format!("was refused by Velero{because}")),
        Phase::Deleting => Outcome::failed("is being deleted"),
        Phase::Failed => Outcome::Failed {
            why: format!("ended as Failed{because}; look at its log"),
            retriable: was_interrupted(restore),
        },
    }
}
