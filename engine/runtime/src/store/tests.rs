//! The store on a real file system.

mod log;
mod verify;

use std::{fs, io::Write, os::unix::fs::PermissionsExt, path::Path};

use jiff::Timestamp;
use lifeboat_core::evidence::{Event, chain::digest};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Holder, Opened, RunDir, Store, StoreError, run_id};

pub(super) const ID: &str = "20261121t022028z-quickstart-7f3a";

pub(super) fn event(value: Value) -> Event {
    serde_json::from_value(value).unwrap()
}

pub(super) fn created() -> Event {
    event(json!({"event": "run-created", "format": 1, "engine": "0.1.0", "run": ID, "mode": "drill",
        "runbook": {"name": "quickstart", "title": "Quick start", "owner": "team", "capability": "orders",
            "path": "quickstart.yaml", "commit": null, "dirty": null, "digests": {
                "quickstart.yaml": digest(b"kind: Runbook\n"), "db/promote.yaml": digest(b"kind: Runbook # db\n")}},
        "planDigest": digest(b"{}\n"), "steps": 1, "inputs": {}, "objectives": {"rpo": "5m", "rto": "2m"},
        "level": "L2", "outageAt": null, "detectedAt": null, "declaredAt": null, "host": "ops-1", "user": "alice",
        "directory": "/srv"}))
}

pub(super) fn engine() -> Event {
    event(json!({"event": "engine-started", "pid": 1, "host": "ops-1", "user": "alice", "engine": "0.1.0",
        "attended": false, "parallel": 8}))
}

pub(super) fn paused(reason: &str) -> Event {
    event(json!({"event": "run-paused", "reason": reason}))
}

pub(super) fn finished() -> Event {
    event(json!({"event": "run-finished", "verdict": "failed", "exitCode": 1, "reason": "test", "objectives": {
        "rto": {"targetMs": 1, "actualMs": null, "met": null, "split": {}},
        "rpo": {"targetMs": 1, "actualMs": null, "met": null, "step": null}}}))
}

pub(super) fn who() -> Holder {
    Holder { pid: 4711, host: "ops-1".into(), user: "alice".into() }
}

/// Events with times.
pub(super) fn timed(events: impl IntoIterator<Item = Event>) -> Vec<(Event, Timestamp, u64)> {
    let at: Timestamp = "2026-11-21T02:20:28.123456Z".parse().unwrap();
    events.into_iter().map(|event| (event, at, 7)).collect()
}

/// A new run with its runbook and plan.
pub(super) fn new_run() -> (TempDir, RunDir) {
    let directory = TempDir::new().unwrap();
    let run = RunDir::create(&Store::new(directory.path().join("store")), ID).unwrap();
    run.freeze(&[("quickstart.yaml", "kind: Runbook\n"), ("db/promote.yaml", "kind: Runbook # db\n")]).unwrap();
    run.write_plan(b"{}\n").unwrap();
    (directory, run)
}

