//! The pre-flight against a real API server: what is missing is told in one go, and nothing is written.
//!
//! All of it needs no more than an API server with definitions, as nothing is carried out: the status of a backup is what the
//! test says.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use lifeboat_test_cluster::{
    Client, Cluster, Crds, Options, path,
    proxy::{Fault, Proxy, Rule},
};
use serde_json::{Value, json};

use super::Site;
use crate::harness::{Ended, LIMIT, of_kind, runbook_with, wait_for};

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(new_cluster)
}

/// One without a default class, which others count on.
fn cluster_without_a_default() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let cluster = new_cluster();
        for class in cluster.client().list(&path("storage.k8s.io/v1", "storageclasses", "", "")).expect("classes") {
            let name = class["metadata"]["name"].as_str().expect("a name");
            let none = json!({"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": null}}});
            cluster.client().patch(&path("storage.k8s.io/v1", "storageclasses", "", name), &none).expect("a class");
        }
        cluster
    })
}

/// One whose webhooks are nobody else's business.
fn cluster_with_a_webhook() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(new_cluster)
}

fn new_cluster() -> Cluster {
    let cluster = Cluster::start(Options::api_only().crds([Crds::Velero])).expect("an API server");
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "there"},
            "provisioner": "example.org/disk"});
    cluster.client().apply(&class).expect("a class");
    cluster
}

/// A time so many seconds from now.
fn at(seconds: i64) -> String {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    format!("{then:.0}")
}

/// Velero's objects in a namespace: a location that was read lately, and a backup of the namespace of that age.
fn backup(client: &Client, namespace: &str, age: i64, left: i64) {
    let metadata = |name: &str| json!({"name": name, "namespace": namespace});
    for object in [
        json!({"apiVersion": "velero.io/v1", "kind": "BackupStorageLocation", "metadata": metadata("default"),
            "spec": {"provider": "aws", "default": true, "objectStorage": {"bucket": "b"}},
            "status": {"phase": "Available", "lastSyncedTime": at(-30), "lastValidationTime": at(-30)}}),
        json!({"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": metadata("nightly"),
            "spec": {"storageLocation": "default", "includedNamespaces": [namespace]},
            "status": {"phase": "Completed", "startTimestamp": at(-age), "completionTimestamp": at(60 - age),
                "expiration": at(left), "progress": {"totalItems": 9, "itemsBackedUp": 9}}}),
    ] {
        client.apply(&object).expect("it can be made");
    }
}

/// Definitions that nobody else uses.
fn definition(group: &str) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{group}")},
        "spec": {"group": group, "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}})
}

fn check(site: &Site, runbook: &str) -> Ended {
    site.place.file("r.yaml", runbook);
    let ended = site.place.lifeboat(&["check", "r.yaml"]);
    assert!(!site.place.path("store").exists(), "a store was made: {ended}");
    ended
}

fn findings(site: &Site) -> Vec<Value> {
    let found = site.place.lifeboat(&["check", "r.yaml", "--format", "json"]).json();
    found["findings"].as_array().cloned().unwrap_or_default()
}

#[track_caller]
fn finding<'a>(findings: &'a [Value], requirement: &str) -> &'a Value {
    let is_it = |finding: &&Value| finding["requirement"].as_str().is_some_and(|text| text.contains(requirement));
    findings.iter().find(is_it).unwrap_or_else(|| panic!("no `{requirement}` in {findings:#?}"))
}

