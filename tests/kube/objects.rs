//! `apply`, `patch`, `scale`, `delete`: what they do, and that they take it back.

use lifeboat_test_cluster::Client;
use serde_json::{Value, json};

use super::{Site, api};
use crate::harness::{LIMIT, of_kind, records, wait_for};

fn deployment(site: &Site, replicas: u32) -> Value {
    json!({
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
    })
}

fn config(site: &Site, name: &str, data: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": site.namespace}, "data": data,
    })
}

fn get(client: &Client, path: &str) -> Value {
    client.find(path).expect("the API answers").unwrap_or_default()
}

const CHANGES: &str = r#"  scale:
    phase: workloads
    scale: {cluster: dr, kind: Deployment, namespace: NS, name: api, replicas: 3}
    undo: auto
    verify:
      - kube: {cluster: dr, kind: deployments.apps, namespace: NS, name: api}
        expect: "object.spec.replicas == 3"
  patch:
    phase: workloads
    needs: [scale]
    patch: {cluster: dr, kind: ConfigMap, namespace: NS, name: conf, merge: "data: {mode: recovery}"}
    undo: auto
  gone:
    phase: workloads
    needs: [patch]
    delete: {cluster: dr, kind: ConfigMap, namespace: NS, name: old}
    undo: auto
"#;

fn before(site: &Site) {
    for object in
        [deployment(site, 1), config(site, "conf", &json!({"mode": "normal"})), config(site, "old", &json!({"a": "b"}))]
    {
        site.client.create(&object).expect("it can be made");
    }
}

#[test]
fn objects_are_changed_and_the_evidence_says_what_was_there() {
    let site = Site::new(api(), "change");
    before(&site);
    site.place.run(&site.runbook(CHANGES)).code(0);
    assert_eq!(get(site.client, &site.path("apps/v1", "deployments", "api"))["spec"]["replicas"], 3);
    assert_eq!(get(site.client, &site.path("v1", "configmaps", "conf"))["data"]["mode"], "recovery");
    assert_eq!(get(site.client, &site.path("v1", "configmaps", "old")), Value::Null);
    let records = site.place.records();
    let met = of_kind(&records, "cluster-met")[0];
    let kube_system = get(site.client, "/api/v1/namespaces/kube-system");
    assert_eq!(met["uid"], kube_system["metadata"]["uid"]);
    assert_eq!(met["context"], "admin");
    assert!(met["version"].as_str().is_some_and(|version| version.starts_with("v1.")), "{met}");
    let prepared = of_kind(&records, "action-prepared");
    assert_eq!(prepared.len(), 3);
    assert_eq!(prepared[0]["facts"]["before"], 1);
    let asked = of_kind(&records, "cluster-asked")[0];
    assert!(asked["requests"].as_u64().is_some_and(|requests| requests > 5 && requests < 60), "{asked}");
    site.place.lifeboat(&["verify", "@latest"]).code(0);
    site.place.lifeboat(&["report", "@latest"]).code(0).says("CLUSTERS (1)").says("context admin");
}

