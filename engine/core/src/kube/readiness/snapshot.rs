//! `VolumeSnapshot` and `VolumeSnapshotContent`.
//!
//! Duty: whether a snapshot can be restored from. Its controller tries again after an error and then clears it, so an
//! error is worth waiting for.

use serde_json::Value;

use super::{Verdict, pending};
use crate::kube::{object, words};

/// A snapshot is ready when it says so, without an error; one of a namespace must also be bound to its content.
pub(super) fn snapshot(object: &Value) -> Verdict {
    if object.pointer("/status/error").is_some_and(|error| !error.is_null()) {
        return pending(format!(
            "its last attempt failed ({}); the snapshot controller tries again",
            words::quote(object::text(object, "/status/error/message"))
        ));
    }
    let bound = !object::text(object, "/status/boundVolumeSnapshotContentName").is_empty();
    if object::kind(object) == "VolumeSnapshot" && !bound {
        return pending("is not bound to a VolumeSnapshotContent yet");
    }
    if !object::flag(object, "/status/readyToUse") {
        return pending("is not ready to use yet");
    }
    Ok(())
}
