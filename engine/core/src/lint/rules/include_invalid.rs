//! `include-invalid`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    plan::include::Unreadable,
};

/// An included runbook that has errors itself.
///
/// Its errors are told when that file is linted. A plan of this runbook cannot be made before they are gone.
///
/// Bad:
///
/// ```yaml
/// steps:
///   db: {phase: data, runbook: {path: a-runbook-with-errors.yaml}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   db: {phase: data, runbook: {path: postgres-promotion.yaml}}
/// ```
pub const RULE: Rule = Rule {
    id: "include-invalid",
    severity: Severity::Error,
    summary: "an included runbook has errors",
    check,
    source: include_str!("include_invalid.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for included in &context.includes.direct {
        if let Err(reason @ Unreadable::Invalid(_)) = &included.loaded {
            findings.push(reason.diagnostic(context.source, &included.include.path));
        }
    }
}
