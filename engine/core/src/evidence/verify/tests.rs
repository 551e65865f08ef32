//! Every way to change a log that we could think of, tried on every byte and line of one.

mod bytes;
mod order;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Fault, Head, Notice, Report, Verifier, verify_log};
use crate::evidence::{
    Event, Record, Stamp,
    chain::{GENESIS, digest},
};

pub(super) fn event(value: Value) -> Event {
    serde_json::from_value(value).unwrap()
}

pub(super) fn created() -> Event {
    event(json!({"event": "run-created", "format": 1, "engine": "0.1.0", "run": "20261121t022028z-quickstart-7f3a",
        "mode": "drill", "runbook": {"name": "quickstart", "title": "Übung: “quick” start", "owner": "team",
            "capability": "orders", "path": "runbooks/quickstart.yaml", "commit": null, "dirty": true,
            "digests": {"quickstart.yaml": digest(b"kind: Runbook\n")}},
        "planDigest": digest(b"{}"), "steps": 2, "inputs": {"ratio": {"value": 0.1}, "password": {"secret": true}},
        "objectives": {"rpo": "5m", "rto": "2m"}, "level": "L2", "outageAt": null, "detectedAt": null,
        "declaredAt": null, "host": "ops-1", "user": "alice", "directory": "/srv"}))
}

pub(super) fn engine() -> Event {
    event(json!({"event": "engine-started", "pid": 1, "host": "ops-1", "user": "alice", "engine": "0.1.0",
        "attended": false, "parallel": 8, "tornBytes": 0}))
}

pub(super) fn started(step: &str, task: &str, attempt: u32) -> Event {
    event(json!({"event": "action-started", "step": step, "task": task, "attempt": attempt,
        "order": {"kind": "process", "argv": ["true"]}, "timeoutMs": 600_000}))
}

pub(super) fn ended(step: &str, task: &str, attempt: u32, outcome: &str) -> Event {
    event(json!({"event": "action-finished", "step": step, "task": task, "attempt": attempt, "outcome": outcome,
        "durationMs": 12, "result": {"exitCode": 0, "json": {"load": 0.3, "big": 18_446_744_073_709_551_615_u64}},
        "artifacts": [{"name": "stdout", "sha256": digest(step.as_bytes()), "bytes": step.len()}]}))
}

pub(super) fn succeeded(step: &str) -> Event {
    event(json!({"event": "step-succeeded", "step": step, "durationMs": 15}))
}

pub(super) fn finished(verdict: &str, code: u8) -> Event {
    event(json!({"event": "run-finished", "verdict": verdict, "exitCode": code, "reason": "done", "objectives": {
        "rto": {"targetMs": 120_000, "actualMs": 1_500, "met": true, "split": {"restore": 1_500}},
        "rpo": {"targetMs": 300_000, "actualMs": 250, "met": true, "step": "restore"}}}))
}

/// A run in which all goes well.
pub(super) fn good() -> Vec<(Event, u64)> {
    let check = json!({"event": "check-passed", "step": "restore", "task": "do", "check": 0, "name": "data is there",
        "tries": 1, "durationMs": 3, "observed": {"stdout": "a\n\"b\"\u{7f}\u{2028} 🚑", "share": 1e-7}});
    let stopped = json!({"event": "engine-stopped", "reason": "told to", "exitCode": 143});
    let wait = json!({"event": "step-unknown", "step": "shift", "task": "do", "attempt": 1});
    let known = json!({"event": "unknown-resolved", "step": "shift", "task": "do", "way": "verification",
        "outcome": "done"});
    let refused = json!({"event": "act", "act": "pause", "who": "alice", "how": "terminal", "accepted": false,
        "refusal": "there is nothing left to pause"});
    vec![
        (created(), 1),
        (engine(), 1),
        (event(json!({"event": "preflight-finished", "passed": true, "findings": []})), 1),
        (started("restore", "do", 1), 1),
        (ended("restore", "do", 1, "succeeded"), 1),
        (event(check), 1),
        (succeeded("restore"), 1),
        (started("shift", "do", 1), 1),
        (event(stopped), 1),
        (engine(), 2),
        (event(wait), 2),
        (event(known), 2),
        (succeeded("shift"), 2),
        (event(refused), 2),
        (finished("succeeded", 0), 2),
    ]
}

/// The lines of a log with these events and tokens.
pub(super) fn lines(events: &[(Event, u64)]) -> Vec<Vec<u8>> {
    let mut prev = GENESIS.to_owned();
    let start: Timestamp = "2026-11-21T02:20:28.123456Z".parse().unwrap();
    let line = |(seq, (event, token)): (u64, &(Event, u64))| {
        let at = start + jiff::SignedDuration::from_millis(i64::try_from(seq).unwrap() * 7);
        let stamp = Stamp { seq, at, elapsed_ms: seq * 7, token: *token, prev: prev.clone() };
        let line = Record { stamp, event: event.clone() }.to_line().unwrap();
        prev = digest(&line);
        line
    };
    (1..).zip(events).map(line).collect()
}

