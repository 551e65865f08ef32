//! What each action and each check needs, from runbooks as authors write them.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::json;

use super::*;
use crate::{
    machine::{Machine, Now, tests::builder},
    model::{Mode, parse::parse},
    plan::{Binding, Request, Unreadable, build},
    source::Source,
};

const HEAD: &str = "\
apiVersion: lifeboat.dev/v1
kind: Runbook
metadata: {name: test, owner: team}
recovery:
  capability: It
  scope: region
  disaster: region-failure
  objectives: {rpo: 15m, rto: 60m, mtd: 4h}
  level: L5
inputs:
  ns: {type: string, default: shop}
  list: {type: list, default: [a, b]}
  full: {type: boolean, default: false}
clusters:
  dr: {context: dr}
";

/// What a runbook needs; `body` is what comes after its inputs and clusters.
fn needs(body: &str) -> Needs {
    let parsed = parse(Source::new("test.yaml", format!("{HEAD}{body}")));
    assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
    let runbook = Arc::new(parsed.runbook.expect("a runbook"));
    let inputs: IndexMap<String, Binding> =
        [("ns", json!("shop"))].map(|(name, value)| (name.to_owned(), Binding::Value(value))).into();
    let plan = build(Request {
        runbook,
        source: parsed.source,
        mode: Mode::Incident,
        inputs,
        resolve: &|_, _| Err(Unreadable::Missing("no such file".to_owned())),
    });
    let plan = Arc::new(plan.unwrap_or_else(|errors| panic!("{errors:#?}")));
    let created = builder::created(&plan, None);
    let now = Now { at: jiff::Timestamp::UNIX_EPOCH, elapsed_ms: 0 };
    let (machine, _) = Machine::new(Arc::clone(&plan), created, IndexMap::new(), now);
    of(&plan, &machine)
}

/// One line a need: `dr get,patch Deployment @shop /api (start)`.
fn lines(needs: &[Need]) -> Vec<String> {
    needs
        .iter()
        .map(|need| {
            let kind = match &need.what {
                What::Kind { kind, api_version: Some(version) } => format!("{kind}:{version}"),
                What::Kind { kind, api_version: None } => kind.clone(),
                What::Resource { group, resource } => format!("={resource}.{group}"),
            };
            let below = need.subresource.as_ref().map(|below| format!("/{below}")).unwrap_or_default();
            let place = match &need.place {
                Place::Namespace(namespace) => format!(" @{namespace}"),
                Place::All => String::new(),
                Place::Unknown => " @?".to_owned(),
            };
            let names = need.names.iter().fold(String::new(), |all, name| format!("{all} :{name}"));
            let by: Vec<&str> = need.by.iter().map(|by| by.name.as_str()).collect();
            format!(
                "{}{}{} {kind}{below}{place}{names} ({})",
                if need.optional { "~" } else { "" },
                if need.may_be_absent { "-" } else { "" },
                need.verbs.join(","),
                by.join(", ")
            )
        })
        .collect()
}

#[track_caller]
fn step(text: &str, wanted: &[&str]) {
    let found = lines(&needs(&format!("steps:\n  a: {{phase: data, {text}}}\n")).objects);
    assert_eq!(found, wanted, "{text}");
}

