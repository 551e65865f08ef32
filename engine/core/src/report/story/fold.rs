//! Records → story, in one pass over them.
//!
//! Duty: to note what each event tells. Where a step is, when it began and what the objectives came to is not decided
//! here: that is the fold and the policy of the machine, on the sketch of a plan. No sequence of events is refused.

use indexmap::IndexMap;
use serde_json::Value;

use super::{
    Abort, Attempt, Check, ClockStart, Control, End, Engine, Failure, Farewell, GateStory, Marks, Moment, Pause,
    Preflight, RecoveryPoint, Retry, RunState, Skipped, Step, Story, UndoStory, Unknown, sketch,
};
use crate::{
    evidence::{
        Event, Record,
        event::{ActionFinished, Gate, RunCreated, Stays, Task},
    },
    machine::state::{Now, RunStatus, State, Status},
    plan::Plan,
    policy::objectives,
};

pub(super) fn fold(records: &[Record], plan: Option<&Value>) -> Option<Story> {
    let (created, began) = records.iter().find_map(|record| match &record.event {
        Event::RunCreated(created) => Some((created, moment(record))),
        _ => None,
    })?;
    let known = sketch::known(records, plan);
    let planned = plan.is_some();
    let plan = sketch::plan(&known, created.mode);
    let now = Now { at: began.at, elapsed_ms: began.elapsed_ms };
    let mut state = State::new(&plan, (**created).clone(), now);
    let mut fold = Fold { story: empty(created, began, records.len(), planned), outage_step: None };
    fold.story.steps = known.into_iter().map(|(id, known)| (id.clone(), step(id, known))).collect();
    for record in records {
        let at = moment(record);
        fold.story.last = at;
        fold.engine_wrote(at);
        fold.decide(&record.event, at, &state);
        // Every step that an event names is in the sketch, so nothing is refused; if it were, the rest still counts.
        let _unknown_step = state.apply(&record.event, Now { at: at.at, elapsed_ms: at.elapsed_ms });
        fold.note(&record.event, at);
    }
    Some(fold.finish(&plan, &state))
}

pub(super) struct Fold {
    pub(super) story: Story,
    outage_step: Option<String>,
}

fn moment(record: &Record) -> Moment {
    let stamp = &record.stamp;
    Moment { seq: stamp.seq, at: stamp.at, elapsed_ms: stamp.elapsed_ms, token: stamp.token }
}

fn empty(created: &RunCreated, began: Moment, records: usize, planned: bool) -> Story {
    Story {
        created: created.clone(),
        began,
        last: began,
        records,
        planned,
        state: RunState::Created,
        end: None,
        engines: Vec::new(),
        marks: Marks {
            outage: created.outage_at.unwrap_or(began.at),
            outage_from: if created.outage_at.is_some() { ClockStart::Given } else { ClockStart::RunStart },
            detected: created.detected_at,
            declared: created.declared_at,
            restored: None,
        },
        objectives: crate::evidence::event::Actuals::default(),
        steps: IndexMap::new(),
        acts: Vec::new(),
        decisions: Vec::new(),
        preflight: None,
        pauses: Vec::new(),
        abort: None,
        cleanup: None,
        left: Vec::new(),
        recovery_points: Vec::new(),
    }
}

