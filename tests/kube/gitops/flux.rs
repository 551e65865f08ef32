//! `flux-reconcile`.

use super::*;

const REQUESTED: &str = "/metadata/annotations/reconcile.fluxcd.io~1requestedAt";
const API: &str = "kustomize.toolkit.fluxcd.io/v1";

fn kustomization(name: &str) -> Value {
    json!({
        "apiVersion": API, "kind": "Kustomization", "metadata": {"name": name},
        "spec": {"interval": "10m", "path": "./", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
    })
}

fn repository(name: &str) -> Value {
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": {"name": name},
        "spec": {"interval": "10m", "url": "https://git.example.org/fleet.git"},
    })
}

fn sync(more: &str) -> String {
    format!(
        "  sync:\n    phase: workloads\n    flux-reconcile: {{cluster: dr, namespace: NS, name: apps{more}}}\n    timeout: 90s\n    \
         restores: true\n"
    )
}

impl Stage {
    fn flux(&self, plural: &str, name: &str) -> String {
        let version = match plural {
            "kustomizations" => API,
            "helmreleases" => "helm.toolkit.fluxcd.io/v2",
            _ => "source.toolkit.fluxcd.io/v1",
        };
        self.site.path(version, plural, name)
    }

    fn get(&self, path: &str) -> Value {
        self.site.client.get(path).expect("it is there")
    }

    /// Waits until it is asked for, and says by which token.
    fn asked(&self, path: &str) -> String {
        wait_for("the request", LONG, || {
            Some(text(&self.get(path), REQUESTED).to_owned()).filter(|token| !token.is_empty())
        })
    }

    fn status(&self, path: &str, status: &Value) {
        self.site.client.patch_status(path, status).expect("a status can be written");
    }

    /// What the controller writes when it is through: ready.
    fn ready(&self, path: &str, token: &str, revision: &str) {
        let generation = self.get(path)["metadata"]["generation"].clone();
        self.status(path, &ready(token, revision, &generation));
    }
}

fn ready(token: &str, revision: &str, generation: &Value) -> Value {
    json!({
        "lastHandledReconcileAt": token, "observedGeneration": generation,
        "lastAppliedRevision": revision, "lastAttemptedRevision": revision,
        "conditions": [condition("Ready", "True", "ReconciliationSucceeded", &format!("Applied revision: {revision}"))],
    })
}

fn artifact(token: &str, revision: &str) -> Value {
    json!({
        "lastHandledReconcileAt": token, "observedGeneration": 1,
        "artifact": {
            "revision": revision, "path": "x", "url": "http://x/x.tar.gz", "lastUpdateTime": "2026-11-21T02:30:00Z",
            "digest": format!("sha256:{}", "a".repeat(64)),
        },
        "conditions": [condition("Ready", "True", "Succeeded", "stored artifact")],
    })
}

fn at(commit: &str) -> String {
    format!("main@sha1:{commit}")
}

