//! `approval-without-expiry`.

use crate::{
    diagnostic::{Diagnostic, Fix, Severity},
    lint::{Context, Rule, context::route},
};

/// A gate that waits without end for somebody of a role.
///
/// Without `expires` a gate waits until somebody answers. When everybody of the role sleeps, or the message went nowhere, the
/// run stands still and the RTO goes by, and at two in the morning nobody is told that it does. With `expires` the gate is
/// denied, which is told, and the run does what it does on a failure. A gate without `by` is for whoever commands the run, who
/// is there.
///
/// Bad:
///
/// ```yaml
/// approval: {by: incident-commander}
/// ```
///
/// Good:
///
/// ```yaml
/// approval: {by: incident-commander, expires: 30m}
/// ```
///
/// To fix it, add `expires` with the time after which somebody else has to be woken.
pub const RULE: Rule = Rule {
    id: "approval-without-expiry",
    severity: Severity::Warning,
    summary: "a gate for a role waits without end",
    check,
    source: include_str!("approval_without_expiry.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() {
        return;
    }
    for (keys, gate) in context.placed_gates() {
        let Some(by) = gate.by.as_ref().filter(|_| gate.expires.is_none()) else { continue };
        let declared = context.key(&["roles", by], by.span());
        let edits = context.editor.add(&route(&keys), "by", "expires", "30m");
        findings.push(
            context
                .finding(&RULE, by.span(), format!("expected `expires` on a gate for `{}`, found none", by.as_str()))
                .label("waits for them without end")
                .related(context.source, declared, "who has to answer")
                .help("add `expires: 30m`: after that the gate is denied, and people are told")
                .fix(edits.map(|edits| Fix::suggestion("add `expires: 30m`", edits))),
        );
    }
}
