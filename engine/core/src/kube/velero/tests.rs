//! Tables of backups and restores, each with its verdict and the exact words that a commander reads.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{duration::Duration, kube::judged::Outcome};

mod choosing;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn backup(status: Value) -> Value {
    json!({"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {"name": "b", "namespace": "velero"},
           "spec": {"storageLocation": "default"}, "status": status})
}

fn restore(status: Value) -> Value {
    json!({"apiVersion": "velero.io/v1", "kind": "Restore", "metadata": {"name": "r", "namespace": "velero"},
           "spec": {"backupName": "b"}, "status": status})
}

fn pending(progress: &str) -> Outcome {
    Outcome::Pending { progress: progress.to_owned() }
}

fn failed(why: &str) -> Outcome {
    Outcome::Failed { why: why.to_owned(), retriable: false }
}

const RESTARTED: &str = "found a restore with status \"InProgress\" during the server starting, mark it as \"Failed\"";

#[test]
fn phases() {
    for (phase, terminal) in [
        ("", false),
        ("New", false),
        ("Queued", false),
        ("InProgress", false),
        ("Finalizing", false),
        ("WaitingForPluginOperationsPartiallyFailed", false),
        ("SomethingOfTomorrow", false),
        ("Deleting", false),
        ("Completed", true),
        ("PartiallyFailed", true),
        ("Failed", true),
        ("FailedValidation", true),
    ] {
        assert_eq!(Phase::of(&backup(json!({"phase": phase}))).is_terminal(), terminal, "{phase}");
    }
}

#[test]
fn backups() {
    let items = json!({"totalItems": 40, "itemsBackedUp": 40});
    for (status, wanted) in [
        (json!({}), pending("not taken up by Velero yet (no phase)")),
        (json!({"phase": "Queued"}), pending("not taken up by Velero yet (Queued)")),
        (
            json!({"phase": "InProgress", "progress": {"totalItems": 1040, "itemsBackedUp": 812}}),
            pending("InProgress, 812 of 1040 items"),
        ),
        (
            json!({"phase": "FinalizingPartiallyFailed", "progress": items}),
            pending("FinalizingPartiallyFailed, 40 of 40 items; it will end as PartiallyFailed"),
        ),
        (json!({"phase": "Completed", "progress": items}), Outcome::Succeeded),
        (json!({"phase": "Completed"}), Outcome::Succeeded),
        (
            json!({"phase": "Completed", "progress": {}}),
            failed("is Completed, but holds no items; look at its namespaces, resources and selectors"),
        ),
        (
            json!({"phase": "Completed", "progress": items, "csiVolumeSnapshotsAttempted": 4, "csiVolumeSnapshotsCompleted": 3}),
            failed("is Completed, but only 3 of 4 CSI snapshots completed; look at its log"),
        ),
        (
            json!({"phase": "PartiallyFailed", "progress": items, "errors": 2, "hookStatus": {"hooksAttempted": 5, "hooksFailed": 1},
                   "volumeSnapshotsAttempted": 1, "backupItemOperationsFailed": 1}),
            failed(
                "ended as PartiallyFailed: 2 errors, 1 of 5 hooks failed, only 0 of 1 volume snapshot completed, 1 item \
                 operation failed; look at its log",
            ),
        ),
        (json!({"phase": "FailedValidation", "validationErrors": ["a", "b"]}), failed("was refused by Velero: a, b")),
        (json!({"phase": "Deleting"}), failed("is being deleted")),
        (
            json!({"phase": "Failed", "failureReason": "no space left"}),
            failed("ended as Failed: no space left; look at its log"),
        ),
    ] {
        assert_eq!(judge_backup(&backup(status.clone())).outcome, wanted, "{status}");
    }
}

#[test]
fn restores() {
    let items = json!({"totalItems": 40, "itemsRestored": 40});
    for (status, wanted) in [
        (json!({"phase": "New"}), pending("not taken up by Velero yet (New)")),
        (
            json!({"phase": "InProgress", "progress": {"totalItems": 40, "itemsRestored": 12}}),
            pending("InProgress, 12 of 40 items"),
        ),
        (
            json!({"phase": "WaitingForPluginOperationsPartiallyFailed", "progress": items}),
            pending("WaitingForPluginOperationsPartiallyFailed, 40 of 40 items; it will end as PartiallyFailed"),
        ),
        (json!({"phase": "Completed", "progress": items, "warnings": 7}), Outcome::Succeeded),
        (
            json!({"phase": "Completed"}),
            failed(
                "ended as Completed, but restored nothing: no item of the backup matched; look at its namespaces, \
                 resources and selectors",
            ),
        ),
        (
            json!({"phase": "PartiallyFailed", "progress": items, "errors": 1, "restoreItemOperationsFailed": 2}),
            failed("ended as PartiallyFailed: 1 error; 2 failed item operations; look at its results"),
        ),
        (
            json!({"phase": "FailedValidation", "validationErrors": ["backup \"b\" not found"]}),
            failed("was refused by Velero: backup \"b\" not found"),
        ),
        (
            json!({"phase": "Failed", "failureReason": RESTARTED}),
            Outcome::Failed { why: format!("ended as Failed: {RESTARTED}; look at its log"), retriable: true },
        ),
    ] {
        assert_eq!(judge_restore(&restore(status.clone()), &RestorePolicy::default()).outcome, wanted, "{status}");
    }
    let lenient = RestorePolicy { allow_partial: true, allow_empty: true, allow_kept: true };
    for status in [json!({"phase": "Completed"}), json!({"phase": "PartiallyFailed", "progress": items})] {
        assert_eq!(judge_restore(&restore(status), &lenient).outcome, Outcome::Succeeded);
    }
}