#[test]
fn only_the_request_of_this_step_counts() {
    let stage = Stage::new("flux", &sync(""));
    stage.create(&kustomization("apps"));
    let path = stage.flux("kustomizations", "apps");
    // As it was left by a good day: ready, by another's request.
    stage.ready(&path, "2026-11-20T02:30:00Z", &at(OTHER));
    let mut going = stage.start();
    let token = stage.asked(&path);
    says(&mut going, "has not handled the request yet");
    let run = stage.site.place.only_run();
    let id = run.file_name().expect("a run has a name").to_string_lossy().into_owned();
    assert!(token.contains(&id) && token.contains("sync"), "{token} tells the run and the step");

    // While it works on it.
    let mut doing = ready("2026-11-20T02:30:00Z", &at(OTHER), &json!(1));
    doing["conditions"] = json!([
        condition("Ready", "Unknown", "Progressing", "Reconciliation in progress"),
        condition("Reconciling", "True", "Progressing", "Building manifests for revision main@sha1:c0ffee5d"),
    ]);
    stage.status(&path, &doing);
    says(&mut going, "(Progressing: Building manifests for revision main@sha1:c0ffee5d)");

    // It has failed and tries again: not the end.
    let mut again = ready(&token, &at(OTHER), &json!(1));
    again["conditions"] = json!([
        condition("Ready", "False", "HealthCheckFailed", "timeout waiting for: [Deployment/shop/api]"),
        condition("Reconciling", "True", "ProgressingWithRetry", "x"),
    ]);
    stage.status(&path, &again);
    says(&mut going, "is being tried again (HealthCheckFailed: timeout waiting for: [Deployment/shop/api])");

    // Somebody changes it: what is ready is the generation before.
    stage.site.client.patch(&path, &json!({"spec": {"interval": "5m"}})).expect("it can be changed");
    stage.status(&path, &ready(&token, &at(COMMIT), &json!(1)));
    says(&mut going, "is at generation 2, and reconciled at 1");

    stage.ready(&path, &token, &at(COMMIT));
    going.end(LONG).code(0).says(&format!("is ready at {}", at(COMMIT)));
    assert_eq!(stage.prepared()["revisionBefore"], at(OTHER));
    assert_eq!(stage.prepared()["token"], token.as_str());
    assert_eq!(stage.patches("kustomizations"), 1, "it was asked for once");
    stage.site.place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn what_it_returns() {
    let stage = Stage::new("flux-result", &sync(""));
    stage.create(&kustomization("apps"));
    let path = stage.flux("kustomizations", "apps");
    let going = stage.start();
    let token = stage.asked(&path);
    let mut status = ready(&token, &at(COMMIT), &json!(1));
    status["inventory"] =
        json!({"entries": [{"id": "shop_api_apps_Deployment", "v": "v1"}, {"id": "_shop__Namespace", "v": "v1"}]});
    stage.status(&path, &status);
    going.end(LONG).code(0);
    let message = format!("Applied revision: {}", at(COMMIT));
    assert_eq!(
        stage.finished()["result"],
        json!({
            "revision": at(COMMIT), "reason": "ReconciliationSucceeded", "message": message, "objects": 2, "token": token
        })
    );
}

#[test]
fn stalled_by_this_request_fails_and_by_an_older_one_does_not() {
    let stage = Stage::new("flux-stalled", &sync(", kind: HelmRelease, force: true, reset: true"));
    stage.create(&json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "apps"},
        "spec": {"interval": "10m", "chartRef": {"kind": "OCIRepository", "name": "apps"}},
    }));
    let path = stage.flux("helmreleases", "apps");
    let stalled = |token: &str, attempts: u32| {
        json!({
            "lastHandledReconcileAt": token, "observedGeneration": 1,
            "conditions": [
                condition("Stalled", "True", "RetriesExceeded", &format!("Failed to upgrade after {attempts} attempt(s)")),
                condition("Ready", "False", "UpgradeFailed", "Helm upgrade failed: context deadline exceeded"),
            ],
        })
    };
    stage.status(&path, &stalled("before", 3));
    let mut going = stage.start();
    let token = stage.asked(&path);
    let asked = stage.get(&path);
    for annotation in ["forceAt", "resetAt"] {
        let pointer = format!("/metadata/annotations/reconcile.fluxcd.io~1{annotation}");
        assert_eq!(text(&asked, &pointer), token, "{annotation}");
    }
    says(&mut going, "has not handled the request yet");
    stage.status(&path, &stalled(&token, 4));
    failed(
        going.end(LONG),
        "has stalled (RetriesExceeded: Failed to upgrade after 4 attempt(s)); UpgradeFailed: Helm upgrade failed: context \
         deadline exceeded",
    );
}

#[test]
fn a_release_that_was_rolled_back_is_not_the_one_that_was_wanted() {
    let stage = Stage::new("flux-back", &sync(", kind: HelmRelease"));
    stage.create(&json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "apps"},
        "spec": {"interval": "10m", "chartRef": {"kind": "OCIRepository", "name": "apps"}},
    }));
    let path = stage.flux("helmreleases", "apps");
    let going = stage.start();
    let token = stage.asked(&path);
    stage.status(
        &path,
        &json!({
            "lastHandledReconcileAt": token, "observedGeneration": 1,
            "conditions": [condition("Ready", "False", "RollbackSucceeded", "Helm rollback to previous release succeeded")],
        }),
    );
    failed(going.end(LONG), "is not at the release that was wanted (RollbackSucceeded");
}

#[test]
fn what_is_suspended_is_not_asked_for() {
    let stage = Stage::new("flux-suspended", &sync(""));
    let mut object = kustomization("apps");
    object["spec"]["suspend"] = true.into();
    stage.create(&object);
    let ended = stage.start().end(LONG);
    failed(ended, "is suspended, so Flux ignores the request; resume it (spec.suspend)");
    let path = stage.flux("kustomizations", "apps");
    assert_eq!(text(&stage.get(&path), REQUESTED), "", "nothing was touched");
    assert_eq!(stage.patches("kustomizations"), 0);
}

