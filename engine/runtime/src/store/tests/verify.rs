//! Whatever is changed in a run's directory is found, and its record is named.

use std::fs;

use lifeboat_core::evidence::{
    chain::digest,
    event::Artifact,
    verify::{Fault, Notice, Problem},
};
use serde_json::json;
use tempfile::TempDir;

use super::{begun, event, finished, timed, who};
use crate::store::{RunDir, StoreError, verify_run};

/// A finished and sealed run with one artifact, named twice.
fn whole() -> (TempDir, RunDir, Artifact) {
    let (directory, run, mut opened) = begun();
    let artifact = run.artifacts().put("stdout", b"restored 3 orders\n").unwrap().unwrap();
    let start = |step: &str| {
        event(json!({"event": "action-started", "step": step, "task": "do", "attempt": 1, "order": {}, "timeoutMs": 1}))
    };
    let end = |step: &str| {
        event(json!({"event": "action-finished", "step": step, "task": "do", "attempt": 1, "outcome": "succeeded",
            "durationMs": 1, "result": {}, "artifacts": [artifact]}))
    };
    let events = [start("restore"), end("restore"), start("check"), end("check"), finished()];
    opened.log.append(timed(events)).unwrap();
    opened.log.seal().unwrap();
    drop(opened);
    (directory, run, artifact)
}

fn problems(run: &RunDir) -> Vec<Problem> {
    verify_run(run).unwrap().problems
}

#[test]
fn a_whole_run_holds() {
    let (_directory, run, _) = whole();
    let report = verify_run(&run).unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(report.notices, [Notice::Unsigned]);
    assert_eq!((report.records, report.finished, report.artifacts.len()), (7, true, 2));
}

#[test]
fn a_changed_artifact_names_every_record_that_relies_on_it() {
    let (_directory, run, artifact) = whole();
    let path = run.artifacts().path(&artifact);
    let bytes = fs::read(&path).unwrap();
    let replace = |bytes: &[u8]| {
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
    };
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x01;
        replace(&changed);
        let problems = problems(&run);
        assert_eq!(problems.len(), 2);
        let text = problems[0].to_string();
        assert!(text.starts_with("record 4 (action-finished restore, line 4, byte "), "{text}");
        assert!(text.contains(" (stdout) was changed: expected 18 bytes with SHA-256 "), "{text}");
        assert_eq!(problems[1].at.as_ref().unwrap().what, "action-finished check");
    }
    replace(&bytes[1..]);
    assert!(matches!(problems(&run)[0].fault, Fault::FileChanged { found_bytes: 17, .. }));
    fs::remove_file(&path).unwrap();
    assert!(matches!(problems(&run)[1].fault, Fault::FileMissing { .. }));
    fs::create_dir(&path).unwrap();
    assert!(matches!(problems(&run)[0].fault, Fault::FileUnreadable { .. }));
}

#[test]
fn a_changed_runbook_or_plan_is_found() {
    let (_directory, run, _) = whole();
    let path = run.runbook().join("db/promote.yaml");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, b"kind: Runbook # DB\n").unwrap();
    let text = problems(&run)[0].to_string();
    assert!(text.starts_with("record 1 (run-created, line 1, byte 0): `runbook/db/promote.yaml` "), "{text}");
    fs::remove_file(&path).unwrap();
    assert!(matches!(problems(&run)[0].fault, Fault::FileMissing { .. }));
    fs::write(&path, bytes).unwrap();
    fs::write(run.runbook().join("more.yaml"), b"").unwrap();
    assert_eq!(problems(&run)[0].fault, Fault::FileAdded { path: "runbook/more.yaml".into() });
    fs::remove_file(run.runbook().join("more.yaml")).unwrap();
    fs::write(run.plan_path(), b"{ }\n").unwrap();
    let text = problems(&run)[0].to_string();
    assert!(text.contains("`plan.json` (the plan) was changed: expected bytes with SHA-256 "), "{text}");
    fs::remove_file(run.plan_path()).unwrap();
    assert!(matches!(problems(&run)[0].fault, Fault::FileMissing { .. }));
}

#[test]
fn every_changed_byte_of_log_and_head_is_found() {
    let (_directory, run, _) = whole();
    for path in [run.log_path(), run.head()] {
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x01;
            fs::write(&path, &changed).unwrap();
            assert!(!verify_run(&run).unwrap().holds(), "{path:?} {at}");
        }
        fs::write(&path, &bytes).unwrap();
    }
    fs::remove_file(run.head()).unwrap();
    assert_eq!(problems(&run)[0].fault, Fault::HeadMissing { last: 7 });
    fs::write(run.head(), b"").unwrap();
    assert!(matches!(problems(&run)[..], [Problem { fault: Fault::HeadUnreadable { .. }, .. }]));
}

#[test]
fn an_artifacts_name_cannot_lead_out_of_its_directory() {
    let (_directory, run, mut opened) = begun();
    fs::write(run.path().join("outside"), b"x").unwrap();
    let events = [
        json!({"event": "action-started", "step": "a", "task": "do", "attempt": 1, "order": {}, "timeoutMs": 1}),
        json!({"event": "action-finished", "step": "a", "task": "do", "attempt": 1, "outcome": "succeeded",
            "durationMs": 1, "result": {}, "artifacts": [{"name": "x", "sha256": "../outside", "bytes": 1}]}),
    ];
    opened.log.append(timed(events.map(event))).unwrap();
    assert!(matches!(problems(&run)[0].fault, Fault::NotADigest { .. }));
}

#[test]
fn what_else_an_auditor_should_know_is_told() {
    let (directory, run, mut opened) = begun();
    let stray = run.artifacts().put("never recorded", b"x").unwrap().unwrap();
    fs::write(run.path().join("torn-99"), b"x").unwrap();
    fs::write(run.signature(), b"x").unwrap();
    opened.log.seal().unwrap();
    drop(opened);
    let report = verify_run(&run).unwrap();
    assert!(report.holds());
    let path = format!("artifacts/{}", digest(b"x"));
    assert_eq!(stray.sha256, digest(b"x"));
    let torn = Notice::TornSide { path: "torn-99".into() };
    assert_eq!(report.notices, [Notice::Unreferenced { path }, torn, Notice::SignatureNotChecked]);
    let copy = directory.path().join("copy");
    fs::rename(run.path(), &copy).unwrap();
    let report = verify_run(&RunDir::open(&copy).unwrap()).unwrap();
    assert!(matches!(report.notices.last(), Some(Notice::OtherName { .. })));
}

#[test]
fn verifying_takes_no_lock_and_changes_nothing() {
    let (_directory, run, opened) = begun();
    let before = fs::metadata(run.path()).unwrap().modified().unwrap();
    assert!(verify_run(&run).unwrap().holds());
    assert_eq!(fs::metadata(run.path()).unwrap().modified().unwrap(), before);
    drop(opened);
    drop(run.take(&who()).unwrap());
    fs::remove_file(run.log_path()).unwrap();
    assert!(matches!(verify_run(&run), Err(StoreError::Io { .. })));
}
