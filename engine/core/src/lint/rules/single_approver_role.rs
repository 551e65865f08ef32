//! `single-approver-role`.

use std::collections::HashSet;

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A gate for a role of one person.
///
/// When that person sleeps, flies, or has left, nobody can pass the gate, and at two in the morning the recovery waits for a
/// phone that is switched off. Somebody who is listed twice is one person. Roles that no gate names are not looked at.
///
/// Bad:
///
/// ```yaml
/// roles: {incident-commander: [alice@example.org]}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh], approval: {by: incident-commander}}
/// ```
///
/// Good:
///
/// ```yaml
/// roles: {incident-commander: [alice@example.org, bob@example.org]}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh], approval: {by: incident-commander}}
/// ```
///
/// To fix it, add a deputy to the role.
pub const RULE: Rule = Rule {
    id: "single-approver-role",
    severity: Severity::Warning,
    summary: "a gate is for a role of one person",
    check,
    source: include_str!("single_approver_role.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() || context.is_damaged(&["roles"]) {
        return;
    }
    let mut told = HashSet::new();
    for gate in context.gates() {
        let Some(by) = &gate.by else { continue };
        let Some(people) = context.runbook.roles.get(by.as_str()) else { continue };
        // Nobody at all is told as a quorum that is too large.
        if people.iter().collect::<HashSet<_>>().len() == 1 && told.insert(by.as_str()) {
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.key(&["roles", by], by.span()),
                        format!("expected two people or more in `{}`, found one", by.as_str()),
                    )
                    .label("when they cannot be reached, nobody can say yes")
                    .related(context.source, by.span(), "this gate waits for them")
                    .help("add a deputy to the role"),
            );
        }
    }
}