/// The same, taken, with its first two records.
pub(super) fn begun() -> (TempDir, RunDir, Opened) {
    let (directory, run) = new_run();
    let mut opened = run.take(&who()).unwrap();
    opened.log.append(timed([created(), engine()])).unwrap();
    (directory, run, opened)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn ids_sort_by_time_and_are_file_names() {
    let at: Timestamp = "2026-11-21T02:20:28.9Z".parse().unwrap();
    assert_eq!(run_id(at, "quickstart", 0x1_7f3a), ID);
    let long = run_id(at, "case-management-region-failover-to-the-north", 1);
    assert_eq!(long, "20261121t022028z-case-management-region-failover-0001");
    assert_eq!(run_id(at, "../Ü x/", 1), "20261121t022028z-x-0001");
    assert_eq!(run_id(at, "…", 1), "20261121t022028z-run-0001");
    assert!(run_id(at, "z", 0xffff) < run_id(at + jiff::SignedDuration::from_secs(1), "a", 0));
}

#[test]
fn a_run_is_for_its_owner_only_and_is_never_overwritten() {
    let (directory, run) = new_run();
    let store = Store::new(directory.path().join("store"));
    for path in [store.root(), &store.runs(), run.path(), &run.inbox(), &run.runbook(), run.artifacts().directory()] {
        assert_eq!(mode(path), 0o700, "{path:?}");
    }
    for path in [run.log_path(), run.plan_path(), run.runbook().join("db/promote.yaml")] {
        assert_eq!(mode(&path), 0o600, "{path:?}");
    }
    assert!(matches!(RunDir::create(&store, ID), Err(StoreError::RunExists { .. })));
    for id in ["", "..", "a/b", "A", "@latest"] {
        assert!(matches!(RunDir::create(&store, id), Err(StoreError::BadId { .. })), "{id}");
    }
    assert_eq!(RunDir::open(run.path()).unwrap(), run);
    assert!(matches!(RunDir::open(store.root()), Err(StoreError::NotARun { .. })));
}

#[test]
fn runs_are_found_by_id_prefix_and_latest() {
    let directory = TempDir::new().unwrap();
    let store = Store::new(directory.path().join("deep/store"));
    assert_eq!(store.list().unwrap(), []);
    assert!(matches!(store.find("@latest"), Err(StoreError::NoRuns { .. })));
    let ids = ["20260101t000000z-a-0000", "20260101t000000z-a-0000-b", "20260301t000000z-b-0000"];
    for id in [ids[2], ids[0], ids[1]] {
        RunDir::create(&store, id).unwrap();
    }
    // What an engine left that died while it made a run is no run.
    fs::create_dir(store.runs().join("20270101t000000z-half-0000")).unwrap();
    let found: Vec<String> = store.list().unwrap().into_iter().map(|run| run.id).collect();
    assert_eq!(found, ids);
    let find = |name: &str| store.find(name).map(|run| run.id);
    assert_eq!(find("@latest").unwrap(), ids[2]);
    assert_eq!(find("202603").unwrap(), ids[2]);
    assert_eq!(find(ids[0]).unwrap(), ids[0], "a whole id wins over a longer one that begins with it");
    for (name, why) in [("202601", "the ids of 2 begin with"), ("2025", "or one that begins so"), ("", "begins so")] {
        let error = find(name).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        let help = miette::Diagnostic::help(&error).unwrap().to_string();
        assert!(help.contains(ids[1]), "{help}");
    }
}

#[test]
fn the_runbook_is_frozen_and_read_back() {
    let (_directory, run) = new_run();
    let frozen = run.frozen().unwrap();
    let expected = [("db/promote.yaml", "kind: Runbook # db\n"), ("quickstart.yaml", "kind: Runbook\n")];
    assert_eq!(frozen, expected.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())));
    assert_eq!(run.plan().unwrap(), b"{}\n");
    assert!(run.freeze(&[("quickstart.yaml", "other")]).is_err(), "frozen is frozen");
    for name in ["", "../x", "/etc/x", "a/../../x", "a//b", "./a", "a/", "a\0b"] {
        assert!(matches!(run.freeze(&[(name, "")]), Err(StoreError::BadFileName { .. })), "{name:?}");
    }
}

#[test]
fn artifacts_are_kept_by_content() {
    let (_directory, run) = new_run();
    let artifacts = run.artifacts();
    let names = || fs::read_dir(artifacts.directory()).unwrap().count();
    let mut spool = artifacts.spool().unwrap();
    spool.write_all(b"hello ").unwrap();
    spool.write_all(b"world").unwrap();
    assert_eq!(spool.bytes(), 11);
    let first = spool.finish("stdout").unwrap().unwrap();
    assert_eq!((&*first.name, &*first.sha256, first.bytes), ("stdout", &*digest(b"hello world"), 11));
    assert_eq!(fs::read(artifacts.path(&first)).unwrap(), b"hello world");
    assert_eq!(mode(&artifacts.path(&first)), 0o400);
    // The same again is one file; nothing is none; what is dropped is gone.
    let again = artifacts.put("stderr", b"hello world").unwrap().unwrap();
    assert_eq!((again.sha256, names()), (first.sha256.clone(), 1));
    assert_eq!(artifacts.put("empty", b"").unwrap(), None);
    let mut spool = artifacts.spool().unwrap();
    spool.write_all(b"never finished").unwrap();
    drop(spool);
    assert_eq!(names(), 1);
    // A file of that name that cannot be it is replaced.
    fs::remove_file(artifacts.path(&first)).unwrap();
    fs::write(artifacts.path(&first), b"hello").unwrap();
    artifacts.put("stdout", b"hello world").unwrap();
    assert_eq!(fs::read(artifacts.path(&first)).unwrap(), b"hello world");
}

#[test]
fn what_a_dead_engine_did_not_finish_is_removed_by_the_next() {
    let (_directory, run) = new_run();
    let left = [run.artifacts().directory().join(".tmp-abc"), run.path().join(".tmp-head")];
    for path in &left {
        fs::write(path, b"half").unwrap();
    }
    drop(run.take(&who()).unwrap());
    assert!(left.iter().all(|path| !path.exists()));
}
