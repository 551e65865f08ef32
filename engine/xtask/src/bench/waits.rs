//! 500 waits in a real API server: shared watches against a poll for each.
//!
//! Both are the same engine with the same runbook. The second one's account may only `get`: without a watch it looks at each
//! object by itself, as often as the checks say.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use lifeboat_test_cluster::{Cluster, Options, proxy::Proxy};
use serde_json::{Value, json};

use super::lifeboat;
use crate::say;

/// Kinds that no controller changes, and what an object of each needs.
const KINDS: [(&str, &str, &str, &str); 10] = [
    ("v1", "ConfigMap", "configmaps", "{}"),
    ("v1", "Secret", "secrets", "{}"),
    ("v1", "ServiceAccount", "serviceaccounts", "{}"),
    ("v1", "PodTemplate", "podtemplates", "{}"),
    ("v1", "LimitRange", "limitranges", "{}"),
    ("v1", "ResourceQuota", "resourcequotas", "{}"),
    ("v1", "Service", "services", r#"{"spec": {"type": "ExternalName", "externalName": "example.org"}}"#),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", "{}"),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", r#"{"spec": {"podSelector": {}}}"#),
    ("coordination.k8s.io/v1", "Lease", "leases", "{}"),
];
/// Objects of each kind.
const EACH: usize = 50;
/// For how long all of them wait and nothing happens.
const QUIET: Duration = Duration::from_secs(20);

struct Figures {
    watches: usize,
    requests: usize,
    mebibytes: f64,
    noticed: Duration,
}

/// Prints them.
pub(super) fn run(place: &Path) -> Result<(), String> {
    let cluster = Cluster::start(Options::api_only()).map_err(|error| error.to_string())?;
    let watching = once(&cluster, place, &["get", "list", "watch"])?;
    let polling = once(&cluster, place, &["get"])?;
    let waits = KINDS.len() * EACH;
    say(&format!("\n{waits} waits over {} kinds, each looking every second, in a real API server", KINDS.len()));
    for (name, it) in [("watches", &watching), ("polls", &polling)] {
        say(&format!(
            "  {name:<8} {:>4} open watches  {:>7.1} requests a second  {:>6.1} MiB peak  the last one noticed after {:.1?}",
            it.watches,
            rate(it.requests),
            it.mebibytes,
            it.noticed
        ));
    }
    let ratio = rate(polling.requests) / rate(watching.requests).max(0.05);
    say(&format!(
        "  polls ask {ratio:.0} × as much, and take {:.2} × the memory",
        polling.mebibytes / watching.mebibytes
    ));
    Ok(())
}

fn rate(requests: usize) -> f64 {
    f64::from(u32::try_from(requests).unwrap_or(u32::MAX)) / QUIET.as_secs_f64()
}

fn once(cluster: &Cluster, place: &Path, verbs: &[&str]) -> Result<Figures, String> {
    let text = |error: lifeboat_test_cluster::Error| error.to_string();
    let client = cluster.client();
    let namespace = client.new_namespace("waits").map_err(text)?;
    let mut paths = Vec::new();
    let mut steps = String::new();
    for (version, kind, plural, more) in KINDS {
        for at in 0..EACH {
            let mut object: Value = serde_json::from_str(more).map_err(|error| error.to_string())?;
            object["apiVersion"] = version.into();
            object["kind"] = kind.into();
            object["metadata"] = json!({"name": format!("w{at}"), "namespace": namespace});
            if kind == "PodTemplate" {
                object["template"] = json!({"spec": {"containers": [{"name": "a", "image": "a:1"}]}});
            }
            client.create(&object).map_err(text)?;
            paths.push(lifeboat_test_cluster::path(version, plural, &namespace, &format!("w{at}")));
            _ = writeln!(
                steps,
                "  {}-{at}: {{phase: validate, needs: [], verify: [{{within: 10m, every: 1s, kube: {{cluster: dr, apiVersion: \
                 {version}, kind: {kind}, namespace: {namespace}, name: w{at}}}, expect: \"has(object.metadata.annotations) \
                 && 'done' in object.metadata.annotations\"}}]}}",
                kind.to_lowercase()
            );
        }
    }
    let proxy = Proxy::start(cluster).map_err(text)?;
    let rules = json!([{"apiGroups": ["", "rbac.authorization.k8s.io", "networking.k8s.io", "coordination.k8s.io"],
        "resources": ["*"], "verbs": verbs}]);
    let account = cluster.account(&namespace, "waits", &rules).map_err(text)?;
    let kubeconfig = through(&proxy, &account.token)?;
    let run = place.join(&namespace);
    fs::create_dir_all(&run).map_err(|error| error.to_string())?;
    fs::write(run.join("kubeconfig"), kubeconfig).map_err(|error| error.to_string())?;
    let book = format!(
        "apiVersion: lifeboat.dev/v1\nkind: Runbook\nmetadata: {{name: waits, owner: bench}}\nrecovery:\n  capability: \
         x\n  scope: application\n  disaster: data-corruption\n  objectives: {{rpo: 1h, rto: 1h}}\n  level: L1\nclusters: \
         {{dr: {{context: admin, kubeconfig: kubeconfig}}}}\nsteps:\n{steps}"
    );
    fs::write(run.join("book.yaml"), book).map_err(|error| error.to_string())?;
    let child = Command::new(lifeboat())
        .args(["run", "book.yaml", "--no-input", "--store", "store"])
        .current_dir(&run)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(run.join("err")).map_err(|error| error.to_string())?)
        .spawn()
        .map_err(|error| error.to_string())?;
    measured(child, &run, &proxy, || {
        for path in &paths {
            let note = json!({"metadata": {"annotations": {"done": "yes"}}});
            client.patch(path, &note).map_err(text)?;
        }
        Ok(())
    })
}

