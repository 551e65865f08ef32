//! Objectives against actuals: what the run achieved, by the marks it recorded.

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::{
    evidence::event::{Actuals, Rpo, Rto},
    machine::state::{State, Status},
    model::Phase,
    plan::Plan,
};

/// Milliseconds from one instant to another; 0 when the second one is earlier.
fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond().saturating_sub(from.as_millisecond())).unwrap_or(0)
}

/// The oldest recovery point among steps that succeeded, and its node.
#[must_use]
pub fn oldest_recovery_point(state: &State) -> Option<(usize, Timestamp)> {
    state
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.status == Status::Succeeded)
        .filter_map(|(node, step)| Some((node, step.recovery_point?)))
        .min_by_key(|&(node, at)| (at, node))
}

/// Whether a recovery point is within the objective.
#[must_use]
pub fn rpo_met(state: &State, oldest: Timestamp) -> bool {
    let outage = state.outage.unwrap_or(state.created_at);
    between(oldest, outage) <= state.created.objectives.rpo.as_millis()
}

/// Recovery point: outage minus the oldest recovery point.
#[must_use]
pub fn rpo(plan: &Plan, state: &State) -> Rpo {
    let target_ms = state.created.objectives.rpo.as_millis();
    let outage = state.outage.unwrap_or(state.created_at);
    let oldest = oldest_recovery_point(state);
    let actual_ms = oldest.map(|(_, at)| between(at, outage));
    Rpo {
        target_ms,
        actual_ms,
        met: actual_ms.map(|actual| actual <= target_ms),
        step: oldest.map(|(node, _)| plan.nodes[node].id.clone()),
    }
}

/// When the capability was back, unless an abort has taken it back, or tried to.
fn restored(plan: &Plan, state: &State) -> Option<Timestamp> {
    let lost = plan.nodes.iter().zip(&state.steps).any(|(node, told)| {
        let undone = matches!(told.status, Status::Undoing | Status::Undone | Status::UndoFailed);
        undone && node.step().is_some_and(|step| step.spec.restores && !step.cleanup)
    });
    state.restored.filter(|_| !lost)
}

/// Recovery time: outage to restored, and where it went. A part is told only when both of its marks are known.
#[must_use]
pub fn rto(plan: &Plan, state: &State) -> Rto {
    let target_ms = state.created.objectives.rto.as_millis();
    let outage = state.outage.unwrap_or(state.created_at);
    let restored = restored(plan, state);
    let actual_ms = restored.map(|restored| between(outage, restored));
    let mut split = IndexMap::new();
    let begun = state.created_at.max(outage);
    if let Some(detected) = state.created.detected_at {
        split.insert("detection".to_owned(), between(outage, detected));
    }
    if let Some(declared) = state.created.declared_at {
        let from = state.created.detected_at.unwrap_or(outage);
        split.insert("decision".to_owned(), between(from, declared));
        split.insert("start".to_owned(), between(declared, begun));
    } else if begun > outage {
        let from = state.created.detected_at.unwrap_or(outage);
        split.insert("decision".to_owned(), between(from, begun));
    }
    if let Some(restored) = restored {
        let first = |wanted: Phase| {
            plan.nodes
                .iter()
                .zip(&state.steps)
                .filter(|(node, _)| node.step().is_some_and(|step| step.phase == Some(wanted)))
                .filter_map(|(_, step)| step.started.map(|now| now.at))
                .min()
                .filter(|at| (begun..=restored).contains(at))
        };
        let parts: Vec<(&str, Timestamp)> =
            [("restore", Some(begun)), ("validation", first(Phase::Validate)), ("traffic", first(Phase::ShiftTraffic))]
                .into_iter()
                .filter_map(|(name, from)| Some((name, from?)))
                .collect();
        // Each part ends where the next one begins, so that they add up to the whole.
        let ends = parts.iter().skip(1).map(|&(_, from)| from).chain(std::iter::once(restored));
        for (&(name, from), until) in parts.iter().zip(ends) {
            split.insert(name.to_owned(), between(from, until));
        }
    }
    Rto { target_ms, actual_ms, met: actual_ms.map(|actual| actual <= target_ms), split }
}

/// Both.
#[must_use]
pub fn actuals(plan: &Plan, state: &State) -> Actuals {
    Actuals { rto: rto(plan, state), rpo: rpo(plan, state) }
}