#[test]
fn all_that_is_missing_is_in_one_output() {
    let site = Site::new(cluster_with_a_webhook(), "missing");
    let namespace = site.namespace.clone();
    backup(site.client, &namespace, 7200, 1800);
    let account = cluster_with_a_webhook()
        .cluster_account(
            &namespace,
            "weak",
            &json!([
                {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get"]},
                {"apiGroups": [""], "resources": ["limitranges", "services"], "verbs": ["get", "patch", "create"]},
                {"apiGroups": ["velero.io"], "resources": ["*"], "verbs": ["*"]},
                {"apiGroups": ["admissionregistration.k8s.io", "apiextensions.k8s.io", "", "discovery.k8s.io", "storage.k8s.io"],
                    "resources": ["*"], "verbs": ["list", "get"]}
            ]),
        )
        .expect("an account");
    // Nobody else here makes any of these.
    let webhook = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": format!("limits-{namespace}")},
        "webhooks": [{"name": "limits.example.org", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"namespace": namespace, "name": "gone", "path": "/"}},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["limitranges"]}]}]});
    site.client.apply(&webhook).expect("a webhook");
    let clusters = format!(
        "requires:\n  crds: [{{cluster: dr, name: widgets.missing.example.org, version: v1}}]\nclusters:\n  dr: {{context: \
         weak, kubeconfig: \"{}\"}}\n",
        account.kubeconfig.display()
    );
    let steps = "  limits:
    phase: bootstrap
    apply:
      cluster: dr
      namespace: NS
      manifest: |
        apiVersion: v1
        kind: LimitRange
        metadata: {name: limits}
        spec: {limits: []}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {ports: [{port: 80}], colour: red}
  restore: {phase: data, velero-restore: {cluster: dr, veleroNamespace: NS, namespaces: [NS]}}
  start:
    phase: workloads
    restores: true
    scale: {cluster: dr, kind: Deployment, namespace: NS, name: api, replicas: 3}
"
    .replace("NS", &namespace);
    let ended = check(&site, &runbook_with(&clusters, &steps)).code(2);
    for (requirement, found) in [
        ("the right to patch deployments.apps/scale in namespace", "none: no rule allows it"),
        ("the definition widgets.missing.example.org with version v1", "no such definition"),
        ("a backup within the RPO of 1 h (for restore)", "backup nightly started 2 h"),
        ("a backup that outlasts the RTO of 1 h (for restore)", "nightly expires in"),
        (
            "a webhook that answers (for limits, restore)",
            "gone does not exist; until it answers, CREATE of limitranges",
        ),
        ("manifests that the API server takes (for limits)", "2 of 2 objects refused: "),
        ("manifests that the API server takes (for limits)", "field not declared in schema"),
    ] {
        let ended =
            Ended { call: ended.call.clone(), code: ended.code, out: ended.out.clone(), err: ended.err.clone() };
        drop(ended.says(requirement).says(found));
    }
    let ended = ended.says(&format!("give system:serviceaccount:{namespace}:weak a Role in the namespace {namespace}"));
    drop(ended.says("a run would not begin; 1 objective would be missed; 1 warning; nothing was touched"));
    // A run says the same, and does no more.
    site.place.lifeboat(&["run", "r.yaml", "--no-input"]).code(2);
    for (api_version, plural, name) in [("v1", "services", "web"), ("v1", "limitranges", "limits")] {
        let there = site.client.find(&path(api_version, plural, &namespace, name)).expect("the API answers");
        assert!(there.is_none(), "{plural} {name} was made");
    }
    let restores = site.client.list(&path("velero.io/v1", "restores", &namespace, "")).expect("a list");
    assert!(restores.is_empty(), "{restores:?}");
    site.client
        .delete(&path(
            "admissionregistration.k8s.io/v1",
            "validatingwebhookconfigurations",
            "",
            &format!("limits-{namespace}"),
        ))
        .expect("it can be deleted");
}