fn step(id: String, known: sketch::Known) -> Step {
    Step {
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

impl Step {
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
    fn note(&mut self, event: &Event, at: Moment) {
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
                self.attempts.push(Attempt { started: Some(at), order: order.clone(), ..Attempt::new(*task, *attempt) })
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
            result: Value::Null,
            error: None,
            artifacts: Vec::new(),
        }
    }
}

impl Fold {
    fn engine_wrote(&mut self, at: Moment) {
        if let Some(engine) = self.story.engines.iter_mut().rev().find(|engine| engine.began.token == at.token) {
            engine.last = at;
        }
    }

    fn note(&mut self, event: &Event, at: Moment) {
        if let Some(id) = sketch::step(event)
            && let Some(step) = self.story.steps.get_mut(id)
        {
            step.note(event, at);
        }
        let story = &mut self.story;
        match event {
            Event::EngineStarted { pid, host, user, engine, attended, parallel, torn_bytes } => {
                story.engines.push(Engine {
                    began: at,
                    last: at,
                    pid: *pid,
                    host: host.clone(),
                    user: user.clone(),
                    version: engine.clone(),
                    attended: *attended,
                    parallel: *parallel,
                    torn_bytes: *torn_bytes,
                    terminal_lost: None,
                    left: None,
                });
            }
            Event::TerminalLost {} => {
                if let Some(engine) = story.engines.last_mut() {
                    engine.terminal_lost = Some(at);
                }
            }
            Event::EngineStopped { reason, waits_for, exit_code } => {
                if let Some(engine) = story.engines.last_mut() {
                    engine.left = Some(Farewell {
                        at,
                        reason: reason.clone(),
                        waits_for: waits_for.clone(),
                        exit_code: *exit_code,
                    });
                }
            }
            Event::PreflightFinished { passed, findings } => {
                story.preflight = Some(Preflight { at, passed: *passed, findings: findings.clone() });
            }
            Event::RunPaused { reason } => story.pauses.push(Pause { from: at, until: None, reason: reason.clone() }),
            Event::RunContinued {} => self.end_pause(at),
            Event::RecoveryPoint { step, at } => {
                story.recovery_points.push(RecoveryPoint { step: step.clone(), at: *at });
            }
            Event::OutageMarked { step, .. } => self.outage_step = Some(step.clone()),
            Event::CapabilityRestored { step, at } => story.marks.restored = Some((*at, step.clone())),
            Event::AbortStarted { reason, undo, stays } => {
                story.abort = Some(Abort { at, reason: reason.clone(), undo: undo.clone(), stays: stays.clone() });
                // An abort ends a pause: there is nothing left that could go on.
                self.end_pause(at);
            }
            Event::CleanupStarted { steps } => story.cleanup = Some((at, steps.clone())),
            Event::RunFinished(end) => {
                story.end =
                    Some(End { at, verdict: end.verdict, exit_code: end.exit_code, reason: end.reason.clone() });
                story.objectives = end.objectives.clone();
                story.left.clone_from(&end.left);
                self.end_pause(at);
            }
            _ => {}
        }
    }

    fn end_pause(&mut self, at: Moment) {
        if let Some(pause) = self.story.pauses.last_mut() {
            pause.until.get_or_insert(at);
        }
    }

    fn finish(mut self, plan: &Plan, state: &State) -> Story {
        let story = &mut self.story;
        for (node, known) in plan.nodes.iter().enumerate() {
            let (Some(step), Some(told)) = (story.steps.get_mut(&known.id), state.steps.get(node)) else { continue };
            let moment = |now: Now| Moment { seq: 0, at: now.at, elapsed_ms: now.elapsed_ms, token: 0 };
            step.status = told.status;
            step.started = told.started.map(moment);
            step.finished = told.finished.map(moment);
            step.duration_ms =
                step.duration_ms.or_else(|| Some(told.finished?.elapsed_ms.saturating_sub(told.started?.elapsed_ms)));
            step.reason.clone_from(&told.reason);
            step.outputs.clone_from(&told.outputs);
            step.recovery_point = told.recovery_point;
            step.accepted_by.clone_from(&told.accepted_by);
            if step.undo.is_none() && told.undo.began.is_some() {
                step.undo = Some(UndoStory { started: told.undo.began.map(moment), ..UndoStory::default() });
            }
        }
        story.steps.retain(|id, _| state.node(id).is_some());
        if let Some(outage) = state.outage {
            story.marks.outage = outage;
        }
        if let Some(step) = self.outage_step {
            story.marks.outage_from = ClockStart::Step(step);
        }
        if story.end.is_none() {
            story.objectives = objectives::actuals(plan, state);
            story.left = left(story);
        }
        story.state = run_state(story, state);
        self.story
    }
}

/// What is left by now, of a run that has no verdict yet.
fn left(story: &Story) -> Vec<Stays> {
    let mut left = story.abort.as_ref().map(|abort| abort.stays.clone()).unwrap_or_default();
    let failed = story.steps.values().filter(|step| step.status == Status::UndoFailed);
    left.extend(failed.map(|step| Stays {
        step: step.id.clone(),
        why: format!("its undo failed: {}", step.reason.as_deref().unwrap_or_default()),
    }));
    left
}

fn run_state(story: &Story, state: &State) -> RunState {
    if story.end.is_some() {
        return RunState::Finished;
    }
    if let Some(left) = story.engines.last().and_then(|engine| engine.left.as_ref()) {
        return if left.exit_code == 5 { RunState::Held } else { RunState::Interrupted };
    }
    match state.run {
        RunStatus::Running if state.paused => RunState::Paused,
        RunStatus::Running => RunState::Running,
        RunStatus::Aborting => RunState::Aborting,
        RunStatus::CleaningUp => RunState::CleaningUp,
        RunStatus::Created | RunStatus::Finished(_) => RunState::Created,
    }
}
