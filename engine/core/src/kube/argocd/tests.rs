//! A table of Applications, each with its verdict and the exact words.

use serde_json::json;

use super::*;

const TOKEN: &str = "20261121t022028z-dr-7f3a/sync/1";
const COMMIT: &str = "c0ffee5d0a2b3c4d5e6f708192a3b4c5d6e7f809";

/// An Application whose sync ended well, with some of its fields set to something else.
fn app(changes: &[(&str, Value)]) -> Value {
    let mut app = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop", "namespace": "argocd"},
        "operation": null,
        "status": {
            "reconciledAt": "2026-11-21T02:30:05Z",
            "sync": {"status": "Synced", "revision": COMMIT}, "health": {"status": "Healthy"},
            "operationState": {
                "operation": {"info": [{"name": "run", "value": TOKEN}], "sync": {"revision": "main"}},
                "phase": "Succeeded", "message": "successfully synced (all tasks run)",
                "startedAt": "2026-11-21T02:30:00Z", "finishedAt": "2026-11-21T02:30:04Z",
                "syncResult": {"revision": COMMIT, "resources": []}
            },
            "resources": [
                {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "api", "status": "Synced",
                 "health": {"status": "Healthy"}},
                {"kind": "Namespace", "name": "shop", "status": "Synced"}
            ]
        }
    });
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        app.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    app
}

fn pending(progress: &str) -> Outcome {
    Outcome::pending(progress)
}

#[test]
fn verdicts() {
    let ours = json!({"info": [{"name": "run", "value": TOKEN}], "sync": {}});
    let theirs = json!({"initiatedBy": {"username": "admin"}, "sync": {}});
    let state = "/status/operationState";
    let phase = "/status/operationState/phase";
    let message = "/status/operationState/message";
    for (changes, wanted) in [
        (vec![], Outcome::Succeeded),
        (vec![("/operation", ours.clone()), (state, json!(null))], pending("is to be synced")),
        (
            vec![
                ("/operation", ours.clone()),
                (phase, json!("Running")),
                (message, json!("waiting for completion of hook batch/Job/migrate")),
            ],
            pending("is being synced (waiting for completion of hook batch/Job/migrate)"),
        ),
        (vec![("/operation", theirs.clone())], pending("another operation is under way")),
        (vec![(state, json!(null))], pending("has not begun to sync yet")),
        (
            vec![("/status/operationState/operation", theirs)],
            pending("shows the operation of somebody else, not the one of this step"),
        ),
        (
            vec![
                (phase, json!("Running")),
                (message, json!("one or more objects failed to apply")),
                ("/status/operationState/retryCount", json!(2)),
            ],
            pending("its sync is Running, retry 2 (one or more objects failed to apply)"),
        ),
        (
            vec![
                (phase, json!("Failed")),
                (message, json!("one or more objects failed to apply")),
                (
                    "/status/operationState/syncResult/resources",
                    json!([
                        {"kind": "Deployment", "namespace": "shop", "name": "api", "status": "SyncFailed", "message": "quota exceeded"},
                        {"kind": "Service", "namespace": "shop", "name": "api", "status": "Synced"}
                    ]),
                ),
            ],
            Outcome::failed(
                "its sync ended as Failed (one or more objects failed to apply); Deployment shop/api (SyncFailed: quota \
                 exceeded)",
            ),
        ),
        (vec![(phase, json!("Error")), (message, json!(""))], Outcome::failed("its sync ended as Error")),
        (vec![("/status/operationState/finishedAt", json!(null))], pending("its sync has not finished")),
        (
            vec![("/status/reconciledAt", json!("2026-11-21T02:30:03Z"))],
            pending("has been synced; its health is from before that"),
        ),
        (vec![("/status/reconciledAt", json!("2026-11-21T02:30:04Z"))], Outcome::Succeeded),
        (
            vec![("/status/sync/status", json!("OutOfSync")), ("/status/resources/0/status", json!("OutOfSync"))],
            pending("has been synced, but is OutOfSync again: Deployment shop/api"),
        ),
        (
            vec![
                ("/status/health/status", json!("Degraded")),
                ("/status/resources/0/health", json!({"status": "Degraded", "message": "0 of 3 ready"})),
            ],
            pending("has been synced; its health is Degraded: Deployment shop/api (Degraded: 0 of 3 ready)"),
        ),
        (vec![("/status/health", json!({}))], pending("has been synced; its health is Unknown")),
        (
            vec![("/metadata/annotations", json!({SKIP_RECONCILE: "true"}))],
            Outcome::failed("is left alone by Argo CD (annotation argocd.argoproj.io/skip-reconcile); take that away"),
        ),
        (vec![("/metadata/deletionTimestamp", json!("2026-11-21T02:00:00Z"))], Outcome::failed("is being deleted")),
    ] {
        assert_eq!(judge_argocd(&app(&changes), TOKEN, None).outcome, wanted, "{changes:?}");
    }
}

#[test]
fn revisions_are_pinned() {
    let one = app(&[]);
    for wanted in [COMMIT, "c0ffee5", "main"] {
        assert_eq!(judge_argocd(&one, TOKEN, Some(wanted)).outcome, Outcome::Succeeded, "{wanted}");
    }
    assert_eq!(
        judge_argocd(&one, TOKEN, Some("deadbee")).outcome,
        Outcome::failed(format!("was synced to {COMMIT}, wanted is deadbee"))
    );
    let tag = app(&[("/status/operationState/operation/sync/revision", json!("20261121"))]);
    assert_eq!(judge_argocd(&tag, TOKEN, Some("20261121")).outcome, Outcome::Succeeded);
    // A commit that was asked for is not one that was reached.
    let other = "deadbeef0a2b3c4d5e6f708192a3b4c5d6e7f809";
    let asked = app(&[("/status/operationState/operation/sync/revision", json!(other))]);
    assert_ne!(judge_argocd(&asked, TOKEN, Some(other)).outcome, Outcome::Succeeded);
    let many = app(&[("/status/operationState/syncResult", json!({"revision": "", "revisions": ["6.5.4", COMMIT]}))]);
    for wanted in ["6.5.4", "c0ffee5"] {
        assert_eq!(judge_argocd(&many, TOKEN, Some(wanted)).outcome, Outcome::Succeeded, "{wanted}");
    }
    let none = app(&[("/status/operationState/syncResult", json!(null))]);
    assert_eq!(
        judge_argocd(&none, TOKEN, Some("deadbee")).outcome,
        Outcome::failed("was synced to no revision, wanted is deadbee")
    );
}

#[test]
fn facts_for_evidence() {
    assert_eq!(
        judge_argocd(&app(&[]), TOKEN, None).facts,
        json!({
            "phase": "Succeeded", "message": "successfully synced (all tasks run)", "startedAt": "2026-11-21T02:30:00Z",
            "finishedAt": "2026-11-21T02:30:04Z", "reconciledAt": "2026-11-21T02:30:05Z", "retries": 0,
            "revisions": [COMMIT], "sync": "Synced", "health": "Healthy", "resources": 2, "notHealthy": [], "outOfSync": []
        })
    );
    assert_eq!(judge_argocd(&json!(null), TOKEN, None).facts["phase"], Value::Null);
}
