//! `include-missing`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    plan::include::Unreadable,
};

/// An included runbook that is not there.
///
/// Paths are relative to the directory of the runbook that includes.
///
/// Bad:
///
/// ```yaml
/// steps:
///   db: {phase: data, runbook: {path: postgres-promotoin.yaml}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   db: {phase: data, runbook: {path: postgres-promotion.yaml}}
/// ```
pub const RULE: Rule = Rule {
    id: "include-missing",
    severity: Severity::Error,
    summary: "an included runbook is not there",
    check,
    source: include_str!("include_missing.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for included in &context.includes.direct {
        if let Err(reason @ Unreadable::Missing(_)) = &included.loaded {
            findings.push(reason.diagnostic(context.source, &included.include.path));
        }
    }
}