#[test]
fn what_earlier_steps_bring_is_not_missing() {
    let site = Site::new(cluster(), "later");
    let group = format!("{}.example.org", site.namespace);
    site.place.file("crd/widgets.json", definition(&group).to_string());
    let steps = format!(
        "  kinds: {{phase: bootstrap, apply: {{cluster: dr, files: [crd]}}}}
  room:
    phase: bootstrap
    apply: {{cluster: dr, manifest: '{{apiVersion: v1, kind: Namespace, metadata: {{name: NS-new}}}}'}}
  widgets:
    phase: workloads
    restores: true
    apply:
      cluster: dr
      namespace: NS-new
      manifest: |
        {{apiVersion: {group}/v1, kind: Widget, metadata: {{name: one}}}}
        ---
        {{apiVersion: v1, kind: ConfigMap, metadata: {{name: one}}, data: {{a: b}}}}
  paint: {{phase: workloads, needs: [kinds], patch: {{cluster: dr, kind: Widget, namespace: NS, name: x, merge: '{{}}'}}}}
  alone: {{phase: workloads, needs: [], patch: {{cluster: dr, kind: Widget, namespace: NS, name: x, merge: '{{}}'}}}}
"
    );
    let ended = check(&site, &site.runbook(&steps)).code(2);
    // Only the one that does not wait for the definition.
    let ended = ended.says("1 of").says("the kind Widget (for paint, alone)");
    drop(ended.says("nothing of that name served"));
    check(&site, &site.runbook(&steps.replace("needs: []", "needs: [kinds]"))).code(0);
    let found = findings(&site);
    let widgets = finding(&found, &format!("the kind Widget of {group}/v1"));
    assert_eq!(widgets["found"], "nothing yet; its definition is applied before, by kinds");
    let taken = finding(&found, "manifests that the API server takes (for widgets)");
    let text = taken["found"].as_str().unwrap_or_default();
    assert!(text.contains("cannot be tried yet: namespace") && text.contains("is not there before room"), "{text}");
    // Looking has made nothing.
    assert!(
        site.client
            .find(&path("v1", "namespaces", "", &format!("{}-new", site.namespace)))
            .expect("an answer")
            .is_none()
    );
}

#[test]
fn an_old_backup_fails_the_check_and_not_the_incident() {
    let site = Site::new(cluster(), "old");
    backup(site.client, &site.namespace, 7200, 86_400);
    let steps = "  restore:\n    phase: data\n    restores: true\n    timeout: 2s\n    velero-restore: {cluster: dr, \
                 veleroNamespace: NS, namespaces: [NS]}\n";
    let ended = check(&site, &site.runbook(steps)).code(2).says("LATE a backup within the RPO of 1 h (for restore)");
    drop(ended.says("1 objective would be missed; nothing was touched"));
    let found = site.place.lifeboat(&["check", "r.yaml", "--format", "json"]).code(2).json();
    assert_eq!((&found["passed"], &found["runWouldBegin"]), (&false.into(), &true.into()));
    // Nobody here restores anything; but it has begun.
    let ended = site.place.lifeboat(&["run", "r.yaml", "--no-input"]);
    let records = site.place.records();
    assert_eq!(of_kind(&records, "preflight-finished")[0]["passed"], true, "{ended}");
    assert_eq!(of_kind(&records, "action-started").len(), 1, "{ended}");
    assert!(ended.err.contains("objective  dr: a backup within the RPO"), "{ended}");
    // One that is too old for the author is another matter.
    let strict = steps.replace("namespaces: [NS]", "namespaces: [NS], maxAge: 90m");
    let ended = check_again(&site, &strict).code(2).says("a backup that can be used (for restore)");
    drop(ended.says("the objective is 1 h 30 m").says("a run would not begin"));
    let fresh = Site::new(cluster(), "fresh");
    backup(fresh.client, &fresh.namespace, 600, 86_400);
    drop(check(&fresh, &fresh.runbook(steps)).code(0).says("backup nightly started 10 m").says("ready"));
}

/// The store is there already.
fn check_again(site: &Site, steps: &str) -> Ended {
    site.place.file("r.yaml", site.runbook(steps));
    site.place.lifeboat(&["check", "r.yaml"])
}

