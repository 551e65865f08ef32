//! What each event tells about its step.
//!
//! Duty: to write it down. Where the step is, the machine's own fold tells (`fold`).

use indexmap::IndexMap;
use serde_json::Value;

use super::{Attempt, Check, Control, Failure, GateStory, Moment, Retry, Skipped, Step, Unknown, sketch::Known};
use crate::{
    evidence::{
        Event,
        event::{ActionFinished, Gate, Task},
    },
    machine::state::Status,
};

impl Step {
    pub(super) fn new(id: String, known: Known) -> Self {
        Self {
            id,
            title: known.title,
            phase: known.phase,
            action: known.action,
            cleanup: known.cleanup,
            irreversible: known.irreversible,
            restores: known.restores,
            estimate_ms: known.estimate_ms,
            needs: known.needs,
            status: Status::Pending,
            started: None,
            finished: None,
            duration_ms: None,
            reason: None,
            failures: Vec::new(),
            skipped: None,
            blocked_by: Vec::new(),
            accepted_by: None,
            attempts: Vec::new(),
            retries: Vec::new(),
            checks: Vec::new(),
            controls: Vec::new(),
            outputs: IndexMap::new(),
            recovery_point: None,
            gates: Vec::new(),
            unknowns: Vec::new(),
            undo: None,
        }
    }

    fn gate(&mut self, task: Task, gate: Gate) -> Option<&mut GateStory> {
        self.gates.iter_mut().rev().find(|known| known.task == task && known.gate == gate)
    }

    fn attempt(&mut self, task: Task, number: u32) -> Option<&mut Attempt> {
        self.attempts.iter_mut().rev().find(|known| known.task == task && known.number == number)
    }

    fn last_attempt(&self, task: Task) -> u32 {
        self.attempts.iter().rev().find(|known| known.task == task).map_or(0, |known| known.number)
    }

    fn ended(&mut self, end: &ActionFinished, at: Moment) {
        let known = self.attempt(end.task, end.attempt).is_some_and(|attempt| attempt.outcome.is_none());
        if !known {
            self.attempts.push(Attempt::new(end.task, end.attempt));
        }
        if let Some(attempt) = self.attempt(end.task, end.attempt) {
            attempt.ended = Some(at);
            attempt.outcome = Some(end.outcome);
            attempt.duration_ms = Some(end.duration_ms);
            attempt.result = end.result.clone();
            attempt.error.clone_from(&end.error);
            attempt.artifacts.clone_from(&end.artifacts);
        }
    }

    /// What an event about this step tells.
    #[expect(clippy::too_many_lines, reason = "one arm an event; splitting it would hide that every event is here")]
    pub(super) fn note(&mut self, event: &Event, at: Moment) {
        match event {
            Event::ApprovalRequested { task, gate, by, count, expires_at, .. } => self.gates.push(GateStory {
                asked: at,
                task: *task,
                gate: *gate,
                by: by.clone(),
                count: *count,
                expires_at: *expires_at,
                given: Vec::new(),
                denied: None,
                expired: None,
                have: 0,
            }),
            Event::ApprovalGiven { task, gate, who, given, .. } => {
                if let Some(gate) = self.gate(*task, *gate) {
                    gate.given.push((at, who.clone()));
                    gate.have = *given;
                }
            }
            Event::ApprovalDenied { task, gate, who, reason, .. } => {
                if let Some(gate) = self.gate(*task, *gate) {
                    gate.denied = Some((at, who.clone(), reason.clone()));
                }
            }
            Event::ApprovalExpired { task, gate, .. } => {
                if let Some(gate) = self.gate(*task, *gate) {
                    gate.expired = Some(at);
                }
            }
            Event::StepSkipped { by, reason, values, .. } => {
                self.skipped = Some(Skipped { by: *by, reason: reason.clone(), values: values.clone() });
            }
            Event::StepBlocked { because, .. } => self.blocked_by.clone_from(because),
            Event::NegativeControl { check, name, failed_as_it_must, observed, .. } => self.controls.push(Control {
                at,
                number: *check,
                name: name.clone(),
                failed_as_it_must: *failed_as_it_must,
                observed: observed.clone(),
            }),
            Event::ActionStarted { task, attempt, order, .. } => {
                self.attempts.push(Attempt {
                    started: Some(at),
                    order: order.clone(),
                    ..Attempt::new(*task, *attempt)
                });
            }
            Event::ActionPrepared { task, attempt, facts, .. } => {
                let known = self.attempts.iter_mut().rev().find(|one| one.task == *task && one.number == *attempt);
                if let Some(known) = known {
                    known.prepared = facts.clone();
                }
            }
            Event::ActionFinished(end) => self.ended(end, at),
            Event::RetryScheduled { task, attempt, delay_ms, reason, .. } => self.retries.push(Retry {
                at,
                task: *task,
                attempt: *attempt,
                delay_ms: *delay_ms,
                reason: reason.clone(),
            }),
            Event::CheckPassed { task, check, name, tries, duration_ms, observed, .. } => self.checks.push(Check {
                at,
                task: *task,
                number: *check,
                name: name.clone(),
                attempt: self.last_attempt(*task),
                passed: true,
                tries: *tries,
                duration_ms: *duration_ms,
                expected: None,
                observed: observed.clone(),
                reason: None,
            }),
            Event::CheckFailed { task, check, name, tries, duration_ms, expected, observed, reason, .. } => {
                self.checks.push(Check {
                    at,
                    task: *task,
                    number: *check,
                    name: name.clone(),
                    attempt: self.last_attempt(*task),
                    passed: false,
                    tries: *tries,
                    duration_ms: *duration_ms,
                    expected: Some(expected.clone()),
                    observed: observed.clone(),
                    reason: Some(reason.clone()),
                });
            }
            Event::StepSucceeded { duration_ms, .. } => self.duration_ms = Some(*duration_ms),
            Event::StepFailed { reason, then, .. } => {
                self.duration_ms = None;
                self.failures.push(Failure { at, reason: reason.clone(), then: *then });
            }
            Event::StepUnknown { task, attempt, .. } => {
                self.unknowns.push(Unknown { at, task: *task, attempt: *attempt, resolved: None });
            }
            Event::UnknownResolved { task, way, outcome, .. } => {
                if let Some(unknown) = self.unknowns.iter_mut().rev().find(|known| known.task == *task) {
                    unknown.resolved = Some((at, *way, *outcome));
                }
            }
            Event::UndoStarted { .. } => self.undo.get_or_insert_default().started = Some(at),
            Event::UndoFinished { duration_ms, .. } => {
                let undo = self.undo.get_or_insert_default();
                undo.ended = Some(at);
                undo.duration_ms = Some(*duration_ms);
            }
            Event::UndoFailed { reason, .. } => {
                let undo = self.undo.get_or_insert_default();
                undo.ended = Some(at);
                undo.failed = Some(reason.clone());
            }
            _ => {}
        }
    }
}

impl Attempt {
    const fn new(task: Task, number: u32) -> Self {
        Self {
            task,
            number,
            started: None,
            ended: None,
            outcome: None,
            duration_ms: None,
            order: Value::Null,
            prepared: Value::Null,
            result: Value::Null,
            error: None,
            artifacts: Vec::new(),
        }
    }
}