#[test]
fn what_was_changed_is_put_back_when_the_run_is_aborted() {
    let site = Site::new(api(), "back");
    before(&site);
    let uid = get(site.client, &site.path("apps/v1", "deployments", "api"))["metadata"]["uid"].clone();
    let steps = format!("{CHANGES}  fails:\n    phase: validate\n    exec: ['false']\n    effect: reads\n");
    site.place.run(&site.runbook(&steps)).code(3);
    let now = get(site.client, &site.path("apps/v1", "deployments", "api"));
    assert_eq!((&now["spec"]["replicas"], &now["metadata"]["uid"]), (&json!(1), &uid));
    assert_eq!(get(site.client, &site.path("v1", "configmaps", "conf"))["data"], json!({"mode": "normal"}));
    assert_eq!(get(site.client, &site.path("v1", "configmaps", "old"))["data"], json!({"a": "b"}));
    site.place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn an_object_that_somebody_made_anew_is_left_alone() {
    let site = Site::new(api(), "anew");
    before(&site);
    let anew = site.place.file("anew.sh", "touch deleted; while [ ! -e go ]; do sleep 0.05; done; exit 1\n");
    let steps = format!(
        "{CHANGES}  fails:\n    phase: validate\n    exec: [bash, {}]\n    effect: reads\n    cwd: {}\n",
        anew.display(),
        anew.parent().expect("it has one").display()
    );
    site.place.file("r.yaml", site.runbook(&steps));
    let run = site.place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the last step", crate::harness::LIMIT, || site.place.path("deleted").exists().then_some(()));
    let path = site.path("apps/v1", "deployments", "api");
    site.client.delete(&path).expect("it can be deleted");
    wait_for("it to be gone", crate::harness::LIMIT, || (get(site.client, &path) == Value::Null).then_some(()));
    site.client.create(&deployment(&site, 7)).expect("it can be made");
    site.place.file("go", "");
    run.end(crate::harness::LIMIT).code(4);
    assert_eq!(get(site.client, &path)["spec"]["replicas"], 7);
    let failed = site.place.records();
    let failed = of_kind(&failed, "undo-failed")[0];
    assert!(failed["reason"].as_str().is_some_and(|why| why.contains("another object")), "{failed}");
}

#[test]
fn a_delete_that_is_held_says_by_what() {
    let site = Site::new(api(), "held");
    let mut held = config(&site, "held", &json!({}));
    held["metadata"]["finalizers"] = json!(["example.org/keep"]);
    site.client.create(&held).expect("it can be made");
    let steps = "  gone:\n    phase: workloads\n    timeout: 3s\n    delete: {cluster: dr, kind: ConfigMap, \
                 namespace: NS, name: held}\n";
    let ended = site.place.run(&site.runbook(steps)).code(4);
    ended.says("it has the finalizers example.org/keep, which whoever set them has to remove");
    let path = site.path("v1", "configmaps", "held");
    site.client.patch(&path, &json!({"metadata": {"finalizers": null}})).expect("it can be let go");
}

#[test]
fn what_cannot_be_taken_back_is_refused_before_anything_is_changed() {
    let site = Site::new(api(), "refused");
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key", "namespace": site.namespace},
        "stringData": {"password": "hunter2hunter2"},
    });
    site.client.create(&secret).expect("it can be made");
    let steps = "  gone:\n    phase: workloads\n    delete: {cluster: dr, kind: Secret, namespace: NS, name: key}\n    \
                 undo: auto\n";
    site.place.run(&site.runbook(steps)).says("its values would have to be kept with the evidence");
    assert!(get(site.client, &site.path("v1", "secrets", "key")).is_object());
    let steps = "  gone:\n    phase: workloads\n    delete: {cluster: dr, kind: Namespace, name: NS}\n    undo: auto\n";
    site.place.run(&site.runbook(steps)).says("cannot bring back a Namespace");
    assert!(get(site.client, &format!("/api/v1/namespaces/{}", site.namespace)).is_object());
}

const MANIFEST: &str = r#"  apply:
    phase: workloads
    undo: auto
    apply:
      cluster: dr
      namespace: NS
      manifest: |
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: conf}
        data: {mode: recovery, extra: "yes"}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: made}
        stringData: {password: s3cr3t-of-the-manifest}
        ---
        apiVersion: example.org/v1
        kind: Boat
        metadata: {name: one}
        spec: {seats: 4}
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: boats.NS.example.org}
        spec:
          group: NS.example.org
          names: {kind: Boat, plural: boats}
          scope: Namespaced
          versions:
            - name: v1
              served: true
              storage: true
              schema:
                openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {seats: {type: integer}}}}}
"#;

/// Definitions are no namespace's: each test has a group of its own.
fn manifest() -> String {
    MANIFEST.replace("apiVersion: example.org/v1", "apiVersion: NS.example.org/v1")
}

