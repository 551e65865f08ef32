//! The logs that the snapshots are made of: what happens in real runs.

use indexmap::IndexMap;
use serde_json::json;

use super::log::{Log, actuals, created, incident};
use crate::{
    action::Outcome,
    evidence::{
        Event, Record,
        event::{
            ActName, ActionFinished, AfterFailure, Finding, Gate, InputRecord, Resolution, Resolved, SkippedBy, Stays,
            Task, Verdict,
        },
    },
    model::Level,
};

const JOURNEY: &str = "status == 200 && body.contains(\"open|closed\")";

/// Every log by name.
pub(super) fn all() -> Vec<(&'static str, Vec<Record>)> {
    vec![
        ("passed_drill", passed_drill()),
        ("failed_after_retries", failed_after_retries()),
        ("abort_incomplete", abort_incomplete()),
        ("held_at_a_gate", held_at_a_gate()),
        ("unknown_resolved", unknown_resolved()),
        ("torn_log", torn_log()),
        ("objective_missed", objective_missed()),
        ("refused_acts", refused_acts()),
        ("preflight_failed", preflight_failed()),
        ("no_steps", no_steps()),
        ("aborting", aborting()),
        ("overridden", overridden()),
        ("interrupted", interrupted()),
        ("rolled_back", rolled_back()),
        ("hostile", hostile()),
    ]
}

/// All six steps well, and the clean-up.
pub(super) fn passed_drill() -> Vec<Record> {
    let mut log = Log::running(created(), false);
    log.after(100).push(Event::OutageMarked { step: "network".into(), at: super::log::at("2026-11-21T02:20:27.1Z") });
    log.done("network", 182_000);
    log.after(50).start("restore-cases", 1).exit("restore-cases", 1, 461_000, None);
    log.restored_to("2026-11-21T02:15:00Z").verify("restore-cases");
    log.passes("restore-cases", 0, "row count", 2_400, json!({"rows": 1_204_331})).succeeds("restore-cases", 463_400);
    log.push(Event::RecoveryPoint { step: "restore-cases".into(), at: super::log::at("2026-11-21T02:15:00Z") });
    log.done("promote", 35_000);
    log.done("workloads", 88_000);
    log.push(Event::NegativeControl {
        step: "journey".into(),
        check: 0,
        name: "a case can be opened".into(),
        failed_as_it_must: true,
        observed: json!("connection refused"),
    });
    log.after(20).verify("journey");
    log.passes("journey", 0, "a case can be opened", 8_200, json!({"status": 200})).succeeds("journey", 8_200);
    log.ask("shift", Gate::Approval, 1).given("shift", Gate::Approval, "policy:drill-only", 1);
    log.done("shift", 61_000);
    log.push(Event::CapabilityRestored { step: "shift".into(), at: log.now() });
    log.push(Event::CleanupStarted { steps: vec!["cleanup/drop-namespace".into()] });
    log.done("cleanup/drop-namespace", 22_000);
    let split = [("restore", 774_000), ("validation", 8_220), ("traffic", 62_500)];
    let objectives = actuals(Some(844_720), Some(327_100), &split, &created());
    log.end(Verdict::Succeeded, "every step is done and proven", objectives, Vec::new());
    log.records
}

/// The last proof fails, three times; what needs it is blocked.
pub(super) fn failed_after_retries() -> Vec<Record> {
    let mut log = Log::running(created(), false);
    log.done("network", 182_000);
    log.start("restore-cases", 1).exit("restore-cases", 1, 461_000, None);
    log.restored_to("2026-11-21T02:15:00Z").succeeds("restore-cases", 461_000);
    log.push(Event::RecoveryPoint { step: "restore-cases".into(), at: super::log::at("2026-11-21T02:15:00Z") });
    log.done("promote", 35_000);
    for attempt in 1..=3 {
        log.start("workloads", attempt);
        log.exit("workloads", attempt, 12_000, Some("exit code 1: error: timed out waiting for the condition"));
        if attempt < 3 {
            let (step, reason) = ("workloads".into(), "exit code 1".into());
            let task = Task::Do;
            log.push(Event::RetryScheduled { step, task, attempt: attempt + 1, delay_ms: 10_000, reason });
            log.after(10_000);
        }
    }
    log.fail("workloads", "exit code 1: error: timed out waiting for the condition", AfterFailure::Continue);
    log.verify("journey");
    log.fails("journey", "a case can be opened", 60_000, JOURNEY, json!({"status": 503, "body": "no|pods"}));
    log.fail(
        "journey",
        &format!("the check `a case can be opened` did not pass: expected `{JOURNEY}`"),
        AfterFailure::Continue,
    );
    log.push(Event::StepBlocked { step: "shift".into(), because: vec!["journey".into(), "workloads".into()] });
    let objectives = actuals(None, Some(326_123), &[], &created());
    log.end(Verdict::Failed, "not succeeded: `workloads`, `journey`, `shift`", objectives, Vec::new());
    log.records
}

