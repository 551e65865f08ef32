//! `unknown-role`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    plan::nearest::Nearest,
};

/// A gate for a role that does not exist.
///
/// Nobody could approve it: the run would hold there until the gate expires, and an expired gate denies.
///
/// Bad:
///
/// ```yaml
/// roles: {commander: [alice@example.org]}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh], approval: {by: comander}}
/// ```
///
/// Good:
///
/// ```yaml
/// roles: {commander: [alice@example.org]}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh], approval: {by: commander}}
/// ```
pub const RULE: Rule = Rule {
    id: "unknown-role",
    severity: Severity::Error,
    summary: "a gate asks for a role that does not exist",
    check,
    source: include_str!("unknown_role.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if context.is_damaged(&["roles"]) {
        return;
    }
    let roles = Nearest::new(context.runbook.roles.keys().map(String::as_str));
    for by in context.gates().filter_map(|gate| gate.by.as_ref()) {
        if !context.runbook.roles.contains_key(by.as_str()) {
            let message = format!("expected a role of this runbook, found `{}`", by.as_str());
            let fix = context.suggest_name(by.span(), by, roles.only(by));
            findings.push(context.finding(&RULE, by.span(), message).help(roles.help(by, "role")).fix(fix));
        }
    }
}