#[test]
fn each_action_says_what_it_does_to_objects() {
    let api = "cluster: dr, kind: Deployment, namespace: shop, name: api";
    step(&format!("scale: {{{api}, replicas: 3}}"), &["get,patch Deployment/scale @shop :api (a)"]);
    step(&format!("patch: {{{api}, merge: '{{}}'}}"), &["get,patch Deployment @shop :api (a)"]);
    step(
        &format!("patch: {{{api}, subresource: status, merge: '{{}}'}}, undo: auto"),
        &[
            "get Deployment @shop :api (a)",
            "patch Deployment/status @shop :api (a)",
            "update,create Deployment @shop :api (a)",
        ],
    );
    step(
        &format!("delete: {{{api}}}, undo: auto"),
        &[
            "-get,delete Deployment @shop :api (a)",
            "~-list,watch Deployment @shop (a)",
            "-get,create Deployment @shop :api (a)",
        ],
    );
    step(
        "delete: {cluster: dr, kind: Pod, namespace: '{{inputs.ns}}', selector: app=api}",
        &["-list,delete Pod @shop (a)", "~-watch Pod @shop (a)"],
    );
    step(
        "job: {cluster: dr, namespace: shop, image: busybox, env: {A: b}}, undo: auto",
        &[
            "create,get jobs.batch @shop (a)",
            "~list,watch jobs.batch @shop (a)",
            "list pods:v1 @shop (a)",
            "~watch pods:v1 @shop (a)",
            "get pods:v1/log @shop (a)",
            "create,get,patch secrets:v1 @shop (a)",
            "delete jobs.batch @shop (a)",
        ],
    );
    step(
        "velero-restore: {cluster: dr}, undo: auto",
        &[
            "list backups.velero.io @velero (a)",
            "create,get restores.velero.io @velero (a)",
            "~list,watch restores.velero.io @velero (a)",
            "~create,get downloadrequests.velero.io @velero (a)",
            "delete restores.velero.io @velero (a)",
        ],
    );
    step(
        "velero-backup: {cluster: dr, veleroNamespace: backup}, undo: auto",
        &[
            "create,get backups.velero.io @backup (a)",
            "~list,watch backups.velero.io @backup (a)",
            "create,get deletebackuprequests.velero.io @backup (a)",
        ],
    );
    step(
        "flux-reconcile: {cluster: dr, name: apps}",
        &[
            "get,patch Kustomization.kustomize.toolkit.fluxcd.io @flux-system :apps (a)",
            "~list,watch Kustomization.kustomize.toolkit.fluxcd.io @flux-system (a)",
        ],
    );
    step(
        "flux-reconcile: {cluster: dr, kind: OCIRepository, name: apps, namespace: apps}",
        &[
            "get,patch OCIRepository.source.toolkit.fluxcd.io @apps :apps (a)",
            "~list,watch OCIRepository.source.toolkit.fluxcd.io @apps (a)",
        ],
    );
    step(
        "argocd-sync: {cluster: dr, application: shop}",
        &["get,patch applications.argoproj.io @argocd :shop (a)", "~list,watch applications.argoproj.io @argocd (a)"],
    );
    step("exec: [kubectl, get, pods]", &[]);
}

#[test]
fn each_check_says_what_it_looks_at() {
    let verify = |check: &str, wanted: &[&str]| step(&format!("verify: [{check}]"), wanted);
    verify("{kube: {cluster: dr, kind: Node}}", &["list Node (a)", "~watch Node (a)"]);
    verify(
        "{kube: {cluster: dr, kind: Deployment, apiVersion: apps/v1, namespace: shop, name: api}}",
        &["get Deployment:apps/v1 @shop :api (a)", "~list,watch Deployment:apps/v1 @shop (a)"],
    );
    verify(
        "{kube: {cluster: dr, kind: Kafka, name: x, absent: true}}",
        &["-get Kafka :x (a)", "~-list,watch Kafka (a)"],
    );
    // Everybody may ask about himself.
    verify("{can-i: {cluster: dr, verb: get, resource: pods}}", &[]);
    verify(
        "{can-i: {cluster: dr, verb: get, resource: pods, serviceAccount: shop/api}}",
        &["create =subjectaccessreviews.authorization.k8s.io (a)"],
    );
}

#[test]
fn undos_cleanup_guards_and_requirements_count() {
    let found = needs(
        "requires:
  access:
    - {cluster: dr, verb: create, group: velero.io, resource: restores, namespace: velero}
    - {cluster: dr, verb: get, resource: pods/log}
  crds: [{cluster: dr, name: restores.velero.io, version: v1}]
  checks: [{kube: {cluster: dr, kind: Node}}]
guards:
  - {name: nodes, check: {kube: {cluster: dr, kind: Node}}, then: abort}
steps:
  a:
    phase: data
    exec: [x]
    undo:
      delete: {cluster: dr, kind: Namespace, name: shop}
      verify: [{kube: {cluster: dr, kind: Namespace, name: shop, absent: true}}]
cleanup:
  drop: {scale: {cluster: dr, kind: Deployment, namespace: shop, name: api, replicas: 0}}
",
    );
    assert_eq!(
        lines(&found.objects),
        [
            "create =restores.velero.io @velero (requires.access)",
            "get =pods./log (requires.access)",
            "list Node (requires.checks, guard nodes)",
            "~watch Node (requires.checks, guard nodes)",
            "-get,delete Namespace :shop (undo of a)",
            "~-list,watch Namespace (undo of a)",
            "-get Namespace :shop (undo of a)",
            "get,patch Deployment/scale @shop :api (cleanup/drop)",
        ]
    );
    let crd =
        WantedCrd { cluster: "dr".to_owned(), name: "restores.velero.io".to_owned(), version: Some("v1".to_owned()) };
    assert_eq!(found.crds, [crd]);
}

