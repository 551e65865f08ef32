//! `dependency-cycle`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// Steps that wait for each other in a circle.
///
/// None of them could ever start. The whole circle is told, each edge at its place; taking any one of them away breaks it.
/// Where several circles share steps, a shortest one is told, and the next one when that is broken.
///
/// Bad:
///
/// ```yaml
/// steps:
///   app: {phase: data, needs: [db], exec: [./app.sh]}
///   db: {phase: data, needs: [app], exec: [./db.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   app: {phase: data, needs: [db], exec: [./app.sh]}
///   db: {phase: data, exec: [./db.sh]}
/// ```
pub const RULE: Rule = Rule {
    id: "dependency-cycle",
    severity: Severity::Error,
    summary: "steps wait for each other in a circle",
    check,
    source: include_str!("dependency_cycle.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    context.of_order(&RULE, findings);
}
