//! Logs as an engine writes them, made by hand: each test says what happens and when.

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    action::Outcome,
    duration::Duration,
    evidence::{
        Event, Record, Stamp, chain,
        event::{
            ActName, ActionFinished, Actuals, AfterFailure, Artifact, Finding, Gate, Rpo, Rto, RunCreated, RunFinished,
            Stays, Task, Verdict,
        },
    },
    model::{Mode, Objectives, Then},
};

/// When every run of these tests begins.
pub(super) const START: &str = "2026-11-21T02:20:26.123456Z";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A log that grows.
pub(super) struct Log {
    pub(super) records: Vec<Record>,
    elapsed_ms: u64,
    token: u64,
    prev: String,
}

impl Log {
    /// A log with its first record.
    pub(super) fn new(created: RunCreated) -> Self {
        let mut log = Self { records: Vec::new(), elapsed_ms: 0, token: 1, prev: chain::GENESIS.to_owned() };
        log.push(Event::RunCreated(Box::new(created)));
        log
    }

    /// The same, taken by an engine, with a pre-flight that passed.
    pub(super) fn running(created: RunCreated, attended: bool) -> Self {
        let mut log = Self::new(created);
        log.engine(attended, 0);
        log.after(900);
        let findings = vec![Finding::met("tool aws *", "aws 2.31.0"), Finding::met("check: backup store", "ok")];
        log.push(Event::PreflightFinished { passed: true, findings });
        log
    }

    /// Time goes by.
    pub(super) fn after(&mut self, millis: u64) -> &mut Self {
        self.elapsed_ms += millis;
        self
    }