fn head(lines: &[Vec<u8>]) -> Head {
    Head { seq: lines.len() as u64, hash: digest(lines.last().unwrap()) }
}

fn named(report: &Report) -> Option<u64> {
    report.problems.first().and_then(|problem| problem.at.as_ref()).map(|place| place.seq)
}

#[test]
fn a_good_log_holds() {
    let lines = lines(&good());
    let report = verify_log(&lines.concat(), Some(&head(&lines)));
    assert_eq!(report.problems, []);
    assert_eq!(report.notices, [Notice::Unsigned]);
    assert_eq!((report.records, report.finished), (15, true));
    assert_eq!(report.last, Some(head(&lines)));
    assert_eq!(report.artifacts.len(), 1);
    assert_eq!(report.artifacts[0].at.what, "action-finished restore");
    assert_eq!(report.artifacts[0].at.seq, 5);
    assert_eq!(report.frozen["quickstart.yaml"], digest(b"kind: Runbook\n"));
    assert_eq!(report.plan_digest, Some(digest(b"{}")));
}

/// The report on a log whose lines before `at` are as they were: those are read once, by `before`.
fn rest(before: &Verifier, bytes: &[u8]) -> Report {
    let mut verifier = before.clone();
    bytes.split_inclusive(|&byte| byte == b'\n').for_each(|line| verifier.line(line));
    verifier.finish()
}

#[test]
fn every_changed_byte_is_found_at_its_record_or_the_next() {
    let lines = lines(&good());
    let mut before = Verifier::new(Some(head(&lines)));
    for (at, line) in lines.iter().enumerate() {
        let (seq, after) = (at as u64 + 1, lines[at + 1..].concat());
        for byte in 0..line.len() {
            for flip in [0x01, 0x02, 0x10, 0x20, 0x80] {
                let mut changed = line.clone();
                changed[byte] ^= flip;
                changed.extend(&after);
                let report = rest(&before, &changed);
                let found = named(&report).unwrap_or_default();
                assert!(found == seq || found == seq + 1, "record {seq} byte {byte} ^ {flip}: {:?}", report.problems);
            }
        }
        before.line(line);
    }
}

#[test]
fn every_inserted_or_removed_byte_is_found_at_its_record_or_the_next() {
    let lines = lines(&good());
    let mut before = Verifier::new(Some(head(&lines)));
    for (at, line) in lines.iter().enumerate() {
        let (seq, after) = (at as u64 + 1, lines[at + 1..].concat());
        for byte in 0..line.len() {
            for new in [Some(b' '), Some(b'0'), Some(b'\n'), Some(b'"'), None] {
                let middle = new.map_or(&line[byte + 1..], |_| &line[byte..]);
                let changed = [&line[..byte], new.as_slice(), middle, &after].concat();
                let found = named(&rest(&before, &changed)).unwrap_or_default();
                assert!(found == seq || found == seq + 1, "record {seq} byte {byte}: {new:?}: {found}");
            }
        }
        before.line(line);
    }
    // Behind the last line there is no record that could be named.
    assert!(!rest(&before, b" ").holds());
    assert!(!rest(&before, b"\n").holds());
}

#[test]
fn every_truncation_is_found() {
    let lines = lines(&good());
    let (head, bytes) = (head(&lines), lines.concat());
    for end in 0..bytes.len() {
        let report = verify_log(&bytes[..end], Some(&head));
        assert!(!report.holds(), "{end}");
        let whole = end == 0 || bytes[end - 1] == b'\n';
        match &report.problems.last().unwrap().fault {
            Fault::HeadPast { head: 15, .. } => assert!(whole, "{end}"),
            Fault::Torn { .. } => assert!(!whole, "{end}"),
            other => panic!("{end}: {other}"),
        }
    }
}

#[test]
fn every_removed_doubled_or_swapped_line_is_found() {
    let lines = lines(&good());
    let head = head(&lines);
    let find = |lines: &[Vec<u8>]| verify_log(&lines.concat(), Some(&head));
    for at in 0..lines.len() {
        let mut changed = lines.clone();
        changed.remove(at);
        assert!(!find(&changed).holds(), "removed {at}");
        if at + 1 < lines.len() {
            assert_eq!(named(&find(&changed)), Some(at as u64 + 1), "removed {at}");
        }
        let mut changed = lines.clone();
        changed.insert(at, lines[at].clone());
        assert_eq!(named(&find(&changed)), Some(at as u64 + 2), "doubled {at}");
        for other in at + 1..lines.len() {
            let mut changed = lines.clone();
            changed.swap(at, other);
            assert_eq!(named(&find(&changed)), Some(at as u64 + 1), "swapped {at} and {other}");
        }
    }
}

