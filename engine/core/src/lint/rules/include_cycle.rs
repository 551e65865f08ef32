//! `include-cycle`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// Runbooks that include each other in a circle.
///
/// The plan would never end.
///
/// Bad:
///
/// ```yaml
/// # a.yaml
/// steps:
///   b: {phase: data, runbook: {path: b.yaml}}
/// # b.yaml
/// steps:
///   a: {phase: data, runbook: {path: a.yaml}}
/// ```
///
/// Good:
///
/// ```yaml
/// # a.yaml
/// steps:
///   b: {phase: data, runbook: {path: b.yaml}}
/// # b.yaml
/// steps:
///   promote: {phase: data, exec: [./promote.sh]}
/// ```
pub const RULE: Rule = Rule {
    id: "include-cycle",
    severity: Severity::Error,
    summary: "runbooks include each other in a circle",
    check,
    source: include_str!("include_cycle.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for included in &context.includes.direct {
        if let Some((way, again)) = &included.circle {
            findings.push(crate::plan::include::cycle(context.source, &included.include.path, way, again));
        }
    }
}
