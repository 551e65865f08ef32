//! Flux's kinds and Argo CD's Application.

use serde_json::{Value, json};

use super::*;

#[test]
fn flux() {
    let of = |spec: Value, observed: i64, conditions: Value| {
        object(
            "kustomize.toolkit.fluxcd.io/v1",
            "Kustomization",
            spec,
            json!({"observedGeneration": observed, "conditions": conditions}),
        )
    };
    let ready_condition =
        |status: &str| condition("Ready", status, "HealthCheckFailed", "timeout waiting for Deployment/shop/api");
    let oci = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository", "metadata": {"name": "charts"},
                     "spec": {"type": "oci"}});
    check_all([
        (of(json!({}), 4, json!([condition("Ready", "True", "ReconciliationSucceeded", "Applied")])), ready()),
        (
            of(json!({}), 3, json!([ready_condition("False")])),
            pending(
                "has not been reconciled at generation 4 yet: HealthCheckFailed: timeout waiting for Deployment/shop/api",
            ),
        ),
        (of(json!({}), -1, json!([])), pending("has not been reconciled at generation 4 yet")),
        (
            of(
                json!({}),
                4,
                json!([ready_condition("False"), condition("Reconciling", "True", "ProgressingWithRetry", "x")]),
            ),
            pending("is being tried again (HealthCheckFailed: timeout waiting for Deployment/shop/api)"),
        ),
        (
            of(
                json!({}),
                4,
                json!([
                    ready_condition("False"),
                    condition("Stalled", "True", "RetriesExceeded", "Failed to install after 3 attempt(s)")
                ]),
            ),
            failed("has stalled (RetriesExceeded: Failed to install after 3 attempt(s))"),
        ),
        (
            of(json!({"suspend": true}), 3, json!([condition("Ready", "True", "ReconciliationSucceeded", "Applied")])),
            failed("is suspended, so Flux leaves it as it is; resume it (spec.suspend)"),
        ),
        (oci, ready()),
    ]);
}

#[test]
fn argocd() {
    let app = |operation: Value, status: Value| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
               "metadata": {"name": "shop", "namespace": "argocd", "generation": 90}, "operation": operation, "status": status})
    };
    let status = |sync: &str, health: &str| json!({"sync": {"status": sync}, "health": {"status": health}});
    check_all([
        (app(json!(null), status("Synced", "Healthy")), ready()),
        (app(json!({"sync": {}}), status("Synced", "Healthy")), pending("has an operation under way")),
        (app(json!(null), status("OutOfSync", "Healthy")), pending("is out of sync with what it should be")),
        (app(json!(null), status("Unknown", "Healthy")), pending("its sync status is Unknown")),
        (app(json!(null), status("Synced", "Degraded")), pending("its health is Degraded")),
        (app(json!(null), json!({})), pending("its controller has not compared it yet")),
        (app(json!(null), json!({"sync": {"status": "Synced"}})), pending("its health is not known yet")),
        (
            app(json!(null), json!({"conditions": [{"type": "ComparisonError", "message": "repo not reachable"}]})),
            pending("reports ComparisonError: repo not reachable"),
        ),
    ]);
}
