//! The shipped runbooks that rebuild a cluster, in clusters of their own.
//!
//! Git is real, and so are the API server, its controllers and Velero; pods are made up. What Flux and Argo CD do is done
//! by a thread that applies what a directory of the repository would have, and writes the status.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use lifeboat_test_cluster::{Client, velero};

use super::*;
use crate::harness::{Place, repository};

/// The longest that a whole drill may take.
const DRILL: Duration = Duration::from_secs(400);
const URL: &str = "https://git.example.org/fleet.git";
/// Names and groups of what the controllers are played for.
const KUSTOMIZATIONS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations";
const REPOSITORIES: &str = "/apis/source.toolkit.fluxcd.io/v1/gitrepositories";
const APPLICATIONS: &str = "/apis/argoproj.io/v1alpha1/applications";

/// Directories of a repository, with the objects in them.
type Tree = BTreeMap<&'static str, Vec<Value>>;

/// A drill of a shipped runbook.
struct Drill {
    place: Place,
    runbook: String,
    commit: String,
}

impl Drill {
    /// With a repository, the project's own manifests in `components.yaml`, and these inputs besides.
    fn new(cluster: &Cluster, runbook: &str, components: &[Value], inputs: &Value) -> Self {
        let place = Place::new();
        let home = place.path("home");
        let bare = place.path("fleet.git");
        fs::create_dir(&home).expect("a directory");
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.args(arguments).env("HOME", &home).env("GIT_CONFIG_NOSYSTEM", "1");
            let done = command.output().expect("git is there");
            assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
            String::from_utf8_lossy(&done.stdout).trim().to_owned()
        };
        let path = |path: &Path| path.display().to_string();
        let config = format!(
            "[user]\n  name = test\n  email = test@example.org\n[url \"file://{}\"]\n  insteadOf = {URL}\n",
            path(&bare)
        );
        fs::write(home.join(".gitconfig"), config).expect("a file");
        let work = place.path("work");
        git(&["init", "--quiet", "--initial-branch=main", &path(&work)]);
        git(&["-C", &path(&work), "commit", "--quiet", "--allow-empty", "-m", "fleet"]);
        git(&["clone", "--quiet", "--bare", &path(&work), &path(&bare)]);
        let commit = git(&["-C", &path(&work), "rev-parse", "HEAD"]);
        let manifests: Vec<String> = components.iter().map(Value::to_string).collect();
        let components = place.file("components.yaml", manifests.join("\n---\n"));
        let digest = Command::new("sha256sum").arg(&components).output().expect("sha256sum is there").stdout;
        let digest = String::from_utf8_lossy(&digest).split(' ').next().unwrap_or_default().to_owned();
        let mut all = json!({
            "context": "admin", "repository": URL, "commit": commit, "components": path(&components),
            "componentsSha256": digest,
        });
        for (name, value) in inputs.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        place.file("inputs.yaml", all.to_string());
        // Nothing drifts: looked at for two seconds instead of five minutes.
        let shipped = repository().join("runbooks");
        let text = fs::read_to_string(shipped.join(runbook)).expect("it is shipped");
        place.file(
            &format!("runbooks/{runbook}"),
            text.replace("holds: 5m", "holds: 2s").replace("holds: 30s", "holds: 2s"),
        );
        for script in ["find-commit.sh", "askpass.sh"] {
            let to = place.file(&format!("runbooks/gitops-rebuild/{script}"), "");
            fs::copy(shipped.join("gitops-rebuild").join(script), to).expect("a script is shipped");
        }
        let place = place
            .env("KUBECONFIG", &path(cluster.kubeconfig()))
            .env("HOME", &path(&home))
            .env("FLUX_GIT_PASSWORD", "s3cr3t-of-git")
            .env("FLUX_AGE_KEY", "AGE-SECRET-KEY-1TEST")
            .env("ARGOCD_GIT_PASSWORD", "s3cr3t-of-git");
        Self { place, runbook: format!("runbooks/{runbook}"), commit }
    }

    fn run(&self) -> Ended {
        self.place.start(&["drill", &self.runbook, "--inputs", "inputs.yaml", "--no-input"]).end(DRILL).sound()
    }
}

