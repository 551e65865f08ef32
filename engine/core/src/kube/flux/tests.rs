//! A table of statuses, each with its verdict and the exact words.

use serde_json::json;

use super::*;

const TOKEN: &str = "20261121t022028z-dr-7f3a/sync/1";
const REVISION: &str = "main@sha1:c0ffee5d0a2b3c4d5e6f708192a3b4c5d6e7f809";

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message})
}

fn object(kind: &str, spec: Value, handled: &str, observed: i64, conditions: Value) -> Value {
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": kind,
        "metadata": {"name": "apps", "namespace": "flux-system", "generation": 4}, "spec": spec,
        "status": {"lastHandledReconcileAt": handled, "observedGeneration": observed, "conditions": conditions,
                   "lastAppliedRevision": REVISION, "lastAttemptedRevision": "6.5.4",
                   "history": [{"lastReconciled": "2026-11-21T02:25:00Z", "lastReconciledDuration": "41.5s", "chartVersion": "6.5.4"}]}
    })
}

fn pending(progress: &str) -> Outcome {
    Outcome::pending(progress)
}

#[test]
fn verdicts() {
    let good = || condition("Ready", "True", "ReconciliationSucceeded", "Applied revision");
    let bad = || condition("Ready", "False", "HealthCheckFailed", "timeout waiting for Deployment/shop/api");
    let retry = || condition("Reconciling", "True", "ProgressingWithRetry", "Detecting drift");
    let doing = || condition("Reconciling", "True", "Progressing", "Running health checks");
    let stalled = || condition("Stalled", "True", "RetriesExceeded", "Failed to upgrade after 3 attempt(s)");
    let of = |handled: &str, observed: i64, conditions: Value| {
        object("Kustomization", json!({}), handled, observed, conditions)
    };
    let release =
        |reason: &str| object("HelmRelease", json!({}), TOKEN, 4, json!([condition("Ready", "False", reason, "text")]));
    let mut deleting = of(TOKEN, 4, json!([good()]));
    deleting["metadata"]["deletionTimestamp"] = "2026-11-21T02:00:00Z".into();
    for (object, wanted) in [
        (of(TOKEN, 4, json!([good()])), Outcome::Succeeded),
        (of("an older token", 4, json!([good()])), pending("has not handled the request yet")),
        (
            of("an older token", 4, json!([good(), doing()])),
            pending("has not handled the request yet (Progressing: Running health checks)"),
        ),
        // What stalled before the request may be mended by it.
        (of("an older token", 4, json!([bad(), stalled()])), pending("has not handled the request yet")),
        (of(TOKEN, 3, json!([good()])), pending("is at generation 4, and reconciled at 3")),
        (
            of(TOKEN, 3, json!([bad()])),
            pending(
                "is at generation 4, and reconciled at 3 (HealthCheckFailed: timeout waiting for Deployment/shop/api)",
            ),
        ),
        (
            of(TOKEN, 3, json!([bad(), retry()])),
            pending("is being tried again (HealthCheckFailed: timeout waiting for Deployment/shop/api)"),
        ),
        (of(TOKEN, 4, json!([good(), doing()])), pending("is being reconciled (Progressing: Running health checks)")),
        (
            of(TOKEN, 4, json!([bad(), stalled()])),
            Outcome::failed(
                "has stalled (RetriesExceeded: Failed to upgrade after 3 attempt(s)); HealthCheckFailed: timeout waiting \
                 for Deployment/shop/api",
            ),
        ),
        (
            of(TOKEN, 4, json!([bad()])),
            pending("is not ready (HealthCheckFailed: timeout waiting for Deployment/shop/api)"),
        ),
        (of(TOKEN, 4, json!([])), pending("does not say yet whether it is ready")),
        (
            object("Kustomization", json!({"suspend": true}), TOKEN, 4, json!([good()])),
            Outcome::failed("is suspended, so Flux ignores the request; resume it (spec.suspend)"),
        ),
        (
            object("HelmRepository", json!({"type": "oci"}), TOKEN, 4, json!([])),
            Outcome::failed("is of type oci, which Flux does not reconcile; reconcile the HelmRelease or HelmChart"),
        ),
        (deleting, Outcome::failed("is being deleted")),
        (
            release("RollbackSucceeded"),
            Outcome::failed("is not at the release that was wanted (RollbackSucceeded: text)"),
        ),
        (
            release("UninstallSucceeded"),
            Outcome::failed("is not at the release that was wanted (UninstallSucceeded: text)"),
        ),
        (release("InstallFailed"), pending("is not ready (InstallFailed: text)")),
    ] {
        assert_eq!(judge_flux(&object, TOKEN, None).outcome, wanted, "{object}");
    }
}

#[test]
fn revisions_are_pinned() {
    let good = json!([condition("Ready", "True", "Succeeded", "")]);
    let kustomization = object("Kustomization", json!({}), TOKEN, 4, good.clone());
    for wanted in ["c0ffee5", REVISION] {
        assert_eq!(judge_flux(&kustomization, TOKEN, Some(wanted)).outcome, Outcome::Succeeded);
    }
    assert_eq!(
        judge_flux(&kustomization, TOKEN, Some("deadbee")).outcome,
        pending(&format!("is ready at {REVISION}, wanted is deadbee; has its source fetched that?"))
    );
    let release = object("HelmRelease", json!({}), TOKEN, 4, good.clone());
    assert_eq!(judge_flux(&release, TOKEN, Some("6.5.4")).outcome, Outcome::Succeeded);
    let mut source = object("GitRepository", json!({}), TOKEN, 4, good);
    source["status"]["artifact"] = json!({"revision": "v1@sha1:abcdef0123"});
    assert_eq!(judge_flux(&source, TOKEN, Some("abcdef0")).outcome, Outcome::Succeeded);
    source["status"] = json!({"lastHandledReconcileAt": TOKEN, "conditions": [condition("Ready", "True", "", "")]});
    assert_eq!(
        judge_flux(&source, TOKEN, Some("abcdef0")).outcome,
        pending("is ready at no revision, wanted is abcdef0; has its source fetched that?")
    );
}

#[test]
fn facts_for_evidence() {
    let object =
        object("Kustomization", json!({}), TOKEN, 4, json!([condition("Ready", "True", "Succeeded", "Applied.")]));
    assert_eq!(
        judge_flux(&object, TOKEN, None).facts,
        json!({
            "revision": REVISION, "generation": 4, "observedGeneration": 4, "handled": TOKEN,
            "ready": {"status": "True", "reason": "Succeeded", "message": "Applied"},
            "lastReconciled": "2026-11-21T02:25:00Z", "lastDuration": "41.5s"
        })
    );
    let bare = judge_flux(&json!({}), TOKEN, None).facts;
    assert_eq!((&bare["ready"], &bare["revision"], &bare["generation"]), (&Value::Null, &Value::Null, &Value::Null));
}
