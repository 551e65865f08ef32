//! Deployment, `ReplicaSet`, `DaemonSet`, `StatefulSet`, Job.

use serde_json::{Value, json};

use super::*;

fn deployment(spec: Value, status: Value) -> Value {
    object("apps/v1", "Deployment", spec, status)
}

#[test]
fn deployments() {
    let full = json!({"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3});
    let refused = condition("ReplicaFailure", "True", "FailedCreate", "pods \"api-x\" is forbidden: exceeded quota: q");
    check_all([
        (deployment(json!({"replicas": 3}), full.clone()), ready()),
        (deployment(json!({}), json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1})), ready()),
        (deployment(json!({"replicas": 3}), json!({})), pending("0 of 3 replicas are updated")),
        (
            deployment(json!({"replicas": 3}), json!({"observedGeneration": 3})),
            pending("its status is of generation 3, the object is at 4"),
        ),
        (
            deployment(json!({"replicas": 3}), json!({"observedGeneration": 7, "updatedReplicas": 3})),
            pending("its status is of generation 7, the object is at 4"),
        ),
        (
            deployment(json!({"replicas": 3}), json!({"observedGeneration": null})),
            pending("its controller has not looked at it yet"),
        ),
        (
            deployment(json!({"replicas": 3}), json!({"replicas": 4, "updatedReplicas": 2, "availableReplicas": 3})),
            pending("2 of 3 replicas are updated"),
        ),
        (
            deployment(json!({"replicas": 3, "paused": true}), json!({"replicas": 3, "updatedReplicas": 0})),
            pending("0 of 3 replicas are updated, and its rollout is paused (spec.paused)"),
        ),
        (
            deployment(json!({"replicas": 3}), json!({"replicas": 4, "updatedReplicas": 3, "availableReplicas": 4})),
            pending("1 replica of a former revision still runs"),
        ),
        (
            deployment(json!({"replicas": 1}), json!({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3})),
            pending("2 replicas more than the 1 wanted still run"),
        ),
        (
            deployment(json!({"replicas": 3}), json!({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2})),
            pending("2 of 3 replicas are available"),
        ),
        (
            deployment(json!({"replicas": 3}), json!({"conditions": [refused]})),
            pending("0 of 3 replicas are updated; FailedCreate: pods \"api-x\" is forbidden: exceeded quota: q"),
        ),
        (
            deployment(
                json!({"replicas": 3, "progressDeadlineSeconds": 600}),
                json!({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 1, "conditions": [
                    condition("Progressing", "False", "ProgressDeadlineExceeded", "ReplicaSet \"api-5\" has timed out progressing.")
                ]}),
            ),
            failed(
                "made no progress for 10 m, its deadline (ProgressDeadlineExceeded: ReplicaSet \"api-5\" has timed out \
                 progressing); look at the pods of its newest ReplicaSet",
            ),
        ),
    ]);
}

#[test]
fn scaled_to_zero() {
    let zero = Around { zero_is_ready: true, ..Around::alone(now()) };
    for kind in ["Deployment", "StatefulSet", "ReplicaSet"] {
        let at_zero = object("apps/v1", kind, json!({"replicas": 0}), json!({}));
        check(&at_zero, &Around::alone(now()), &pending("is scaled to 0 replicas"));
        check(&at_zero, &zero, &ready());
    }
    let rollout = object("argoproj.io/v1alpha1", "Rollout", json!({"replicas": 0}), json!({"phase": "Healthy"}));
    check(&rollout, &Around::alone(now()), &pending("is scaled to 0 replicas"));
    check(&rollout, &zero, &ready());
    // Whoever fences a service by scaling it down must not be told that it is done while it still runs.
    let still =
        deployment(json!({"replicas": 0}), json!({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}));
    check(&still, &zero, &pending("3 replicas more than the 0 wanted still run"));
    let still = object("apps/v1", "StatefulSet", json!({"replicas": 0}), json!({"replicas": 1, "readyReplicas": 1}));
    check(&still, &zero, &pending("1 pod more than the 0 wanted still runs"));
}

#[test]
fn replica_sets() {
    let of = |spec: Value, status: Value| object("apps/v1", "ReplicaSet", spec, status);
    let mut former = of(json!({"replicas": 0}), json!({}));
    former["metadata"]["ownerReferences"] = json!([{"kind": "Deployment", "name": "api"}]);
    check_all([
        (former, ready()),
        (of(json!({"replicas": 2}), json!({"replicas": 2, "availableReplicas": 2})), ready()),
        (
            of(json!({"replicas": 2}), json!({"replicas": 2, "availableReplicas": 1})),
            pending("1 of 2 replicas are available"),
        ),
        (
            of(json!({"replicas": 1}), json!({"replicas": 2, "availableReplicas": 2})),
            pending("1 replica more than the 1 wanted still runs"),
        ),
    ]);
}

