//! `argocd-sync`.

use super::*;

const API: &str = "argoproj.io/v1alpha1";

fn application(name: &str) -> Value {
    json!({
        "apiVersion": API, "kind": "Application", "metadata": {"name": name},
        "spec": {
            "project": "default",
            "source": {"repoURL": "https://git.example.org/fleet.git", "path": "apps", "targetRevision": COMMIT},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
        },
    })
}

fn sync(more: &str) -> String {
    format!(
        "  sync:\n    phase: workloads\n    argocd-sync: {{cluster: dr, namespace: NS, application: shop{more}}}\n    timeout: \
         100s\n    restores: true\n"
    )
}

impl Stage {
    fn app(&self, name: &str) -> String {
        self.site.path(API, "applications", name)
    }

    fn look(&self, name: &str) -> Value {
        self.site.client.get(&self.app(name)).expect("it is there")
    }

    /// Waits until an operation is asked for.
    fn operation(&self, name: &str) -> Value {
        wait_for("an operation", LONG, || Some(self.look(name)["operation"].clone()).filter(|it| !it.is_null()))
    }

    /// Writes fields of the Application, as its controller does: it has no subresource for its status.
    fn write(&self, name: &str, fields: &Value) {
        self.site.client.patch(&self.app(name), fields).expect("it can be written");
    }

    /// Takes the operation up.
    fn run(&self, name: &str, operation: &Value, message: &str) {
        let state = json!({"operation": operation, "phase": "Running", "message": message, "startedAt": now()});
        self.write(name, &json!({"status": {"operationState": state}}));
    }

    /// Ends it.
    fn end(&self, name: &str, operation: &Value, phase: &str, message: &str, resources: &Value) {
        let source = &self.look(name)["spec"]["source"];
        let state = json!({
            "operation": operation, "phase": phase, "message": message, "startedAt": now(), "finishedAt": now(),
            "syncResult": {"revision": COMMIT, "source": source, "resources": resources},
        });
        self.write(name, &json!({"operation": null, "status": {"operationState": state}}));
    }

    /// Compares it.
    fn compare(&self, name: &str, at: &str, revision: &str, sync: &str, health: &str) {
        self.write(
            name,
            &json!({"status": {
                "reconciledAt": at, "sync": {"status": sync, "revision": revision}, "health": {"status": health},
            }}),
        );
    }
}

fn token(operation: &Value) -> String {
    let info = operation["info"].as_array().into_iter().flatten().find(|info| info["name"] == "lifeboat");
    info.map(|info| text(info, "/value").to_owned()).expect("it has our token")
}

fn synced() -> Value {
    json!([{"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "default", "name": "api", "status": "Synced",
            "message": "deployment.apps/api created"}])
}

