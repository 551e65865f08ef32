//! A network and a server that fail: the run ends with the verdict that it would have had, nothing is made twice, and every
//! retry is in the evidence.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    thread,
    time::{Duration, Instant},
};

use lifeboat_test_cluster::proxy::{Fault, Proxy, Rule};
use serde_json::{Value, json};

use super::{Site, api, messages::workload};
use crate::harness::{Ended, Going, LIMIT, of_kind, records, wait_for};

/// The longest that anything here may take. Generous: the machine may be busy.
const LONG: Duration = Duration::from_secs(150);

/// A site whose engine reaches its cluster only through a proxy.
struct Stage {
    site: Site,
    proxy: Proxy,
}

impl Stage {
    fn new(name: &str) -> Self {
        Self { site: Site::new(api(), name), proxy: Proxy::start(api()).expect("a proxy") }
    }

    fn start(&self, steps: &str) -> Going {
        let runbook = self.site.runbook_at("admin", &self.proxy.kubeconfig().display().to_string(), steps);
        self.site.place.file("r.yaml", runbook);
        self.site.place.start(&["run", "r.yaml", "--no-input"])
    }

    /// A run that waits, by a watch, for a Deployment to be ready, which it is not yet.
    fn waiting(&self) -> Going {
        workload(&self.site, 1, &json!({"observedGeneration": 1}));
        let going = self.start(&wait("3m"));
        wait_for("a watch", LIMIT, || self.watched());
        going
    }

    fn watched(&self) -> Option<()> {
        (self.proxy.counts().open_watches > 0).then_some(())
    }

    /// It gets ready at last.
    fn ready(&self) {
        let status = json!({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
            "availableReplicas": 1, "conditions": [{"type": "Available", "status": "True"}]});
        let path = self.site.path("apps/v1", "deployments", "api");
        self.site.client.patch_status(&path, &status).expect("it has a status");
    }

    /// The retries that the evidence tells of, of requests that begin so.
    fn retries(&self, request: &str) -> Vec<Value> {
        let records = self.site.place.records();
        let all = of_kind(&records, "api-retried").into_iter();
        all.filter(|it| it["request"].as_str().is_some_and(|it| it.starts_with(request))).cloned().collect()
    }

    fn passed(&self, ended: Ended) -> Ended {
        let ended = ended.sound().code(0);
        self.site.place.lifeboat(&["verify", "@latest"]).code(0);
        ended
    }
}

fn wait(within: &str) -> String {
    format!(
        "  ready:\n    phase: validate\n    verify:\n      - name: the api is ready\n        kube: {{cluster: dr, kind: \
         Deployment, namespace: NS, name: api}}\n        within: {within}\n"
    )
}

const APPLY: &str = "  made:\n    phase: workloads\n    apply:\n      cluster: dr\n      namespace: NS\n      manifest: |\n        \
                     {apiVersion: v1, kind: ConfigMap, metadata: {name: made}, data: {a: b}}\n";

#[test]
fn watches_that_are_cut_go_on_from_where_they_were() {
    let stage = Stage::new("cut");
    let going = stage.waiting();
    for _ in 0..4 {
        let before = stage.proxy.counts().total_watches;
        assert!(stage.proxy.cut_watches() > 0);
        let again = || (stage.proxy.counts().total_watches > before).then_some(());
        wait_for("another watch", LIMIT, again);
        wait_for("it to be open", LIMIT, || stage.watched());
    }
    stage.ready();
    stage.passed(going.end(LONG));
    assert!(stage.retries("WATCH deployments.apps").len() >= 4);
    assert!(stage.proxy.counts().of("list", "deployments") < 8, "a watch that broke is no reason to list all");
}

/// What a watch wanted to go on from is gone: everything is listed again, and nothing that has changed meanwhile is missed.
#[test]
fn a_watch_whose_past_is_gone_lists_again() {
    let stage = Stage::new("gone");
    let going = stage.waiting();
    let gone = stage.proxy.inject(Rule::new(Fault::Gone).verb("watch").times(3));
    let lists = stage.proxy.counts().of("list", "deployments");
    stage.proxy.cut_watches();
    wait_for("all of them", LIMIT, || (stage.proxy.applied(gone) == 3).then_some(()));
    stage.ready();
    stage.passed(going.end(LONG));
    assert!(stage.proxy.counts().of("list", "deployments") >= lists + 3);
    assert!(stage.retries("WATCH deployments.apps").len() >= 3);
}

