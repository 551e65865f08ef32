//! Pod, Node, Namespace.

use serde_json::{Value, json};

use super::*;

fn pod(status: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api-1", "namespace": "shop"}, "spec": {}, "status": status})
}

fn waiting(phase: &str, reason: &str, message: &str) -> Value {
    pod(json!({
        "phase": phase,
        "conditions": [condition("Ready", "False", "ContainersNotReady", "containers with unready status: [app]")],
        "containerStatuses": [
            {"name": "log", "ready": true, "state": {"running": {}}},
            {"name": "app", "ready": false, "image": "registry.example/app:1", "restartCount": 5,
             "state": {"waiting": {"reason": reason, "message": message}},
             "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
        ]
    }))
}

#[test]
fn pods() {
    let running = |up: bool, status: &str| {
        pod(json!({"phase": "Running", "conditions": [condition("Ready", status, "", "")],
                   "containerStatuses": [{"name": "app", "ready": up, "state": {"running": {}}}]}))
    };
    let unscheduled = |reason: &str, message: &str| {
        let mut pod =
            pod(json!({"phase": "Pending", "conditions": [condition("PodScheduled", "False", reason, message)]}));
        pod["spec"] = json!({"schedulingGates": [{"name": "example.com/quota"}]});
        pod
    };
    check_all([
        (running(true, "True"), ready()),
        (running(false, "False"), pending("0 of 1 container is ready")),
        (
            pod(json!({"phase": "Running",
                "conditions": [condition("Ready", "False", "ReadinessGatesNotReady", "corresponding condition of pod readiness gate \"lb\" does not exist.")],
                "containerStatuses": [{"name": "app", "ready": true}]})),
            pending("ReadinessGatesNotReady: corresponding condition of pod readiness gate \"lb\" does not exist"),
        ),
        (pod(json!({"phase": "Succeeded"})), ready()),
        (pod(json!({})), pending("has not been seen by the cluster yet")),
        (pod(json!({"phase": "Pending"})), pending("its containers have not been created")),
        (
            pod(json!({"phase": "Unknown", "reason": "NodeLost", "message": "Node a is lost"})),
            pending("cannot be reached: NodeLost: Node a is lost"),
        ),
        (
            unscheduled("Unschedulable", "0/3 nodes are available: 3 Insufficient cpu."),
            pending("has no node: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu"),
        ),
        (
            unscheduled("SchedulingGated", "Scheduling is blocked"),
            pending("waits for its scheduling gates to be taken away: example.com/quota"),
        ),
    ]);
}

#[test]
fn failed_pods() {
    check_all([
        (pod(json!({"phase": "Failed"})), failed("ended in failure")),
        (
            pod(json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory. "})),
            failed("ended in failure (Evicted: The node was low on resource: memory)"),
        ),
        (
            pod(json!({"phase": "Failed", "containerStatuses": [
                {"name": "app", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
            ]})),
            failed("ended in failure: container `app` ended with exit code 1; look at its log"),
        ),
        (
            pod(json!({"phase": "Failed", "reason": "DeadlineExceeded", "initContainerStatuses": [
                {"name": "wait", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
            ]})),
            failed(
                "ended in failure (DeadlineExceeded): container `wait` ended with exit code 137 (OOMKilled); look at its \
                 log",
            ),
        ),
    ]);
}

#[test]
fn what_containers_wait_for() {
    check_all([
        (
            waiting("Running", "CrashLoopBackOff", "back-off 5m0s restarting failed container"),
            pending(
                "its container `app` keeps ending (CrashLoopBackOff): 5 restarts, last with exit code 137 (OOMKilled)",
            ),
        ),
        (
            waiting("Pending", "ImagePullBackOff", "Back-off pulling image \"registry.example/app:1\""),
            pending(
                "the image `registry.example/app:1` of its container `app` cannot be pulled (ImagePullBackOff: Back-off \
                 pulling image \"registry.example/app:1\")",
            ),
        ),
        (
            waiting("Pending", "CreateContainerConfigError", "secret \"db\" not found"),
            pending("its container `app` waits (CreateContainerConfigError: secret \"db\" not found)"),
        ),
        (
            waiting("Pending", "InvalidImageName", "Failed to apply default image tag \"A:b:c\""),
            failed(
                "its container `app` names an image that cannot be one (InvalidImageName: Failed to apply default image \
                 tag \"A:b:c\")",
            ),
        ),
        (waiting("Pending", "ContainerCreating", ""), pending("1 of 2 containers are ready")),
    ]);
}

#[test]
fn init_containers() {
    let running = json!({"phase": "Pending",
        "initContainerStatuses": [
            {"name": "done", "state": {"terminated": {"exitCode": 0}}},
            {"name": "migrate", "started": true, "state": {"running": {}}}
        ],
        "containerStatuses": [{"name": "app", "ready": false, "state": {"waiting": {"reason": "PodInitializing"}}}]});
    let mut sidecar = pod(running.clone());
    sidecar["spec"] = json!({"initContainers": [{"name": "done"}, {"name": "migrate", "restartPolicy": "Always"}]});
    let crashing = json!({"phase": "Pending", "initContainerStatuses": [
        {"name": "migrate", "restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    ]});
    check_all([
        (pod(running), pending("its init container `migrate` has not finished")),
        (sidecar, pending("0 of 1 container is ready")),
        (pod(crashing), pending("its init container `migrate` keeps ending (CrashLoopBackOff): 1 restart")),
    ]);
}

#[test]
fn nodes() {
    let node = |spec: Value, conditions: Value| json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "spec": spec, "status": {"conditions": conditions}});
    let fine = condition("Ready", "True", "KubeletReady", "kubelet is posting ready status");
    let mut lost = condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.");
    lost["lastTransitionTime"] = "2026-11-21T11:40:00Z".into();
    check_all([
        (node(json!({}), json!([fine])), ready()),
        (node(json!({}), json!([])), pending("its kubelet has not reported yet")),
        (node(json!({}), json!([lost])), pending("its kubelet has not reported for 20 m")),
        (
            node(json!({}), json!([condition("Ready", "False", "KubeletNotReady", "cni plugin not initialized")])),
            pending("is not ready (KubeletNotReady: cni plugin not initialized)"),
        ),
        (
            node(json!({}), json!([fine, condition("DiskPressure", "True", "KubeletHasDiskPressure", "")])),
            pending("has DiskPressure (KubeletHasDiskPressure)"),
        ),
        (node(json!({"unschedulable": true}), json!([fine])), pending("is cordoned: no new pods are put on it")),
        (
            node(
                json!({"taints": [{"key": "gpu"}, {"key": "node.cloudprovider.kubernetes.io/uninitialized"}]}),
                json!([fine]),
            ),
            pending("has the taint node.cloudprovider.kubernetes.io/uninitialized"),
        ),
        (node(json!({"taints": [{"key": "gpu"}]}), json!([fine])), ready()),
    ]);
}

#[test]
fn namespaces() {
    let mut ending = json!({"apiVersion": "v1", "kind": "Namespace",
    "metadata": {"name": "shop", "deletionTimestamp": "2026-11-21T11:56:40Z"}, "spec": {"finalizers": ["kubernetes"]},
    "status": {"phase": "Terminating", "conditions": [
        condition("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
        condition("NamespaceContentRemaining", "True", "SomeResourcesRemain", "Some resources are remaining: pods. has 2 resource instances"),
        condition("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", "Some content in the namespace has finalizers remaining: example.com/keep in 2 resource instances")
    ]}});
    check(
        &ending,
        &Around::alone(now()),
        &pending(
            "is being deleted since 3 m 20 s: Some resources are remaining: pods. has 2 resource instances; Some content \
             in the namespace has finalizers remaining: example.com/keep in 2 resource instances",
        ),
    );
    ending["status"]["conditions"] = json!([]);
    check(&ending, &Around::alone(now()), &pending("is being deleted since 3 m 20 s"));
    let active =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}, "status": {"phase": "Active"}});
    check(&active, &Around::alone(now()), &ready());
}
