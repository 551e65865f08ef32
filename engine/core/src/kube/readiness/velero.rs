//! The kinds of Velero.
//!
//! Duty: their phases. Backup and Restore are judged by `kube::velero`, strictly: whoever allows more asks there.

use jiff::Timestamp;
use serde_json::Value;

use super::{Verdict, failed, pending};
use crate::kube::{
    judged::Outcome,
    object,
    velero::{RestorePolicy, judge_backup, judge_restore},
    words,
};

/// How long after its last validation a location counts as looked after, on top of three of its periods. Velero
/// validates every minute unless told otherwise.
const GRACE_MILLIS: u64 = 10 * 60_000;

pub(super) fn velero(object: &Value, kind: &str, now: Timestamp) -> Verdict {
    match kind {
        "Backup" => ended(judge_backup(object).outcome),
        "Restore" => ended(judge_restore(object, &RestorePolicy::default()).outcome),
        "BackupStorageLocation" => location(object, now),
        "Schedule" => schedule(object),
        "BackupRepository" => match phase(object) {
            "Ready" => Ok(()),
            phase => unfinished(object, phase),
        },
        // Nothing maintains its phase; the field is there and stays empty.
        "VolumeSnapshotLocation" => match phase(object) {
            "" | "Available" => Ok(()),
            phase => unfinished(object, phase),
        },
        _ => one_shot(object),
    }
}

fn ended(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Succeeded => Ok(()),
        Outcome::Pending { progress } => pending(format!("is {progress}")),
        Outcome::Failed { why, .. } => failed(why),
    }
}

fn phase(object: &Value) -> &str {
    object::text(object, "/status/phase")
}

fn why(object: &Value) -> String {
    let errors: Vec<&str> = object::texts(object, "/status/validationErrors")
        .chain(object::texts(object, "/status/errors"))
        .chain([object::text(object, "/status/failureReason"), object::text(object, "/status/message")])
        .filter(|text| !text.is_empty())
        .collect();
    if errors.is_empty() { String::new() } else { format!(" ({})", words::quote(&words::list(&errors, 3))) }
}

fn unfinished(object: &Value, phase: &str) -> Verdict {
    if phase.is_empty() || phase == "New" {
        return pending("has not been taken up by Velero yet");
    }
    pending(format!("is {phase}{}", why(object)))
}

/// A location is ready when Velero reached the bucket lately and has read what is in it.
fn location(object: &Value, now: Timestamp) -> Verdict {
    match phase(object) {
        "Available" => {}
        "" => return pending("has not been validated by Velero yet"),
        phase => return pending(format!("is {phase}{}", why(object))),
    }
    let period = object::text(object, "/spec/validationFrequency");
    let validated = object::instant(object, "/status/lastValidationTime");
    if let (Some(at), Some(period)) = (validated, go_duration(period).or(Some(60_000)))
        && period > 0
        && words::between(at, now) > period.saturating_mul(3).saturating_add(GRACE_MILLIS)
    {
        return pending(format!("was last validated {} ago: does Velero run?", words::since(at, now)));
    }
    let syncs = go_duration(object::text(object, "/spec/backupSyncPeriod")) != Some(0);
    if syncs && object::text(object, "/status/lastSyncedTime").is_empty() {
        return pending("has not been read yet: the backups in it are not known to this cluster");
    }
    Ok(())
}

/// Milliseconds of a Go duration such as `1m0s`; parts below a second do not matter here.
fn go_duration(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    text.parse::<crate::duration::Duration>().ok().map(crate::duration::Duration::as_millis)
}

fn schedule(object: &Value) -> Verdict {
    if object::flag(object, "/spec/paused") {
        return pending("is paused: it makes no backups (spec.paused)");
    }
    match phase(object) {
        "Enabled" => Ok(()),
        "FailedValidation" => failed(format!("is not valid{}", why(object))),
        phase => unfinished(object, phase),
    }
}

/// Requests: made once, ended once.
fn one_shot(object: &Value) -> Verdict {
    let errors = object::texts(object, "/status/errors").next().is_some();
    match phase(object) {
        "Processed" if errors => failed(format!("was processed with errors{}", why(object))),
        "Completed" | "Processed" => Ok(()),
        phase @ ("PartiallyFailed" | "Failed" | "FailedValidation" | "Canceled") => {
            failed(format!("ended as {phase}{}", why(object)))
        }
        phase => unfinished(object, phase),
    }
}