/// Looks again and again, until `work` has ended.
fn while_played<T>(player: impl Fn() + Sync, work: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                player();
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        over.store(true, Ordering::Relaxed);
        thread.join().expect("the player plays to the end");
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Definitions of a group, out of the cluster that has them, as a project ships them.
fn definitions(group: &str, part_of: &str) -> Vec<Value> {
    let all =
        super::cluster().client().list("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").expect("a list");
    let ours = all.into_iter().filter(|it| text(it, "/spec/group").ends_with(group));
    ours.map(|it| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": it["metadata"]["name"], "labels": {"app.kubernetes.io/part-of": part_of}},
            "spec": it["spec"],
        })
    })
    .collect()
}

/// A workload that a project ships, with its service account; it may do everything.
fn controller(kind: &str, namespace: &str, name: &str, part_of: &str) -> Vec<Value> {
    let labels = json!({"app.kubernetes.io/part-of": part_of, "app.kubernetes.io/name": name, "app.kubernetes.io/component": name});
    let mut workload = workload(kind, namespace, name);
    workload["metadata"]["labels"] = labels;
    workload["spec"]["template"]["spec"]["serviceAccountName"] = name.into();
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}),
        admin(namespace, name),
        workload,
    ]
}

fn admin(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": format!("{namespace}-{name}")},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    })
}

fn workload(kind: &str, namespace: &str, name: &str) -> Value {
    let mut workload = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "image": "main:1"}]}},
        },
    });
    if kind == "StatefulSet" {
        workload["spec"]["serviceName"] = name.into();
    }
    workload
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

fn list(client: &Client, path: &str) -> Vec<Value> {
    // Before its definitions are there, nothing is.
    client.list(path).unwrap_or_default()
}

fn path_of(collection: &str, object: &Value) -> String {
    let (root, plural) = collection.rsplit_once('/').expect("it is a path");
    let metadata = &object["metadata"];
    format!("{root}/namespaces/{}/{plural}/{}", text(metadata, "/namespace"), text(metadata, "/name"))
}

/// Reconciles what is new and what is asked for, as Flux does. `broken` is a Kustomization that stalls.
fn flux(client: &Client, tree: &Tree, commit: &str, broken: Option<&str>) {
    let revision = format!("main@sha1:{commit}");
    let asked = |object: &Value| text(object, "/metadata/annotations/reconcile.fluxcd.io~1requestedAt").to_owned();
    let is_new = |object: &Value| {
        asked(object) != text(object, "/status/lastHandledReconcileAt")
            || object["metadata"]["generation"] != object["status"]["observedGeneration"]
    };
    for source in list(client, REPOSITORIES).iter().filter(|it| is_new(it)) {
        let status = json!({
            "lastHandledReconcileAt": asked(source), "observedGeneration": source["metadata"]["generation"],
            "artifact": {
                "revision": revision, "path": "x", "url": "http://x/x.tar.gz", "lastUpdateTime": now(),
                "digest": format!("sha256:{}", "a".repeat(64)),
            },
            "conditions": [told(source, "Ready", "True", "Succeeded", "stored artifact")],
        });
        drop(client.patch_status(&path_of(REPOSITORIES, source), &status));
    }
    for it in list(client, KUSTOMIZATIONS).iter().filter(|it| is_new(it) && it["spec"]["suspend"] != true) {
        let mut status = json!({
            "lastHandledReconcileAt": asked(it), "observedGeneration": it["metadata"]["generation"],
            "lastAppliedRevision": revision, "lastAttemptedRevision": revision,
            "conditions": [told(it, "Ready", "True", "ReconciliationSucceeded", &format!("Applied revision: {revision}"))],
        });
        if broken == Some(text(it, "/metadata/name")) {
            status["conditions"] = json!([
                told(
                    it,
                    "Stalled",
                    "True",
                    "InvalidCELExpression",
                    "Reconciliation failed terminally due to configuration error"
                ),
                told(
                    it,
                    "Ready",
                    "False",
                    "InvalidCELExpression",
                    "Reconciliation failed terminally due to configuration error"
                ),
            ]);
        } else {
            let entries: Vec<Value> = made(client, tree, text(it, "/spec/path")).iter().map(entry).collect();
            status["inventory"] = json!({ "entries": entries });
        }
        drop(client.patch_status(&path_of(KUSTOMIZATIONS, it), &status));
    }
}