#[test]
fn a_backup_that_an_earlier_step_makes_is_not_missing() {
    let site = Site::new(cluster(), "made");
    backup(site.client, &site.namespace, 90_000, -60);
    let restore = "velero-restore: {cluster: dr, veleroNamespace: NS, namespaces: [NS]}";
    let steps = format!("  restore: {{phase: data, restores: true, {restore}}}\n");
    drop(check(&site, &site.runbook(&steps)).code(2).says("nightly expired 1 m ago"));
    let steps = format!("  first: {{phase: bootstrap, velero-backup: {{cluster: dr, veleroNamespace: NS}}}}\n{steps}");
    drop(check(&site, &site.runbook(&steps)).code(0).says("nightly expired").says("first before may bring it"));
}

#[test]
fn rights_to_single_objects_are_enough() {
    let site = Site::new(cluster(), "names");
    let one = |resource: &str, verbs: Value| json!({"apiGroups": ["apps"], "resources": [resource], "resourceNames": ["api"], "verbs": verbs});
    let rules = json!([one("deployments/scale", json!(["get", "patch"]))]);
    let account = cluster().account(&site.namespace, "one", &rules).expect("an account");
    let kubeconfig = account.kubeconfig.display().to_string();
    let steps = |name: &str| {
        format!(
            "  s: {{phase: workloads, restores: true, scale: {{cluster: dr, kind: Deployment, namespace: NS, name: {name}, \
             replicas: 1}}}}\n"
        )
    };
    drop(
        check(&site, &site.runbook_at("one", &kubeconfig, &steps("api")))
            .code(0)
            .says("all 2 rights of system:serviceaccount"),
    );
    let ended = check(&site, &site.runbook_at("one", &kubeconfig, &steps("web"))).code(2);
    drop(ended.says("the right to get, patch deployments.apps/scale in namespace"));
}

#[test]
fn storage_classes_and_namespaces_that_are_not_there() {
    let site = Site::new(cluster_without_a_default(), "classes");
    let claim = |class: &str| {
        format!(
            "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {class}x}}, spec: {{{}accessModes: \
             [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}}}",
            if class.is_empty() { String::new() } else { format!("storageClassName: {class}, ") }
        )
    };
    let steps = |class: &str, namespace: &str| {
        format!(
            "  claim:\n    phase: data\n    restores: true\n    apply: {{cluster: dr, namespace: {namespace}, manifest: \
             '{}'}}\n",
            claim(class)
        )
    };
    drop(check(&site, &site.runbook(&steps("there", "NS"))).code(0));
    let ended = check(&site, &site.runbook(&steps("fast", "NS"))).code(2);
    drop(ended.says("the StorageClass fast (for claim)").says("only immediate"));
    drop(check(&site, &site.runbook(&steps("", "NS"))).code(2).says("a default StorageClass (for claim)"));
    let ended = check(&site, &site.runbook(&steps("there", "nowhere"))).code(2);
    drop(ended.says("namespace nowhere is not there, and no step before makes it"));
    let steps =
        "  s: {phase: workloads, restores: true, patch: {cluster: dr, kind: ConfigMap, name: x, merge: '{}'}}\n";
    drop(check(&site, &site.runbook(steps)).code(2).says("a namespace for ConfigMap (for s)"));
    let steps = "  s: {phase: workloads, restores: true, scale: {cluster: dr, kind: ConfigMap, namespace: NS, name: x, \
                 replicas: 1}}\n";
    drop(check(&site, &site.runbook(steps)).code(2).says("the subresource `scale` of ConfigMap (for s)"));
}

#[test]
fn a_location_is_judged_by_what_velero_says_of_it() {
    let site = Site::new(cluster(), "store");
    let steps = "  backup:\n    phase: data\n    timeout: 2s\n    velero-backup: {cluster: dr, veleroNamespace: NS, \
                 namespaces: [NS]}\n";
    let located = |status: Value| {
        let metadata = json!({"name": "default", "namespace": site.namespace});
        let spec = json!({"provider": "aws", "default": true, "objectStorage": {"bucket": "b"}});
        let location = json!({"apiVersion": "velero.io/v1", "kind": "BackupStorageLocation", "metadata": metadata,
            "spec": spec, "status": status});
        site.client.apply(&location).expect("a location");
    };
    // Nobody has read it yet: that is no reason not to try.
    located(json!({}));
    let ended = check(&site, &site.runbook(steps)).code(0).says("warning  the BackupStorageLocation default in order");
    drop(ended.says("Velero has not looked at it yet"));
    located(json!({"phase": "Unavailable", "message": "no such bucket"}));
    let ended = check(&site, &site.runbook(steps)).code(2).says("MISSING  the BackupStorageLocation default in order");
    drop(ended.says("it is Unavailable: no such bucket"));
    located(json!({"phase": "Available"}));
    drop(check(&site, &site.runbook(steps)).code(0));
}