/// A real one: what cannot be taken back was done, and an undo fails.
pub(super) fn abort_incomplete() -> Vec<Record> {
    let mut log = Log::running(incident(), true);
    log.done("network", 182_000);
    log.start("restore-cases", 1).exit("restore-cases", 1, 461_000, None).succeeds("restore-cases", 461_000);
    log.done("promote", 35_000);
    log.start("workloads", 1).exit("workloads", 1, 300_000, Some("exit code 137: killed"));
    log.fail("workloads", "exit code 137: killed", AfterFailure::Pause);
    log.after(95_000);
    let reason = "the replica has replication conflicts, we go back to the primary region";
    log.act(ActName::Abort, None, "alice@example.org", Some(reason));
    let stays = vec![
        Stays { step: "promote".into(), why: "it cannot be taken back (irreversible)".into() },
        Stays { step: "restore-cases".into(), why: "`promote` needs it, and that cannot be taken back".into() },
    ];
    let undo = vec!["workloads".into(), "network".into()];
    let reason = format!("alice@example.org: {reason}");
    log.push(Event::AbortStarted { reason: reason.clone(), undo, stays: stays.clone() });
    log.push(Event::UndoStarted { step: "workloads".into() }).task("workloads", Task::Undo, 1);
    log.exit_task("workloads", Task::Undo, 1, 14_000, None);
    log.push(Event::UndoFinished { step: "workloads".into(), duration_ms: 14_000 });
    log.push(Event::UndoStarted { step: "network".into() }).task("network", Task::Undo, 1);
    log.exit_task("network", Task::Undo, 1, 9_000, Some("exit code 1: Error: deleting subnet: still in use"));
    let failed = "exit code 1: Error: deleting subnet: still in use";
    log.push(Event::UndoFailed { step: "network".into(), reason: failed.into() });
    let mut left = stays;
    left.push(Stays { step: "network".into(), why: format!("its undo failed: {failed}") });
    let split = [("detection", 390_000), ("decision", 930_000), ("start", 386_123)];
    let objectives = actuals(None, None, &split, &incident());
    log.end(Verdict::AbortIncomplete, &format!("aborted, 3 left: {reason}"), objectives, left);
    log.records
}

/// Unattended, and two people have to say yes.
pub(super) fn held_at_a_gate() -> Vec<Record> {
    let mut log = Log::running(created(), false);
    log.done("network", 182_000);
    log.start("restore-cases", 1).exit("restore-cases", 1, 461_000, None).succeeds("restore-cases", 461_000);
    log.ask("promote", Gate::Approval, 2);
    log.after(60_000).act(ActName::Approve, Some("promote"), "alice@example.org", None);
    log.given("promote", Gate::Approval, "alice@example.org", 1);
    log.after(1_800_000);
    log.stop("held: `promote` waits for approval", &["`promote` waits for approval"], 5);
    log.records
}