/// The controller repeats the token of a suspended object, and calls the new generation observed, without looking at it.
#[test]
fn what_is_suspended_meanwhile_was_not_reconciled() {
    let stage = Stage::new("flux-meanwhile", &sync(""));
    stage.create(&kustomization("apps"));
    let path = stage.flux("kustomizations", "apps");
    let going = stage.start();
    let token = stage.asked(&path);
    stage.site.client.patch(&path, &json!({"spec": {"suspend": true}})).expect("it can be changed");
    stage.ready(&path, &token, &at(COMMIT));
    failed(going.end(LONG), "is suspended, so Flux ignores the request");
}

#[test]
fn what_is_not_there() {
    let stage = Stage::new("flux-missing", &sync(""));
    let shown = format!("expected Kustomization {}/apps to be there, found nothing of that name", stage.site.namespace);
    failed(stage.start().end(LONG), &shown);
}

#[test]
fn the_wrong_revision_fails_and_says_what_the_source_has() {
    let stage = Stage::new("flux-revision", &sync(&format!(", revision: {COMMIT}")));
    stage.create(&kustomization("apps"));
    stage.create(&repository("fleet"));
    let (path, source) = (stage.flux("kustomizations", "apps"), stage.flux("gitrepositories", "fleet"));
    stage.status(&source, &artifact("", &at(OTHER)));
    let going = stage.start();
    let token = stage.asked(&path);
    stage.ready(&path, &token, &at(OTHER));
    let namespace = &stage.site.namespace;
    let other = at(OTHER);
    failed(
        going.end(LONG),
        &format!(
            "Kustomization {namespace}/apps is at {other}, wanted is {COMMIT}; its source GitRepository {namespace}/fleet is \
             at {other}"
        ),
    );
    assert_eq!(text(&stage.get(&source), REQUESTED), "", "the source was not asked: `withSource` is not set");
}

#[test]
fn a_revision_that_the_source_has_already_is_waited_for() {
    let stage = Stage::new("flux-soon", &sync(", revision: c0ffee5"));
    stage.create(&kustomization("apps"));
    stage.create(&repository("fleet"));
    let (path, source) = (stage.flux("kustomizations", "apps"), stage.flux("gitrepositories", "fleet"));
    stage.status(&source, &artifact("", &at(COMMIT)));
    let mut going = stage.start();
    let token = stage.asked(&path);
    stage.ready(&path, &token, &at(OTHER));
    says(&mut going, &format!("is at {}; its source has {}", at(OTHER), at(COMMIT)));
    stage.ready(&path, &token, &at(COMMIT));
    going.end(LONG).code(0);
}

#[test]
fn the_source_comes_first() {
    let stage = Stage::new("flux-source", &sync(", withSource: true"));
    stage.create(&kustomization("apps"));
    stage.create(&repository("fleet"));
    let (path, source) = (stage.flux("kustomizations", "apps"), stage.flux("gitrepositories", "fleet"));
    let mut going = stage.start();
    let token = stage.asked(&source);
    says(&mut going, &format!("GitRepository {}/fleet has not handled the request yet", stage.site.namespace));
    assert_eq!(text(&stage.get(&path), REQUESTED), "", "not before the source is through");
    stage.status(&source, &artifact(&token, &at(COMMIT)));
    assert_eq!(stage.asked(&path), token);
    // A controller that has not seen the new artifact yet applies the old one; it is told by itself.
    stage.ready(&path, &token, &at(OTHER));
    says(&mut going, &format!("its source has {}", at(COMMIT)));
    stage.ready(&path, &token, &at(COMMIT));
    going.end(LONG).code(0);
    assert_eq!(stage.prepared()["sources"][0]["kind"], "GitRepository");
}

#[test]
fn a_source_that_cannot_be_fetched_fails_with_its_reason() {
    let stage = Stage::new("flux-fetch", &sync(", withSource: true"));
    stage.create(&kustomization("apps"));
    stage.create(&repository("fleet"));
    let source = stage.flux("gitrepositories", "fleet");
    let going = stage.start();
    let token = stage.asked(&source);
    stage.status(
        &source,
        &json!({
            "lastHandledReconcileAt": token, "observedGeneration": 1,
            "conditions": [
                condition("Stalled", "True", "URLInvalid", "URL scheme 'gopher' is not supported"),
                condition("Ready", "False", "URLInvalid", "URL scheme 'gopher' is not supported"),
            ],
        }),
    );
    failed(going.end(LONG), "has stalled (URLInvalid: URL scheme 'gopher' is not supported)");
    assert_eq!(text(&stage.get(&stage.flux("kustomizations", "apps")), REQUESTED), "");
}

