//! `unknown-period`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    model::Phase,
    plan::nearest::Nearest,
};

/// A guard that is watched during a step or phase that does not exist.
///
/// It would never be watched, and nobody would notice before it was needed. `during` names a step of this runbook or a
/// phase of which it has steps.
///
/// Bad:
///
/// ```yaml
/// guards:
///   - {name: errors, during: {from: shift-trafic}, check: {shell: ./errors-are-low.sh}, then: abort}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh], restores: true}
/// ```
///
/// Good:
///
/// ```yaml
/// guards:
///   - {name: errors, during: {from: shift-traffic}, check: {shell: ./errors-are-low.sh}, then: abort}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh], restores: true}
/// ```
pub const RULE: Rule = Rule {
    id: "unknown-period",
    severity: Severity::Error,
    summary: "a guard is watched during what does not exist",
    check,
    source: include_str!("unknown_period.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if context.is_damaged(&["steps"]) {
        return;
    }
    let steps = &context.runbook.steps;
    let phases: Vec<&str> = Phase::ALL
        .into_iter()
        .filter(|phase| steps.values().any(|step| step.phase.as_deref() == Some(phase)))
        .map(Phase::name)
        .collect();
    let names = Nearest::new(steps.keys().map(String::as_str).chain(phases.iter().copied()));
    let periods = context.runbook.guards.iter().filter_map(|guard| guard.during.as_ref());
    for name in periods.flat_map(|during| during.from.iter().chain(&during.until)) {
        if !steps.contains_key(name.as_str()) && !phases.contains(&name.as_str()) {
            let message = format!("expected a step, or a phase that has steps, found `{}`", name.as_str());
            let fix = context.suggest_name(name.span(), name, names.only(name));
            let help = names.help(name, "step or phase");
            findings.push(context.finding(&RULE, name.span(), message).help(help).fix(fix));
        }
    }
}