#[test]
fn one_cluster_under_two_names_is_told() {
    let site = Site::new(cluster(), "twice");
    let kubeconfig = cluster().kubeconfig().display().to_string();
    let clusters = format!(
        "clusters:\n  primary: {{context: admin, kubeconfig: \"{kubeconfig}\"}}\n  recovery: {{context: editor, kubeconfig: \
         \"{kubeconfig}\"}}\n"
    );
    let steps =
        "  look: {phase: validate, restores: true, verify: [{kube: {cluster: primary, kind: Node, count: '0'}}]}\n";
    let ended = check(&site, &runbook_with(&clusters, steps)).code(0);
    drop(ended.says("warning a cluster other than `primary`").says("1 warning"));
}

#[test]
fn who_the_server_does_not_know_is_told_at_once() {
    let site = Site::new(cluster(), "expired");
    let kubeconfig = cluster().kubeconfig().display().to_string();
    let steps = "  s: {phase: workloads, restores: true, scale: {cluster: dr, kind: Deployment, namespace: NS, name: x, \
                 replicas: 1}}\n";
    let began = Instant::now();
    let ended = check(&site, &site.runbook_at("expired", &kubeconfig, steps)).code(2).says("Unauthorized");
    assert!(began.elapsed() < Duration::from_secs(12), "{ended}");
}

#[test]
fn a_cluster_that_falls_silent_costs_its_time_once() {
    let site = Site::new(cluster(), "silent");
    let proxy = Proxy::start(cluster()).expect("a proxy");
    let kubeconfig = proxy.kubeconfig().display().to_string();
    let steps = "  s: {phase: workloads, restores: true, scale: {cluster: dr, kind: Deployment, namespace: NS, name: x, \
                 replicas: 1}}\n  c: {phase: workloads, apply: {cluster: dr, namespace: NS, manifest: '{apiVersion: v1, \
                 kind: ConfigMap, metadata: {name: x}}'}}\n";
    site.place.file("r.yaml", site.runbook_at("admin", &kubeconfig, steps));
    // The answers to reviews come late enough to be hit by what comes then.
    proxy.inject(Rule::new(Fault::Delay(Duration::from_secs(2))).path("accessreviews"));
    let going = site.place.start(&["check", "r.yaml"]);
    wait_for("the first review", LIMIT, || (proxy.counts().of("create", "selfsubjectaccessreviews") > 0).then_some(()));
    proxy.inject(Rule::new(Fault::Delay(Duration::from_secs(90))));
    let began = Instant::now();
    let ended = going.end(LIMIT).code(2);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?} {ended}", began.elapsed());
    assert_eq!(ended.out.matches("stopped answering while it was looked at").count(), 1, "{ended}");
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let site = Site::new(cluster(), "busy");
    let proxy = Proxy::start(cluster()).expect("a proxy");
    let kubeconfig = proxy.kubeconfig().display().to_string();
    proxy.inject(Rule::new(Fault::throttle(1)).path("accessreviews").times(2));
    proxy.inject(Rule::new(Fault::status(503)).times(1));
    let steps = "  s: {phase: workloads, restores: true, scale: {cluster: dr, kind: Deployment, namespace: NS, name: x, \
                 replicas: 1}}\n";
    check(&site, &site.runbook_at("admin", &kubeconfig, steps)).code(0);
}