/// The engine dies in the middle of an action; the next one finds out by the checks that it was done.
pub(super) fn unknown_resolved() -> Vec<Record> {
    let mut log = Log::running(created(), true);
    log.done("network", 182_000);
    log.start("promote", 1);
    log.push(Event::ProcessStarted {
        step: "promote".into(),
        task: Task::Do,
        attempt: 1,
        pid: 5_120,
        identity: "boot-1:88123".into(),
    });
    log.after(412_000).take_over(true, 117);
    log.push(Event::StepUnknown { step: "promote".into(), task: Task::Do, attempt: 1 });
    log.passes("promote", 0, "the replica takes writes", 1_100, json!({"inRecovery": false}));
    let (way, outcome) = (Resolution::Verification, Resolved::Done);
    log.push(Event::UnknownResolved { step: "promote".into(), task: Task::Do, way, outcome });
    log.succeeds("promote", 413_100);
    log.start("workloads", 1);
    log.after(300_000).take_over(true, 0);
    log.push(Event::StepUnknown { step: "workloads".into(), task: Task::Do, attempt: 1 });
    log.after(40_000);
    log.act(ActName::Retry, Some("workloads"), "bob@example.org", Some("no pod was created, I looked"));
    let (way, outcome) = (Resolution::Person, Resolved::RunAgain);
    log.push(Event::UnknownResolved { step: "workloads".into(), task: Task::Do, way, outcome });
    log.start("workloads", 2);
    log.after(20_000);
    log.records
}

/// The log ends in the middle of the night, and its first lines about a step are gone.
pub(super) fn torn_log() -> Vec<Record> {
    let mut records = unknown_resolved();
    records.retain(|record| !matches!(record.event, Event::EngineStarted { .. } | Event::ActionStarted { .. }));
    records.truncate(8);
    records
}

/// The real thing; it took too long, because of the decision, and the data was older than allowed.
pub(super) fn objective_missed() -> Vec<Record> {
    let mut log = Log::running(incident(), true);
    log.done("network", 182_000);
    log.start("restore-cases", 1).exit("restore-cases", 1, 461_000, None);
    log.restored_to("2026-11-21T01:30:00Z").succeeds("restore-cases", 461_000);
    log.push(Event::RecoveryPoint { step: "restore-cases".into(), at: super::log::at("2026-11-21T01:30:00Z") });
    log.done("promote", 35_000).done("workloads", 88_000).done("journey", 7_000);
    log.ask("shift", Gate::Rpo, 1).after(240_000);
    let why = "22 minutes of cases are on paper at the front desk, agreed with the business owner";
    log.act(ActName::Approve, Some("shift"), "alice@example.org", Some(why));
    log.given("shift", Gate::Rpo, "alice@example.org", 1);
    log.done("shift", 61_000);
    log.push(Event::CapabilityRestored { step: "shift".into(), at: log.now() });
    let split = [
        ("detection", 390_000),
        ("decision", 930_000),
        ("start", 386_123),
        ("restore", 774_400),
        ("validation", 8_500),
        ("traffic", 302_500),
    ];
    let objectives = actuals(Some(2_791_523), Some(1_320_000), &split, &incident());
    log.end(Verdict::ObjectiveMissed, "every step is done, but RTO and RPO was missed", objectives, Vec::new());
    log.records
}

/// People who may not, and people who forget the reason.
pub(super) fn refused_acts() -> Vec<Record> {
    let mut log = Log::running(incident(), true);
    log.done("network", 182_000);
    log.ask("promote", Gate::Approval, 1).after(20_000);
    let refusal = "expected one of the role `incident-commander` (alice@example.org), found mallory@example.org";
    log.acted(ActName::Approve, Some("promote"), "mallory@example.org", None, Some(refusal));
    let refusal = "it overrides the plan, so it needs a reason";
    log.after(5_000).acted(ActName::Skip, Some("promote"), "alice@example.org", None, Some(refusal));
    let refusal = "expected a step of the plan, found `promtoe`";
    log.after(5_000).acted(ActName::Deny, Some("promtoe"), "alice@example.org", Some("no"), Some(refusal));
    let why = "the replica lags by 40 minutes";
    log.after(5_000).act(ActName::Deny, Some("promote"), "alice@example.org", Some(why));
    let (step, gate, who) = ("promote".to_owned(), Gate::Approval, "alice@example.org".to_owned());
    log.push(Event::ApprovalDenied { step, task: Task::Do, gate, who, reason: why.into() });
    let reason = format!("its approval was denied by alice@example.org: {why}");
    log.fail("promote", &reason, AfterFailure::Pause);
    let (guard, why) = ("maximum-downtime", "`clock.sinceOutage > duration('3h30m')` is true");
    log.after(9_000).trip(guard, why);
    log.push(Event::RunPaused { reason: format!("guard `{guard}`: {why}") });
    log.records
}