#[test]
fn what_a_step_will_give_is_not_known_yet() {
    let found = needs(
        "steps:
  find: {phase: data, exec: [find], outputs: {ns: {text: true}, n: {text: true}}}
  scale:
    phase: workloads
    scale:
      {cluster: dr, kind: Deployment, namespace: '{{steps.find.outputs.ns}}', name: '{{steps.find.outputs.n}}', replicas: 1}
  restore:
    phase: workloads
    velero-restore: {cluster: dr, namespaces: ['{{steps.find.outputs.ns}}'], schedule: nightly}
  other:
    phase: workloads
    velero-restore: {cluster: dr, backup: '{{steps.find.outputs.n}}', veleroNamespace: backup}
  apply:
    phase: workloads
    apply:
      cluster: dr
      namespace: '{{inputs.ns}}'
      manifest: |
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: {{steps.find.outputs.n}}, namespace: {{inputs.ns}}}
        {{#if inputs.full}}
        data: {a: b}
        {{/if}}
",
    );
    assert_eq!(lines(&found.objects)[0], "get,patch Deployment/scale @? (scale)");
    assert!(found.objects[0].single);
    let [restore, other] = found.restores.as_slice() else { panic!("{:#?}", found.restores) };
    let spec = restore.spec.as_ref().expect("it is known which backup");
    assert!(spec.namespaces.is_empty() && spec.schedule.is_some());
    assert_eq!((other.spec.as_ref(), other.velero_namespace.as_deref()), (None, Some("backup")));
    let [apply] = found.manifests.as_slice() else { panic!("{:#?}", found.manifests) };
    assert!(!apply.complete);
    let text = apply.manifest.as_deref().unwrap_or_default();
    assert!(text.contains("metadata: {name: unknown-yet, namespace: shop}") && !text.contains("{{"), "{text}");
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "unknown-yet"}});
    let applied = Applied { manifests: apply, objects: vec![object] };
    assert_eq!(lines(&of_objects(&applied)), ["get,patch,create ConfigMap:v1 @shop (apply)"]);
}

#[test]
fn what_surely_does_not_run_needs_nothing() {
    let when = |when: &str| {
        let scale = "scale: {cluster: dr, kind: Deployment, namespace: shop, name: api, replicas: 1}";
        needs(&format!("steps:\n  a: {{phase: data, when: \"{when}\", {scale}}}\n")).objects.len()
    };
    assert_eq!((when("inputs.full"), when("!inputs.full"), when("clock.elapsed > duration('0s')")), (0, 1, 1));
}

#[test]
fn a_thousand_instances_need_it_once() {
    let found = needs(
        "steps:
  a:
    phase: data
    forEach: {in: inputs.list, as: name}
    scale: {cluster: dr, kind: Deployment, namespace: shop, name: '{{each.name}}', replicas: 1}
",
    );
    assert_eq!(lines(&found.objects), ["get,patch Deployment/scale @shop :a :b (a[a], a[b])"]);
}

#[test]
fn steps_that_come_before_may_have_made_it() {
    let found = needs(
        "steps:
  install: {phase: bootstrap, exec: [install]}
  look: {phase: bootstrap, exec: [look], effect: reads}
  crds: {phase: identity, apply: {cluster: dr, files: [crds]}}
  backup: {phase: identity, velero-backup: {cluster: dr}}
  restore: {phase: data, needs: [crds], velero-restore: {cluster: dr}}
  drop: {phase: workloads, needs: [restore], delete: {cluster: dr, kind: Namespace, name: old}}
  alone: {phase: workloads, needs: [], velero-restore: {cluster: dr}}
cleanup:
  end: {exec: [end]}
",
    );
    let before = |when: When| -> Vec<&str> { found.before(when, "dr").map(|maker| maker.step.as_str()).collect() };
    let by = |name: &str| found.restores.iter().find(|it| it.by.name == name).map(|it| it.by.when).expect("a restore");
    assert_eq!(before(by("restore")), ["install", "crds"]);
    assert_eq!(before(by("alone")), [""; 0]);
    assert_eq!(before(When::Start), [""; 0]);
    assert_eq!(before(When::Anytime), ["install", "crds", "backup", "restore", "drop", "alone", "cleanup/end"]);
    let When::At(node) = by("restore") else { panic!("a step") };
    assert_eq!(before(When::After(node)), ["install", "crds", "restore"]);
    let kinds: Vec<Makes> = found.makers.iter().map(|maker| maker.makes).collect();
    assert_eq!(kinds[1], Makes::Manifests(0));
    assert_eq!(kinds[2], Makes::Backup);
    assert_eq!(
        found.before(When::Anytime, "other").map(|maker| maker.step.as_str()).collect::<Vec<_>>(),
        ["install", "cleanup/end"]
    );
}
