//! `quorum-too-large`.

use std::collections::HashSet;

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    source::Span,
};

/// A gate that wants more people than its role has.
///
/// It could never be passed. Somebody who is listed twice is one person.
///
/// Bad:
///
/// ```yaml
/// roles: {commander: [alice@example.org]}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh], approval: {by: commander, count: 2}}
/// ```
///
/// Good:
///
/// ```yaml
/// roles: {commander: [alice@example.org, bob@example.org]}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh], approval: {by: commander, count: 2}}
/// ```
pub const RULE: Rule = Rule {
    id: "quorum-too-large",
    severity: Severity::Error,
    summary: "a gate wants more people than its role has",
    check,
    source: include_str!("quorum_too_large.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if context.is_damaged(&["roles"]) {
        return;
    }
    for gate in context.gates() {
        let Some((by, people)) = gate.by.as_ref().and_then(|by| Some((by, context.runbook.roles.get(by.as_str())?)))
        else {
            continue;
        };
        let there = people.iter().collect::<HashSet<_>>().len();
        let wanted = usize::try_from(*gate.count).unwrap_or(usize::MAX);
        if wanted > there {
            // A count that is not written has no place.
            let span = if gate.count.span() == Span::default() { by.span() } else { gate.count.span() };
            let message =
                format!("expected at most as many approvals as `{}` has people ({there}), found {wanted}", by.as_str());
            let declared = context.key(&["roles", by], Span::default());
            findings.push(
                context
                    .finding(&RULE, span, message)
                    .related(context.source, declared, "these are its people")
                    .help("add people to the role, or ask for fewer"),
            );
        }
    }
}