/// Something that is required is not there.
pub(super) fn preflight_failed() -> Vec<Record> {
    let mut log = Log::new(created());
    log.engine(false, 0).after(2_100);
    let finding = |requirement: &str, passed: bool, found: &str, help: Option<&str>| Finding {
        passed,
        help: help.map(str::to_owned),
        ..Finding::met(requirement, found)
    };
    let findings = vec![
        finding("tool aws *", true, "aws 2.31.0", None),
        finding("tool terraform >=1.9", false, "terraform 1.5.7", Some("install terraform 1.9 or newer")),
        finding("env AWS_PROFILE", false, "it is not set", Some("export AWS_PROFILE=…")),
        finding("check: backup store", false, "expected `connected`, found {\"connected\":false}", None),
    ];
    log.push(Event::PreflightFinished { passed: false, findings });
    let reason = "not ready: tool terraform >=1.9, env AWS_PROFILE, check: backup store; nothing was touched";
    log.end(Verdict::PreflightFailed, reason, actuals(None, None, &[], &created()), Vec::new());
    log.records
}

/// Nothing but the first record.
pub(super) fn no_steps() -> Vec<Record> {
    Log::new(created()).records.clone()
}

/// In the middle of an abort that the runbook asked for, in an incident whose target is lost.
pub(super) fn aborting() -> Vec<Record> {
    let mut log = Log::running(incident(), false);
    log.done("network", 182_000);
    log.start("workloads", 1).exit("workloads", 1, 1_300_000, Some("exit code 1"));
    log.fail("workloads", "exit code 1", AfterFailure::Abort);
    let undo = vec!["workloads".into(), "network".into()];
    log.push(Event::AbortStarted { reason: "step `workloads` failed: exit code 1".into(), undo, stays: Vec::new() });
    log.push(Event::UndoStarted { step: "workloads".into() }).task("workloads", Task::Undo, 1).after(4_000);
    log.records
}

/// The node is drained under an unattended drill.
pub(super) fn interrupted() -> Vec<Record> {
    let mut log = Log::running(created(), false);
    log.done("network", 182_000).start("restore-cases", 1).after(12_000);
    log.push(Event::ActionFinished(Box::new(ActionFinished {
        requests: None,
        step: "restore-cases".into(),
        task: Task::Do,
        attempt: 1,
        outcome: Outcome::Stopped,
        duration_ms: 12_000,
        result: json!({"exitCode": null, "signal": "TERM"}),
        outputs: IndexMap::new(),
        recovery_point: None,
        error: Some("stopped".into()),
        artifacts: Vec::new(),
    })));
    log.push(Event::StepUnknown { step: "restore-cases".into(), task: Task::Do, attempt: 1 });
    log.stop("SIGTERM", &["`restore-cases` was in flight when its engine stopped"], 143);
    log.records
}

/// An undo for everything: the abort leaves nothing.
pub(super) fn rolled_back() -> Vec<Record> {
    let mut log = Log::running(created(), false);
    log.done("network", 182_000);
    log.start("restore-cases", 1).exit("restore-cases", 1, 41_000, Some("exit code 1: no such backup"));
    log.fail("restore-cases", "exit code 1: no such backup", AfterFailure::Abort);
    let reason = "step `restore-cases` failed: exit code 1: no such backup";
    let undo = vec!["restore-cases".into(), "network".into()];
    log.push(Event::AbortStarted { reason: reason.into(), undo, stays: Vec::new() });
    for step in ["restore-cases", "network"] {
        log.push(Event::UndoStarted { step: step.into() }).task(step, Task::Undo, 1);
        log.exit_task(step, Task::Undo, 1, 20_000, None);
        log.push(Event::UndoFinished { step: step.into(), duration_ms: 20_000 });
    }
    log.push(Event::CleanupStarted { steps: vec!["cleanup/drop-namespace".into()] });
    log.done("cleanup/drop-namespace", 22_000);
    let reason = format!("aborted and rolled back: {reason}");
    log.end(Verdict::Aborted, &reason, actuals(None, None, &[], &created()), Vec::new());
    log.records
}