#[test]
fn what_never_answers_is_told_when_the_time_is_over() {
    let steps = sync("").replace("timeout: 90s", "timeout: 25s");
    let stage = Stage::new("flux-silent", &steps);
    stage.create(&kustomization("apps"));
    let ended = stage.start().end(LONG);
    failed(
        ended,
        "it took too long; the last of it: Kustomization NS/apps has not handled the request yet; is kustomize-controller \
         running?"
            .replace("NS", &stage.site.namespace)
            .as_str(),
    );
}

/// Killed at any time after the request: whoever takes over finds it and follows it.
#[test]
fn after_a_crash_nothing_is_asked_for_twice() {
    let stage = Stage::new("flux-crash", &sync(""));
    stage.create(&kustomization("apps"));
    let path = stage.flux("kustomizations", "apps");
    let going = stage.start();
    let token = stage.asked(&path);
    let mut going = stage.kill(going);
    says(&mut going, "the request was made before; follows it");
    // Once more, when it was handled while nobody looked.
    going.signal(Signal::KILL);
    assert_eq!(going.end(LONG).code, 137);
    stage.ready(&path, &token, &at(COMMIT));
    stage.resume().end(LONG).code(0);
    assert_eq!(stage.asked(&path), token);
    assert_eq!(stage.patches("kustomizations"), 1, "one request in all");
    stage.site.place.lifeboat(&["verify", "@latest"]).code(0);
}

/// Killed between the record of what it will ask and the asking.
#[test]
fn after_a_crash_before_the_request_it_is_made_once() {
    use lifeboat_test_cluster::proxy::{Fault, Rule};
    let stage = Stage::new("flux-before", &sync(""));
    stage.create(&kustomization("apps"));
    let path = stage.flux("kustomizations", "apps");
    let cut = stage.proxy.inject(Rule::new(Fault::Cut).verb("patch").path("/kustomizations"));
    let going = stage.start();
    wait_for("a request that gets lost", LONG, || (stage.proxy.applied(cut) > 0).then_some(()));
    assert_eq!(text(&stage.get(&path), REQUESTED), "");
    going.signal(Signal::KILL);
    assert_eq!(going.end(LONG).code, 137);
    let planned = stage.prepared()["token"].clone();
    stage.proxy.clear();
    stage.proxy.reset_counts();
    let going = stage.resume();
    let token = stage.asked(&path);
    assert_eq!(planned, token.as_str(), "the token is the one that was recorded");
    stage.ready(&path, &token, &at(COMMIT));
    going.end(LONG).code(0);
    assert_eq!(stage.patches("kustomizations"), 1);
}

/// The answer gets lost after the API server has done it; asked again it is the same request.
#[test]
fn a_lost_answer_is_no_second_request() {
    use lifeboat_test_cluster::proxy::{Fault, Rule};
    let stage = Stage::new("flux-lost", &sync(""));
    stage.create(&kustomization("apps"));
    let path = stage.flux("kustomizations", "apps");
    stage.proxy.inject(Rule::new(Fault::Swallow).verb("patch").path("/kustomizations").times(1));
    let going = stage.start();
    let token = stage.asked(&path);
    let version = stage.get(&path)["metadata"]["resourceVersion"].clone();
    wait_for("it to be asked again", LONG, || (stage.patches("kustomizations") == 2).then_some(()));
    assert_eq!(stage.asked(&path), token);
    assert_eq!(stage.get(&path)["metadata"]["resourceVersion"], version, "the second one has changed nothing");
    stage.ready(&path, &token, &at(COMMIT));
    going.end(LONG).code(0);
}

/// A second attempt would make Flux begin anew; it follows what the first one has begun.
#[test]
fn an_attempt_that_took_too_long_is_gone_on_with() {
    let steps = sync("").replace("timeout: 90s", "timeout: 4s\n    retry: {attempts: 10, delay: 100ms}");
    let stage = Stage::new("flux-retry", &steps);
    stage.create(&kustomization("apps"));
    let path = stage.flux("kustomizations", "apps");
    let mut going = stage.start();
    let token = stage.asked(&path);
    says(&mut going, "the request was made before; follows it");
    assert_eq!(stage.asked(&path), token);
    stage.ready(&path, &token, &at(COMMIT));
    going.end(LONG).code(0);
    assert_eq!(stage.patches("kustomizations"), 1);
}