#[test]
fn facts_for_evidence() {
    let judged = judge_restore(
        &restore(json!({
            "phase": "PartiallyFailed", "errors": 1, "warnings": 3, "startTimestamp": "2026-11-21T02:00:00Z",
            "completionTimestamp": "2026-11-21T02:09:00Z", "progress": {"totalItems": 40, "itemsRestored": 39}
        })),
        &RestorePolicy::default(),
    );
    assert_eq!(
        judged.facts,
        json!({
            "name": "r", "phase": "PartiallyFailed", "startedAt": "2026-11-21T02:00:00Z",
            "completedAt": "2026-11-21T02:09:00Z", "items": 39, "itemsTotal": 40, "errors": 1, "warnings": 3,
            "hooksFailed": 0, "failureReason": null, "validationErrors": [], "backup": "b", "itemOperationsFailed": 0
        })
    );
    let judged = judge_backup(&backup(json!({"phase": "Completed", "expiration": "2026-12-21T02:00:00Z"})));
    assert_eq!(judged.facts["expiresAt"], "2026-12-21T02:00:00Z");
    assert_eq!(judged.facts["storageLocation"], "default");
    assert_eq!(judge_backup(&backup(json!({}))).facts["phase"], Value::Null);
}

#[test]
fn results_of_a_restore() {
    let results = read_results(&json!({
        "errors": {"velero": ["no bucket"], "namespaces": {"shop": ["error restoring pods/shop/a: denied"]}},
        "warnings": {
            "cluster": ["could not restore, ClusterRole \"app\" already exists. Warning: the in-cluster version is different than the backed-up version"],
            "namespaces": {"shop": [
                "could not restore, ConfigMap:app already exists. Warning: the in-cluster version is different than the backed-up version",
                "could not restore, ClusterRole:system:node already exists. Warning: the in-cluster version is different than the backed-up version",
                "some other warning", 7
            ]}
        }
    }));
    assert_eq!(results.errors.len(), 2);
    assert_eq!(results.errors[1].scope, Scope::Namespace("shop".to_owned()));
    assert_eq!(results.warnings.len(), 4);
    let names: Vec<String> = results.kept.iter().map(Kept::describe).collect();
    assert_eq!(names, ["ClusterRole app", "ConfigMap shop/app", "ClusterRole shop/system:node"]);
    assert_eq!(
        judge_results(&results, &RestorePolicy::default()),
        failed(
            "Velero kept 3 objects that were in the cluster before and differ from the backup: ClusterRole app, \
             ConfigMap shop/app, ClusterRole shop/system:node; delete them before, restore with existingResourcePolicy \
             update, or allow it"
        )
    );
    let lenient = RestorePolicy { allow_kept: true, ..RestorePolicy::default() };
    assert_eq!(judge_results(&results, &lenient), Outcome::Succeeded);
    assert_eq!(
        results.facts(1),
        json!({
            "errors": 2, "warnings": 4, "kept": names, "firstErrors": ["no bucket"],
            "firstWarnings": ["could not restore, ClusterRole \"app\" already exists. Warning: the in-cluster version is different than the backed-up version"]
        })
    );
    for nothing in [json!({}), json!(null), json!({"errors": {}, "warnings": {"namespaces": null}})] {
        assert_eq!(read_results(&nothing), Results::default());
        assert_eq!(judge_results(&read_results(&nothing), &RestorePolicy::default()), Outcome::Succeeded);
    }
}

#[test]
fn recovery_points_and_their_age() {
    let started = json!({"startTimestamp": "2026-11-20T09:57:00Z", "completionTimestamp": "2026-11-21T11:00:00Z"});
    let point = recovery_point(&backup(started)).unwrap();
    assert_eq!(recovery_point(&backup(json!({"completionTimestamp": "2026-11-21T11:00:00Z"}))), None);
    let now = at("2026-11-21T12:00:00Z");
    let late = freshness("nightly-20261120095700", point, Duration::from_secs(3_600), now);
    assert_eq!(
        (late.met, late.message.as_str()),
        (false, "backup nightly-20261120095700 started 26 h 3 m ago; the objective is 1 h")
    );
    let exact = freshness("b", point, late.age, now);
    assert!(exact.met);
}