#[test]
fn manifests_are_applied_with_their_definitions_first_and_taken_back() {
    let site = Site::new(api(), "apply");
    site.client.create(&config(&site, "conf", &json!({"own": "kept"}))).expect("it can be made");
    let steps = format!("{}  fails:\n    phase: validate\n    exec: ['false']\n    effect: reads\n", manifest());
    site.place.run(&site.runbook(&manifest())).code(0);
    let group = format!("{}.example.org/v1", site.namespace);
    let boat = site.path(&group, "boats", "one");
    assert_eq!(get(site.client, &boat)["spec"]["seats"], 4);
    let data = get(site.client, &site.path("v1", "configmaps", "conf"))["data"].clone();
    assert_eq!(data, json!({"own": "kept", "mode": "recovery", "extra": "yes"}));
    let records = site.place.records();
    let result = &of_kind(&records, "action-finished")[0]["result"];
    assert_eq!((&result["created"], &result["changed"]), (&json!(3), &json!(1)), "{result}");
    let kept: String = std::fs::read_dir(site.place.only_run().join("artifacts"))
        .expect("artifacts")
        .flatten()
        .map(|file| std::fs::read_to_string(file.path()).unwrap_or_default())
        .collect();
    // What stands in a runbook in clear text is in its frozen copy; beyond that it is nowhere.
    assert!(!kept.contains("s3cr3t-of-the-manifest"), "{kept}");
    // Once more: nothing changes, and when that is taken back nothing is lost.
    site.place.run(&site.runbook(&steps)).code(3);
    assert_eq!(get(site.client, &boat)["spec"]["seats"], 4);
}

#[test]
fn an_apply_is_taken_back_to_what_was_there() {
    let site = Site::new(api(), "unapply");
    site.client.create(&config(&site, "conf", &json!({"mode": "normal"}))).expect("it can be made");
    let steps = "  apply:\n    phase: workloads\n    undo: auto\n    apply:\n      cluster: dr\n      namespace: NS\n      \
                 force: true\n      manifest: |\n        [{apiVersion: v1, kind: ConfigMap, metadata: {name: conf}, data: \
                 {mode: recovery}}]\n  fails:\n    phase: validate\n    exec: ['false']\n    effect: reads\n";
    let steps = steps.replace("[{", "{").replace("}}]", "}}");
    let new = "\n        ---\n        {apiVersion: v1, kind: ConfigMap, metadata: {name: fresh}}\n  fails:";
    let steps = steps.replace("\n  fails:", new);
    site.place.run(&site.runbook(&steps)).code(3);
    assert_eq!(get(site.client, &site.path("v1", "configmaps", "conf"))["data"], json!({"mode": "normal"}));
    assert_eq!(get(site.client, &site.path("v1", "configmaps", "fresh")), Value::Null);
}

#[test]
fn a_field_that_somebody_else_has_set_is_a_conflict_that_is_shown() {
    let site = Site::new(api(), "conflict");
    site.client.apply(&config(&site, "conf", &json!({"mode": "normal"}))).expect("it can be applied");
    let steps = "  apply:\n    phase: workloads\n    apply:\n      cluster: dr\n      namespace: NS\n      manifest: |\n        \
                 {apiVersion: v1, kind: ConfigMap, metadata: {name: conf}, data: {mode: recovery}}\n";
    let ended = site.place.run(&site.runbook(steps)).code(2);
    drop(ended.says(".data.mode belongs to lifeboat-test").says("nothing was written, it was a dry run"));
    // What comes after the pre-flight is a conflict, too, and its difference is shown.
    let late = Site::new(api(), "late-conflict");
    let wait = "  wait: {phase: data, shell: 'while ! test -e go; do sleep 0.1; done', effect: reads}\n";
    late.place.file("r.yaml", late.runbook(&format!("{wait}{steps}")));
    let going = late.place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the first step", LIMIT, || {
        let runs = late.place.runs();
        let run = runs.first().filter(|run| run.join("evidence.jsonl").is_file())?;
        (!of_kind(&records(run), "action-started").is_empty()).then_some(())
    });
    late.client.apply(&config(&late, "conf", &json!({"mode": "normal"}))).expect("it can be applied");
    late.place.file("go", "");
    let ended = going.end(LIMIT).code(4);
    ended.says("fields that others have set are in the way").says("take it over with `force: true`").says(".data.mode");
    assert_eq!(get(late.client, &late.path("v1", "configmaps", "conf"))["data"]["mode"], "normal");
    let forced = steps.replace("      namespace: NS\n", "      namespace: NS\n      force: true\n");
    site.place.run(&site.runbook(&forced)).code(0);
    assert_eq!(get(site.client, &site.path("v1", "configmaps", "conf"))["data"]["mode"], "recovery");
}
