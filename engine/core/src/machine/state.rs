//! The state of a run: nothing but the fold of its log.
//!
//! Duty: event → state, without any decision. What an engine holds beyond this (timers, checks that run, open
//! questions) is in `Machine` and is made anew after a crash.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    action::{Outcome, kube::Prepared},
    evidence::{
        Event,
        event::{ActName, ClusterMet, Resolution, Resolved, RunCreated, Stays, Task, Verdict},
    },
    model::Then,
    plan::{NodeKind, Plan},
};

mod step;

pub use step::{GateState, Progress, Status, StepState, TaskState};

/// An instant on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Wall clock.
    pub at: Timestamp,
    /// Milliseconds since the run was created, never going back.
    pub elapsed_ms: u64,
}

/// Where the run as a whole is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// Nothing was touched yet.
    Created,
    /// Steps run.
    Running,
    /// What was done is being undone.
    Aborting,
    /// The clean-up runs, after success, failure or abort.
    CleaningUp,
    /// It is over.
    Finished(Verdict),
}

/// A guard that is bad, as the log tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardState {
    /// Since when.
    pub since: Now,
    /// It has done what it does; it does it again only after it was good.
    pub tripped: bool,
}

/// A run, as its log tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The first record.
    pub created: Arc<RunCreated>,
    /// When that was.
    pub created_at: Timestamp,
    /// Where the run is.
    pub run: RunStatus,
    /// Nothing new starts.
    pub paused: bool,
    /// Somebody is at the terminal.
    pub attended: bool,
    /// The pre-flight passed.
    pub preflight: Option<bool>,
    /// Steps by node of the plan.
    pub steps: Vec<StepState>,
    /// When the outage began.
    pub outage: Option<Timestamp>,
    /// When the capability was back.
    pub restored: Option<Timestamp>,
    /// Somebody said to abort; an engine that dies over it must not make it unsaid.
    pub abort_asked: Option<String>,
    /// Why the run is being aborted.
    pub abort_reason: Option<String>,
    /// Nodes to undo, in order, as decided when the abort began.
    pub undo_list: Vec<usize>,
    /// What an abort leaves alone.
    pub stays: Vec<Stays>,
    /// Whether the clean-up has begun.
    pub cleanup_started: bool,
    /// Names of acts from elsewhere, whatever became of them.
    pub acts: BTreeSet<String>,
    /// Clusters that were met, by their name in the runbook.
    pub clusters: BTreeMap<String, ClusterMet>,
    /// Guards that are bad, by name.
    pub guards: BTreeMap<String, GuardState>,
    /// Time of the last record.
    pub last: Now,
    index: Arc<HashMap<String, usize>>,
}

/// Why a log cannot be the log of this plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The first record is missing or another one.
    #[error("expected the first record to be `run-created`")]
    NotCreated,
    /// A step that the plan does not have.
    #[error("expected a step of the plan, found `{0}`")]
    UnknownStep(String),
}

/// Step ids to nodes.
#[must_use]
pub fn index_of(plan: &Plan) -> HashMap<String, usize> {
    plan.nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| matches!(node.kind, NodeKind::Step(_)))
        .map(|(at, node)| (node.id.clone(), at))
        .collect()
}

impl State {
    /// The state after `run-created`.
    #[must_use]
    pub fn new(plan: &Plan, created: RunCreated, now: Now) -> Self {
        Self {
            outage: created.outage_at,
            created: Arc::new(created),
            created_at: now.at,
            run: RunStatus::Created,
            paused: false,
            attended: false,
            preflight: None,
            steps: vec![StepState::default(); plan.nodes.len()],
            restored: None,
            abort_asked: None,
            abort_reason: None,
            undo_list: Vec::new(),
            stays: Vec::new(),
            cleanup_started: false,
            acts: BTreeSet::new(),
            clusters: BTreeMap::new(),
            guards: BTreeMap::new(),
            last: now,
            index: Arc::new(index_of(plan)),
        }
    }