fn measured(
    mut child: Child,
    run: &Path,
    proxy: &Proxy,
    let_go: impl FnOnce() -> Result<(), String>,
) -> Result<Figures, String> {
    let waits = KINDS.len() * EACH;
    let began = Instant::now();
    // All of them wait.
    loop {
        if started(run) >= waits {
            break;
        }
        let over = child.try_wait().map_err(|error| error.to_string())?;
        if over.is_some() || began.elapsed() > Duration::from_secs(120) {
            drop(child.kill());
            return Err(format!("it does not wait: {}", fs::read_to_string(run.join("err")).unwrap_or_default()));
        }
        thread::sleep(Duration::from_millis(50));
    }
    thread::sleep(Duration::from_secs(3));
    proxy.reset_counts();
    thread::sleep(QUIET);
    let (watches, requests) = (proxy.counts().open_watches, proxy.counts().total());
    let_go()?;
    let from = Instant::now();
    let mut mebibytes: f64 = 0.0;
    loop {
        mebibytes = mebibytes.max(peak(child.id()));
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            let noticed = from.elapsed();
            if !status.success() {
                return Err(format!("{status}: {}", fs::read_to_string(run.join("err")).unwrap_or_default()));
            }
            return Ok(Figures { watches, requests, mebibytes, noticed });
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// How many steps have begun to be looked at.
fn started(run: &Path) -> usize {
    let runs = fs::read_dir(run.join("store/runs")).into_iter().flatten().flatten();
    let logs = runs.filter_map(|run| fs::read_to_string(run.path().join("evidence.jsonl")).ok());
    logs.map(|log| log.matches("\"event\":\"verification-started\"").count()).sum()
}

/// The most memory that a process has had, in MiB.
fn peak(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

/// A kubeconfig that leads to the proxy, as whom this token belongs to.
fn through(proxy: &Proxy, token: &str) -> Result<String, String> {
    let text = fs::read_to_string(proxy.kubeconfig()).map_err(|error| error.to_string())?;
    let mut config: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    for user in config["users"].as_array_mut().into_iter().flatten().filter(|user| user["name"] == "admin") {
        user["user"] = json!({"token": token});
    }
    Ok(config.to_string())
}
