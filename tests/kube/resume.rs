//! The engine dies in the middle of an action in a cluster, and another one goes on with it.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Site, api};
use crate::harness::{LIMIT, of_kind, records, wait_for};

fn find(site: &Site, path: &str) -> Value {
    site.client.find(path).expect("the API answers").unwrap_or_default()
}

/// A run that waits for an object with a finalizer to go, killed there.
fn killed(site: &Site) -> String {
    let path = site.path("v1", "configmaps", "held");
    site.client
        .create(&json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "held", "namespace": site.namespace, "finalizers": ["example.org/keep"]},
        }))
        .expect("it can be made");
    let steps = "  gone:\n    phase: workloads\n    timeout: 2m\n    delete: {cluster: dr, kind: ConfigMap, namespace: NS, \
                 name: held}\n    outputs: {name: {cel: \"result.deleted[0].name\"}}\n";
    site.place.file("r.yaml", site.runbook(steps));
    let run = site.place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the object to be going", LIMIT, || {
        find(site, &path).pointer("/metadata/deletionTimestamp").is_some().then_some(())
    });
    run.signal(Signal::KILL);
    run.end(LIMIT);
    path
}

#[test]
fn another_engine_goes_on_with_the_same_attempt() {
    let site = Site::new(api(), "resume");
    let path = killed(&site);
    let again = site.place.start(&["resume", "@latest", "--no-input"]);
    let followed = || {
        let records = site.place.records();
        (!of_kind(&records, "unknown-resolved").is_empty()).then_some(())
    };
    wait_for("it to be taken up", LIMIT, followed);
    site.client.patch(&path, &json!({"metadata": {"finalizers": null}})).expect("it can be let go");
    again.end(LIMIT).code(0);
    let records = site.place.records();
    assert_eq!(of_kind(&records, "action-started").len(), 1, "one attempt, whoever carries it out");
    assert_eq!(of_kind(&records, "action-prepared").len(), 1);
    assert_eq!(of_kind(&records, "unknown-resolved")[0]["outcome"], "followed");
    assert_eq!(of_kind(&records, "action-finished")[0]["outputs"]["name"], "held");
    site.place.lifeboat(&["verify", "@latest"]).code(0);
}

/// An object that somebody has made anew under the name is another one, and stays.
#[test]
fn what_was_made_anew_meanwhile_is_not_deleted() {
    let site = Site::new(api(), "anew");
    let path = killed(&site);
    site.client.patch(&path, &json!({"metadata": {"finalizers": null}})).expect("it can be let go");
    wait_for("it to be gone", LIMIT, || (find(&site, &path) == Value::Null).then_some(()));
    let anew =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "namespace": site.namespace}});
    site.client.create(&anew).expect("it can be made");
    site.place.start(&["resume", "@latest", "--no-input"]).end(LIMIT).code(0);
    assert!(find(&site, &path).is_object(), "the new one stays");
}

#[test]
fn another_cluster_under_the_same_name_is_refused() {
    let site = Site::new(api(), "another");
    // The kubeconfig of the run is a copy, so that it can lead elsewhere later.
    let kubeconfig = site.place.path("kubeconfig");
    std::fs::copy(api().kubeconfig(), &kubeconfig).expect("a copy");
    let steps = "  wait:\n    phase: workloads\n    verify:\n      - kube: {cluster: dr, kind: ConfigMap, namespace: NS, \
                 name: flag}\n        within: 2m\n        every: 1s\n  gone:\n    phase: validate\n    delete: {cluster: dr, kind: \
                 ConfigMap, namespace: NS, name: flag}\n";
    site.place.file("r.yaml", site.runbook_at("admin", &kubeconfig.display().to_string(), steps));
    let run = site.place.start(&["run", "r.yaml", "--no-input"]);
    let begun = || {
        let run = site.place.runs().pop()?;
        (!of_kind(&records(&run), "verification-started").is_empty()).then_some(())
    };
    wait_for("the wait", LIMIT, || std::panic::catch_unwind(std::panic::AssertUnwindSafe(begun)).ok().flatten());
    run.signal(Signal::KILL);
    run.end(LIMIT);
    let other = lifeboat_test_cluster::Cluster::start(lifeboat_test_cluster::Options::api_only()).expect("another one");
    std::fs::copy(other.kubeconfig(), &kubeconfig).expect("a copy");
    let ended = site.place.start(&["resume", "@latest", "--no-input"]).end(Duration::from_secs(60));
    ended.code(5).says("is another one than before");
    let told = site.place.records();
    assert_eq!(of_kind(&told, "cluster-refused").len(), 1);
    assert!(of_kind(&told, "action-started").is_empty(), "nothing was done there");
    // With the right one it goes on.
    std::fs::copy(api().kubeconfig(), &kubeconfig).expect("a copy");
    let flag =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "flag", "namespace": site.namespace}});
    site.client.create(&flag).expect("it can be made");
    site.place.start(&["resume", "@latest", "--no-input"]).end(LIMIT).code(0);
    site.place.lifeboat(&["verify", "@latest"]).code(0);
}
