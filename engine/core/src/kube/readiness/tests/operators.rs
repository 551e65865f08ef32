//! cert-manager, External Secrets, Sealed Secrets, `PostgreSQL` operators, Argo Rollouts.

use serde_json::{Value, json};

use super::*;

#[test]
fn certificates() {
    let certificate = |status: Value| {
        json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
               "metadata": {"name": "tls", "namespace": "shop", "generation": 4}, "status": status})
    };
    let of = |status: &str, generation: i64| {
        let mut condition = condition("Ready", status, "DoesNotExist", "Issuing certificate as Secret does not exist");
        condition["observedGeneration"] = generation.into();
        json!([condition])
    };
    check_all([
        (certificate(json!({"conditions": of("True", 4), "notAfter": "2027-02-01T00:00:00Z"})), ready()),
        (
            certificate(json!({"conditions": of("True", 4), "notAfter": "2026-11-21T09:00:00Z"})),
            pending("ran out 3 h ago"),
        ),
        (
            certificate(json!({"conditions": of("True", 3)})),
            pending("its condition Ready is of generation 3, the object is at 4"),
        ),
        (
            certificate(json!({"conditions": of("False", 4)})),
            pending("is not ready (DoesNotExist: Issuing certificate as Secret does not exist)"),
        ),
        (
            certificate(
                json!({"conditions": of("False", 4), "failedIssuanceAttempts": 2, "lastFailureTime": "2026-11-21T11:55:00Z"}),
            ),
            pending(
                "is not ready (DoesNotExist: Issuing certificate as Secret does not exist); 2 attempts failed, the next \
                 one is in 1 h 55 m",
            ),
        ),
        (
            certificate(
                json!({"conditions": of("False", 4), "failedIssuanceAttempts": 1, "lastFailureTime": "2026-11-21T10:00:00Z"}),
            ),
            pending(
                "is not ready (DoesNotExist: Issuing certificate as Secret does not exist); 1 attempt failed, the next \
                 one is now due",
            ),
        ),
        (certificate(json!({})), pending("its controller has not reported yet")),
    ]);
}

#[test]
fn certificate_requests() {
    let request = |kind: &str, status: &str, reason: &str| {
        object(
            "cert-manager.io/v1",
            "CertificateRequest",
            json!({}),
            json!({"conditions": [condition(kind, status, reason, "text")]}),
        )
    };
    check_all([
        (request("Ready", "True", "Issued"), ready()),
        (request("Ready", "False", "Pending"), pending("is not ready (Pending: text)")),
        (request("Ready", "False", "Failed"), failed("failed (Failed: text); look at its issuer")),
        (request("Denied", "True", "policy"), failed("is denied (policy: text)")),
        (request("Approved", "True", "x"), pending("its issuer has not taken notice of it")),
    ]);
}

#[test]
fn issuers_and_stores() {
    for (api_version, kind) in [
        ("cert-manager.io/v1", "ClusterIssuer"),
        ("external-secrets.io/v1", "SecretStore"),
        ("external-secrets.io/v1", "ClusterSecretStore"),
    ] {
        let of = |status: &str| {
            object(
                api_version,
                kind,
                json!({}),
                json!({"conditions": [condition("Ready", status, "InvalidProviderConfig", "no token")]}),
            )
        };
        check_all([(of("True"), ready()), (of("False"), pending("is not ready (InvalidProviderConfig: no token)"))]);
    }
}

#[test]
fn external_secrets() {
    let secret = |spec: Value, status: &str, reason: &str, synced: &str| {
        json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
               "metadata": {"name": "db", "namespace": "shop", "generation": 4}, "spec": spec,
               "status": {"syncedResourceVersion": synced,
                          "conditions": [condition("Ready", status, reason, "secret text")]}})
    };
    check_all([
        (secret(json!({}), "True", "SecretSynced", "4-9f"), ready()),
        (secret(json!({}), "True", "SecretSynced", ""), ready()),
        (
            secret(json!({}), "True", "SecretSynced", "3-9f"),
            pending("was last synced at generation 3, the object is at 4"),
        ),
        (secret(json!({"refreshPolicy": "CreatedOnce"}), "True", "SecretSynced", "3-9f"), ready()),
        (secret(json!({"refreshInterval": "0s"}), "True", "SecretSynced", "3-9f"), ready()),
        (
            secret(json!({}), "True", "SecretDeleted", "4-9f"),
            pending("is settled without a Secret (SecretDeleted: secret text)"),
        ),
        (
            secret(json!({}), "True", "ResourceMissing", "4-9f"),
            pending("is settled without a Secret (ResourceMissing: secret text)"),
        ),
        (
            secret(json!({}), "False", "SecretSyncedError", "4-9f"),
            pending("is not ready (SecretSyncedError: secret text)"),
        ),
    ]);
}

