//! Which backup is taken, and why not the others.

use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-21T12:00:00Z";

fn nightly(name: &str, started: &str, status: Value) -> Value {
    let mut object = backup(json!({
        "phase": "Completed", "startTimestamp": started, "completionTimestamp": started,
        "expiration": "2026-12-21T00:00:00Z"
    }));
    object["metadata"]["name"] = name.into();
    object["metadata"]["labels"] = json!({SCHEDULE: "nightly"});
    for (key, value) in status.as_object().unwrap() {
        object["status"][key] = value.clone();
    }
    object
}

fn locations(phase: &str) -> Vec<Value> {
    vec![json!({"metadata": {"name": "default"}, "status": {"phase": phase, "message": "AccessDenied"}})]
}

fn wanted() -> Wanted<'static> {
    Wanted {
        name: None,
        schedule: None,
        namespaces: &[],
        max_age: None,
        allow_partial: false,
        now: at(NOW),
        expires_after: at("2026-11-21T20:00:00Z"),
    }
}

fn two() -> Vec<Value> {
    vec![
        nightly("nightly-20", "2026-11-20T02:00:00Z", json!({})),
        nightly("nightly-21", "2026-11-21T02:00:00Z", json!({})),
    ]
}

#[test]
fn the_newest_by_start_and_not_by_name() {
    let mut backups = two();
    backups.push(nightly("zzz", "2026-11-19T02:00:00Z", json!({"completionTimestamp": "2026-11-21T11:59:00Z"})));
    let chosen = choose(&backups, &locations("Available"), &wanted()).unwrap();
    assert_eq!(
        chosen,
        Chosen {
            name: "nightly-21".to_owned(),
            started_at: at("2026-11-21T02:00:00Z"),
            completed_at: Some(at("2026-11-21T02:00:00Z")),
            expires_at: Some(at("2026-12-21T00:00:00Z")),
            schedule: Some("nightly".to_owned()),
            storage_location: "default".to_owned(),
            why: "the newest usable one; it started 10 h ago".to_owned(),
            passed_over: Vec::new(),
        }
    );
}

#[test]
fn why_one_cannot_be_used() {
    let mut deleting = nightly("n", "2026-11-21T11:00:00Z", json!({}));
    deleting["metadata"]["deletionTimestamp"] = NOW.into();
    let mut elsewhere = nightly("n", "2026-11-21T11:00:00Z", json!({}));
    elsewhere["spec"]["storageLocation"] = "other".into();
    let of = |status: Value| nightly("n", "2026-11-21T11:00:00Z", status);
    for (newest, why) in [
        (deleting, "is being deleted"),
        (elsewhere, "cannot be read: its storage location `other` does not exist here"),
        (of(json!({"phase": "InProgress"})), "has not ended (InProgress)"),
        (of(json!({"phase": "Finalizing"})), "has not ended (Finalizing)"),
        (of(json!({"phase": null})), "has not ended (no phase)"),
        (of(json!({"phase": "Deleting"})), "is being deleted"),
        (of(json!({"phase": "PartiallyFailed", "errors": 3})), "ended as PartiallyFailed"),
        (of(json!({"phase": "Failed", "failureReason": "no space left"})), "ended as Failed (no space left)"),
        (of(json!({"phase": "FailedValidation", "validationErrors": ["x"]})), "ended as FailedValidation (x)"),
        (of(json!({"expiration": "2026-11-21T09:00:00Z"})), "expired 3 h ago"),
        (of(json!({"expiration": "2026-11-21T12:20:00Z"})), "expires in 20 m, while it may still be needed"),
        (of(json!({"startTimestamp": null})), "does not say when it started"),
        (of(json!({"hookStatus": {"hooksAttempted": 2, "hooksFailed": 1}})), "is Completed, but 1 of 2 hooks failed"),
        (
            of(json!({"csiVolumeSnapshotsAttempted": 2, "csiVolumeSnapshotsCompleted": 1})),
            "is Completed, but only 1 of 2 CSI snapshots completed",
        ),
        (of(json!({"backupItemOperationsFailed": 1})), "is Completed, but 1 item operation failed"),
    ] {
        // Alone it is refused, by name as well; with older ones these are taken.
        let alone = std::slice::from_ref(&newest);
        let refused = choose(alone, &locations("Available"), &wanted()).unwrap_err();
        assert_eq!(refused.message, format!("of 1 backup none can be used: n {why}"));
        assert_eq!(refused.passed_over, [("n".to_owned(), why.to_owned())]);
        let mut all = two();
        all.push(newest);
        let named = Wanted { name: Some("n"), ..wanted() };
        let refused = choose(&all, &locations("Available"), &named).unwrap_err();
        assert_eq!(refused.message, format!("backup n cannot be used: it {why}"));
        let chosen = choose(&all, &locations("Available"), &wanted()).unwrap();
        assert_eq!(chosen.name, "nightly-21");
        if why == "does not say when it started" {
            assert_eq!(chosen.passed_over, [], "it is the oldest, for all that is known");
        } else {
            assert_eq!(chosen.passed_over, [("n".to_owned(), why.to_owned())]);
            assert_eq!(chosen.why, "the newest usable one; it started 10 h ago; 1 newer one cannot be used");
        }
    }
}

