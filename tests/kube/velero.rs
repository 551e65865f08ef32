//! Backups and restores by a real Velero, with a real object store.
//!
//! Some of them stop Velero for a while; those have it to themselves.

use std::{
    path::PathBuf,
    sync::{OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use lifeboat_test_cluster::{
    Client, Cluster, Options, Part, path,
    proxy::{Fault, Proxy, Rule},
    velero,
};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::Site;
use crate::harness::{Going, Place, of_kind, records, repository, wait_for};

mod drill;
mod ends;
mod names;
mod undo;

/// The longest that anything here may take. Generous: the machine may be busy.
const LONG: Duration = Duration::from_secs(180);

/// A step that makes the run be aborted.
const FAILS: &str = "  fails:\n    phase: validate\n    exec: ['false']\n    effect: reads\n";

// Not the one that all tests share: nobody else must find its Velero stopped.
pub(super) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let cluster = Cluster::start(Options::workloads().velero()).expect("a cluster with Velero");
        let spec = json!({"type": "object", "properties": {"number": {"type": "integer"}}});
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "orders.shop.example.org"},
            "spec": {
                "group": "shop.example.org", "scope": "Namespaced", "names": {"kind": "Order", "plural": "orders"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {
                    "openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}],
            },
        });
        cluster.define(&[definition]).expect("a definition");
        // Velero asks which kinds there are when it starts, and then every five minutes.
        cluster.stop(Part::Velero).expect("it can be stopped");
        cluster.start_part(Part::Velero).expect("it can be started");
        cluster
    })
}

static VELERO: RwLock<()> = RwLock::new(());

/// While this is held, Velero runs.
fn running() -> RwLockReadGuard<'static, ()> {
    VELERO.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// While this is held, Velero does nothing, unless a test lets it.
struct Stopped {
    _alone: RwLockWriteGuard<'static, ()>,
}

fn stopped() -> Stopped {
    let alone = VELERO.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    cluster().pause(Part::Velero).expect("Velero can be paused");
    Stopped { _alone: alone }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        drop(cluster().resume(Part::Velero));
    }
}

/// A shop: what a namespace has that a restore must bring back, and what it must not.
fn shop(name: &str) -> Site {
    let site = Site::new(cluster(), name);
    let namespace = &site.namespace;
    let metadata = |name: &str| json!({"name": name, "namespace": namespace});
    for object in [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata("shop")}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata("shop"),
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata("shop"),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "shop"},
            "subjects": [{"kind": "ServiceAccount", "name": "shop", "namespace": namespace}],
        }),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("counts"), "data": {"rows": "42"}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata("keys"), "stringData": {"token": "s3cr3t-in-the-shop"}}),
        json!({
            "apiVersion": "shop.example.org/v1", "kind": "Order", "metadata": metadata("first"), "spec": {"number": 42},
        }),
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata("data"),
            "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": "immediate",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }),
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": "web", "namespace": namespace,
                "annotations": {"external-dns.alpha.kubernetes.io/hostname": "shop.example.org"},
            },
            "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]},
        }),
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata("web"),
            "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata("web"),
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"serviceAccountName": "shop", "containers": [{"name": "web", "image": "web:1"}]},
                },
            },
        }),
    ] {
        site.client.apply(&object).expect("it can be made");
    }
    let deployment = site.path("apps/v1", "deployments", "web");
    wait_for("the shop", LONG, || (get(site.client, &deployment)["status"]["readyReplicas"] == 2).then_some(()));
    site
}

fn get(client: &Client, path: &str) -> Value {
    client.find(path).expect("the API answers").unwrap_or_default()
}

fn of_velero(plural: &str, name: &str) -> String {
    path("velero.io/v1", plural, velero::NAMESPACE, name)
}

/// Backs the namespace up.
fn backed_up(site: &Site, name: &str) {
    site.client.create(&velero::backup(name, &site.namespace)).expect("it can be made");
    let path = of_velero("backups", name);
    wait_for("the backup", LONG, || {
        let status = get(site.client, &path)["status"].clone();
        let bad = status["phase"].as_str().is_some_and(|phase| phase.contains("Failed"));
        assert!(!bad, "{status}: {}", cluster().log_tail(Part::Velero, 20).unwrap_or_default());
        (status["phase"] == "Completed").then_some(())
    });
}

/// The Restores of the only run.
fn restores(site: &Site) -> Vec<Value> {
    let run = run_id(&site.place);
    let all = site.client.list(&of_velero("restores", "")).expect("the API answers");
    all.into_iter().filter(|it| it["metadata"]["annotations"]["lifeboat.dev/run"] == run.as_str()).collect()
}

fn run_id(place: &Place) -> String {
    place.only_run().file_name().and_then(|name| name.to_str()).expect("a run has a name").to_owned()
}

/// Until the run has asked Velero for a restore.
fn restore_asked_for(site: &Site) -> Value {
    wait_for("a Restore", LONG, || {
        if site.place.runs().is_empty() {
            return None;
        }
        restores(site).pop()
    })
}

/// Until the run has recorded an event of this kind.
fn recorded(place: &Place, event: &str) -> Value {
    wait_for(event, LONG, || {
        let run = place.runs().pop()?;
        // The log may not be there yet.
        run.join("evidence.jsonl").exists().then_some(())?;
        of_kind(&records(&run), event).last().map(|record| (*record).clone())
    })
}

/// The only step restores the site's namespace as `to`.
fn restoring(site: &Site, to: &str, more: &str) -> String {
    let steps = format!(
        "  restore:\n    phase: data\n    timeout: 2m\n    undo: auto\n    velero-restore: {{cluster: dr, namespaces: [NS], \
         namespaceMapping: {{NS: {to}}}, excludedResources: [ingresses.networking.k8s.io]{more}}}\n    outputs:\n      items: \
         {{cel: result.items}}\n      restored: {{cel: result.restored}}\n      notes: {{cel: result.notes}}\n      backup: \
         {{cel: result.backup}}\n      restore: {{cel: result.restore}}\n    restores: true\n"
    );
    site.runbook(&steps)
}

fn start(site: &Site, runbook: &str) -> Going {
    site.place.file("r.yaml", runbook);
    site.place.start(&["run", "r.yaml", "--no-input"])
}

fn shipped(name: &str) -> PathBuf {
    repository().join("runbooks").join(name)
}
