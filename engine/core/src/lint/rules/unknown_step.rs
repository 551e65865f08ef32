//! `unknown-step`.

use std::collections::HashMap;

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    source::Span,
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
    let before = findings.len();
    context.of_order(&RULE, findings);
    if findings.len() == before {
        return;
    }
    let steps = context.runbook.steps.iter();
    let names: HashMap<Span, (&str, &str)> = steps
        .flat_map(|(id, step)| {
            let names = step.needs.iter().flatten().chain(&step.after);
            names.map(move |name| (name.span(), (id.as_str(), name.as_str())))
        })
        .collect();
    for finding in &mut findings[before..] {
        let Some((id, name)) = names.get(&finding.span) else { continue };
        // No step waits for itself.
        let meant = context.step_names.only(name).filter(|meant| meant != id);
        finding.fix = context.suggest_name(finding.span, name, meant);
    }
}
