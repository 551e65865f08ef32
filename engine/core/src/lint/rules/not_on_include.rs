//! `not-on-include`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    plan::include,
};

/// A key that means nothing on a step that includes a runbook.
///
/// Such a step is expanded into the steps of that runbook; it does nothing itself. Apart from `phase`, `needs`, `after`,
/// `only`, `forEach` and what describes it for people, nothing it says would have an effect, and a gate or a condition that
/// is silently ignored is worse than none.
///
/// Bad:
///
/// ```yaml
/// steps:
///   db: {phase: data, runbook: {path: db.yaml}, approval: {by: commander}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   may-promote: {phase: data, manual: {instructions: Look at the lag}, approval: {by: commander}}
///   db: {phase: data, needs: [may-promote], runbook: {path: db.yaml}}
/// ```
pub const RULE: Rule = Rule {
    id: "not-on-include",
    severity: Severity::Error,
    summary: "a key means nothing on a step that includes a runbook",
    check,
    source: include_str!("not_on_include.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (id, step) in context.runbook.steps.iter().filter(|(_, step)| step.runbook.is_some()) {
        for (key, span) in include::ignored_on_include(step) {
            let keys: Vec<&str> = ["steps", id].into_iter().chain(key.split('.')).collect();
            findings.push(include::not_on_include(context.source, context.key(&keys, span), id, key));
        }
    }
}