#[test]
fn partial_ones_only_when_they_are_allowed() {
    let backups = [nightly("p", "2026-11-21T11:00:00Z", json!({"phase": "PartiallyFailed", "errors": 3}))];
    let chosen = choose(&backups, &locations("Available"), &Wanted { allow_partial: true, ..wanted() }).unwrap();
    assert_eq!(chosen.why, "the newest usable one; it started 1 h ago; it lacks: 3 errors");
}

#[test]
fn namespaces_must_be_in_it() {
    let mut backups = two();
    backups[1]["spec"]["includedNamespaces"] = json!(["shop"]);
    let names = ["shop".to_owned(), "payments".to_owned()];
    let chosen = choose(&backups, &locations("Available"), &Wanted { namespaces: &names, ..wanted() }).unwrap();
    assert_eq!(chosen.name, "nightly-20");
    assert_eq!(chosen.passed_over, [("nightly-21".to_owned(), "was not made of payments".to_owned())]);
}

#[test]
fn schedules_and_names() {
    let backups = two();
    let by = |schedule, name| choose(&backups, &locations("Available"), &Wanted { name, schedule, ..wanted() });
    let chosen = by(Some("nightly"), None).unwrap();
    assert_eq!(chosen.why, "the newest usable one of schedule nightly; it started 10 h ago");
    let chosen = by(None, Some("nightly-20")).unwrap();
    assert_eq!(chosen.why, "named by the runbook or its inputs; it started 34 h ago");
    assert_eq!(chosen.passed_over, []);
    for (schedule, name, message) in [
        (
            Some("hourly"),
            None,
            "there is no backup of schedule hourly (2 other backups); a bucket is read once a minute; was it read already?",
        ),
        (
            None,
            Some("nightly-19"),
            "there is no backup nightly-19 (2 other backups); a bucket is read once a minute; was it read already?",
        ),
        (
            Some("hourly"),
            Some("nightly-20"),
            "there is no backup nightly-20 of schedule hourly (2 other backups); a bucket is read once a minute; was it \
             read already?",
        ),
    ] {
        assert_eq!(by(schedule, name).unwrap_err().message, message);
    }
}

#[test]
fn locations_must_be_available() {
    let why = "storage location `default` is Unavailable: AccessDenied";
    let refused = choose(&two(), &locations("Unavailable"), &wanted()).unwrap_err();
    assert_eq!(
        refused.message,
        format!("of 2 backups none can be used: nightly-21 cannot be read: {why}; nightly-20 cannot be read: {why}")
    );
    let refused =
        choose(&two()[..1], &locations("Unavailable"), &Wanted { schedule: Some("nightly"), ..wanted() }).unwrap_err();
    assert_eq!(
        refused.message,
        format!("of 1 backup of schedule nightly none can be used: nightly-20 cannot be read: {why}")
    );
    let refused = choose(&[], &locations("Unavailable"), &wanted()).unwrap_err();
    assert_eq!(refused.message, format!("there is no backup (0 other backups); {why}"));
    let refused = choose(&[], &[], &wanted()).unwrap_err();
    assert_eq!(
        refused.message,
        "there is no backup (0 other backups); there is no BackupStorageLocation, so no bucket is read"
    );
}

#[test]
fn one_that_is_too_old_is_not_replaced_by_an_older_one() {
    let objective = Some(Duration::from_secs(3_600));
    for (name, which) in [(None, "newest usable backup"), (Some("nightly-21"), "backup")] {
        let refused =
            choose(&two(), &locations("Available"), &Wanted { max_age: objective, name, ..wanted() }).unwrap_err();
        assert_eq!(refused.message, format!("{which} nightly-21 started 10 h ago; the objective is 1 h"));
    }
}
