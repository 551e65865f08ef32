//! `phase-inversion`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A step that needs one of a later phase.
///
/// Phases are the order of a recovery, and steps without `needs` wait for the phase before theirs. A step of an early phase
/// that needs a late one turns that order around: either the step is in the wrong phase, or the edge is wrong.
///
/// Bad:
///
/// ```yaml
/// steps:
///   network: {phase: provision, needs: [app], exec: [./network.sh]}
///   app: {phase: workloads, needs: [], exec: [./app.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   network: {phase: provision, exec: [./network.sh]}
///   app: {phase: workloads, exec: [./app.sh]}
/// ```
pub const RULE: Rule = Rule {
    id: "phase-inversion",
    severity: Severity::Error,
    summary: "a step needs one of a later phase",
    check,
    source: include_str!("phase_inversion.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    context.of_order(&RULE, findings);
}
