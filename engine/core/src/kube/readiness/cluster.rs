//! Node and Namespace.
//!
//! Duty: whether a node takes work, and whether a namespace can be used. It must not count capacity: that is a
//! comparison with what is to be restored.

use jiff::Timestamp;
use serde_json::Value;

use super::{Verdict, pending};
use crate::kube::{object, words};

/// Taints that say that a node is not fit for work yet, or no more.
const UNFIT: [&str; 4] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.cloudprovider.kubernetes.io/uninitialized",
    "node.kubernetes.io/network-unavailable",
];

/// A node is ready when its kubelet says so, nothing presses it, and pods may be put on it.
pub(super) fn node(object: &Value, now: Timestamp) -> Verdict {
    let Some(ready) = object::condition(object, "Ready") else { return pending("its kubelet has not reported yet") };
    if !ready.is_true() {
        if ready.status == "Unknown" {
            let since = ready.last_transition.map_or_else(String::new, |at| format!(" for {}", words::since(at, now)));
            return pending(format!("its kubelet has not reported{since}"));
        }
        return pending(format!("is not ready ({})", ready.why()));
    }
    for kind in ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"] {
        if let Some(pressure) = object::condition(object, kind).filter(object::Condition::is_true) {
            return pending(format!("has {kind} ({})", pressure.why()));
        }
    }
    if object::flag(object, "/spec/unschedulable") {
        return pending("is cordoned: no new pods are put on it");
    }
    let taints = object::list(object, "/spec/taints").iter().map(|taint| object::text(taint, "/key"));
    match taints.into_iter().find(|key| UNFIT.contains(key)) {
        Some(taint) => pending(format!("has the taint {taint}")),
        None => Ok(()),
    }
}

/// A namespace is ready when it is active. One that ends says what is left in it and who holds it.
pub(super) fn namespace(object: &Value, now: Timestamp) -> Verdict {
    let since = object::deleting_since(object);
    if since.is_none() && object::text(object, "/status/phase") != "Terminating" {
        return Ok(());
    }
    let since = since.map_or_else(String::new, |at| format!(" since {}", words::since(at, now)));
    // These five say why a deletion goes on, and are `True` while they hold it up.
    let blocking: Vec<String> = object::conditions(object)
        .filter(|condition| condition.is_true() && condition.kind.starts_with("Namespace"))
        .map(|condition| words::quote(condition.message))
        .filter(|message| !message.is_empty())
        .collect();
    let blocking = if blocking.is_empty() { String::new() } else { format!(": {}", blocking.join("; ")) };
    pending(format!("is being deleted{since}{blocking}"))
}