    /// The node of a step.
    #[must_use]
    pub fn node(&self, step: &str) -> Option<usize> {
        self.index.get(step).copied()
    }

    /// Takes one more event.
    ///
    /// # Errors
    /// When the event names a step that the plan does not have. The state is then unchanged.
    #[expect(clippy::too_many_lines, reason = "one arm an event; splitting it would hide that every event is here")]
    pub fn apply(&mut self, event: &Event, now: Now) -> Result<(), FoldError> {
        let index = Arc::clone(&self.index);
        let find = |step: &String| index.get(step).copied().ok_or_else(|| FoldError::UnknownStep(step.clone()));
        match event {
            Event::EngineStarted { attended, .. } => self.attended = *attended,
            Event::TerminalLost {} => self.attended = false,
            Event::PreflightFinished { passed, .. } => {
                self.preflight = Some(*passed);
                if *passed {
                    self.run = RunStatus::Running;
                }
            }
            Event::RunPaused { .. } => self.paused = true,
            Event::RunContinued {} => self.paused = false,
            Event::ApprovalRequested { step, task, gate, count, expires_at, .. } => {
                let at = find(step)?;
                let step = &mut self.steps[at];
                if *task == Task::Do {
                    step.status = Status::AwaitingApproval;
                }
                let gates = &mut step.task_mut(*task).gates;
                gates.insert(*gate, GateState { count: *count, expires_at: *expires_at, ..GateState::default() });
            }
            Event::ApprovalGiven { step, task, gate, who, given } => {
                let at = find(step)?;
                if let Some(gate) = self.steps[at].task_mut(*task).gates.get_mut(gate) {
                    gate.people.push(who.clone());
                    gate.given = *given;
                }
            }
            Event::ApprovalDenied { step, task, gate, who, reason } => {
                let at = find(step)?;
                if let Some(gate) = self.steps[at].task_mut(*task).gates.get_mut(gate) {
                    gate.denied = Some(format!("denied by {who}: {reason}"));
                }
            }
            Event::ApprovalExpired { step, task, gate } => {
                let at = find(step)?;
                if let Some(gate) = self.steps[at].task_mut(*task).gates.get_mut(gate) {
                    gate.denied = Some("nobody answered in time".to_owned());
                }
            }
            Event::StepSkipped { step, by, reason, .. } => {
                let at = find(step)?;
                self.end(at, Status::Skipped(*by), Some(reason), now);
            }
            Event::StepBlocked { step, because } => {
                let at = find(step)?;
                self.end(at, Status::Blocked, Some(&because.join(", ")), now);
            }
            Event::NegativeControl { step, failed_as_it_must, .. } => {
                let at = find(step)?;
                self.steps[at].controls_seen += u32::from(*failed_as_it_must);
            }
            Event::ActionStarted { step, task, attempt, .. } => {
                let at = find(step)?;
                let step = &mut self.steps[at];
                step.status = if *task == Task::Do { Status::Running } else { Status::Undoing };
                step.failed_check = None;
                if *task == Task::Do {
                    step.started.get_or_insert(now);
                }
                let task = step.task_mut(*task);
                task.progress = Progress::Started;
                task.began.get_or_insert(now);
                task.since = Some(now);
                task.due_ms = None;
                task.attempts = *attempt;
                task.process = None;
                task.checks_passed = 0;
            }
            Event::ActionFinished(end) => {
                let at = find(&end.step)?;
                let step = &mut self.steps[at];
                if end.task == Task::Do && end.outcome == Outcome::Succeeded {
                    step.outputs.clone_from(&end.outputs);
                    step.recovery_point = end.recovery_point;
                }
                let task = step.task_mut(end.task);
                task.progress = Progress::Ended(end.outcome);
                task.process = None;
            }
            Event::RetryScheduled { step, task, delay_ms, .. } => {
                let at = find(step)?;
                let task = self.steps[at].task_mut(*task);
                task.progress = Progress::Retrying;
                task.due_ms = Some(now.elapsed_ms.saturating_add(*delay_ms));
            }
            Event::VerificationStarted { step, task } => {
                let at = find(step)?;
                let step = &mut self.steps[at];
                if *task == Task::Do {
                    step.status = Status::Verifying;
                    step.started.get_or_insert(now);
                } else {
                    step.status = Status::Undoing;
                }
                let task = step.task_mut(*task);
                task.progress = Progress::Verifying;
                task.began.get_or_insert(now);
                task.checks_passed = 0;
            }
            Event::CheckPassed { step, task, .. } => {
                let at = find(step)?;
                self.steps[at].task_mut(*task).checks_passed += 1;
            }
            Event::CheckFailed { step, expected, observed, .. } => {
                let at = find(step)?;
                // Where nothing was observed, the reason says why, and it is told anyway.
                let found = if observed.is_null() { String::new() } else { observed.to_string() };
                self.steps[at].failed_check = Some((expected.clone(), found));
            }
            Event::StepSucceeded { step, accepted_by, .. } => {
                let at = find(step)?;
                self.steps[at].accepted_by.clone_from(accepted_by);
                self.end(at, Status::Succeeded, None, now);
            }
            Event::StepFailed { step, reason, then } => {
                let at = find(step)?;
                self.steps[at].then = Some(*then);
                self.end(at, Status::Failed, Some(reason), now);
            }
            Event::StepUnknown { step, task, .. } => {
                let at = find(step)?;
                let step = &mut self.steps[at];
                if *task == Task::Do {
                    step.status = Status::Unknown;
                }
                step.task_mut(*task).progress = Progress::Unknown;
            }
            Event::UnknownResolved { step, task, outcome, way } => {
                let at = find(step)?;
                let step = &mut self.steps[at];
                let own = *task == Task::Do;
                let mut followed = false;
                let task = step.task_mut(*task);
                match outcome {
                    Resolved::RunAgain => task.progress = Progress::Again,
                    Resolved::Followed => {
                        task.progress = Progress::Started;
                        followed = true;
                    }
                    Resolved::Done | Resolved::Failed => {
                        task.progress = Progress::Ended(Outcome::Succeeded);
                        if *outcome == Resolved::Failed {
                            task.progress = Progress::Ended(Outcome::Failed);
                        }
                    }
                }
                if *way == Resolution::Person {
                    task.budget_from = task.attempts;
                }
                if followed && own {
                    step.status = Status::Running;
                }
            }
            Event::ActionPrepared { step, task, attempt, facts, .. } => {
                let at = find(step)?;
                let prepared = &mut self.steps[at].task_mut(*task).prepared;
                prepared.push(Prepared { attempt: *attempt, facts: facts.clone() });
            }
            Event::ClusterMet(met) => {
                self.clusters.insert(met.cluster.clone(), met.clone());
            }
            Event::OutageMarked { step, at } => {
                find(step)?;
                self.outage = Some(*at);
            }
            Event::CapabilityRestored { step, at } => {
                find(step)?;
                self.restored = Some(*at);
            }
            Event::Act { act: ActName::Abort, who, reason, accepted: true, .. } => {
                let reason = reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
                self.abort_asked = Some(match reason {
                    Some(reason) => format!("{who}: {reason}"),
                    None => format!("{who} asked for it"),
                });
            }
            Event::Act { act: ActName::Pause, accepted: true, .. } => self.paused = true,
            Event::Act { act, step, accepted: true, .. } => {
                if let Some(step) = step {
                    let at = find(step)?;
                    self.acted(at, *act);
                }
            }
            Event::GuardFailing { guard, .. } => {
                self.guards.insert(guard.clone(), GuardState { since: now, tripped: false });
            }
            Event::GuardRecovered { guard, .. } => {
                self.guards.remove(guard);
            }
            Event::GuardTripped { guard, then, reason, .. } => {
                self.guards.entry(guard.clone()).or_insert(GuardState { since: now, tripped: true }).tripped = true;
                // What follows from it has records of its own; an engine that dies in between must not make it unsaid.
                match then {
                    Then::Abort => self.abort_asked = Some(format!("guard `{guard}`: {reason}")),
                    Then::Pause => self.paused = true,
                }
            }
            Event::AbortStarted { reason, undo, stays } => {
                let nodes: Result<Vec<usize>, FoldError> = undo.iter().map(find).collect();
                self.undo_list = nodes?;
                self.abort_reason = Some(reason.clone());
                self.stays.clone_from(stays);
                self.run = RunStatus::Aborting;
                self.paused = false;
            }
            Event::UndoStarted { step } => {
                let at = find(step)?;
                self.steps[at].status = Status::Undoing;
            }
            Event::UndoFinished { step, .. } => {
                let at = find(step)?;
                self.steps[at].status = Status::Undone;
                self.steps[at].undo.progress = Progress::Over;
            }
            Event::UndoFailed { step, reason } => {
                let at = find(step)?;
                self.steps[at].status = Status::UndoFailed;
                self.steps[at].undo.progress = Progress::Over;
                self.steps[at].reason = Some(reason.clone());
            }
            Event::CleanupStarted { .. } => {
                self.cleanup_started = true;
                self.run = RunStatus::CleaningUp;
            }
            Event::RunFinished(end) => self.run = RunStatus::Finished(end.verdict),
            Event::RunCreated(_)
            | Event::ProcessStarted { .. }
            | Event::ClusterRefused { .. }
            | Event::ApiRetried { .. }
            | Event::ClusterAsked { .. }
            | Event::RecoveryPoint { .. }
            | Event::EngineStopped { .. }
            | Event::Act { .. } => {}
        }
        if let Event::Act { id: Some(id), .. } = event {
            self.acts.insert(id.clone());
        }
        if let Event::Act { step: Some(step), artifacts, accepted: true, .. } = event {
            let at = find(step)?;
            self.steps[at].attached.extend(artifacts.iter().map(|artifact| artifact.name.clone()));
        }
        if let Event::ProcessStarted { step, task, pid, identity, .. } = event {
            let at = find(step)?;
            self.steps[at].task_mut(*task).process = Some((*pid, identity.clone()));
        }
        self.last = now;
        Ok(())
    }

