//! What comes before the rules of any kind, and what must hold for anything that is sent to us.

use serde_json::json;

use super::*;

#[test]
fn what_is_being_deleted_is_pending() {
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "a", "namespace": "shop", "deletionTimestamp": "2026-11-21T11:59:00Z",
        "finalizers": ["a", "b", "c", "d"]
    }});
    check(&object, &Around::alone(now()), &pending("is being deleted since 1 m, held by a, b, c and 1 more"));
    object["metadata"]["finalizers"] = json!([]);
    check(&object, &Around::alone(now()), &pending("is being deleted since 1 m"));
}

#[test]
fn the_generic_rules() {
    let widget = |conditions: Value| object("example.com/v1", "Widget", json!({}), json!({"conditions": conditions}));
    let of = |kind: &str, status: &str| condition(kind, status, "Because", "it is so");
    let mut old = of("Ready", "True");
    old["observedGeneration"] = 3.into();
    let mut stale_stall = of("Stalled", "True");
    stale_stall["observedGeneration"] = 3.into();
    check_all([
        (widget(json!([])), ready()),
        (widget(json!([of("Ready", "True")])), ready()),
        (widget(json!([of("Ready", "False")])), pending("is not ready (Because: it is so)")),
        (widget(json!([of("Ready", "Unknown")])), pending("does not know yet whether it is ready (Because: it is so)")),
        (widget(json!([old])), pending("its condition Ready is of generation 3, the object is at 4")),
        (widget(json!([of("Ready", "True"), of("Stalled", "True")])), failed("has stalled (Because: it is so)")),
        (widget(json!([of("Ready", "True"), stale_stall])), ready()),
        (
            widget(json!([of("Ready", "True"), of("Reconciling", "True")])),
            pending("is being reconciled (Because: it is so)"),
        ),
        (widget(json!([of("Available", "False")])), pending("is not available (Because: it is so)")),
        (widget(json!([of("Ready", "True"), of("Synced", "False")])), pending("is not synced (Because: it is so)")),
        (widget(json!([of("Ready", "True"), of("Healthy", "Unknown")])), ready()),
        (widget(json!([of("Accepted", "False")])), pending("is not accepted (Because: it is so)")),
        (widget(json!([of("Progressing", "True")])), ready()),
        (
            object("example.com/v1", "Widget", json!({}), json!({"observedGeneration": 2})),
            pending("its status is of generation 2, the object is at 4"),
        ),
    ]);
}

#[test]
fn a_controller_that_has_not_reported() {
    for (api_version, kind) in [
        ("cert-manager.io/v1", "ClusterIssuer"),
        ("external-secrets.io/v1", "ClusterSecretStore"),
        ("gateway.networking.k8s.io/v1", "GatewayClass"),
        ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
        ("kafka.strimzi.io/v1beta2", "Kafka"),
        ("bitnami.com/v1alpha1", "SealedSecret"),
    ] {
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a", "generation": 1}});
        check(&object, &Around::alone(now()), &pending("its controller has not reported yet"));
    }
    let names = |status: Value| object("externaldns.k8s.io/v1alpha1", "DNSEndpoint", json!({}), status);
    check_all([
        (names(json!({})), ready()),
        (names(json!({"observedGeneration": null})), pending("its controller has not looked at it yet")),
    ]);
}

#[test]
fn nothing_that_is_sent_makes_it_panic() {
    let kinds = [
        ("v1", "Pod"),
        ("v1", "Node"),
        ("v1", "Namespace"),
        ("v1", "Service"),
        ("v1", "PersistentVolumeClaim"),
        ("v1", "PersistentVolume"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("batch/v1", "Job"),
        ("networking.k8s.io/v1", "Ingress"),
        ("gateway.networking.k8s.io/v1", "Gateway"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("apiregistration.k8s.io/v1", "APIService"),
        ("cert-manager.io/v1", "Certificate"),
        ("cert-manager.io/v1", "CertificateRequest"),
        ("external-secrets.io/v1", "ExternalSecret"),
        ("postgresql.cnpg.io/v1", "Cluster"),
        ("acid.zalan.do/v1", "postgresql"),
        ("argoproj.io/v1alpha1", "Rollout"),
        ("argoproj.io/v1alpha1", "Application"),
        ("velero.io/v1", "BackupStorageLocation"),
        ("velero.io/v1", "Schedule"),
        ("velero.io/v1", "Restore"),
        ("snapshot.storage.k8s.io/v1", "VolumeSnapshot"),
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
        ("", ""),
    ];
    let odd = [
        json!(null),
        json!("text"),
        json!([]),
        json!({"conditions": "none"}),
        json!({"conditions": [null, 3, {}]}),
        json!({"replicas": "many", "phase": 7}),
        json!({"parents": [{}], "listeners": [{}], "containerStatuses": [null]}),
        json!({"replicas": i64::MIN, "updatedReplicas": i64::MAX, "observedGeneration": 4}),
        json!({"replicas": i64::MAX, "updatedReplicas": i64::MIN, "readyReplicas": i64::MAX, "observedGeneration": 4,
               "updateStrategy": {"rollingUpdate": {"partition": i64::MIN}}}),
    ];
    for (api_version, kind) in kinds {
        for part in &odd {
            let object = json!({"apiVersion": api_version, "kind": kind,
                "metadata": {"name": "a", "generation": 4}, "spec": part, "status": part});
            for slices in [None, Some(&[object.clone()][..])] {
                let around = Around { endpoint_slices: slices, storage_classes: slices, ..Around::alone(now()) };
                assert_ne!(readiness(&object, &around).why(), Some(""), "{object}");
            }
        }
        assert_ne!(readiness(&json!({"apiVersion": api_version, "kind": kind}), &Around::alone(now())).why(), Some(""));
    }
}
