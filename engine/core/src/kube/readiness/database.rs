//! `PostgreSQL` operators: `CloudNativePG`'s Cluster, Zalando's postgresql.
//!
//! Duty: what the operator says of its cluster. Whether the database answers, and with which data, is a check's to
//! find out.

use serde_json::Value;

use super::{Verdict, failed, pending};
use crate::kube::{object, words};

const HEALTHY: &str = "Cluster in healthy state";

/// A `CloudNativePG` cluster is ready when it is healthy, complete, and has the primary that it wants
/// (`api/v1/cluster_types.go`; the phase is a text for people).
pub(super) fn cnpg(object: &Value) -> Verdict {
    let phase = object::text(object, "/status/phase");
    if phase.is_empty() {
        return pending("its operator has not reported yet");
    }
    // These two wait for a person. All others the operator tries to leave by itself.
    if phase.starts_with("Cluster is unrecoverable") || phase == "Invalid cluster definition" {
        return failed(words::because(phase, object::text(object, "/status/phaseReason")));
    }
    if object::annotation(object, "cnpg.io/hibernation") == Some("on") {
        return pending("is hibernated: its instances are shut down (annotation cnpg.io/hibernation)");
    }
    if let Some(fenced) = object::annotation(object, "cnpg.io/fencedInstances").filter(|text| *text != "[]") {
        return pending(format!("has fenced instances: {} (annotation cnpg.io/fencedInstances)", words::quote(fenced)));
    }
    if phase != HEALTHY {
        return pending(words::because(phase, object::text(object, "/status/phaseReason")));
    }
    let wanted = object::number(object, "/spec/instances").unwrap_or(1);
    let ready = object::number(object, "/status/readyInstances").unwrap_or(0);
    if ready < wanted {
        return pending(format!("{} ready", words::of(ready, wanted, "instance")));
    }
    let (current, target) =
        (object::text(object, "/status/currentPrimary"), object::text(object, "/status/targetPrimary"));
    if current != target {
        return pending(format!("its primary is `{current}`, and `{target}` is to become it"));
    }
    match object::condition(object, "Ready") {
        Some(ready) if ready.is_true() => Ok(()),
        Some(ready) => pending(format!("is not ready ({})", ready.why())),
        None => pending("does not say yet whether it is ready"),
    }
}

/// Zalando's operator says one word. It comes back to a cluster that failed at its next sync, so only a manifest that
/// it refuses is final.
pub(super) fn zalando(object: &Value) -> Verdict {
    match object::text(object, "/status/PostgresClusterStatus") {
        "Running" => Ok(()),
        "" => pending("its operator has not reported yet"),
        "Invalid" => failed("its manifest is invalid to the operator; look at the operator's log"),
        status if status.ends_with("Failed") => {
            pending(format!("its operator reports {status}, and tries again at its next sync"))
        }
        status => pending(format!("its operator reports {status}")),
    }
}
