//! `job`: a container in a real cluster, whose nodes are kwok's: they run nothing, and say what the test wants them to.

use lifeboat_test_cluster::proxy::{Fault, Proxy, Rule};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Site, velero::cluster};
use crate::harness::{LIMIT, of_kind, wait_for};

const JOB: &str = "  probe:
    phase: validate
    timeout: 1m
    job: {cluster: dr, namespace: NS, image: 'example.org/probe:1', command: [probe, --all], LABELS env: {TOKEN: s3cr3t-of-the-job}}
    outputs: {said: {cel: result.stdout}, code: {cel: result.exitCode}}
";

fn jobs(site: &Site) -> Vec<Value> {
    site.client.list(&site.path("batch/v1", "jobs", "")).expect("a list")
}

#[test]
fn its_log_and_exit_code_are_in_the_evidence() {
    let site = Site::new(cluster(), "job");
    let ended = site.place.run(&site.runbook(&JOB.replace("LABELS", "")));
    ended.code(0);
    let records = site.place.records();
    let done = of_kind(&records, "action-finished")[0];
    assert_eq!(done["outputs"]["code"], 0, "{done}");
    assert_eq!(done["outputs"]["said"], "started\n", "{done}");
    assert!(done["artifacts"].as_array().is_some_and(|kept| !kept.is_empty()), "the log is kept: {done}");
    let jobs = jobs(&site);
    let template = &jobs[0]["spec"]["template"];
    assert_eq!(template["spec"]["containers"][0]["command"], json!(["probe", "--all"]));
    assert!(!template.to_string().contains("s3cr3t-of-the-job"), "many may read a Job: {template}");
    // The Secret goes with the Job.
    let secrets = site.client.list(&site.path("v1", "secrets", "")).expect("a list");
    assert_eq!(secrets[0]["metadata"]["ownerReferences"][0]["uid"], jobs[0]["metadata"]["uid"]);
    assert_eq!(jobs.len(), 1, "{jobs:?}");
}

/// A Secret of the cluster takes it there; the evidence never has it.
#[test]
fn a_secret_input_reaches_the_container_and_not_the_evidence() {
    const SECRET: &str = "s3cr3t-of-the-input";
    let mut site = Site::new(cluster(), "job-secret");
    site.place = site.place.env("TEST_TOKEN", SECRET);
    let steps = JOB.replace("LABELS", "").replace("s3cr3t-of-the-job", "'{{inputs.token}}'");
    let steps = format!("{steps}inputs: {{token: {{type: secret, from: {{env: TEST_TOKEN}}}}}}\n");
    let ended = site.place.run(&site.runbook(&steps)).code(0);
    let secrets = site.client.list(&site.path("v1", "secrets", "")).expect("a list");
    assert_eq!(secrets[0]["data"]["TOKEN"], "czNjcjN0LW9mLXRoZS1pbnB1dA==", "{secrets:?}");
    let mut told = ended.to_string();
    for file in std::fs::read_dir(site.place.only_run()).expect("a run").flatten().filter(|file| file.path().is_file())
    {
        told.push_str(&String::from_utf8_lossy(&std::fs::read(file.path()).expect("a file")));
    }
    assert!(told.contains("action-finished") && !told.contains(SECRET) && !told.contains("czNjcjN0"), "{told}");
}

#[test]
fn a_container_that_fails_says_its_exit_code_and_its_last_words() {
    let site = Site::new(cluster(), "bad-job");
    let ended = site.place.run(&site.runbook(&JOB.replace("LABELS", "labels: {lifeboat.test/exit-code: '3'},")));
    assert_eq!(ended.code, 4, "it has no undo: {ended}");
    ended.says("the Job failed: BackoffLimitExceeded").says("exit code 3").says("started");
    let records = site.place.records();
    assert_eq!(of_kind(&records, "action-finished")[0]["result"]["exitCode"], 3);
}

#[test]
fn a_lost_answer_makes_no_second_job() {
    let site = Site::new(cluster(), "lost-job");
    let proxy = Proxy::start(cluster()).expect("a proxy");
    let lost = proxy.inject(Rule::new(Fault::Swallow).verb("create").path("/jobs").times(1));
    let runbook = site.runbook_at("admin", &proxy.kubeconfig().display().to_string(), &JOB.replace("LABELS", ""));
    site.place.run(&runbook).code(0);
    assert_eq!(proxy.applied(lost), 1);
    assert_eq!(jobs(&site).len(), 1);
}

/// A pod that never runs, and an engine that dies meanwhile: the next one follows the same Job.
#[test]
fn another_engine_follows_the_same_job() {
    let site = Site::new(cluster(), "kill-job");
    // Nobody schedules a pod that is more than the nodes have.
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": site.namespace},
        "spec": {"hard": {"pods": "0"}}});
    site.client.create(&quota).expect("it can be made");
    let path = site.path("v1", "resourcequotas", "none");
    wait_for("the quota", LIMIT, || {
        let quota = site.client.get(&path).expect("it is there");
        quota["status"]["hard"].is_object().then_some(())
    });
    site.place.file("r.yaml", site.runbook(&JOB.replace("LABELS", "")));
    let going = site.place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the Job", LIMIT, || (jobs(&site).len() == 1).then_some(()));
    going.signal(Signal::KILL);
    going.end(LIMIT);
    let again = site.place.start(&["resume", "@latest", "--no-input"]);
    wait_for("it to be taken up", LIMIT, || {
        (!of_kind(&site.place.records(), "unknown-resolved").is_empty()).then_some(())
    });
    site.client.delete(&path).expect("it can be lifted");
    again.end(LIMIT).code(0);
    assert_eq!(jobs(&site).len(), 1);
    assert_eq!(of_kind(&site.place.records(), "action-started").len(), 1);
}

/// What is refused leaves nothing behind, least of all a Secret.
#[test]
fn a_job_that_is_refused_leaves_no_secret() {
    let site = Site::new(cluster(), "no-job");
    let account = cluster()
        .account(
            &site.namespace,
            "weak",
            &json!([
                {"apiGroups": ["", "batch"], "resources": ["*"], "verbs": ["*"]},
                {"apiGroups": ["authorization.k8s.io"], "resources": ["*"], "verbs": ["create"]},
            ]),
        )
        .expect("an account");
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": site.namespace},
        "spec": {"hard": {"count/jobs.batch": "0"}}});
    site.client.create(&quota).expect("it can be made");
    let path = site.path("v1", "resourcequotas", "none");
    wait_for("the quota", LIMIT, || {
        let quota = site.client.get(&path).expect("it is there");
        quota["status"]["hard"].is_object().then_some(())
    });
    let kubeconfig = account.kubeconfig.display().to_string();
    let ended = site.place.run(&site.runbook_at("weak", &kubeconfig, &JOB.replace("LABELS", "")));
    assert_eq!(ended.code, 4, "{ended}");
    ended.says("exceeded quota");
    assert_eq!(site.client.list(&site.path("v1", "secrets", "")).expect("a list"), Vec::<Value>::new());
}