    fn end(&mut self, at: usize, status: Status, reason: Option<&String>, now: Now) {
        let step = &mut self.steps[at];
        step.status = status;
        step.own.progress = Progress::Over;
        step.finished = Some(now);
        step.reason = reason.cloned();
    }

    /// What an act of a person changes by itself, before any other event.
    fn acted(&mut self, at: usize, act: ActName) {
        let step = &mut self.steps[at];
        match act {
            ActName::Retry if step.status == Status::Failed => {
                step.own.progress = Progress::Again;
                step.own.budget_from = step.own.attempts;
                step.own.gates.clear();
                step.status = Status::Pending;
                step.then = None;
                step.finished = None;
            }
            ActName::Recheck if step.status == Status::Failed => {
                step.own.progress = Progress::Ended(Outcome::Succeeded);
                step.status = Status::Verifying;
                step.then = None;
                step.finished = None;
            }
            _ => {}
        }
    }
}

/// The log of a run, folded.
///
/// # Errors
/// When the log does not begin with `run-created` or names a step that the plan does not have.
pub fn fold<'a>(plan: &Plan, records: impl IntoIterator<Item = (&'a Event, Now)>) -> Result<State, FoldError> {
    let mut records = records.into_iter();
    let Some((Event::RunCreated(created), now)) = records.next() else { return Err(FoldError::NotCreated) };
    let mut state = State::new(plan, (**created).clone(), now);
    for (event, now) in records {
        state.apply(event, now)?;
    }
    Ok(state)
}
