//! The shipped runbooks, as people use them.

use super::*;

fn call<'a>(runbook: &'a str, command: &'a str, inputs: &'a [String]) -> Vec<&'a str> {
    let mut call = vec![command, runbook, "--no-input"];
    for input in inputs {
        call.extend(["--input", input.as_str()]);
    }
    call
}

/// Where a file of the evidence is.
fn artifact(place: &Place, finished: &Value, name: &str) -> PathBuf {
    let all = finished["artifacts"].as_array().expect("artifacts");
    let kept = all.iter().find(|it| it["name"] == name).expect("it is kept");
    place.only_run().join("artifacts").join(kept["sha256"].as_str().expect("a digest"))
}

fn in_cluster(site: Site) -> Site {
    Site { place: site.place.env("KUBECONFIG", &cluster().kubeconfig().display().to_string()), ..site }
}

#[test]
fn a_namespace_is_restored_beside_the_live_one_and_removed_again() {
    let _velero = running();
    let site = in_cluster(shop("drill"));
    backed_up(&site, &site.namespace);
    let before = get(site.client, &site.path("apps/v1", "deployments", "web"));
    let runbook = shipped("namespace-restore-drill.yaml").display().to_string();
    let inputs = [
        "context=admin".to_owned(),
        format!("namespace={}", site.namespace),
        "secret=keys".to_owned(),
        "secretKeys=token".to_owned(),
        "serviceAccount=shop".to_owned(),
        "counts=counts".to_owned(),
        "countsAtLeast=42".to_owned(),
    ];
    site.place.start(&call(&runbook, "drill", &inputs)).end(LONG).code(0).says("RPO");

    let shown = site.place.lifeboat(&["show", "@latest", "--format", "json"]).code(0).json();
    assert_eq!(shown["run"]["verdict"], "succeeded", "{shown}");
    assert!(
        shown["objectives"]["rpo"]["actualMs"].as_u64().or(shown["objectives"]["rpo"]["actual"].as_u64()).is_some(),
        "{shown}"
    );
    let records = site.place.records();
    let prepared = of_kind(&records, "action-prepared");
    let chosen = prepared.iter().find(|record| record["step"] == "restore").expect("it was chosen");
    assert_eq!(chosen["facts"]["backup"], site.namespace.as_str(), "{chosen}");
    let backup = get(site.client, &of_velero("backups", &site.namespace));
    let started: jiff::Timestamp =
        backup["status"]["startTimestamp"].as_str().and_then(|at| at.parse().ok()).expect("a time");
    let point: jiff::Timestamp = chosen["facts"]["startedAt"].as_str().and_then(|at| at.parse().ok()).expect("a time");
    assert_eq!(point, started, "the recovery point is the start of the backup");
    let finished = of_kind(&records, "action-finished");
    let restored = finished.iter().find(|record| record["step"] == "restore").expect("it has ended");
    assert!(restored["outputs"]["items"].as_u64().is_some_and(|items| items >= 8), "{restored}");
    assert_eq!(restored["outputs"]["inside"], true);
    let kept: Vec<&str> =
        restored["artifacts"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(kept, ["restore.json", "restore-results.json", "restore-resources.json"]);
    let list = std::fs::read_to_string(artifact(&site.place, restored, "restore-resources.json")).expect("a list");
    for kind in
        ["apps/v1/Deployment", "v1/Service", "v1/Secret", "v1/PersistentVolumeClaim", "shop.example.org/v1/Order"]
    {
        assert!(list.contains(kind), "no {kind} in {list}");
    }
    // Nothing of it is left, and what is live was not touched.
    let place = format!("/api/v1/namespaces/drill-{}", run_id(&site.place));
    assert_eq!(get(site.client, &place), Value::Null);
    assert!(restores(&site).is_empty());
    let after = get(site.client, &site.path("apps/v1", "deployments", "web"));
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"]);
    site.place.lifeboat(&["verify", "@latest"]).code(0);
    let evidence = std::fs::read_to_string(site.place.only_run().join("evidence.jsonl")).expect("a log");
    assert!(!evidence.contains("s3cr3t-in-the-shop"));
}

#[test]
fn a_deleted_namespace_comes_back_when_the_commander_says_so() {
    let _velero = running();
    let site = in_cluster(shop("lost"));
    backed_up(&site, &site.namespace);
    let namespace = format!("/api/v1/namespaces/{}", site.namespace);
    site.client.delete(&namespace).expect("it can be deleted");
    let runbook = shipped("namespace-accidental-deletion.yaml").display().to_string();
    let inputs = [
        "context=admin".to_owned(),
        format!("namespace={}", site.namespace),
        "secret=keys".to_owned(),
        "secretKeys=token".to_owned(),
    ];
    let run = site.place.start(&call(&runbook, "run", &inputs));
    recorded(&site.place, "approval-requested");
    assert_eq!(get(site.client, &namespace), Value::Null, "it was gone before anything was asked");
    site.place
        .lifeboat(&["approve", "@latest", "restore", "--as", "commander@example.org", "--reason", "it is gone"])
        .code(0);
    run.end(LONG).code(0);
    assert_eq!(get(site.client, &site.path("apps/v1", "deployments", "web"))["status"]["readyReplicas"], 2);
    assert_eq!(get(site.client, &site.path("v1", "configmaps", "counts"))["data"]["rows"], "42");
    assert_eq!(get(site.client, &site.path("shop.example.org/v1", "orders", "first"))["spec"]["number"], 42);
    assert_eq!(restores(&site).len(), 1, "it stays after an incident");
    let records = site.place.records();
    assert_eq!(of_kind(&records, "recovery-point").len() + of_kind(&records, "capability-restored").len(), 2);
    site.place.lifeboat(&["verify", "@latest"]).code(0);
}
