//! `--format json`: for machines. The shape is stable and has a version.
//!
//! Duty: shape. Lengths of time: `…Ms` and `splitMs` are milliseconds; `target`, `actual` and `split` are ISO 8601
//! durations (`PT15M`). Instants are RFC 3339 in UTC, as the log has them. What is not known is `null`; what does not
//! apply to a step (no outputs, no gates) is not there.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::{
    sentences,
    story::{self, ClockStart, Decision, Moment, Step, Story},
};
use crate::{evidence::event::InputRecord, words::iso};

/// The version of both shapes.
pub const VERSION: u32 = 1;

/// `lifeboat show RUN --format json`: run, objectives, steps, acts.
///
/// `{"version":1,"run":{"id","runbook","title","mode","status","verdict","reason","exitCode","startedAt","finishedAt",
/// "durationMs","waitsFor"},"objectives":{"rto":{"target","targetMs","actual","actualMs","met","split","splitMs"},
/// "rpo":{"target","targetMs","actual","actualMs","met","step"}},"level":{"claimed","proven"},"steps":{"<id>":{"status",
/// "attempts","startedAt","finishedAt","durationMs","title","phase","cleanup","reason",…}},"acts":[{"at","act","step",
/// "who","reason","how","accepted","refusal"}],"left":[{"step","why"}]}`
#[must_use]
pub fn show(story: &Story) -> Value {
    json!({
        "version": VERSION,
        "run": run(story),
        "objectives": objectives(story),
        "level": {"claimed": story.claimed(), "proven": story.proven()},
        "steps": story.steps.values().map(|step| (step.id.clone(), Value::Object(brief(step)))).collect::<Map<_, _>>(),
        "acts": story.acts.iter().map(act).collect::<Vec<_>>(),
        "left": story.left,
    })
}

/// `lifeboat report RUN --format json`: all of [`show`], and everything else that the log tells: per step its
/// `attemptDetails`, `retries`, `checks`, `controls`, `gates`, `failures`, `unknowns` and `undo`; and `identity`,
/// `clock`, `engines`, `preflight`, `pauses`, `guards`, `notifications`, `abort`, `cleanup`, `decisions`, `overrides`, `failedChecks`,
/// `recoveryPoints`, `log`.
#[must_use]
pub fn full(story: &Story) -> Value {
    let Value::Object(mut all) = show(story) else { return Value::Null };
    let steps = story.steps.values().map(|step| {
        let mut told = brief(step);
        told.extend(detailed(step));
        (step.id.clone(), Value::Object(told))
    });
    all.insert("steps".to_owned(), Value::Object(steps.collect()));
    let mut put = |key: &str, value: Value| all.insert(key.to_owned(), value);
    put("identity", identity(story));
    put("clock", clock(story));
    put(
        "recoveryPoints",
        story.recovery_points.iter().map(|point| json!({"step": point.step, "at": point.at})).collect(),
    );
    put("decisions", story.decisions.iter().map(decision).collect());
    put("overrides", story.overrides().map(decision).collect());
    put("failedChecks", failed_checks(story));
    put("preflight", story.preflight.as_ref().map_or(Value::Null, preflight));
    put("pauses", story.pauses.iter().map(pause).collect());
    put("notifications", json!(story.deliveries));
    put("clusters", story.clusters.iter().map(cluster).collect());
    put("guards", story.guards.iter().map(guard).collect());
    put("abort", story.abort.as_ref().map_or(Value::Null, abort));
    let cleanup = story.cleanup.as_ref().map(|(at, steps)| json!({"at": at.at, "steps": steps}));
    put("cleanup", cleanup.unwrap_or(Value::Null));
    put("engines", story.engines.iter().enumerate().map(|(at, one)| engine(story, at, one)).collect());
    put("followUp", json!(sentences::follow_up(story)));
    put(
        "log",
        json!({"records": story.records, "whole": story.whole, "lastSeq": story.last.seq, "lastAt": story.last.at}),
    );
    Value::Object(all)
}