fn told(of: &Value, kind: &str, status: &str, reason: &str, message: &str) -> Value {
    let mut condition = condition(kind, status, reason, message);
    condition["lastTransitionTime"] = now().into();
    condition["observedGeneration"] = of["metadata"]["generation"].clone();
    condition
}

/// Applies what is in a directory.
fn made<'a>(client: &Client, tree: &'a Tree, directory: &str) -> &'a [Value] {
    let objects = tree.get(directory.trim_start_matches("./")).map_or(&[][..], Vec::as_slice);
    for object in objects {
        client.apply(object).expect("it can be applied");
    }
    objects
}

fn entry(object: &Value) -> Value {
    let version = text(object, "/apiVersion");
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let (namespace, name) = (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    json!({"id": format!("{namespace}_{name}_{group}_{}", text(object, "/kind")), "v": version})
}

fn kustomization(name: &str) -> Value {
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": name, "namespace": "flux-system"},
        "spec": {
            "interval": "10m", "path": format!("layers/{name}"), "prune": true,
            "sourceRef": {"kind": "GitRepository", "name": "fleet"},
        },
    })
}

fn flux_components() -> Vec<Value> {
    let mut all = vec![namespace("flux-system")];
    all.extend(definitions("toolkit.fluxcd.io", "flux"));
    for name in ["source-controller", "kustomize-controller", "helm-controller"] {
        all.extend(controller("Deployment", "flux-system", name, "flux"));
    }
    all
}

#[test]
fn a_cluster_is_rebuilt_by_flux() {
    let cluster = Cluster::start(Options::workloads()).expect("a cluster");
    let client = cluster.client();
    let inputs = json!({"path": "clusters/dr", "livePath": "clusters/prod"});
    let drill = Drill::new(&cluster, "gitops-rebuild-flux.yaml", &flux_components(), &inputs);
    let layers = ["infra-crds", "infra-controllers", "infra-config", "apps"];
    let tree: Tree = [
        ("clusters/dr", layers.map(kustomization).to_vec()),
        ("layers/infra-controllers", vec![namespace("ingress"), workload("Deployment", "ingress", "ingress")]),
        (
            "layers/apps",
            vec![namespace("shop"), workload("Deployment", "shop", "api"), workload("StatefulSet", "shop", "db")],
        ),
    ]
    .into();

    // A layer that cannot be: what is built is held, and not torn down.
    let ended = while_played(|| flux(client, &tree, &drill.commit, Some("infra-controllers")), || drill.run());
    // What Flux has built stays, and so does Flux: that is not passed off as taken back.
    assert_eq!(ended.code, 4, "{ended}");
    let ended = ended.says("infra-controllers has stalled (InvalidCELExpression");
    let root = client.get("/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/cluster");
    assert_eq!(root.expect("it is left")["spec"]["suspend"], true, "{ended}");
    assert_eq!(client.find("/api/v1/namespaces/flux-system/secrets/sops-age").expect("an answer"), None);

    let ended = while_played(|| flux(client, &tree, &drill.commit, None), || drill.run());
    assert_eq!(ended.code, 0, "{ended}");
    assert!(ended.out.contains("RTO        met") && ended.out.contains("RPO        met"), "{ended}");
    let api = client.get("/apis/apps/v1/namespaces/shop/deployments/api").expect("it is there");
    assert_eq!(api["status"]["readyReplicas"], 1);
    for run in drill.place.runs() {
        let log = fs::read_to_string(run.join("evidence.jsonl")).expect("a run has a log");
        assert!(!log.contains("s3cr3t-of-git") && !log.contains("AGE-SECRET-KEY-1TEST"), "secrets are in no record");
    }
    drill.place.lifeboat(&["verify", "@latest"]).code(0);
}

