//! Whether a Backup is good.
//!
//! Duty: more than its phase says: hooks, snapshots and operations that did not do their part. Which of several
//! backups to take is decided in `choose`.

use jiff::Timestamp;
use serde_json::Value;

use super::{Phase, facts, progress, reason, status, was_interrupted};
use crate::kube::{
    judged::{Judged, Outcome},
    object, words,
};

/// The point in time that a restore from a backup is sure to bring back: when it started. Objects and volumes are
/// taken between start and completion, so the completion flatters; the object's own creation is when it was synced
/// into this cluster.
#[must_use]
pub fn recovery_point(backup: &Value) -> Option<Timestamp> {
    object::instant(backup, "/status/startTimestamp")
}

/// What a backup lacks although it has ended: each an end of a sentence, none for a good one.
#[must_use]
pub fn shortcomings(backup: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let errors = status(backup, "errors");
    if errors > 0 {
        found.push(words::count(errors, "error"));
    }
    let hooks = status(backup, "hookStatus/hooksFailed");
    if hooks > 0 {
        let all = status(backup, "hookStatus/hooksAttempted");
        found.push(format!("{hooks} of {} failed", words::count(all, "hook")));
    }
    for (done, tried, what) in [
        ("csiVolumeSnapshotsCompleted", "csiVolumeSnapshotsAttempted", "CSI snapshot"),
        ("volumeSnapshotsCompleted", "volumeSnapshotsAttempted", "volume snapshot"),
    ] {
        let (done, tried) = (status(backup, done), status(backup, tried));
        if done != tried {
            found.push(format!("only {done} of {} completed", words::count(tried, what)));
        }
    }
    let operations = status(backup, "backupItemOperationsFailed");
    if operations > 0 {
        found.push(format!("{} failed", words::count(operations, "item operation")));
    }
    found
}

/// Judges a backup that was asked for. It succeeds only when it is `Completed`, holds something, and lacks nothing.
///
/// Facts: `name`, `phase`, `startedAt`, `completedAt`, `expiresAt`, `items`, `itemsTotal`, `errors`, `warnings`,
/// `hooksFailed`, `failureReason`, `validationErrors`, `storageLocation`.
#[must_use]
pub fn judge_backup(backup: &Value) -> Judged {
    let mut facts = facts(backup, "itemsBackedUp");
    facts["expiresAt"] = object::instant(backup, "/status/expiration").map(|at| at.to_string()).into();
    facts["storageLocation"] = object::text(backup, "/spec/storageLocation").into();
    Judged { outcome: outcome(backup), facts }
}

fn outcome(backup: &Value) -> Outcome {
    let lacks = words::list(&shortcomings(backup), 5);
    let because = [reason(backup), lacks.clone()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
    let because = if because.is_empty() { String::new() } else { format!(": {}", because.join("; ")) };
    let log = "look at its log";
    match Phase::of(backup) {
        Phase::Waiting | Phase::Running | Phase::RunningPartly => Outcome::pending(progress(backup, "itemsBackedUp")),
        // An empty `progress` is a count of zero; none at all is a server that does not count.
        Phase::Completed
            if backup.pointer("/status/progress").is_some() && status(backup, "progress/totalItems") == 0 =>
        {
            Outcome::failed("is Completed, but holds no items; look at its namespaces, resources and selectors")
        }
        Phase::Completed if !lacks.is_empty() => Outcome::failed(format!("is Completed, but {lacks}; {log}")),
        Phase::Completed => Outcome::Succeeded,
        Phase::PartiallyFailed => Outcome::failed(format!("ended as PartiallyFailed{because}; {log}")),
        Phase::FailedValidation => Outcome::failed(format!("was refused by Velero{because}")),
        Phase::Deleting => Outcome::failed("is being deleted"),
        Phase::Failed => {
            Outcome::Failed { why: format!("ended as Failed{because}; {log}"), retriable: was_interrupted(backup) }
        }
    }
}