fn run(story: &Story) -> Value {
    let end = story.end.as_ref();
    // What the engine said that left a run without a verdict.
    let left = story.engine().and_then(|engine| engine.left.as_ref());
    json!({
        "id": story.created.run,
        "runbook": story.created.runbook.name,
        "title": story.created.runbook.title,
        "mode": story.created.mode,
        "status": story.state.name(),
        "verdict": end.map(|end| end.verdict),
        "reason": end.map(|end| &end.reason).or_else(|| left.map(|left| &left.reason)),
        "exitCode": end.map(|end| end.exit_code).or_else(|| left.map(|left| left.exit_code)),
        "startedAt": story.began.at,
        "finishedAt": end.map(|end| end.at.at),
        "durationMs": story.last.elapsed_ms.saturating_sub(story.began.elapsed_ms),
        "waitsFor": story.waits_for(),
    })
}

fn objectives(story: &Story) -> Value {
    let (rto, rpo) = (&story.objectives.rto, &story.objectives.rpo);
    let split: IndexMap<&str, String> = rto.split.iter().map(|(part, &ms)| (part.as_str(), iso(ms))).collect();
    let mut all = json!({
        "rto": {
            "target": iso(rto.target_ms),
            "targetMs": rto.target_ms,
            "actual": rto.actual_ms.map(iso),
            "actualMs": rto.actual_ms,
            "met": rto.met,
            "split": split,
            "splitMs": rto.split,
        },
        "rpo": {
            "target": iso(rpo.target_ms),
            "targetMs": rpo.target_ms,
            "actual": rpo.actual_ms.map(iso),
            "actualMs": rpo.actual_ms,
            "met": rpo.met,
            "step": rpo.step,
        },
    });
    if let (Some(mtd), Value::Object(all)) = (story.created.objectives.mtd, &mut all) {
        let mtd = mtd.as_millis();
        let met = rto.actual_ms.map(|actual| actual <= mtd);
        all.insert("mtd".to_owned(), json!({"target": iso(mtd), "targetMs": mtd, "met": met}));
    }
    all
}

fn brief(step: &Step) -> Map<String, Value> {
    let mut told = Map::new();
    let mut put = |key: &str, value: Value| told.insert(key.to_owned(), value);
    put("status", json!(step.status.name()));
    put("attempts", json!(step.tries()));
    put("startedAt", json!(step.started.map(|at| at.at)));
    put("finishedAt", json!(step.finished.map(|at| at.at)));
    put("durationMs", json!(step.duration_ms.filter(|_| step.started.is_some())));
    put("title", json!(step.title));
    put("phase", json!(step.phase));
    put("cleanup", json!(step.cleanup));
    put("reason", json!(step.why()));
    if let Some(who) = &step.accepted_by {
        put("acceptedBy", json!(who));
    }
    if let Some(at) = step.recovery_point {
        put("recoveryPoint", json!(at));
    }
    if !step.outputs.is_empty() {
        put("outputs", json!(step.outputs));
    }
    told
}

