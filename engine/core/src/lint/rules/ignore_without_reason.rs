//! `ignore-without-reason`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A finding is silenced, and nobody says why.
///
/// Who reads the runbook in a year, or in an outage, must be able to tell a decision from a habit. The finding is silenced
/// all the same.
///
/// Bad:
///
/// ```yaml
/// inputs:
///   zone: {type: string} # lifeboat: ignore[unused-input]
/// ```
///
/// Good:
///
/// ```yaml
/// inputs:
///   zone: {type: string} # lifeboat: ignore[unused-input] people write it into the minutes
/// ```
pub const RULE: Rule = Rule {
    id: "ignore-without-reason",
    severity: Severity::Warning,
    summary: "a finding is silenced without a reason",
    check,
    source: include_str!("ignore_without_reason.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for silence in context.silences.all.iter().filter(|silence| !silence.has_reason) {
        findings.push(
            context
                .finding(&RULE, silence.span, "expected a reason after the brackets, found none")
                .help("say in a few words why this is right as it is; or mend it, and remove the comment"),
        );
    }
}
