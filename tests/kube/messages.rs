//! What the commander reads when something is not as it should be.

use serde_json::{Value, json};

use super::{Site, api};

pub(super) fn workload(site: &Site, replicas: u32, status: &Value) {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "api", "namespace": site.namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "api"}},
            "template": {
                "metadata": {"labels": {"app": "api"}},
                "spec": {"containers": [{"name": "api", "image": "api:1"}]},
            },
        },
    });
    site.client.apply(&object).expect("it can be applied");
    site.client.patch_status(&site.path("apps/v1", "deployments", "api"), status).expect("it has a status");
}

fn ready(more: &str) -> String {
    format!(
        "  ready:\n    phase: validate\n    verify:\n      - name: the api is ready\n        kube: {{cluster: dr, kind: \
         Deployment, namespace: NS, name: api{more}}}\n"
    )
}

#[test]
fn a_wrong_context_is_told_with_those_that_are_there() {
    let site = Site::new(api(), "context");
    let kubeconfig = api().kubeconfig().display().to_string();
    let ended = site.place.run(&site.runbook_at("production", &kubeconfig, &ready("")));
    ended.code(2).says("expected the context `production`").says("the contexts admin").says("nothing was touched");
    let ended = site.place.run(&site.runbook_at("admin", "nowhere/kubeconfig", &ready("")));
    ended.code(2).says("no kubeconfig that can be used").says("nowhere/kubeconfig");
}

#[test]
fn ready_of_the_previous_generation_does_not_count() {
    let site = Site::new(api(), "generation");
    workload(
        &site,
        1,
        &json!({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
        "availableReplicas": 1, "conditions": [{"type": "Available", "status": "True"}]}),
    );
    site.place.run(&site.runbook(&ready(""))).code(0);
    // Everybody can see that it is ready; but that is the old one.
    site.client
        .patch(
            &site.path("apps/v1", "deployments", "api"),
            &json!({"spec": {"template": {"metadata": {"labels": {"v": "2"}}}}}),
        )
        .expect("it can be changed");
    site.place.run(&site.runbook(&ready(""))).code(3).says("its status is of generation 1, the object is at 2");
    let condition = ready(", condition: Available");
    site.place.run(&site.runbook(&condition)).says("its condition Available is of generation 1, the object is at 2");
}

#[test]
fn a_workload_that_is_scaled_to_zero_is_not_ready_unless_that_is_meant() {
    let site = Site::new(api(), "zero");
    workload(&site, 0, &json!({"observedGeneration": 1}));
    site.place.run(&site.runbook(&ready(""))).code(3).says("is scaled to 0 replicas");
    site.place.run(&site.runbook(&ready(", allowZero: true"))).code(0);
}

#[test]
fn a_claim_that_waits_for_its_first_consumer_says_so() {
    let site = Site::new(api(), "claim");
    let class = format!("late-{}", site.namespace);
    site.client
        .apply(&json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": class},
            "provisioner": "example.org/disk", "volumeBindingMode": "WaitForFirstConsumer",
        }))
        .expect("a class");
    site.client
        .create(&json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": site.namespace},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "1Gi"}},
            },
        }))
        .expect("a claim");
    let steps = "  bound:\n    phase: validate\n    verify:\n      - kube: {cluster: dr, kind: PersistentVolumeClaim, \
                 namespace: NS, name: data}\n";
    site.place.run(&site.runbook(steps)).says("waits for its first consumer");
}

#[test]
fn a_missing_right_is_told_as_the_server_tells_it() {
    let site = Site::new(api(), "rights");
    let account = api()
        .account(&site.namespace, "weak", &json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]))
        .expect("an account");
    let steps = "  gone:\n    phase: workloads\n    delete: {cluster: dr, kind: ConfigMap, namespace: NS, name: x}\n  \
                 scale:\n    phase: workloads\n    needs: []\n    onFailure: continue\n    scale: {cluster: dr, kind: \
                 Deployment, namespace: NS, name: api, replicas: 1}\n";
    let ended = site.place.run(&site.runbook_at("weak", &account.kubeconfig.display().to_string(), steps));
    ended.code(2).says("the right to").says("no rule allows it");
}

#[test]
fn nobody_waits_for_what_cannot_come() {
    let site = Site::new(api(), "hopeless");
    site.client
        .create(&json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "load", "namespace": site.namespace},
            "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never",
                "containers": [{"name": "c", "image": "x"}]}}},
        }))
        .expect("a job");
    let status = json!({"startTime": "2026-01-01T00:00:00Z", "failed": 1, "conditions": [
        {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": "2026-01-01T00:00:01Z"},
        {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached the limit", "lastTransitionTime": "2026-01-01T00:00:01Z"},
    ]});
    site.client.patch_status(&site.path("batch/v1", "jobs", "load"), &status).expect("a status");
    let steps = "  done:\n    phase: validate\n    verify:\n      - kube: {cluster: dr, kind: Job, namespace: NS, name: \
                 load}\n        within: 50s\n";
    let began = std::time::Instant::now();
    site.place.run(&site.runbook(steps)).says("BackoffLimitExceeded");
    assert!(began.elapsed().as_secs() < 40, "it waited for a Job that has failed");
}

#[test]
fn rights_are_asked_for_with_the_groups_of_the_account() {
    let site = Site::new(api(), "groups");
    let name = format!("all-{}", site.namespace);
    for object in [
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
        // To the group of all accounts of the namespace: asked without groups, the answer would be no.
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": site.namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group",
                "name": format!("system:serviceaccounts:{}", site.namespace)}]}),
    ] {
        site.client.apply(&object).expect("rights");
    }
    let may = |verb: &str| {
        format!(
            "  may:\n    phase: identity\n    verify:\n      - can-i: {{cluster: dr, verb: {verb}, resource: pods, \
             namespace: NS, serviceAccount: NS/default}}\n        within: 10s\n"
        )
    };
    site.place.run(&site.runbook(&may("get"))).code(0);
    let denied = may("delete").replace("        within: 10s\n", "");
    site.place.run(&site.runbook(&denied)).code(3).says("allowed");
}