#[test]
fn only_the_operation_of_this_step_counts() {
    let stage = Stage::new("argo", &sync(""));
    stage.create(&application("shop"));
    // As it was left by a good day: somebody else's sync, and healthy since.
    let theirs = json!({"initiatedBy": {"username": "admin"}, "sync": {}});
    stage.end("shop", &theirs, "Succeeded", "successfully synced (all tasks run)", &synced());
    stage.compare("shop", &now(), COMMIT, "Synced", "Healthy");
    let mut going = stage.start();
    let operation = stage.operation("shop");
    says(&mut going, "is to be synced");
    let run = stage.site.place.only_run();
    let id = run.file_name().expect("a run has a name").to_string_lossy().into_owned();
    assert!(token(&operation).contains(&id), "{operation}");
    assert_eq!(operation["initiatedBy"], json!({"username": "lifeboat"}));
    assert_eq!(stage.look("shop").pointer("/status/operationState"), None, "as Argo CD itself does it");

    stage.run("shop", &operation, "waiting for completion of hook batch/Job/migrate");
    says(&mut going, "is being synced (waiting for completion of hook batch/Job/migrate)");

    // Ended, but compared last before that.
    stage.compare("shop", "2026-11-20T02:30:00Z", COMMIT, "Synced", "Healthy");
    stage.end("shop", &operation, "Succeeded", "successfully synced (all tasks run)", &synced());
    says(&mut going, "has been synced; its health is from before that");

    stage.compare("shop", &now(), COMMIT, "OutOfSync", "Healthy");
    says(&mut going, "has been synced, but is OutOfSync again");
    stage.compare("shop", &now(), COMMIT, "Synced", "Progressing");
    says(&mut going, "its health is Progressing");
    stage.compare("shop", &now(), COMMIT, "Synced", "Healthy");
    going.end(LONG).code(0).says("is synced and healthy at c0ffee5d");
    assert_eq!(
        stage.finished()["result"],
        json!({
            "revision": COMMIT, "sync": "Synced", "health": "Healthy", "phase": "Succeeded",
            "message": "successfully synced (all tasks run)", "resources": 1
        })
    );
    assert_eq!(stage.patches("applications"), 1, "one operation");
    stage.site.place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn what_is_asked_for() {
    let more = format!(", revision: {COMMIT}, prune: true, syncOptions: [ServerSideApply=true, Validate=false]");
    let stage = Stage::new("argo-asks", &sync(&more));
    let mut app = application("shop");
    app["spec"]["syncPolicy"] = json!({
        "syncOptions": ["CreateNamespace=true", "ServerSideApply=false"],
        "retry": {"limit": 2, "backoff": {"duration": "5s"}},
        "automated": {"prune": false, "selfHeal": true},
    });
    stage.create(&app);
    let going = stage.start();
    let operation = stage.operation("shop");
    assert_eq!(
        operation["sync"],
        json!({
            "revision": COMMIT, "prune": true, "syncOptions": ["CreateNamespace=true", "ServerSideApply=true", "Validate=false"]
        }),
        "what the Application has itself is not lost"
    );
    assert_eq!(operation["retry"]["limit"], 2);
    stage.end("shop", &operation, "Succeeded", "x", &synced());
    stage.compare("shop", &now(), COMMIT, "Synced", "Healthy");
    going.end(LONG).code(0).says("is synced automatically, too and takes back what others change (self-heal)");
    assert_eq!(stage.prepared()["selfHeal"], true);
}

#[test]
fn what_cannot_be_synced_is_left_alone() {
    let stage = Stage::new("argo-alone", &sync(""));
    failed(stage.start().end(LONG), "shop to be there, found nothing of that name");

    let stage = Stage::new("argo-busy", &sync(""));
    stage.create(&application("shop"));
    let theirs = json!({"initiatedBy": {"username": "alice@example.org"}, "sync": {}});
    stage.write("shop", &json!({"operation": theirs}));
    stage.run("shop", &theirs, "waiting for completion of hook batch/Job/migrate");
    let ended = stage.start().end(LONG);
    failed(ended, "is being synced already, by alice@example.org since");
    assert_eq!(stage.look("shop")["operation"], theirs, "it is left alone");
    assert_eq!(stage.patches("applications"), 0);

    let stage = Stage::new("argo-skip", &sync(""));
    let mut app = application("shop");
    app["metadata"]["annotations"] = json!({"argocd.argoproj.io/skip-reconcile": "true"});
    stage.create(&app);
    failed(stage.start().end(LONG), "is left alone by Argo CD (annotation argocd.argoproj.io/skip-reconcile)");

    let stage = Stage::new("argo-auto", &sync(&format!(", revision: {COMMIT}")));
    let mut app = application("shop");
    app["spec"]["source"]["targetRevision"] = "main".into();
    app["spec"]["syncPolicy"] = json!({"automated": {}});
    stage.create(&app);
    failed(stage.start().end(LONG), "is synced automatically to main, which would take c0ffee5d");
}

#[test]
fn a_sync_that_failed_says_which_resource() {
    let stage = Stage::new("argo-failed", &sync(""));
    stage.create(&application("shop"));
    let going = stage.start();
    let operation = stage.operation("shop");
    let resources = json!([
        {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "default", "name": "api", "status": "SyncFailed",
         "message": "exceeded quota: drill"},
    ]);
    stage.end("shop", &operation, "Failed", "one or more objects failed to apply", &resources);
    failed(
        going.end(LONG),
        "its sync ended as Failed (one or more objects failed to apply); Deployment default/api (SyncFailed: exceeded quota: \
         drill)",
    );
}

#[test]
fn the_wrong_revision() {
    let stage = Stage::new("argo-revision", &sync(&format!(", revision: {OTHER}")));
    stage.create(&application("shop"));
    let going = stage.start();
    let operation = stage.operation("shop");
    stage.end("shop", &operation, "Succeeded", "x", &synced());
    stage.compare("shop", &now(), COMMIT, "Synced", "Healthy");
    failed(going.end(LONG), &format!("was synced to {COMMIT}, wanted is {OTHER}"));
}

/// `Synced` is about the revision that the Application names itself.
#[test]
fn synced_at_another_revision_than_the_one_that_was_synced() {
    let stage = Stage::new("argo-elsewhere", &sync(&format!(", revision: {COMMIT}")));
    let mut app = application("shop");
    app["spec"]["source"]["targetRevision"] = "main".into();
    stage.create(&app);
    let going = stage.start();
    let operation = stage.operation("shop");
    stage.end("shop", &operation, "Succeeded", "x", &synced());
    stage.compare("shop", "2126-11-21T02:30:00Z", OTHER, "Synced", "Healthy");
    failed(
        going.end(LONG),
        &format!("was synced to {COMMIT}, but is compared with {OTHER} (its targetRevision is main)"),
    );
}

#[test]
fn what_only_pruning_would_help_fails_at_once() {
    let stage = Stage::new("argo-prune", &sync(""));
    stage.create(&application("shop"));
    let going = stage.start();
    let operation = stage.operation("shop");
    stage.end("shop", &operation, "Succeeded", "x", &synced());
    let resources = json!([
        {"kind": "ConfigMap", "version": "v1", "namespace": "default", "name": "old", "status": "OutOfSync", "requiresPruning": true},
        {"kind": "ConfigMap", "version": "v1", "namespace": "default", "name": "new", "status": "Synced"},
    ]);
    stage.write("shop", &json!({"status": {"resources": resources}}));
    stage.compare("shop", &now(), COMMIT, "OutOfSync", "Healthy");
    failed(
        going.end(LONG),
        "out of sync for what Git does not have any more: ConfigMap default/old; with `prune: true`",
    );
}

/// Argo CD 3 keeps the health of resources in its cache and not in the Application; they are looked at.
#[test]
fn degraded_for_long_fails_and_names_what_is_unhealthy() {
    let stage = Stage::new("argo-degraded", &sync(""));
    stage.create(&application("shop"));
    let going = stage.start();
    let operation = stage.operation("shop");
    stage.end("shop", &operation, "Succeeded", "x", &synced());
    let namespace = &stage.site.namespace;
    stage.create(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fine"}}));
    let resources = json!([
        {"kind": "ConfigMap", "version": "v1", "namespace": namespace, "name": "fine", "status": "Synced"},
        {"kind": "Pod", "version": "v1", "namespace": namespace, "name": "worker", "status": "Synced"},
    ]);
    stage.write("shop", &json!({"status": {"resources": resources}}));
    stage.compare("shop", &now(), COMMIT, "Synced", "Degraded");
    let ended = going.end(LONG);
    failed(
        ended,
        &format!(
            "has been degraded for 30 s: has been synced; its health is Degraded: Pod {namespace}/worker: is not there"
        ),
    );
}

#[test]
fn after_a_crash_there_is_no_second_sync() {
    let stage = Stage::new("argo-crash", &sync(""));
    stage.create(&application("shop"));
    let going = stage.start();
    let operation = stage.operation("shop");
    // Killed when it was asked for, when it was under way, and when it had ended.
    let mut going = stage.kill(going);
    says(&mut going, "the operation was begun before; follows it");
    stage.run("shop", &operation, "x");
    let mut going = stage.kill(going);
    says(&mut going, "the operation was begun before; follows it");
    going.signal(Signal::KILL);
    assert_eq!(going.end(LONG).code, 137);
    stage.end("shop", &operation, "Succeeded", "x", &synced());
    let mut going = stage.resume();
    says(&mut going, "its health is from before that");
    stage.compare("shop", &now(), COMMIT, "Synced", "Healthy");
    going.end(LONG).code(0);
    assert_eq!(stage.patches("applications"), 1, "one operation in all");
    stage.site.place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn a_lost_answer_is_no_second_sync() {
    use lifeboat_test_cluster::proxy::{Fault, Rule};
    let stage = Stage::new("argo-lost", &sync(""));
    stage.create(&application("shop"));
    stage.proxy.inject(Rule::new(Fault::Swallow).verb("patch").path("/applications").times(1));
    let mut going = stage.start();
    let operation = stage.operation("shop");
    // The second request meets a newer version, and the operation is found.
    says(&mut going, "the operation was begun before; follows it");
    assert_eq!(stage.look("shop")["operation"], operation);
    stage.end("shop", &operation, "Succeeded", "x", &synced());
    stage.compare("shop", &now(), COMMIT, "Synced", "Healthy");
    going.end(LONG).code(0);
}

#[test]
fn an_attempt_that_took_too_long_is_gone_on_with() {
    let steps = sync("").replace("timeout: 100s", "timeout: 4s\n    retry: {attempts: 10, delay: 100ms}");
    let stage = Stage::new("argo-retry", &steps);
    stage.create(&application("shop"));
    let mut going = stage.start();
    let operation = stage.operation("shop");
    stage.run("shop", &operation, "waits");
    says(&mut going, "the operation was begun before; follows it");
    assert_eq!(stage.look("shop")["operation"], operation);
    stage.end("shop", &operation, "Succeeded", "x", &synced());
    stage.compare("shop", &now(), COMMIT, "Synced", "Healthy");
    going.end(LONG).code(0);
    assert_eq!(stage.patches("applications"), 1);
}

#[test]
fn after_a_failure_it_is_synced_anew() {
    let steps = sync("").replace("timeout: 100s", "timeout: 90s\n    retry: {attempts: 2, delay: 100ms}");
    let stage = Stage::new("argo-anew", &steps);
    stage.create(&application("shop"));
    let going = stage.start();
    let first = stage.operation("shop");
    stage.end("shop", &first, "Error", "ComparisonError: repo not reachable", &json!([]));
    let second =
        wait_for("another operation", LONG, || Some(stage.operation("shop")).filter(|it| token(it) != token(&first)));
    stage.end("shop", &second, "Succeeded", "x", &synced());
    stage.compare("shop", &now(), COMMIT, "Synced", "Healthy");
    going.end(LONG).code(0);
}

#[test]
fn another_operation_in_its_place() {
    let stage = Stage::new("argo-replaced", &sync(""));
    stage.create(&application("shop"));
    let going = stage.start();
    stage.operation("shop");
    let theirs = json!({"initiatedBy": {"automated": true}, "sync": {"revision": OTHER}});
    let state = json!({"operation": theirs, "phase": "Running", "startedAt": now()});
    stage.write("shop", &json!({"operation": null, "status": {"operationState": state}}));
    failed(going.end(LONG), "shows another operation by Argo CD itself (automated sync)");
}

/// The health of a root says nothing about its children.
#[test]
fn children_are_looked_at_one_by_one() {
    let stage = Stage::new("argo-children", &sync(", children: true"));
    stage.create(&application("shop"));
    let namespace = &stage.site.namespace;
    let mut automated = application("api");
    automated["spec"]["syncPolicy"] = json!({"automated": {"selfHeal": true}});
    stage.create(&automated);
    stage.create(&application("web"));
    for child in ["api", "web"] {
        stage.compare(child, "2026-11-20T02:30:00Z", OTHER, "Synced", "Healthy");
    }
    let mut going = stage.start();
    let operation = stage.operation("shop");
    let child = |name: &str| {
        json!({"group": "argoproj.io", "version": "v1alpha1", "kind": "Application", "namespace": namespace, "name": name,
               "status": "Synced"})
    };
    stage.write("shop", &json!({"status": {"resources": [child("api"), child("web"), child("shop")]}}));
    stage.end("shop", &operation, "Succeeded", "x", &synced());
    stage.compare("shop", &now(), COMMIT, "Synced", "Healthy");
    says(&mut going, "0 of 2 objects are ready");
    says(&mut going, &format!("Application {namespace}/api: was not compared since its parent was synced"));
    let asked = "/metadata/annotations/argocd.argoproj.io~1refresh";
    assert_eq!(text(&stage.look("api"), asked), "normal", "it is asked to be compared now");
    stage.compare("api", &now(), COMMIT, "Synced", "Healthy");
    stage.compare("web", &now(), COMMIT, "OutOfSync", "Missing");
    says(
        &mut going,
        &format!("Application {namespace}/web: is out of sync with what it should be, and is not synced automatically"),
    );
    // And what the children have made.
    stage.write("web", &json!({"status": {"resources": [child("inner")]}}));
    stage.compare("web", &now(), COMMIT, "Synced", "Healthy");
    says(&mut going, &format!("Application {namespace}/inner: is not there"));
    stage.create(&application("inner"));
    stage.compare("inner", &now(), COMMIT, "Synced", "Healthy");
    going.end(LONG).code(0);
}