/// A pass that should not be taken for a clean one.
pub(super) fn overridden() -> Vec<Record> {
    let mut log = Log::running(created(), true);
    let (by, reason, values) =
        (SkippedBy::Condition, "inputs.build".to_owned(), [("inputs.build".to_owned(), json!(false))]);
    log.push(Event::StepSkipped { step: "network".into(), by, reason, values: values.into_iter().collect() });
    log.start("restore-cases", 1).exit("restore-cases", 1, 461_000, None).verify("restore-cases");
    log.fails("restore-cases", "row count", 30_000, "rows > 1000000", json!({"rows": 998_112}));
    log.fail("restore-cases", "the check `row count` did not pass: expected `rows > 1000000`", AfterFailure::Pause);
    log.after(50_000).act(ActName::Recheck, Some("restore-cases"), "bob@example.org", None).verify("restore-cases");
    log.fails("restore-cases", "row count", 30_000, "rows > 1000000", json!({"rows": 998_112}));
    log.fail("restore-cases", "the check `row count` did not pass: expected `rows > 1000000`", AfterFailure::Pause);
    let why = "the archive job ran yesterday, the bound is out of date";
    log.after(50_000).act(ActName::Accept, Some("restore-cases"), "bob@example.org", Some(why));
    let (step, accepted_by) = ("restore-cases".into(), Some("bob@example.org".to_owned()));
    log.push(Event::StepSucceeded { step, duration_ms: 621_000, accepted_by });
    log.done("promote", 35_000).done("workloads", 88_000);
    log.act(ActName::Pause, None, "bob@example.org", Some("call with the vendor"));
    log.push(Event::RunPaused { reason: "bob@example.org: call with the vendor".into() });
    log.after(120_000).act(ActName::Continue, None, "bob@example.org", None).push(Event::RunContinued {});
    let why = "no test account in the drill region";
    log.act(ActName::Skip, Some("journey"), "bob@example.org", Some(why));
    let (by, reason) = (SkippedBy::Person, format!("bob@example.org: {why}"));
    log.push(Event::StepSkipped { step: "journey".into(), by, reason, values: IndexMap::new() });
    log.done("shift", 61_000);
    log.push(Event::CapabilityRestored { step: "shift".into(), at: log.now() });
    let objectives = actuals(Some(955_000), None, &[("restore", 892_500), ("traffic", 62_500)], &created());
    log.end(Verdict::Succeeded, "every step is done and proven", objectives, Vec::new());
    log.records
}

/// Everything that comes from outside tries to draw on the terminal and to break out of the page.
pub(super) fn hostile() -> Vec<Record> {
    let evil = "`</code><script>alert(1)</script>|\u{1b}[2J\u{202e}*x*\n# PASSED\n```";
    let mut run = created();
    run.level = Level::L2;
    run.runbook.title = format!("Title {evil}");
    run.runbook.owner = evil.into();
    run.inputs.insert(evil.into(), InputRecord::Value(json!(evil)));
    let mut log = Log::running(run, true);
    log.start(evil, 1);
    log.after(1_000).push(Event::ActionFinished(Box::new(ActionFinished {
        requests: None,
        step: evil.into(),
        task: Task::Do,
        attempt: 1,
        outcome: Outcome::TimedOut,
        duration_ms: 1_000,
        result: json!({"stdout": evil}),
        outputs: IndexMap::new(),
        recovery_point: None,
        error: Some(evil.into()),
        artifacts: Vec::new(),
    })));
    log.fails(evil, evil, 4_000, evil, json!({"body": "x".repeat(2_000), "more": evil}));
    log.fail(evil, evil, AfterFailure::Pause);
    log.act(ActName::Skip, Some(evil), evil, Some(evil));
    log.push(Event::StepSkipped {
        step: evil.into(),
        by: SkippedBy::Person,
        reason: evil.into(),
        values: IndexMap::new(),
    });
    log.records
}
