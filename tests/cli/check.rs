//! `check`: what a run would look at before it touches anything, and nothing else.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use crate::harness::{Place, of_kind, runbook_with};

const STEPS: &str = "  restore: {phase: data, restores: true, shell: touch effects}\n";

fn untouched(place: &Place) {
    assert!(!place.path("store").exists(), "a store was made");
    assert!(!place.path("effects").exists(), "a step has run");
}

#[test]
fn what_is_ready_is_told_so() {
    let place = Place::new();
    let requires = "requires: {tools: {bash: \"*\"}, env: [HOME], checks: [{name: true is true, shell: \"true\"}]}\n";
    place.file("r.yaml", runbook_with(requires, STEPS));
    place.lifeboat(&["check", "r.yaml"]).code(0).says("ready: 3 requirements").says("nothing was touched");
    untouched(&place);
    let found = place.lifeboat(&["check", "r.yaml", "--drill", "--format", "json"]).code(0).json();
    assert_eq!((&found["version"], &found["mode"]), (&1.into(), &"drill".into()));
    assert_eq!((&found["passed"], &found["runWouldBegin"]), (&true.into(), &true.into()));
    assert_eq!(found["summary"]["requirements"], 3);
    untouched(&place);
}

#[test]
fn all_that_is_missing_is_told_at_once_and_a_run_finds_the_same() {
    let place = Place::new().env("TOKEN", "s3cr3t-of-the-check");
    let more = "inputs: {token: {type: secret, from: {env: TOKEN}}}\n\
                requires:\n  tools: {no-such-tool-here: \"*\"}\n  env: [NO_SUCH_VARIABLE]\n  checks:\n    \
                - {name: the gate, shell: 'echo $T; exit 7', env: {T: '{{inputs.token}}'}}\n    \
                - {name: nobody listens, tcp: {address: '127.0.0.1:1'}}\n\
                files: [no/such/file.sh]\n";
    place.file("r.yaml", runbook_with(more, STEPS));
    let ended = place.lifeboat(&["check", "r.yaml"]).code(2);
    for what in ["no-such-tool-here", "NO_SUCH_VARIABLE", "the gate", "nobody listens", "no/such/file.sh"] {
        assert!(ended.out.contains(what), "{what}: {ended}");
    }
    assert!(!ended.out.contains("s3cr3t") && !ended.err.contains("s3cr3t"), "{ended}");
    untouched(&place);
    let ended = ended.says("5 of 5 requirements missing: a run would not begin");
    drop(ended);
    let found = place.lifeboat(&["check", "r.yaml", "--format", "json"]).code(2).json();
    untouched(&place);
    place.lifeboat(&["run", "r.yaml", "--no-input"]).code(2);
    let records = place.records();
    let [told] = of_kind(&records, "preflight-finished")[..] else { panic!("one verdict") };
    let names = |findings: &serde_json::Value| -> Vec<String> {
        let all = findings.as_array().into_iter().flatten();
        all.map(|finding| format!("{} {}", finding["requirement"], finding["passed"])).collect()
    };
    assert_eq!(names(&told["findings"]), names(&found["findings"]));
}

#[test]
fn a_mistake_and_a_missing_input_come_first() {
    let place = Place::new();
    place.file("r.yaml", runbook_with("inputs: {zone: {type: string}}\n", &STEPS.replace("shell", "shel")));
    place.lifeboat(&["check", "r.yaml"]).code(2).says("shel");
    let steps = "  restore: {phase: data, restores: true, exec: [touch, '{{inputs.zone}}']}\n";
    place.file("r.yaml", runbook_with("inputs: {zone: {type: string}}\n", steps));
    place.lifeboat(&["check", "r.yaml"]).code(2).says("expected a value for the input `zone`");
    place.lifeboat(&["check", "r.yaml", "--input", "zone=a"]).code(0).says("ready");
    untouched(&place);
}

fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: \"{server}\"}}}}]\nusers: [{{name: u, user: \
         {{token: abc}}}}]\ncontexts: [{{name: blue, context: {{cluster: c, user: u}}}}, {{name: green, context: {{cluster: \
         c, user: u}}}}]\n"
    )
}

fn scale(cluster: &str) -> String {
    format!(
        "  s-{cluster}:\n    phase: workloads\n    restores: true\n    scale: {{cluster: {cluster}, kind: Deployment, \
         namespace: shop, name: api, replicas: 1}}\n"
    )
}

#[test]
fn kubeconfigs_that_are_none_and_contexts_that_are_not_there() {
    let place = Place::new();
    place.file("good.yaml", kubeconfig("https://127.0.0.1:1"));
    place.file("broken.yaml", "clusters: [");
    let clusters = "clusters:\n  wrong: {context: red, kubeconfig: good.yaml}\n  broken: {context: blue, kubeconfig: \
                    broken.yaml}\n  gone: {context: blue, kubeconfig: gone.yaml}\n  none: {kubeconfig: good.yaml}\n";
    let steps: String = ["wrong", "broken", "gone", "none"].map(scale).concat();
    place.file("r.yaml", runbook_with(clusters, &steps));
    let ended = place.lifeboat(&["check", "r.yaml"]).code(2);
    let ended = ended.says("expected the context `red`").says("found the contexts blue, green").says("cluster broken");
    let ended = ended.says("cluster gone").says("gone.yaml").says("expected a context, found none in the runbook");
    let ended = ended.says("4 of 4 requirements missing");
    assert!(ended.out.contains("do     correct `clusters.wrong`"), "{ended}");
    untouched(&place);
}

/// Each costs its time once, and both at the same time.
#[test]
fn clusters_that_do_not_answer() {
    let place = Place::new();
    // It takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("it has one").port();
    place.file("silent.yaml", kubeconfig(&format!("https://127.0.0.1:{port}")));
    place.file("refused.yaml", kubeconfig("https://127.0.0.1:1"));
    let clusters = "clusters:\n  silent: {context: blue, kubeconfig: silent.yaml}\n  refused: {context: blue, kubeconfig: \
                    refused.yaml}\n";
    let steps = format!(
        "{}{}  restore: {{phase: data, velero-restore: {{cluster: silent}}}}\n",
        scale("silent"),
        scale("refused")
    );
    place.file("r.yaml", runbook_with(clusters, &steps));
    let began = Instant::now();
    let ended = place.lifeboat(&["check", "r.yaml", "--format", "json"]).code(2);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(25), "{took:?}: {ended}");
    let found = ended.json();
    let findings = found["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 2, "once for each: {ended}");
    for finding in findings {
        let text = finding["found"].as_str().unwrap_or_default();
        assert!(text.starts_with("no answer within 15 s; the last try: "), "{ended}");
    }
    assert!(ended.out.contains("refused (os error"), "{ended}");
    untouched(&place);
}