/// Half a minute without a server, in an action that waits and in a check that waits.
#[test]
fn an_outage_of_half_a_minute_is_outlived() {
    let stage = Stage::new("outage");
    let path = stage.site.path("v1", "configmaps", "held");
    stage
        .site
        .client
        .create(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": "held", "namespace": stage.site.namespace, "finalizers": ["example.org/keep"]}}))
        .expect("it can be made");
    workload(&stage.site, 1, &json!({"observedGeneration": 1}));
    let steps = format!(
        "  gone:\n    phase: workloads\n    timeout: 2m\n    delete: {{cluster: dr, kind: ConfigMap, namespace: NS, name: \
         held}}\n  beside:\n    phase: workloads\n    verify:\n      - kube: {{cluster: dr, kind: Deployment, namespace: NS, \
         name: api}}\n        within: 2m\n{APPLY}"
    );
    let going = stage.start(&steps);
    wait_for("the deletion", LIMIT, || {
        let object = stage.site.client.find(&path).expect("an answer")?;
        object.pointer("/metadata/deletionTimestamp").map(drop)
    });
    wait_for("two watches", LIMIT, || (stage.proxy.counts().open_watches >= 2).then_some(()));
    stage.proxy.go_down().expect("it goes down");
    let down = Instant::now();
    // All of it happens where nobody can see it.
    stage.ready();
    stage.site.client.patch(&path, &json!({"metadata": {"finalizers": null}})).expect("it can be let go");
    thread::sleep(Duration::from_secs(30).saturating_sub(down.elapsed()));
    let steps = records(&stage.site.place.only_run());
    assert!(of_kind(&steps, "step-succeeded").iter().all(|it| it["step"] == "made"), "nobody can know that yet");
    assert!(of_kind(&steps, "step-failed").is_empty(), "an outage is no verdict");
    stage.proxy.come_up().expect("it comes up");
    stage.passed(going.end(LONG));
    assert_eq!(stage.proxy.counts().of("delete", "configmaps"), 1, "asked for once");
    let retries = stage.retries("");
    assert!(retries.len() >= 6, "{retries:?}");
    assert!(retries.iter().all(|it| it["waitMs"].as_u64().is_some_and(|wait| wait <= 10_000)), "{retries:?}");
    assert!(retries.len() < 60, "nobody hammers a server that is down: {}", retries.len());
}

#[test]
fn a_busy_server_is_asked_again_when_it_says() {
    let stage = Stage::new("busy");
    let writes = stage.proxy.inject(Rule::new(Fault::throttle(2)).verb("patch").path("/configmaps").times(2));
    let began = Instant::now();
    stage.passed(stage.start(APPLY).end(LONG));
    // One of them hit the dry run.
    assert_eq!(stage.proxy.applied(writes), 2);
    assert!(began.elapsed() >= Duration::from_secs(4), "it has waited as it was told");
    let retries = stage.retries("");
    assert_eq!(retries.len(), 2, "{retries:?}");
    assert!(retries.iter().all(|it| it["waitMs"] == 2000), "{retries:?}");
}

#[test]
fn a_server_that_fails_is_asked_again() {
    let stage = Stage::new("errors");
    workload(&stage.site, 1, &json!({"observedGeneration": 1}));
    let reads = stage.proxy.inject(Rule::new(Fault::status(500)).verb("get").times(3));
    let lists = stage.proxy.inject(Rule::new(Fault::status(503)).verb("list").path("/deployments").times(2));
    let watches = stage.proxy.inject(Rule::new(Fault::status(500)).verb("watch").times(3));
    let writes = stage.proxy.inject(Rule::new(Fault::status(500)).verb("patch").path("/configmaps").times(2));
    let going = stage.start(&format!("{APPLY}{}", wait("2m")));
    let mut going = going;
    wait_for("a watch", LIMIT, || stage.watched().or_else(|| going.over().then_some(())));
    stage.ready();
    stage.passed(going.end(LONG));
    for rule in [reads, lists, watches, writes] {
        assert!(stage.proxy.applied(rule) >= 2, "each of them hit something");
    }
    assert!(stage.retries("").len() >= 10);
    let made = stage.site.client.get(&stage.site.path("v1", "configmaps", "made")).expect("it is there");
    assert_eq!(made["data"], json!({"a": "b"}));
}

/// The server does what it is asked, and nobody hears of it.
#[test]
fn lost_answers_do_nothing_twice() {
    let stage = Stage::new("lost");
    workload(&stage.site, 1, &json!({"observedGeneration": 1}));
    stage
        .site
        .client
        .create(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": "old", "namespace": stage.site.namespace}}))
        .expect("it can be made");
    let steps = format!(
        "{APPLY}  scaled:\n    phase: workloads\n    scale: {{cluster: dr, kind: Deployment, namespace: NS, name: api, replicas: \
         3}}\n  patched:\n    phase: workloads\n    needs: [scaled]\n    patch: {{cluster: dr, kind: Deployment, namespace: NS, \
         name: api, merge: '{{\"metadata\": {{\"labels\": {{\"by\": \"us\"}}}}}}'}}\n  gone:\n    phase: workloads\n    delete: \
         {{cluster: dr, kind: ConfigMap, namespace: NS, name: old}}\n"
    );
    // After the pre-flight, whose dry runs are lost as well.
    let lost = stage.proxy.inject(Rule::new(Fault::Swallow).verb("patch").path("/configmaps").times(2));
    let scales = stage.proxy.inject(Rule::new(Fault::Swallow).verb("patch").path("/scale").times(1));
    let patches = stage.proxy.inject(Rule::new(Fault::Swallow).verb("patch").path("/deployments/api").times(1));
    let deletes = stage.proxy.inject(Rule::new(Fault::Swallow).verb("delete").times(1));
    stage.passed(stage.start(&steps).end(LONG));
    assert_eq!(stage.proxy.applied(lost), 2);
    assert_eq!(stage.proxy.applied(scales) + stage.proxy.applied(patches), 2);
    assert_eq!(stage.proxy.applied(deletes), 1);
    let api = stage.site.client.get(&stage.site.path("apps/v1", "deployments", "api")).expect("it is there");
    assert_eq!((&api["spec"]["replicas"], &api["metadata"]["labels"]["by"]), (&json!(3), &json!("us")));
    assert_eq!(stage.site.client.find(&stage.site.path("v1", "configmaps", "old")).expect("an answer"), None);
}

#[test]
fn a_slow_server_is_waited_for() {
    let stage = Stage::new("slow");
    workload(&stage.site, 1, &json!({"observedGeneration": 1}));
    stage.ready();
    stage.proxy.inject(Rule::new(Fault::Delay(Duration::from_millis(1500))));
    stage.passed(stage.start(&format!("{APPLY}{}", wait("2m"))).end(LONG));
    assert!(stage.retries("").is_empty(), "slow is not lost");
}

/// A credential plugin, as the clouds have them: its token runs out in the middle, and there is another one.
#[test]
fn a_token_that_runs_out_meanwhile_is_renewed() {
    let stage = Stage::new("renew");
    let place = &stage.site.place;
    let (first, second) = (api().admin_token().expect("a token"), api().token("system:kwok").expect("a token"));
    place.file("token", first);
    let plugin = place.file(
        "plugin",
        format!(
            "#!/bin/sh\necho asked >> '{asked}'\nprintf '{{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \
             \"ExecCredential\", \"status\": {{\"token\": \"%s\"}}}}' \"$(cat '{token}')\"\n",
            asked = place.path("asked").display(),
            token = place.path("token").display()
        ),
    );
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).expect("it can be made executable");
    let given = fs::read_to_string(stage.proxy.kubeconfig()).expect("a kubeconfig");
    let mut kubeconfig: Value = serde_json::from_str(&given).expect("YAML that is JSON");
    let users = kubeconfig["users"].as_array_mut().expect("users");
    for user in users.iter_mut().filter(|user| user["name"] == "admin") {
        user["user"] = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": plugin,
            "interactiveMode": "Never"}});
    }
    let path = place.file("kubeconfig", kubeconfig.to_string());
    workload(&stage.site, 1, &json!({"observedGeneration": 1}));
    place.file("r.yaml", stage.site.runbook_at("admin", &path.display().to_string(), &wait("2m")));
    let going = place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("a watch", LIMIT, || stage.watched());
    place.file("token", second);
    stage.proxy.expire_token(first);
    stage.proxy.cut_watches();
    wait_for("a watch with the new token", LIMIT, || stage.watched());
    stage.ready();
    stage.passed(going.end(LONG));
    let asked = fs::read_to_string(place.path("asked")).expect("it was asked").lines().count();
    // Once at first, once for the new token; and each engine's look at the cluster may begin with one of its own.
    assert!((2..12).contains(&asked), "the plugin was asked {asked} times");
    let retries = stage.retries("");
    assert!(retries.iter().any(|it| it["reason"].as_str().is_some_and(|it| it.contains("new ones"))), "{retries:?}");
    let log = fs::read_to_string(place.only_run().join("evidence.jsonl")).expect("a log");
    assert!(!log.contains(first) && !log.contains(second), "no token is in the evidence");
}

/// Without another token there is nothing to wait for: it fails, and says why.
#[test]
fn a_token_that_cannot_be_renewed_fails() {
    let stage = Stage::new("expired");
    let going = stage.start(&format!(
        "  go:\n    phase: data\n    effect: reads\n    shell: 'while ! test -e go; do sleep 0.1; done'\n{APPLY}"
    ));
    wait_for("the run", LIMIT, || {
        stage.site.place.runs().first().filter(|run| run.join("evidence.jsonl").is_file()).map(drop)
    });
    wait_for("the first step", LIMIT, || {
        (!of_kind(&stage.site.place.records(), "action-started").is_empty()).then_some(())
    });
    stage.proxy.expire_token(api().admin_token().expect("a token"));
    stage.site.place.file("go", "");
    let began = Instant::now();
    let ended = going.end(LONG).sound();
    assert!(began.elapsed() < Duration::from_secs(20), "{ended}");
    assert_ne!(ended.code, 0, "{ended}");
    ended.says("Unauthorized");
    assert_eq!(stage.site.client.find(&stage.site.path("v1", "configmaps", "made")).expect("an answer"), None);
}
