//! Logs whose chain holds, but that no run can have written.

use serde_json::{Value, json};

use super::{super::verify_log, created, ended, engine, event, finished, good, lines, started, succeeded};
use crate::evidence::Event;

fn approval(event_name: &str, rest: Value) -> Event {
    let mut value = json!({"event": event_name, "step": "a", "task": "do", "gate": "approval"});
    if let (Value::Object(all), Value::Object(rest)) = (&mut value, rest) {
        all.extend(rest);
    }
    event(value)
}

fn asked(count: u32) -> Event {
    approval("approval-requested", json!({"by": "commander", "count": count, "expiresAt": null}))
}

fn given(who: &str) -> Event {
    approval("approval-given", json!({"who": who, "given": 1}))
}

fn simple(name: &str) -> Event {
    event(match name {
        "paused" => json!({"event": "run-paused", "reason": "asked"}),
        "continued" => json!({"event": "run-continued"}),
        "abort" => json!({"event": "abort-started", "reason": "asked", "undo": ["a"], "stays": []}),
        "undo" => json!({"event": "undo-started", "step": "a"}),
        "undone" => json!({"event": "undo-finished", "step": "a", "durationMs": 1}),
        "undo-failed" => json!({"event": "undo-failed", "step": "a", "reason": "no"}),
        "cleanup" => json!({"event": "cleanup-started", "steps": ["cleanup/x"]}),
        "unknown" => json!({"event": "step-unknown", "step": "a", "task": "do", "attempt": 1}),
        "again" => json!({"event": "unknown-resolved", "step": "a", "task": "do", "way": "idempotent",
            "outcome": "run-again"}),
        "stopped" => json!({"event": "engine-stopped", "reason": "told to", "exitCode": 143}),
        "skipped" => json!({"event": "step-skipped", "step": "a", "by": "person", "reason": "not needed"}),
        "accepted" => json!({"event": "step-succeeded", "step": "a", "durationMs": 1, "acceptedBy": "alice"}),
        "failed" => json!({"event": "step-failed", "step": "a", "reason": "no", "then": "pause"}),
        "retry" => json!({"event": "retry-scheduled", "step": "a", "task": "do", "attempt": 2, "delayMs": 1,
            "reason": "failed"}),
        "expired" => json!({"event": "approval-expired", "step": "a", "task": "do", "gate": "approval"}),
        "rpo" => {
            json!({"event": "approval-requested", "step": "a", "task": "do", "gate": "rpo", "by": null, "count": 1,
            "expiresAt": null})
        }
        "manual" => json!({"event": "action-started", "step": "a", "task": "do", "attempt": 1, "timeoutMs": 1,
            "order": {"kind": "manual", "instructions": "look"}}),
        "recheck" => json!({"event": "act", "act": "recheck", "step": "a", "who": "alice", "how": "terminal",
            "accepted": true}),
        "guard-bad" => {
            json!({"event": "guard-failing", "guard": "g", "reason": "no", "evaluated": true, "observed": null})
        }
        "guard-pauses" => json!({"event": "guard-tripped", "guard": "g", "then": "pause", "reason": "no",
            "evaluated": true, "failures": 1, "durationMs": 0}),
        "asked-to-pause" => json!({"event": "act", "act": "pause", "who": "alice", "how": "terminal",
            "accepted": true}),
        "not-paused" => json!({"event": "act", "act": "pause", "who": "alice", "how": "terminal",
            "accepted": false, "refusal": "there is nothing left to pause"}),
        "preflight-bad" => json!({"event": "preflight-finished", "passed": false, "findings": []}),
        "passed" | "check-failed" => {
            let mut check = json!({"event": "check-passed", "step": "a", "task": "do", "check": 0, "name": "n",
                "tries": 1, "durationMs": 1, "observed": null});
            if name == "check-failed" {
                check["event"] = json!("check-failed");
                check["expected"] = json!("true");
                check["reason"] = json!("no");
            }
            check
        }
        "control" | "control-bad" => json!({"event": "negative-control", "step": "a", "check": 0, "name": "n",
            "failedAsItMust": name == "control", "observed": null}),
        other => panic!("{other}"),
    })
}

/// The rule that a run breaks, which begins with a created run and its engine.
fn broken(events: &[Event]) -> Option<String> {
    let all: Vec<(Event, u64)> = [created(), engine()].iter().chain(events).map(|event| (event.clone(), 1)).collect();
    let report = verify_log(&lines(&all).concat(), None);
    let order = |problem: &super::super::Problem| match &problem.fault {
        super::Fault::Order { why } => Some(why.clone()),
        _ => None,
    };
    report.problems.iter().find_map(order)
}

fn run(words: &str) -> Vec<Event> {
    let word = |word: &str| match word {
        "start" => started("a", "do", 1),
        "start2" => started("a", "do", 2),
        "start-b" => started("b", "do", 1),
        "start-undo" => started("a", "undo", 1),
        "start-cleanup" => started("cleanup/x", "do", 1),
        "ok" => ended("a", "do", 1, "succeeded"),
        "ok2" => ended("a", "do", 2, "succeeded"),
        "bad" => ended("a", "do", 1, "failed"),
        "cut-off" => ended("a", "do", 1, "stopped"),
        "ok-undo" => ended("a", "undo", 1, "succeeded"),
        "done" => succeeded("a"),
        "asked2" => asked(2),
        "alice" | "bob" | "policy:drill-only" => given(word),
        "end" => finished("succeeded", 0),
        "end-aborted" => finished("aborted", 3),
        "end-preflight" => finished("preflight-failed", 2),
        "end-wrong" => finished("succeeded", 6),
        word => simple(word),
    };
    words.split(' ').map(word).collect()
}