#[test]
fn sealed_secrets() {
    let sealed = |status: &str, message: &str| {
        object(
            "bitnami.com/v1alpha1",
            "SealedSecret",
            json!({}),
            json!({"conditions": [condition("Synced", status, "", message)]}),
        )
    };
    check_all([
        (sealed("True", ""), ready()),
        (
            sealed("False", "failed update: Resource already exists"),
            pending("is not unsealed (failed update: Resource already exists)"),
        ),
        (
            sealed("False", "no key could decrypt secret (password)"),
            pending(
                "no key of the controller opens it: restore the sealing keys (label \
                 sealedsecrets.bitnami.com/sealed-secrets-key) and restart the controller",
            ),
        ),
    ]);
}

#[test]
fn postgres_clusters() {
    let cluster = |annotations: Value, status: Value| {
        json!({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster",
               "metadata": {"name": "db", "namespace": "shop", "annotations": annotations},
               "spec": {"instances": 3}, "status": status})
    };
    let status = |phase: &str, ready: u8, target: &str, condition_status: &str| {
        json!({"phase": phase, "phaseReason": "text", "readyInstances": ready, "currentPrimary": "db-1",
               "targetPrimary": target, "conditions": [condition("Ready", condition_status, "ClusterIsReady", "")]})
    };
    let healthy = "Cluster in healthy state";
    check_all([
        (cluster(json!({}), status(healthy, 3, "db-1", "True")), ready()),
        (cluster(json!({}), json!({})), pending("its operator has not reported yet")),
        (cluster(json!({}), status("Setting up primary", 0, "db-1", "False")), pending("Setting up primary: text")),
        (cluster(json!({}), status(healthy, 2, "db-1", "True")), pending("2 of 3 instances are ready")),
        (
            cluster(json!({}), status(healthy, 3, "db-2", "True")),
            pending("its primary is `db-1`, and `db-2` is to become it"),
        ),
        (cluster(json!({}), status(healthy, 3, "db-1", "False")), pending("is not ready (ClusterIsReady)")),
        (
            cluster(json!({}), status("Cluster is unrecoverable and needs manual intervention", 0, "db-1", "False")),
            failed("Cluster is unrecoverable and needs manual intervention: text"),
        ),
        (
            cluster(json!({"cnpg.io/fencedInstances": "[\"*\"]"}), status(healthy, 3, "db-1", "True")),
            pending("has fenced instances: [\"*\"] (annotation cnpg.io/fencedInstances)"),
        ),
        (
            cluster(json!({"cnpg.io/hibernation": "on"}), status(healthy, 0, "db-1", "True")),
            pending("is hibernated: its instances are shut down (annotation cnpg.io/hibernation)"),
        ),
    ]);
    let zalando = |status: &str| {
        json!({"apiVersion": "acid.zalan.do/v1", "kind": "postgresql", "metadata": {"name": "db"},
               "status": {"PostgresClusterStatus": status}})
    };
    check_all([
        (zalando("Running"), ready()),
        (zalando(""), pending("its operator has not reported yet")),
        (zalando("Creating"), pending("its operator reports Creating")),
        (zalando("SyncFailed"), pending("its operator reports SyncFailed, and tries again at its next sync")),
        (zalando("Invalid"), failed("its manifest is invalid to the operator; look at the operator's log")),
    ]);
}

#[test]
fn rollouts() {
    let rollout = |status: Value| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
               "metadata": {"name": "api", "namespace": "shop", "generation": 4}, "spec": {"replicas": 3}, "status": status})
    };
    check_all([
        (rollout(json!({"observedGeneration": "4", "phase": "Healthy"})), ready()),
        (
            rollout(json!({"observedGeneration": "3", "phase": "Healthy"})),
            pending("its status is of generation 3, the object is at 4"),
        ),
        // Before 0.10 it was a digest.
        (rollout(json!({"observedGeneration": "7d9f", "phase": "Healthy"})), ready()),
        (rollout(json!({})), pending("its controller has not looked at it yet")),
        (
            rollout(
                json!({"observedGeneration": "4", "phase": "Progressing", "message": "more replicas need to be updated"}),
            ),
            pending("is progressing (more replicas need to be updated)"),
        ),
        (
            rollout(
                json!({"observedGeneration": "4", "phase": "Paused", "message": "CanaryPauseStep", "controllerPause": true,
                           "pauseConditions": [{"reason": "CanaryPauseStep"}]}),
            ),
            pending("is paused (CanaryPauseStep): it goes on when its pause ends or somebody promotes it"),
        ),
        (
            rollout(json!({"observedGeneration": "4", "phase": "Healthy", "controllerPause": true})),
            pending("is about to go on after a pause"),
        ),
        (
            rollout(
                json!({"observedGeneration": "4", "phase": "Degraded", "abort": true, "message": "RolloutAborted: metric failed"}),
            ),
            failed("was aborted (RolloutAborted: metric failed); retry it, or go back to the stable revision"),
        ),
        (
            rollout(json!({"observedGeneration": "4", "phase": "Degraded", "message": "ProgressDeadlineExceeded"})),
            failed("is degraded (ProgressDeadlineExceeded); look at its newest ReplicaSet and its analysis runs"),
        ),
    ]);
}
