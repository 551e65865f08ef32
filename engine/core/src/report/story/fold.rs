//! Records → story, in one pass over them.
//!
//! Duty: to note what each event tells. Where a step is, when it began and what the objectives came to is not decided
//! here: that is the fold and the policy of the machine, on the sketch of a plan. No sequence of events is refused.

use indexmap::IndexMap;
use serde_json::Value;

use super::{
    Abort, BadGuard, ClockStart, End, Engine, Farewell, Marks, Moment, Pause, Preflight, RecoveryPoint, RunState, Step,
    Story, UndoStory, sketch,
};
use crate::{
    evidence::{
        Event, Record,
        event::{RunCreated, Stays},
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
    fold.story.steps = known.into_iter().map(|(id, known)| (id.clone(), Step::new(id, known))).collect();
    for (seq, record) in (1..).zip(records) {
        let at = moment(record);
        fold.story.last = at;
        fold.story.whole &= at.seq == seq;
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
        whole: true,
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
        clusters: Vec::new(),
        guards: Vec::new(),
        deliveries: Vec::new(),
        abort: None,
        cleanup: None,
        left: Vec::new(),
        recovery_points: Vec::new(),
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
        super::clusters::note(&mut self.story, event, at);
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
            Event::GuardFailing { guard, reason, evaluated, .. } => {
                let (guard, reason, evaluated) = (guard.clone(), reason.clone(), *evaluated);
                story.guards.push(BadGuard { guard, from: at, until: None, reason, evaluated, tripped: None });
            }
            Event::GuardTripped { guard, then, reason, evaluated, .. } => {
                if let Some(bad) = story.guards.iter_mut().rev().find(|bad| bad.guard == *guard) {
                    bad.tripped = Some((at, *then));
                    bad.reason.clone_from(reason);
                    bad.evaluated = *evaluated;
                }
            }
            Event::GuardRecovered { guard, .. } => {
                if let Some(bad) = story.guards.iter_mut().rev().find(|bad| bad.guard == *guard) {
                    bad.until = Some(at);
                }
            }
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
