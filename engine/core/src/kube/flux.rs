//! Whether Flux has reconciled what we asked it to.
//!
//! Duty: the verdict on one object after it got the annotation `reconcile.fluxcd.io/requestedAt`. Unlike `readiness`
//! it knows of which request it asks, so a status from before it does not count. That all children are healthy is not
//! in it: a Kustomization without `wait` or `healthChecks` is ready when it has applied them.
//!
//! Rules and fields are from `fluxcd/pkg/apis/meta`, the controllers, and `cmd/flux/reconcile.go`.

use serde_json::{Value, json};

use super::{
    judged::{Judged, Outcome},
    object::{self, Condition},
    revision, words,
};

#[cfg(test)]
mod tests;

/// The annotation that asks for a reconciliation; its value is a token that the controller repeats in
/// `status.lastHandledReconcileAt`.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// The annotation that makes a `HelmRelease` upgrade although nothing has changed; the same token as [`REQUESTED_AT`].
pub const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";

/// The annotation that makes a `HelmRelease` forget its failed attempts; the same token as [`REQUESTED_AT`].
pub const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";

/// Judges an object for which `token` was requested. `wanted_revision` is what it should end at: a whole revision of
/// Flux (`main@sha1:…`), the commit or digest alone, at least 7 digits of it, or a chart's version.
///
/// Facts: `revision`, `generation`, `observedGeneration`, `handled` (the token it repeats), `ready`
/// (`{status, reason, message}`), `lastReconciled` and `lastDuration` (from its history, where it keeps one).
#[must_use]
pub fn judge_flux(object: &Value, token: &str, wanted_revision: Option<&str>) -> Judged {
    Judged { outcome: outcome(object, token, wanted_revision), facts: facts(object) }
}

fn outcome(object: &Value, token: &str, wanted_revision: Option<&str>) -> Outcome {
    if object::deleting_since(object).is_some() {
        return Outcome::failed("is being deleted");
    }
    if object::kind(object) == "HelmRepository" && object::text(object, "/spec/type") == "oci" {
        return Outcome::failed(
            "is of type oci, which Flux does not reconcile; reconcile the HelmRelease or HelmChart",
        );
    }
    if object::flag(object, "/spec/suspend") {
        return Outcome::failed("is suspended, so Flux ignores the request; resume it (spec.suspend)");
    }
    let ready = object::condition(object, "Ready");
    if object::text(object, "/status/lastHandledReconcileAt") != token {
        // A Kustomization repeats the token when it is through, so what it waits for is worth telling.
        let doing = holding(object, "Reconciling").map_or_else(String::new, |doing| format!(" ({})", doing.why()));
        return Outcome::pending(format!("has not handled the request yet{doing}"));
    }
    if let Some(stalled) = holding(object, "Stalled") {
        return Outcome::failed(format!("has stalled ({}){}", stalled.why(), ready_says(ready)));
    }
    if let Some(doing) = holding(object, "Reconciling") {
        return Outcome::pending(match ready {
            Some(ready) if doing.reason == "ProgressingWithRetry" => format!("is being tried again ({})", ready.why()),
            _ => format!("is being reconciled ({})", doing.why()),
        });
    }
    let Some(ready) = ready else { return Outcome::pending("does not say yet whether it is ready") };
    // Both mean that the release that was wanted is gone, however well that went.
    if !ready.is_true() && matches!(ready.reason, "RollbackSucceeded" | "UninstallSucceeded") {
        return Outcome::failed(format!("is not at the release that was wanted ({})", ready.why()));
    }
    if let (Some(wanted), Some(observed)) = (object::generation(object), object::observed_generation(object))
        && wanted != observed
    {
        let why = if ready.is_true() { String::new() } else { format!(" ({})", ready.why()) };
        return Outcome::pending(format!("is at generation {wanted}, and reconciled at {observed}{why}"));
    }
    if !ready.is_true() {
        return Outcome::pending(format!("is not ready ({})", ready.why()));
    }
    match (wanted_revision, current_revision(object)) {
        (Some(wanted), have) if !revision::is(have, wanted) => {
            let have = if have.is_empty() { "no revision" } else { have };
            Outcome::pending(format!("is ready at {have}, wanted is {wanted}; has its source fetched that?"))
        }
        _ => Outcome::Succeeded,
    }
}

fn holding<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    object::condition(object, kind).filter(Condition::is_true)
}

fn ready_says(ready: Option<Condition<'_>>) -> String {
    ready.filter(|ready| !ready.is_true()).map_or_else(String::new, |ready| format!("; {}", ready.why()))
}

/// What it is at: the artifact of a source, the version of a release, else what was applied last.
#[must_use]
pub fn current_revision(object: &Value) -> &str {
    let fields = match object::kind(object) {
        "HelmRelease" => ["/status/lastAttemptedRevision", "/status/history/0/chartVersion"],
        _ => ["/status/artifact/revision", "/status/lastAppliedRevision"],
    };
    fields.iter().map(|field| object::text(object, field)).find(|text| !text.is_empty()).unwrap_or_default()
}

fn facts(object: &Value) -> Value {
    let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let ready = object::condition(object, "Ready");
    json!({
        "revision": text(current_revision(object)),
        "generation": object::generation(object),
        "observedGeneration": object::observed_generation(object),
        "handled": text(object::text(object, "/status/lastHandledReconcileAt")),
        "ready": ready.map(|ready| json!({
            "status": ready.status, "reason": ready.reason, "message": words::quote(ready.message)
        })),
        "lastReconciled": text(object::text(object, "/status/history/0/lastReconciled")),
        "lastDuration": text(object::text(object, "/status/history/0/lastReconciledDuration")),
    })
}