    pub(super) fn now(&self) -> Timestamp {
        let by = SignedDuration::from_millis(i64::try_from(self.elapsed_ms).unwrap_or(i64::MAX));
        at(START).checked_add(by).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn push(&mut self, event: Event) -> &mut Self {
        let seq = self.records.len() as u64 + 1;
        let (elapsed_ms, token, prev) = (self.elapsed_ms, self.token, self.prev.clone());
        let record = Record { stamp: Stamp { seq, at: self.now(), elapsed_ms, token, prev }, event };
        self.prev = chain::digest(&record.to_line().unwrap_or_default());
        self.records.push(record);
        self
    }

    pub(super) fn engine(&mut self, attended: bool, torn_bytes: u64) -> &mut Self {
        let pid = 4000 + u32::try_from(self.token).unwrap_or(0);
        self.push(Event::EngineStarted {
            pid,
            host: "bastion-1".into(),
            user: "ops".into(),
            engine: "0.1.0".into(),
            attended,
            parallel: 8,
            torn_bytes,
        })
    }

    /// Another engine takes the run, with a higher token.
    pub(super) fn take_over(&mut self, attended: bool, torn_bytes: u64) -> &mut Self {
        self.token += 1;
        self.engine(attended, torn_bytes)
    }

    /// A guard that pauses the run is bad once, and that is enough.
    pub(super) fn trip(&mut self, guard: &str, why: &str) -> &mut Self {
        let (guard, reason, evaluated) = (guard.to_owned(), why.to_owned(), true);
        let observed = Value::Null;
        self.push(Event::GuardFailing { guard: guard.clone(), reason: reason.clone(), evaluated, observed });
        let (then, failures, duration_ms) = (Then::Pause, 1, 0);
        self.push(Event::GuardTripped { guard, then, reason, evaluated, failures, duration_ms })
    }

    pub(super) fn start(&mut self, step: &str, attempt: u32) -> &mut Self {
        self.task(step, Task::Do, attempt)
    }

    pub(super) fn task(&mut self, step: &str, task: Task, attempt: u32) -> &mut Self {
        let order = json!({"kind": "process", "argv": ["./act.sh", step], "env": {"TOKEN": "***"}});
        self.push(Event::ActionStarted { step: step.into(), task, attempt, order, timeout_ms: 600_000 })
    }

    pub(super) fn exit(&mut self, step: &str, attempt: u32, took: u64, error: Option<&str>) -> &mut Self {
        self.exit_task(step, Task::Do, attempt, took, error)
    }

    pub(super) fn exit_task(
        &mut self,
        step: &str,
        task: Task,
        attempt: u32,
        took: u64,
        error: Option<&str>,
    ) -> &mut Self {
        self.after(took);
        let code = i32::from(error.is_some());
        self.push(Event::ActionFinished(Box::new(ActionFinished {
            requests: None,
            step: step.into(),
            task,
            attempt,
            outcome: if error.is_some() { Outcome::Failed } else { Outcome::Succeeded },
            duration_ms: took,
            result: json!({"exitCode": code}),
            outputs: IndexMap::new(),
            recovery_point: None,
            error: error.map(str::to_owned),
            artifacts: vec![Artifact { name: "stdout".into(), sha256: chain::digest(step.as_bytes()), bytes: 1_024 }],
        })))
    }

    /// The last action tells to which point in time data was restored.
    pub(super) fn restored_to(&mut self, instant: &str) -> &mut Self {
        if let Some(Record { event: Event::ActionFinished(end), .. }) = self.records.last_mut() {
            end.recovery_point = Some(at(instant));
            end.outputs.insert("backup".into(), json!("cases-20261121-0215"));
        }
        self
    }

    pub(super) fn verify(&mut self, step: &str) -> &mut Self {
        self.push(Event::VerificationStarted { step: step.into(), task: Task::Do })
    }

    pub(super) fn passes(&mut self, step: &str, check: u32, name: &str, took: u64, observed: Value) -> &mut Self {
        self.after(took);
        let tries = u32::try_from(took / 2_000).unwrap_or(0) + 1;
        let (step, name, task) = (step.into(), name.into(), Task::Do);
        self.push(Event::CheckPassed { step, task, check, name, tries, duration_ms: took, observed })
    }

    pub(super) fn fails(&mut self, step: &str, name: &str, took: u64, expected: &str, observed: Value) -> &mut Self {
        self.after(took);
        self.push(Event::CheckFailed {
            step: step.into(),
            task: Task::Do,
            check: 0,
            name: name.into(),
            tries: u32::try_from(took / 2_000).unwrap_or(0) + 1,
            duration_ms: took,
            expected: expected.into(),
            observed,
            reason: format!("expected `{expected}`"),
        })
    }

    pub(super) fn succeeds(&mut self, step: &str, duration_ms: u64) -> &mut Self {
        self.push(Event::StepSucceeded { step: step.into(), duration_ms, accepted_by: None })
    }

    pub(super) fn fail(&mut self, step: &str, reason: &str, then: AfterFailure) -> &mut Self {
        self.push(Event::StepFailed { step: step.into(), reason: reason.into(), then })
    }

    /// A step whose action takes some time and that proves itself at once.
    pub(super) fn done(&mut self, step: &str, took: u64) -> &mut Self {
        self.start(step, 1).exit(step, 1, took, None).verify(step);
        self.passes(step, 0, "it is there", 1_500, json!({"ready": true})).succeeds(step, took + 1_500)
    }

    pub(super) fn ask(&mut self, step: &str, gate: Gate, count: u32) -> &mut Self {
        let by = (gate == Gate::Approval).then(|| "incident-commander".to_owned());
        self.push(Event::ApprovalRequested { step: step.into(), task: Task::Do, gate, by, count, expires_at: None })
    }

    pub(super) fn given(&mut self, step: &str, gate: Gate, who: &str, given: u32) -> &mut Self {
        self.push(Event::ApprovalGiven { step: step.into(), task: Task::Do, gate, who: who.into(), given })
    }

    pub(super) fn act(&mut self, act: ActName, step: Option<&str>, who: &str, reason: Option<&str>) -> &mut Self {
        self.acted(act, step, who, reason, None)
    }

    pub(super) fn acted(
        &mut self,
        act: ActName,
        step: Option<&str>,
        who: &str,
        reason: Option<&str>,
        refusal: Option<&str>,
    ) -> &mut Self {
        self.push(Event::Act {
            act,
            step: step.map(str::to_owned),
            who: who.into(),
            reason: reason.map(str::to_owned),
            how: "SSH signature by SHA256:3fF9wcQ…".into(),
            accepted: refusal.is_none(),
            refusal: refusal.map(str::to_owned),
            id: None,
            to: None,
            artifacts: Vec::new(),
        })
    }

    pub(super) fn stop(&mut self, reason: &str, waits_for: &[&str], exit_code: u8) -> &mut Self {
        let waits_for = waits_for.iter().map(|line| (*line).to_owned()).collect();
        self.push(Event::EngineStopped { reason: reason.into(), waits_for, exit_code })
    }

    pub(super) fn end(&mut self, verdict: Verdict, reason: &str, objectives: Actuals, left: Vec<Stays>) -> &mut Self {
        let exit_code = verdict.exit_code();
        let reason = reason.into();
        self.push(Event::RunFinished(Box::new(RunFinished { verdict, exit_code, reason, objectives, left })))
    }
}

/// From JSON, as a log brings it: a field that is added later has its default here too.
pub(crate) fn created() -> RunCreated {
    let digest = |text: &str| chain::digest(text.as_bytes());
    let created = json!({
        "format": 1,
        "engine": "0.1.0",
        "run": "20261121T022026Z-7f3a",
        "mode": "drill",
        "runbook": {
            "name": "case-management-failover",
            "title": "Fail over Case Management to the recovery region",
            "owner": "team-platform",
            "capability": "Case Intake API and worker pipeline",
            "path": "runbooks/case-management/failover.yaml",
            "digests": {"failover.yaml": digest("runbook")},
            "commit": "4970f2c1d2e3f405162738495a6b7c8d9e0f1a2b",
            "dirty": false,
        },
        "planDigest": digest("plan"),
        "steps": 7,
        "inputs": {"recoveryContext": {"value": "aks-north"}, "dbPassword": {"secret": true}},
        "files": {"shift.sh": digest("shift")},
        "objectives": {"rpo": "15m", "rto": "1h"},
        "level": "L5",
        "host": "bastion-1",
        "user": "ops",
        "directory": "/srv/runbooks/case-management",
    });
    serde_json::from_value(created).unwrap_or_else(|error| panic!("{error}"))
}

/// The real thing: the outage was a while ago, and somebody had to find out and decide.
pub(super) fn incident() -> RunCreated {
    RunCreated {
        mode: Mode::Incident,
        outage_at: Some(at("2026-11-21T01:52:00Z")),
        detected_at: Some(at("2026-11-21T01:58:30Z")),
        declared_at: Some(at("2026-11-21T02:14:00Z")),
        objectives: Objectives {
            mtd: Some(Duration::from_secs(4 * 3_600)),
            rto: Duration::from_secs(45 * 60),
            ..created().objectives
        },
        ..created()
    }
}

pub(super) fn plan() -> Value {
    let step = |id: &str, phase: &str, title: &str, needs: &[&str]| {
        let in_phase = Some(phase).filter(|phase| !phase.is_empty());
        json!({"id": id, "kind": "step", "phase": in_phase, "title": title, "cleanup": phase.is_empty(),
            "action": "exec", "estimateMs": 60_000, "timeoutMs": 600_000, "irreversible": id == "promote",
            "restores": id == "shift", "needs": needs})
    };
    json!({"version": 1, "mode": "drill", "nodes": [
        step("network", "provision", "Network and cluster from IaC", &[]),
        {"id": "provision", "kind": "barrier", "needs": ["network"], "after": []},
        step("restore-cases", "data", "Restore the case database from the newest backup", &["provision"]),
        step("promote", "data", "Promote the replica in the recovery region", &["restore-cases"]),
        step("workloads", "workloads", "Start the API and its workers", &["promote"]),
        step("journey", "validate", "A case can be opened, read and closed", &["workloads"]),
        step("shift", "shift-traffic", "Send users to the recovery region", &["journey"]),
        step("cleanup/drop-namespace", "", "Remove what the drill made", &[]),
    ]})
}

/// Objectives as they stand in the last record.
pub(super) fn actuals(rto: Option<u64>, rpo: Option<u64>, split: &[(&str, u64)], created: &RunCreated) -> Actuals {
    let (time, point) = (created.objectives.rto.as_millis(), created.objectives.rpo.as_millis());
    Actuals {
        rto: Rto {
            target_ms: time,
            actual_ms: rto,
            met: rto.map(|actual| actual <= time),
            split: split.iter().map(|&(name, millis)| (name.to_owned(), millis)).collect(),
        },
        rpo: Rpo {
            target_ms: point,
            actual_ms: rpo,
            met: rpo.map(|actual| actual <= point),
            step: rpo.map(|_| "restore-cases".to_owned()),
        },
    }
}