fn detailed(step: &Step) -> Map<String, Value> {
    let mut told = Map::new();
    let mut put = |key: &str, values: Vec<Value>| {
        if !values.is_empty() {
            told.insert(key.to_owned(), Value::Array(values));
        }
    };
    put("attemptDetails", step.attempts.iter().map(attempt).collect());
    put(
        "retries",
        step.retries
            .iter()
            .map(|one| {
                json!({"at": one.at.at, "task": one.task, "attempt": one.attempt, "delayMs": one.delay_ms,
                    "reason": one.reason})
            })
            .collect(),
    );
    put("checks", step.checks.iter().map(check).collect());
    put(
        "controls",
        step.controls
            .iter()
            .map(|one| {
                json!({"at": one.at.at, "check": one.number, "name": one.name,
                    "failedAsItMust": one.failed_as_it_must, "observed": one.observed})
            })
            .collect(),
    );
    put("gates", step.gates.iter().map(gate).collect());
    put(
        "failures",
        step.failures.iter().map(|one| json!({"at": one.at.at, "reason": one.reason, "then": one.then})).collect(),
    );
    put("unknowns", step.unknowns.iter().map(unknown).collect());
    let needs: Vec<Value> = step.needs.iter().map(|id| json!(id)).collect();
    put("needs", needs);
    put("blockedBy", step.blocked_by.iter().map(|id| json!(id)).collect());
    let mut put = |key: &str, value: Value| told.insert(key.to_owned(), value);
    put("action", json!(step.action));
    put("irreversible", json!(step.irreversible));
    put("restores", json!(step.restores));
    put("estimateMs", json!(step.estimate_ms));
    put("startedMs", json!(step.started.map(|at| at.elapsed_ms)));
    if let Some(skipped) = &step.skipped {
        put("skipped", json!({"by": skipped.by, "reason": skipped.reason, "values": skipped.values}));
    }
    if let Some(undo) = &step.undo {
        put(
            "undo",
            json!({"startedAt": instant(undo.started), "endedAt": instant(undo.ended), "durationMs": undo.duration_ms,
                "failed": undo.failed}),
        );
    }
    told
}

fn instant(moment: Option<Moment>) -> Value {
    json!(moment.map(|moment| moment.at))
}

fn attempt(one: &story::Attempt) -> Value {
    json!({
        "task": one.task,
        "attempt": one.number,
        "startedAt": instant(one.started),
        "finishedAt": instant(one.ended),
        "outcome": one.outcome,
        "durationMs": one.duration_ms,
        "order": one.order,
        "prepared": one.prepared,
        "result": one.result,
        "error": one.error,
        "artifacts": one.artifacts,
    })
}

fn check(one: &story::Check) -> Value {
    json!({
        "at": one.at.at,
        "task": one.task,
        "check": one.number,
        "name": one.name,
        "attempt": one.attempt,
        "passed": one.passed,
        "tries": one.tries,
        "durationMs": one.duration_ms,
        "expected": one.expected,
        "observed": one.observed,
        "reason": one.reason,
    })
}

fn gate(one: &story::GateStory) -> Value {
    json!({
        "task": one.task,
        "gate": one.gate,
        "standing": one.standing(),
        "askedAt": one.asked.at,
        "by": one.by,
        "count": one.count,
        "expiresAt": one.expires_at,
        "given": one.given.iter().map(|(at, who)| json!({"at": at.at, "who": who})).collect::<Vec<_>>(),
        "denied": one.denied.as_ref().map(|(at, who, reason)| json!({"at": at.at, "who": who, "reason": reason})),
        "expiredAt": instant(one.expired),
    })
}

fn unknown(one: &story::Unknown) -> Value {
    let resolved = one.resolved.as_ref();
    let resolved = resolved.map(|(at, way, outcome)| json!({"at": at.at, "way": way, "outcome": outcome}));
    json!({"at": one.at.at, "task": one.task, "attempt": one.attempt, "resolved": resolved})
}

fn act(one: &story::Act) -> Value {
    json!({
        "at": one.at.at,
        "act": one.act,
        "step": one.step,
        "who": one.who,
        "reason": one.reason,
        "how": one.how,
        "accepted": one.accepted,
        "refusal": one.refusal,
    })
}

fn decision(one: &Decision) -> Value {
    json!({
        "at": one.at.at,
        "seq": one.at.seq,
        "who": one.who,
        "decision": sentences::decision(one),
        "step": one.step,
        "reason": one.reason,
        "how": one.how,
        "refused": one.refused,
        "overrides": one.overrides,
    })
}

