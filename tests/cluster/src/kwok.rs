//! Nodes without machines: kwok says that pods are ready, complete and gone, at once unless a pod asks otherwise.
//!
//! What a pod can ask for, by annotations:
//!
//! | annotation | meaning |
//! |---|---|
//! | `lifeboat.test/ready: "false"` | it runs and is not ready; may be changed while it runs, both ways |
//! | `lifeboat.test/starts-after: 5s` | it stays `Pending` for so long |
//! | `lifeboat.test/runs-for: 10s` | a pod that is not restarted (that of a Job, say) ends after so long, else at once |
//! | `lifeboat.test/exit-code: "3"` | … and so |

use serde_json::{Value, json};

/// Everything that [`Cluster::pod_logs`](crate::Cluster::pod_logs) was not told about has printed this.
pub const DEFAULT_LOG: &str = "started";

const RUNS: &str = include_str!("../templates/pod-runs.yaml");

/// A condition of a stage on the object.
fn when(key: &str, operator: &str, values: &[&str]) -> Value {
    let mut condition = json!({ "key": key, "operator": operator });
    if !values.is_empty() {
        condition["values"] = values.into();
    }
    condition
}

fn stage(name: &str, kind: &str, conditions: &[Value], next: Value) -> Value {
    json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": { "name": name },
        "spec": {
            "resourceRef": { "apiGroup": "v1", "kind": kind },
            "selector": { "matchExpressions": conditions },
            "next": next,
        },
    })
}

fn delayed(mut stage: Value, annotation: &str) -> Value {
    stage["spec"]["delay"] = json!({
        "durationMilliseconds": 0,
        "durationFrom": { "expressionFrom": format!(".metadata.annotations[\"{annotation}\"]") },
    });
    stage
}

/// kwok's configuration; `log` is what all pods have printed, a file.
pub(crate) fn configuration(log: &str) -> String {
    let lives = || when(".metadata.deletionTimestamp", "DoesNotExist", &[]);
    let phase = |phase: &str| when(".status.phase", "In", &[phase]);
    let ready = |status: &str| when(".status.conditions.[] | select(.type == \"Ready\") | .status", "In", &[status]);
    let asked = |operator: &str| when(".metadata.annotations[\"lifeboat.test/ready\"]", operator, &["false"]);
    let status = |template: &str| json!({ "statusTemplate": template });
    let all = [
        stage(
            "node-ready",
            "Node",
            &[when(".status.conditions.[] | select(.type == \"Ready\") | .status", "NotIn", &["True"])],
            status(include_str!("../templates/node.yaml")),
        ),
        delayed(stage("pod-runs", "Pod", &[lives(), phase("Pending")], status(RUNS)), "lifeboat.test/starts-after"),
        stage("pod-gets-unready", "Pod", &[lives(), phase("Running"), ready("True"), asked("In")], status(RUNS)),
        stage("pod-gets-ready", "Pod", &[lives(), phase("Running"), ready("False"), asked("NotIn")], status(RUNS)),
        delayed(
            stage(
                "pod-ends",
                "Pod",
                &[lives(), phase("Running"), when(".spec.restartPolicy", "NotIn", &["Always"])],
                status(include_str!("../templates/pod-ends.yaml")),
            ),
            "lifeboat.test/runs-for",
        ),
        stage("pod-goes", "Pod", &[when(".metadata.deletionTimestamp", "Exists", &[])], json!({ "delete": true })),
        json!({
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "ClusterLogs",
            "metadata": { "name": "default" },
            "spec": { "logs": [{ "logsFile": log, "follow": true }] },
        }),
    ];
    all.map(|document| document.to_string()).join("\n---\n")
}

/// Lines as a container runtime writes them into a log.
pub(crate) fn log_file<'line>(lines: impl IntoIterator<Item = &'line str>) -> String {
    // The time is that of no line in particular: whoever asks for lines since a time is not served by this.
    lines
        .into_iter()
        .map(|line| format!("2026-01-01T00:00:00.000000000Z stdout F {line}\n"))
        .collect::<Vec<_>>()
        .concat()
}

/// A node; kwok makes it ready.
pub(crate) fn node(index: usize) -> Value {
    let name = format!("node-{index}");
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": { "kwok.x-k8s.io/node": "fake" },
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "topology.kubernetes.io/zone": format!("zone-{index}"),
            },
        },
    })
}
