//! `undo-auto-unsupported`.

use crate::{
    action,
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    model::Undo,
};

/// `undo: auto` on an action that cannot undo itself.
///
/// Only actions that know what they changed can take it back by themselves. On others an abort would leave it as it is.
///
/// Bad:
///
/// ```yaml
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh, recovery], undo: auto}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh, recovery], undo: {exec: [./shift.sh, primary]}}
/// ```
pub const RULE: Rule = Rule {
    id: "undo-auto-unsupported",
    severity: Severity::Error,
    summary: "`undo: auto` on an action that cannot undo itself",
    check,
    source: include_str!("undo_auto_unsupported.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (room, id, step) in context.steps() {
        let Some(undo) = step.undo.as_ref().filter(|undo| matches!(***undo, Undo::Auto(_))) else { continue };
        let kind = action::of_step(step);
        // An include says by another rule that it has no undo; an action that could not be read says nothing.
        if step.runbook.is_some() || kind.is_none() && context.is_damaged(&[room, id]) {
            continue;
        }
        let facts = kind.map(action::Kind::facts);
        if facts.is_none_or(|facts| !facts.undo_auto) {
            let found = facts.map_or(String::from("no action"), |facts| format!("`{}`", facts.name));
            findings.push(
                context
                    .finding(&RULE, undo.span(), format!("expected an action that can undo itself, found {found}"))
                    .help("write the undo out: `undo: {exec: [...]}`"),
            );
        }
    }
}