#[test]
fn daemon_sets() {
    let of = |strategy: &str, status: Value| {
        object("apps/v1", "DaemonSet", json!({"updateStrategy": {"type": strategy}}), status)
    };
    let status = |wanted: u8, updated: u8, available: u8| json!({"desiredNumberScheduled": wanted, "updatedNumberScheduled": updated, "numberAvailable": available});
    check_all([
        (of("RollingUpdate", status(3, 3, 3)), ready()),
        (of("RollingUpdate", status(0, 0, 0)), ready()),
        (of("RollingUpdate", status(3, 2, 3)), pending("the pods of 2 of 3 nodes are updated")),
        (of("RollingUpdate", status(3, 3, 1)), pending("the pods of 1 of 3 nodes are available")),
        (of("OnDelete", status(3, 3, 3)), ready()),
        (
            of("OnDelete", status(3, 2, 3)),
            failed(
                "the pods of 2 of 3 nodes are updated; it replaces a pod only when somebody deletes it (updateStrategy \
                 OnDelete)",
            ),
        ),
        (of("RollingUpdate", json!({"observedGeneration": null})), pending("its controller has not looked at it yet")),
    ]);
}

#[test]
fn stateful_sets() {
    let of = |strategy: Value, status: Value| {
        object("apps/v1", "StatefulSet", json!({"replicas": 3, "updateStrategy": strategy}), status)
    };
    let rolling = |partition: u8| json!({"type": "RollingUpdate", "rollingUpdate": {"partition": partition}});
    let status = |ready: u8, updated: u8| json!({"replicas": 3, "readyReplicas": ready, "updatedReplicas": updated});
    let revisions = |current: &str, update: &str| {
        json!({"replicas": 3, "readyReplicas": 3, "updatedReplicas": 1,
               "currentRevision": current, "updateRevision": update})
    };
    check_all([
        (of(rolling(0), status(3, 3)), ready()),
        (of(rolling(0), status(2, 3)), pending("2 of 3 pods are ready")),
        (of(rolling(0), status(3, 1)), pending("1 of 3 pods are updated")),
        (of(rolling(2), status(3, 1)), ready()),
        (of(rolling(2), status(3, 0)), pending("0 of 1 pod is updated (partition 2)")),
        (of(rolling(9), status(3, 0)), ready()),
        (of(json!({"type": "RollingUpdate"}), revisions("api-1", "api-1")), ready()),
        (
            of(json!({"type": "RollingUpdate"}), revisions("api-1", "api-2")),
            pending("1 of 3 pods are updated, to revision api-2"),
        ),
        (of(json!({"type": "OnDelete"}), status(3, 3)), ready()),
        (
            of(json!({"type": "OnDelete"}), status(3, 1)),
            failed(
                "1 of 3 pods are updated; it replaces a pod only when somebody deletes it (updateStrategy OnDelete)",
            ),
        ),
        (
            of(rolling(0), json!({"replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "availableReplicas": 2})),
            pending("2 of 3 pods are available"),
        ),
        (of(rolling(0), json!({"observedGeneration": null})), pending("its controller has not looked at it yet")),
    ]);
}

#[test]
fn jobs() {
    let job = |spec: Value, status: Value| {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "load", "namespace": "shop"},
               "spec": spec, "status": status})
    };
    let with = |kind: &str, reason: &str, message: &str| {
        job(json!({}), json!({"startTime": "x", "conditions": [condition(kind, "True", reason, message)]}))
    };
    check_all([
        (with("Complete", "CompletionsReached", ""), ready()),
        (
            with("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"),
            failed(
                "failed (BackoffLimitExceeded: Job has reached the specified backoff limit); look at the logs of its \
                 pods",
            ),
        ),
        (
            with("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline"),
            failed(
                "failed (DeadlineExceeded: Job was active longer than specified deadline); look at the logs of its pods",
            ),
        ),
        (with("SuccessCriteriaMet", "CompletionsReached", ""), pending("has succeeded; its last pods are ending")),
        (
            with("Suspended", "JobSuspended", "Job suspended"),
            pending("is suspended: none of its pods run until spec.suspend is false"),
        ),
        (
            job(json!({"suspend": true}), json!({})),
            pending("is suspended: none of its pods run until spec.suspend is false"),
        ),
        (job(json!({}), json!({})), pending("has not started")),
        (
            job(
                json!({"completions": 5, "backoffLimit": 4}),
                json!({"startTime": "x", "succeeded": 2, "active": 1, "failed": 2}),
            ),
            pending("runs: 2 of 5 succeeded, 1 active, 2 pods failed (it gives up after 4)"),
        ),
        (job(json!({}), json!({"startTime": "x", "active": 1})), pending("runs: 0 of 1 succeeded, 1 active")),
    ]);
}

#[test]
fn kinds_that_only_say_what_is_wanted() {
    for (api_version, kind) in [
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("policy/v1", "PodDisruptionBudget"),
        ("batch/v1", "CronJob"),
        ("v1", "ConfigMap"),
        ("v1", "Secret"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ] {
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}});
        check(&object, &Around::alone(now()), &ready());
    }
}