fn failed_checks(story: &Story) -> Value {
    let checks = story.steps.values().flat_map(|step| {
        step.failed_checks().map(move |(one, later)| {
            let mut told = check(one);
            if let Value::Object(told) = &mut told {
                told.insert("step".to_owned(), json!(step.id));
                told.insert("passedLater".to_owned(), json!(later));
            }
            told
        })
    });
    let controls = story.steps.values().flat_map(|step| {
        step.empty_controls().map(move |one| {
            json!({"step": step.id, "at": one.at.at, "check": one.number, "name": one.name, "control": true,
                "passed": true, "observed": one.observed,
                "reason": "it must fail before the action and passed already: it proves nothing"})
        })
    });
    checks.chain(controls).collect()
}

fn identity(story: &Story) -> Value {
    let run = &story.created;
    let inputs = run.inputs.iter().map(|(key, input)| {
        let input = match input {
            InputRecord::Value(value) => json!({"value": value}),
            InputRecord::Secret(_) => json!({"secret": true}),
        };
        (key.clone(), input)
    });
    json!({
        "capability": run.runbook.capability,
        "owner": run.runbook.owner,
        "path": run.runbook.path,
        "commit": run.runbook.commit,
        "dirty": run.runbook.dirty,
        "digests": run.runbook.digests,
        "files": run.files,
        "planDigest": run.plan_digest,
        "inputs": Value::Object(inputs.collect()),
        "host": run.host,
        "user": run.user,
        "directory": run.directory,
        "engine": run.engine,
        "format": run.format,
    })
}

fn clock(story: &Story) -> Value {
    let marks = &story.marks;
    let (rule, step) = match &marks.outage_from {
        ClockStart::Given => ("given", None),
        ClockStart::Step(step) => ("step", Some(step)),
        ClockStart::RunStart => ("run-start", None),
    };
    json!({
        "outageAt": marks.outage,
        "outageRule": rule,
        "outageStep": step,
        "detectedAt": marks.detected,
        "declaredAt": marks.declared,
        "restoredAt": marks.restored.as_ref().map(|(at, _)| at),
        "restoredBy": marks.restored.as_ref().map(|(_, step)| step),
        "downForMs": story.down_for_ms(),
    })
}

fn preflight(one: &story::Preflight) -> Value {
    json!({"at": one.at.at, "passed": one.passed, "findings": one.findings})
}

fn pause(one: &story::Pause) -> Value {
    json!({"from": one.from.at, "until": instant(one.until), "reason": one.reason})
}

fn guard(one: &story::BadGuard) -> Value {
    let tripped = one.tripped.map(|(at, then)| json!({"at": at.at, "then": then}));
    json!({
        "guard": one.guard,
        "from": one.from.at,
        "until": instant(one.until),
        "reason": one.reason,
        "evaluated": one.evaluated,
        "tripped": tripped,
    })
}

fn abort(one: &story::Abort) -> Value {
    json!({"at": one.at.at, "reason": one.reason, "undo": one.undo, "stays": one.stays})
}

fn cluster(one: &story::ClusterStory) -> Value {
    json!({
        "name": one.met.cluster,
        "uid": one.met.uid,
        "version": one.met.version,
        "context": one.met.context,
        "server": one.met.server,
        "metAt": one.at.at,
        "requests": one.requests,
        "retries": one.retries,
        "lastRetry": one.last_retry.as_ref().map(|(at, what)| json!({"at": at.at, "what": what})),
        "refused": one.refused.as_ref().map(|(at, found)| json!({"at": at.at, "found": found})),
    })
}

fn engine(story: &Story, at: usize, one: &story::Engine) -> Value {
    let left = one.left.as_ref().map(
        |left| json!({"at": left.at.at, "reason": left.reason, "waitsFor": left.waits_for, "exitCode": left.exit_code}),
    );
    json!({
        "token": one.began.token,
        "startedAt": one.began.at,
        "lastAt": one.last.at,
        "pid": one.pid,
        "host": one.host,
        "user": one.user,
        "engine": one.version,
        "attended": one.attended,
        "parallel": one.parallel,
        "tornBytes": one.torn_bytes,
        "terminalLostAt": instant(one.terminal_lost),
        "left": left,
        "wentSilent": story.went_silent(at),
    })
}
