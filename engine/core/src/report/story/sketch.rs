//! As much of a plan as a report needs, from `plan.json` and from the steps that the records name.
//!
//! Duty: a plan on which the log can be folded by the machine's own rules, so that a report and the engine cannot
//! disagree about where a step is. It must not be executed: it has no actions, edges or checks.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::{
    duration::Duration,
    evidence::{Event, Record},
    model::{self, Mode, Phase},
    plan::{Node, NodeKind, Plan, PlanStep},
};

/// What is known about a node ahead of its run.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of a node of `plan.json`")]
pub(super) struct Known {
    pub barrier: bool,
    pub title: Option<String>,
    pub phase: Option<String>,
    pub action: Option<String>,
    pub cleanup: bool,
    pub irreversible: bool,
    pub restores: bool,
    pub estimate_ms: Option<u64>,
    pub needs: Vec<String>,
}

/// Every node by id: those of the plan in its order, then what only the records name, in theirs.
pub(super) fn known(records: &[Record], plan: Option<&Value>) -> IndexMap<String, Known> {
    let mut nodes: IndexMap<String, Known> = IndexMap::new();
    let planned = plan.and_then(|plan| plan.get("nodes")).and_then(Value::as_array);
    for node in planned.into_iter().flatten() {
        if let Some(id) = node.get("id").and_then(Value::as_str)
            && !nodes.contains_key(id)
        {
            nodes.insert(id.to_owned(), read(node));
        }
    }
    let mut named = |id: &str, cleanup: bool| match nodes.get_mut(id) {
        // What is recorded as a step is one, whatever the plan says.
        Some(node) => {
            node.barrier = false;
            node.cleanup |= cleanup;
        }
        None => {
            nodes.insert(id.to_owned(), Known { cleanup, ..Known::default() });
        }
    };
    for record in records {
        match &record.event {
            Event::AbortStarted { undo, .. } => undo.iter().for_each(|id| named(id, false)),
            Event::CleanupStarted { steps } => steps.iter().for_each(|id| named(id, true)),
            event => {
                if let Some(id) = step(event) {
                    named(id, false);
                }
            }
        }
    }
    nodes
}

/// The nodes as a plan.
pub(super) fn plan(nodes: &IndexMap<String, Known>, mode: Mode) -> Plan {
    let node = |(rank, (id, known)): (usize, (&String, &Known))| {
        let kind = if known.barrier {
            NodeKind::Barrier
        } else {
            let phase = Phase::ALL.into_iter().find(|phase| Some(phase.name()) == known.phase.as_deref());
            NodeKind::Step(Box::new(PlanStep {
                spec: Arc::new(model::Step { restores: known.restores, ..model::Step::default() }),
                scope: 0,
                phase,
                cleanup: known.cleanup,
                each: None,
                group: None,
                timeout: Duration::default(),
            }))
        };
        Node {
            id: id.clone(),
            kind,
            needs: Vec::new(),
            after: Vec::new(),
            dependents: Vec::new(),
            estimate: Duration::default(),
            tail: Duration::default(),
            rank,
        }
    };
    Plan { mode, scopes: Vec::new(), nodes: nodes.iter().enumerate().map(node).collect() }
}

fn read(node: &Value) -> Known {
    let text = |key: &str| node.get(key).and_then(Value::as_str).map(str::to_owned);
    let flag = |key: &str| node.get(key).and_then(Value::as_bool).unwrap_or_default();
    let needs = node.get("needs").and_then(Value::as_array);
    Known {
        barrier: text("kind").as_deref() == Some("barrier"),
        title: text("title"),
        phase: text("phase"),
        action: text("action"),
        cleanup: flag("cleanup"),
        irreversible: flag("irreversible"),
        restores: flag("restores"),
        estimate_ms: node.get("estimateMs").and_then(Value::as_u64),
        needs: needs.into_iter().flatten().filter_map(|id| Some(id.as_str()?.to_owned())).collect(),
    }
}

/// The step that an event is about. A refused act may name what does not exist, so it names nothing.
pub(super) fn step(event: &Event) -> Option<&str> {
    match event {
        Event::ActionFinished(end) => Some(&end.step),
        Event::Act { step, accepted: true, .. } => step.as_deref(),
        Event::ApprovalRequested { step, .. }
        | Event::ApprovalGiven { step, .. }
        | Event::ApprovalDenied { step, .. }
        | Event::ApprovalExpired { step, .. }
        | Event::StepSkipped { step, .. }
        | Event::StepBlocked { step, .. }
        | Event::NegativeControl { step, .. }
        | Event::ActionStarted { step, .. }
        | Event::ActionPrepared { step, .. }
        | Event::ProcessStarted { step, .. }
        | Event::RetryScheduled { step, .. }
        | Event::VerificationStarted { step, .. }
        | Event::CheckPassed { step, .. }
        | Event::CheckFailed { step, .. }
        | Event::RecoveryPoint { step, .. }
        | Event::StepSucceeded { step, .. }
        | Event::StepFailed { step, .. }
        | Event::StepUnknown { step, .. }
        | Event::UnknownResolved { step, .. }
        | Event::OutageMarked { step, .. }
        | Event::CapabilityRestored { step, .. }
        | Event::UndoStarted { step }
        | Event::UndoFinished { step, .. }
        | Event::UndoFailed { step, .. } => Some(step),
        Event::ApiRetried { step, .. } => step.as_deref(),
        Event::RunCreated(_)
        | Event::ClusterMet(_)
        | Event::ClusterRefused { .. }
        | Event::ClusterAsked { .. }
        | Event::EngineStarted { .. }
        | Event::PreflightFinished { .. }
        | Event::RunPaused { .. }
        | Event::RunContinued {}
        | Event::TerminalLost {}
        | Event::Act { .. }
        | Event::GuardFailing { .. }
        | Event::GuardRecovered { .. }
        | Event::GuardTripped { .. }
        | Event::AbortStarted { .. }
        | Event::CleanupStarted { .. }
        | Event::EngineStopped { .. }
        | Event::RunFinished(_) => None,
    }
}