/// But an attempt that failed is over: the next one asks anew, or it would fail by what failed before.
#[test]
fn after_a_failure_it_is_asked_for_anew() {
    let steps = sync("").replace("timeout: 90s", "timeout: 90s\n    retry: {attempts: 2, delay: 100ms}");
    let stage = Stage::new("flux-anew", &steps);
    stage.create(&kustomization("apps"));
    let path = stage.flux("kustomizations", "apps");
    let going = stage.start();
    let first = stage.asked(&path);
    let mut status = ready(&first, &at(COMMIT), &json!(1));
    status["conditions"] =
        json!([condition("Stalled", "True", "AccessDenied", "x"), condition("Ready", "False", "AccessDenied", "x")]);
    stage.status(&path, &status);
    let second = wait_for("another request", LONG, || Some(stage.asked(&path)).filter(|token| *token != first));
    stage.ready(&path, &second, &at(COMMIT));
    going.end(LONG).code(0);
}

#[test]
fn somebody_else_asks_at_the_same_time() {
    let stage = Stage::new("flux-others", &sync(""));
    stage.create(&kustomization("apps"));
    let path = stage.flux("kustomizations", "apps");
    let mut going = stage.start();
    let token = stage.asked(&path);
    let theirs = json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "theirs"}}});
    stage.site.client.patch(&path, &theirs).expect("it can be changed");
    says(&mut going, "somebody else has asked at the same time; asks again");
    wait_for("the request", LONG, || (stage.asked(&path) == token).then_some(()));
    stage.ready(&path, &token, &at(COMMIT));
    going.end(LONG).code(0);
}

#[test]
fn an_object_that_was_made_anew_is_not_followed() {
    let stage = Stage::new("flux-another", &sync(""));
    stage.create(&kustomization("apps"));
    let path = stage.flux("kustomizations", "apps");
    let mut going = stage.start();
    stage.asked(&path);
    says(&mut going, "has not handled the request yet");
    stage.site.client.delete(&path).expect("it can be deleted");
    stage.create(&kustomization("apps"));
    let ended = going.end(LONG);
    assert!(ended.err.contains("is gone") || ended.err.contains("another object"), "{ended}");
    assert_ne!(ended.code, 0);
}

fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "image": "main:1"}]}},
        },
    })
}

fn available() -> Value {
    json!({
        "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
        "conditions": [
            {"type": "Available", "status": "True", "reason": "x", "message": "x"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": "x"},
        ],
    })
}

#[test]
fn children_are_looked_at_one_by_one() {
    let stage = Stage::new("flux-children", &sync(", children: true"));
    stage.create(&kustomization("apps"));
    stage.create(&deployment("api"));
    stage.create(&kustomization("inner"));
    let path = stage.flux("kustomizations", "apps");
    let inner = stage.flux("kustomizations", "inner");
    stage.ready(&inner, "before", &at(OTHER));
    let mut going = stage.start();
    let token = stage.asked(&path);
    let namespace = &stage.site.namespace;
    let mut status = ready(&token, &at(COMMIT), &json!(1));
    let entries = [
        format!("{namespace}_api_apps_Deployment"),
        format!("{namespace}_settings__ConfigMap"),
        format!("{namespace}_inner_kustomize.toolkit.fluxcd.io_Kustomization"),
        format!("_{namespace}__Namespace"),
    ];
    status["inventory"] = json!({"entries": entries.map(|id| json!({"id": id, "v": "v1"}))});
    stage.status(&path, &status);
    says(&mut going, "1 of 4 objects are ready");
    says(&mut going, &format!("ConfigMap {namespace}/settings: is not there"));
    stage.create(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}));
    // It was ready before its parent came to this revision, and says so.
    says(&mut going, &format!("is at {}, Kustomization {namespace}/apps is at {}", at(OTHER), at(COMMIT)));
    stage.ready(&inner, "later", &at(COMMIT));
    says(&mut going, "3 of 4 objects are ready");
    stage.site.client.patch_status(&stage.site.path("apps/v1", "deployments", "api"), &available()).expect("a status");
    going.end(LONG).code(0);
}

#[test]
fn a_child_that_cannot_get_ready_fails_at_once() {
    let stage = Stage::new("flux-hopeless", &sync(", children: true"));
    stage.create(&kustomization("apps"));
    let mut suspended = kustomization("inner");
    suspended["spec"]["suspend"] = true.into();
    stage.create(&suspended);
    let path = stage.flux("kustomizations", "apps");
    let going = stage.start();
    let token = stage.asked(&path);
    let namespace = &stage.site.namespace;
    let mut status = ready(&token, &at(COMMIT), &json!(1));
    status["inventory"] =
        json!({"entries": [{"id": format!("{namespace}_inner_kustomize.toolkit.fluxcd.io_Kustomization"), "v": "v1"}]});
    stage.status(&path, &status);
    failed(
        going.end(LONG),
        &format!("0 of 1 object is ready; Kustomization {namespace}/inner: is suspended, so Flux leaves it as it is"),
    );
}