/// A commit that is on no branch of ours is not built, and nothing was touched by then.
#[test]
fn a_commit_that_nobody_has_is_not_built() {
    let cluster = Cluster::start(Options::workloads()).expect("a cluster");
    let inputs = json!({"path": "clusters/dr", "commit": COMMIT});
    let drill = Drill::new(&cluster, "gitops-rebuild-flux.yaml", &flux_components(), &inputs);
    let ended = drill.run();
    assert_ne!(ended.code, 0);
    ended.says(&format!("no repository has {COMMIT} on main"));
    assert_eq!(cluster.client().find("/api/v1/namespaces/flux-system").expect("an answer"), None);
}

/// Does what is asked for, as Argo CD does.
fn argocd(client: &Client, tree: &Tree, commit: &str) {
    for app in list(client, APPLICATIONS) {
        let path = path_of(APPLICATIONS, &app);
        let operation = app["operation"].clone();
        let refresh = !text(&app, "/metadata/annotations/argocd.argoproj.io~1refresh").is_empty();
        let compared = json!({
            "reconciledAt": now(), "sync": {"status": "Synced", "revision": commit}, "health": {"status": "Healthy"},
        });
        if operation.is_object() {
            let objects = made(client, tree, text(&app, "/spec/source/path"));
            let resources: Vec<Value> = objects.iter().map(resource).collect();
            let state = json!({
                "operation": operation, "phase": "Succeeded", "message": "successfully synced (all tasks run)",
                "startedAt": now(), "finishedAt": now(),
                "syncResult": {"revision": commit, "source": app["spec"]["source"], "resources": []},
            });
            let mut status = compared;
            status["operationState"] = state;
            status["resources"] = resources.into();
            drop(client.patch(&path, &json!({"operation": null, "status": status})));
        } else if refresh {
            let annotations = json!({"argocd.argoproj.io/refresh": null});
            drop(client.patch(&path, &json!({"metadata": {"annotations": annotations}, "status": compared})));
        } else if app.pointer("/status/reconciledAt").is_none() {
            let status = json!({"reconciledAt": now(), "sync": {"status": "OutOfSync", "revision": commit}, "health": {"status": "Missing"}});
            drop(client.patch(&path, &json!({ "status": status })));
        }
    }
}

fn resource(object: &Value) -> Value {
    let version = text(object, "/apiVersion");
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    json!({
        "group": group, "version": version, "kind": object["kind"], "name": object["metadata"]["name"],
        "namespace": text(object, "/metadata/namespace"), "status": "Synced",
    })
}

fn application(name: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "fleet",
            "source": {"repoURL": URL, "path": format!("apps/{name}"), "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
        },
    })
}