#[test]
fn what_can_happen_is_legal() {
    for words in [
        "start ok passed done end",
        "start bad retry start2 ok2 done end",
        "control start ok done",
        "start ok check-failed failed passed done",
        "start ok check-failed failed accepted end",
        "start bad failed recheck passed done",
        "start cut-off unknown stopped",
        "manual skipped end",
        "manual ok done",
        "manual abort failed undo-failed",
        "start bad failed accepted",
        "start bad failed skipped",
        "asked2 alice bob start ok",
        "asked2 policy:drill-only start ok",
        "asked2 expired failed asked2 alice bob start",
        "start unknown again start2 ok2 done",
        "start paused ok done continued start-b",
        "paused paused continued",
        "guard-bad guard-pauses paused continued start",
        "guard-bad guard-pauses continued start",
        "asked-to-pause paused continued start",
        "asked-to-pause continued start",
        "not-paused start",
        "start ok abort undo start-undo ok-undo undone cleanup start-cleanup",
        "start ok abort undo-failed",
        "preflight-bad end-preflight",
        "done end",
    ] {
        assert_eq!(broken(&run(words)), None, "{words}");
    }
    assert!(verify_log(&lines(&good()[..14]).concat(), None).holds());
}

#[test]
fn what_cannot_happen_is_found() {
    for (words, why) in [
        ("ok", "no action of it ran"),
        ("start ok2", "but attempt 1 ran"),
        ("start ok ok", "no action of it ran"),
        ("start start2", "started again while it still ran"),
        ("start bad start", "attempt 1 of `a` started, after attempt 1"),
        ("start ok done start2", "after it had succeeded"),
        ("start ok done done", "ended again"),
        ("start done", "still ran"),
        ("start failed", "still ran"),
        ("start skipped", "still ran"),
        ("start retry", "still ran"),
        ("skipped start", "after it had been skipped"),
        ("start bad done", "nobody took it as done"),
        ("start ok check-failed done", "check 0 had failed"),
        ("control-bad start ok passed done", "had passed before the action"),
        ("start control ok", "not before it"),
        ("start unknown start2", "before its unknown outcome"),
        ("start unknown done", "while its outcome was unknown"),
        ("start ok unknown", "no action of it ran"),
        ("again", "was not unknown"),
        ("asked2 alice start", "started with 1 of 2 approvals"),
        ("asked2 alice alice", "approved twice by alice"),
        ("alice", "no approval was asked for"),
        ("rpo asked2 alice bob start", "started with 0 of 1 approvals"),
        ("manual done", "although its action had not"),
        ("start bad unknown", "no action of it ran"),
        ("asked2 expired start", "approval was denied"),
        ("expired", "no approval was asked for"),
        ("continued", "was not paused"),
        ("paused start", "while the run was paused"),
        ("guard-bad guard-pauses start", "while the run was paused"),
        ("asked-to-pause start", "while the run was paused"),
        ("not-paused continued", "was not paused"),
        ("abort start", "after the abort had"),
        ("abort abort", "a second time"),
        ("undo", "no abort had started"),
        ("undo-failed", "no abort had started"),
        ("abort undone", "it had not started"),
        ("abort undo undone undone", "a second time"),
        ("abort undo undone undo", "again after it had finished"),
        ("abort start-undo", "before `undo-started`"),
        ("abort cleanup cleanup", "a second time"),
        ("abort start-cleanup", "after the abort had"),
        ("preflight-bad start", "after the pre-flight had failed"),
        ("stopped start", "the last engine had left"),
        ("start end", "`a` still ran"),
        ("abort end", "was aborted"),
        ("end-aborted", "no abort had started"),
        ("start ok end-preflight", "an action had started"),
        ("end-wrong", "has exit code 0, but 6"),
    ] {
        let found = broken(&run(words));
        assert!(found.as_ref().is_some_and(|found| found.contains(why)), "{words}: {found:?}");
    }
    assert!(broken(&[created()]).is_some_and(|why| why.contains("a second time")));
    assert!(broken(&[engine()]).is_some_and(|why| why.contains("which an earlier engine had")));
}

#[test]
fn only_an_engine_that_started_may_write() {
    let of = |events: &[(Event, u64)]| verify_log(&lines(events).concat(), None).problems[0].to_string();
    let why = of(&[(created(), 1), (simple("paused"), 1)]);
    assert!(why.contains("expected `engine-started`"), "{why}");
    let why = of(&[(created(), 1), (engine(), 1), (simple("paused"), 2)]);
    assert!(why.contains("the token is 2, but the engine that had the run then has 1"), "{why}");
    let why = of(&[(engine(), 1)]);
    assert!(why.contains("expected `run-created`"), "{why}");
}
