//! Flux's kinds and Argo CD's Application, as objects that are ready or not.
//!
//! Duty: whether what they say now is good. Whether it is about a sync that we asked for is judged by `kube::flux` and
//! `kube::argocd`.

use serde_json::Value;

use super::{Verdict, failed, generic, pending};
use crate::kube::{object, words};

/// Kinds of Flux that nothing reconciles: they have no status, and are ready by being there.
fn is_static(object: &Value) -> bool {
    match object::kind(object) {
        "Provider" | "Alert" => true,
        "HelmRepository" => object::text(object, "/spec/type") == "oci",
        _ => false,
    }
}

/// An object of Flux is ready when `Ready` is true for this generation and nothing is going on.
pub(super) fn flux(object: &Value) -> Verdict {
    if is_static(object) {
        return Ok(());
    }
    // A suspended object keeps the status of better days, and never sees its new generation.
    if object::flag(object, "/spec/suspend") {
        return failed("is suspended, so Flux leaves it as it is; resume it (spec.suspend)");
    }
    // Flux raises observedGeneration only when it succeeds, so why it did not is in `Ready`.
    let (wanted, observed) = (object::generation(object), object::observed_generation(object));
    if let (Some(wanted), Some(observed)) = (wanted, observed)
        && wanted != observed
    {
        let why = object::condition(object, "Ready")
            .filter(|ready| !ready.is_true())
            .map_or_else(String::new, |ready| format!(": {}", ready.why()));
        return pending(format!("has not been reconciled at generation {wanted} yet{why}"));
    }
    generic::generic(object)
}

/// An Application is ready when it is synced and healthy, and no operation is under way.
pub(super) fn argocd(object: &Value) -> Verdict {
    if object.get("operation").is_some_and(|operation| !operation.is_null()) {
        return pending("has an operation under way");
    }
    if let Some(error) = object::conditions(object).find(|condition| condition.kind.ends_with("Error")) {
        return pending(format!("reports {}", words::because(error.kind, error.message)));
    }
    match object::text(object, "/status/sync/status") {
        "Synced" => {}
        "" => return pending("its controller has not compared it yet"),
        "OutOfSync" => return pending("is out of sync with what it should be"),
        status => return pending(format!("its sync status is {status}")),
    }
    match object::text(object, "/status/health/status") {
        "Healthy" => Ok(()),
        "" => pending("its health is not known yet"),
        status => {
            let message = words::quote(object::text(object, "/status/health/message"));
            let because = if message.is_empty() { String::new() } else { format!(" ({message})") };
            pending(format!("its health is {status}{because}"))
        }
    }
}