#[test]
fn a_cluster_is_rebuilt_by_argo_cd() {
    let cluster = Cluster::start(Options::workloads()).expect("a cluster");
    let client = cluster.client();
    let mut components = definitions("argoproj.io", "argocd");
    for name in ["argocd-server", "argocd-repo-server"] {
        components.extend(controller("Deployment", "argocd", name, "argocd"));
    }
    components.extend(controller("StatefulSet", "argocd", "argocd-application-controller", "argocd"));
    let inputs = json!({
        "path": "clusters/dr", "livePath": "clusters/prod", "infrastructure": ["ingress"], "applications": ["shop", "billing"],
    });
    let drill = Drill::new(&cluster, "gitops-rebuild-argocd.yaml", &components, &inputs);
    let tree: Tree = [
        ("clusters/dr", ["ingress", "shop", "billing"].map(application).to_vec()),
        ("apps/ingress", vec![namespace("ingress"), workload("Deployment", "ingress", "ingress")]),
        ("apps/shop", vec![namespace("shop"), workload("Deployment", "shop", "api")]),
        ("apps/billing", vec![namespace("billing"), workload("Deployment", "billing", "api")]),
    ]
    .into();
    let ended = while_played(|| argocd(client, &tree, &drill.commit), || drill.run());
    assert_eq!(ended.code, 0, "{ended}");
    assert!(ended.out.contains("RTO        met") && ended.out.contains("RPO        met"), "{ended}");
    let root = client.get("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/root").expect("it is there");
    assert_eq!(root["spec"]["syncPolicy"]["automated"]["selfHeal"], true);
    let log = fs::read_to_string(drill.place.only_run().join("evidence.jsonl")).expect("a run has a log");
    assert!(!log.contains("s3cr3t-of-git"), "secrets are in no record");
    drill.place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn a_clean_cluster_gets_its_data_back() {
    use lifeboat_test_cluster::path;
    let options = Options::workloads().velero().crds([Crds::Snapshots, Crds::ExternalSecrets]);
    let cluster = Cluster::start(options).expect("a cluster with Velero");
    let client = cluster.client();
    // The production that was lost: what is left of it is a backup.
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "orders", "namespace": "shop"}, "data": {"rows": "42"}});
    for object in [namespace("shop"), settings, workload("Deployment", "shop", "api")] {
        client.apply(&object).expect("it can be made");
    }
    client.create(&velero::backup("nightly", "shop")).expect("it can be made");
    let of_velero = |plural: &str, name: &str| path("velero.io/v1", plural, velero::NAMESPACE, name);
    wait_for("the backup", LONG, || {
        let backup = client.get(&of_velero("backups", "nightly")).expect("it is there");
        (backup["status"]["phase"] == "Completed").then_some(())
    });
    client.delete("/api/v1/namespaces/shop").expect("it can be lost");
    wait_for("it to be lost", LONG, || {
        client.find("/api/v1/namespaces/shop").expect("an answer").is_none().then_some(())
    });
    client.apply(&admin(velero::NAMESPACE, "velero")).expect("it can be made");

    let inputs = json!({"platformPath": "platform", "appsPath": "apps", "namespaces": ["shop"]});
    let drill = Drill::new(&cluster, "clean-cluster-restore-drill.yaml", &flux_components(), &inputs);
    let class = json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotClass", "metadata": {"name": "snapshots"},
        "driver": "example.org", "deletionPolicy": "Retain",
    });
    let tree: Tree = [
        ("platform", vec![class, namespace("ingress"), workload("Deployment", "ingress", "ingress")]),
        ("apps", vec![workload("Deployment", "shop", "api")]),
    ]
    .into();
    let ended = while_played(|| flux(client, &tree, &drill.commit, None), || drill.run());
    assert_eq!(ended.code, 0, "{ended}");
    assert!(ended.out.contains("RTO        met") && ended.out.contains("RPO        met"), "{ended}");
    let run = records(&drill.place.only_run());
    let restored =
        of_kind(&run, "action-finished").into_iter().find(|it| it["step"] == "restore[shop]").expect("it has ended");
    assert!(restored["outputs"]["items"].as_u64().is_some_and(|items| items >= 2), "{restored}");
    let location = client.get(&of_velero("backupstoragelocations", "default")).expect("it is there");
    assert_eq!(location["spec"]["accessMode"], "ReadOnly");
    assert_eq!(client.find("/api/v1/namespaces/shop").expect("an answer"), None, "the drill leaves nothing");
    drill.place.lifeboat(&["verify", "@latest"]).code(0);
}
