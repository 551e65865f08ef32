//! `StatefulSet`.
//!
//! Duty: the rules of kubectl's `rollout_status.go` for it, and what kubectl refuses to answer: `OnDelete`.

use serde_json::Value;

use super::{Around, Verdict, failed, not_at_zero, observed, pending};
use crate::kube::{object, words};

/// A `StatefulSet` is ready when all its pods are, and those that its strategy updates are updated.
pub(super) fn stateful_set(object: &Value, around: &Around<'_>) -> Verdict {
    observed(object)?;
    let status = |field: &str| object::number(object, &format!("/status/{field}"));
    let wanted = object::number(object, "/spec/replicas").unwrap_or(1);
    not_at_zero(wanted, around)?;
    let ready = status("readyReplicas").unwrap_or(0);
    if ready < wanted {
        return pending(format!("{} ready", words::of(ready, wanted, "pod")));
    }
    let running = status("replicas").unwrap_or(0);
    if running > wanted {
        return pending(words::still(running.saturating_sub(wanted), "pod", &format!("more than the {wanted} wanted")));
    }
    // Servers before 1.22 do not count them; with `minReadySeconds` a ready pod is not available at once.
    if let Some(available) = status("availableReplicas").filter(|&available| available < wanted) {
        return pending(format!("{} available", words::of(available, wanted, "pod")));
    }
    let updated = status("updatedReplicas").unwrap_or(0);
    if object::text(object, "/spec/updateStrategy/type") == "OnDelete" {
        // `currentRevision` never catches up with this strategy; the count of updated pods does.
        if updated < wanted {
            let why = format!("{} updated", words::of(updated, wanted, "pod"));
            return failed(format!("{why}; it replaces a pod only when somebody deletes it (updateStrategy OnDelete)"));
        }
        return Ok(());
    }
    if let Some(partition) = object::number(object, "/spec/updateStrategy/rollingUpdate/partition") {
        let to_update = wanted.saturating_sub(partition).max(0);
        if updated < to_update {
            let above = if partition > 0 { format!(" (partition {partition})") } else { String::new() };
            return pending(format!("{} updated{above}", words::of(updated, to_update, "pod")));
        }
        return Ok(());
    }
    let (current, update) =
        (object::text(object, "/status/currentRevision"), object::text(object, "/status/updateRevision"));
    if current != update {
        return pending(format!("{} updated, to revision {update}", words::of(updated, wanted, "pod")));
    }
    Ok(())
}
