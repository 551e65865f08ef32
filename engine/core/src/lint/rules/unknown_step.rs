//! `unknown-step`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A name in `needs` or `after` that is no step of this file.
///
/// The step could never start, or would start too early, because what it waits for does not exist. Steps of an included
/// runbook cannot be named one by one: wait for the step that includes it.
///
/// Bad:
///
/// ```yaml
/// steps:
///   restore-cases: {phase: data, exec: [./restore.sh]}
///   check: {phase: data, needs: [restore-case], exec: [./check.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   restore-cases: {phase: data, exec: [./restore.sh]}
///   check: {phase: data, needs: [restore-cases], exec: [./check.sh]}
/// ```
pub const RULE: Rule = Rule {
    id: "unknown-step",
    severity: Severity::Error,
    summary: "a step waits for one that does not exist",
    check,
    source: include_str!("unknown_step.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    context.of_order(&RULE, findings);
}