#[test]
fn a_rewritten_chain_is_found_at_the_head() {
    let old = lines(&good());
    let mut events = good();
    events[6].0 = event(json!({"event": "step-succeeded", "step": "restore", "durationMs": 14}));
    let new = lines(&events);
    let report = verify_log(&new.concat(), Some(&head(&old)));
    assert!(matches!(report.problems[0].fault, Fault::HeadHash { .. }), "{:?}", report.problems);
    assert_eq!(named(&report), Some(15));
}

#[test]
fn the_head_of_a_run() {
    let lines = lines(&good());
    let open = &lines[..9];
    // Not finished: records behind the head, or no head at all, are told and are no fault.
    let report = verify_log(&lines[..12].concat(), Some(&head(open)));
    assert!(report.holds());
    assert_eq!(report.notices, [Notice::Unsealed { from: 10, to: 12 }, Notice::Unsigned]);
    let report = verify_log(&open.concat(), None);
    assert!(report.holds());
    assert_eq!(report.notices[0], Notice::Unsealed { from: 1, to: 9 });
    // Finished: it must be there, and be the last.
    let report = verify_log(&lines.concat(), None);
    assert_eq!(report.problems[0].fault, Fault::HeadMissing { last: 15 });
    let report = verify_log(&lines.concat(), Some(&head(open)));
    assert_eq!(report.problems[0].fault, Fault::HeadNotLast { head: 9, last: 15 });
    let none = Head { seq: 0, hash: GENESIS.into() };
    assert_eq!(verify_log(&open.concat(), Some(&none)).problems[0].fault, Fault::HeadPast { head: 0, last: 9 });
    assert_eq!(verify_log(b"", None).problems[0].fault, Fault::Empty);
}

#[test]
fn every_changed_byte_of_the_head_is_found() {
    let lines = lines(&good());
    let bytes = head(&lines).to_line();
    assert_eq!(Head::from_line(&bytes), Ok(head(&lines)));
    for at in 0..bytes.len() {
        for flip in 1..=255 {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            if let Ok(changed) = Head::from_line(&changed) {
                assert_ne!(changed, head(&lines), "{at} ^ {flip}");
            }
        }
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let mut record: Record = serde_json::from_slice(&lines(&good())[0]).unwrap();
    if let Event::RunCreated(created) = &mut record.event {
        created.format = 2;
        created.engine = "3.1.0".into();
    }
    let fault = |line: &[u8]| verify_log(line, None).problems[0].fault.clone();
    let newer = Fault::NewerFormat { found: 2, engine: "3.1.0".into() };
    assert_eq!(fault(&record.to_line().unwrap()), newer);
    // Also when its first record is nothing that we know.
    assert_eq!(fault(b"{\"event\":\"run-created\",\"format\":2,\"engine\":\"3.1.0\",\"at\":[]}\n"), newer);
    assert!(newer.to_string().contains("use Lifeboat 3.1.0 or newer"), "{newer}");
}

#[test]
fn tokens_never_go_down_and_nothing_follows_the_end() {
    let mut events = good();
    events[10].1 = 1;
    let report = verify_log(&lines(&events).concat(), None);
    assert_eq!((named(&report), &report.problems[0].fault), (Some(11), &Fault::Token { before: 2, found: 1 }));
    let mut events = good();
    events.push((engine(), 3));
    let report = verify_log(&lines(&events).concat(), None);
    assert_eq!((named(&report), &report.problems[0].fault), (Some(16), &Fault::AfterFinish));
}

#[test]
fn a_clock_that_steps_is_told_and_is_no_fault() {
    let mut prev = GENESIS.to_owned();
    let mut verifier = Verifier::new(None);
    for (seq, at, elapsed_ms) in [(1, 1000, 0), (2, 400, 5), (3, 900, 4)] {
        let at = Timestamp::from_millisecond(at).unwrap();
        let event = [created(), engine(), started("restore", "do", 1)][seq - 1].clone();
        let stamp = Stamp { seq: seq as u64, at, elapsed_ms, token: 1, prev };
        let line = Record { stamp, event }.to_line().unwrap();
        prev = digest(&line);
        verifier.line(&line);
    }
    let report = verifier.finish();
    assert!(report.holds());
    assert_eq!(
        report.notices[1..3],
        [Notice::WallClockBack { times: 1, seq: 2, millis: 600 }, Notice::ElapsedBack { times: 1, seq: 3 }]
    );
}

#[test]
fn problems_read_like_sentences() {
    let lines = lines(&good());
    let mut changed = lines.clone();
    changed[4] = String::from_utf8(lines[4].clone()).unwrap().replace("\"durationMs\":12", "\"durationMs\":11").into();
    let report = verify_log(&changed.concat(), Some(&head(&lines)));
    let (byte, text) = (lines[..5].concat().len(), report.problems[0].to_string());
    assert!(
        text.starts_with(&format!("record 6 (check-passed restore, line 6, byte {byte}): its `prev` is ")),
        "{text}"
    );
    assert_eq!(serde_json::to_value(&report.problems[0]).unwrap()["fault"], "prev");
}
