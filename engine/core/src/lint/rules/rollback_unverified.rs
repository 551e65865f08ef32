//! `rollback-unverified`.

use crate::{
    action::{self, Kind},
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        facts::{is_in, own_undo},
    },
    model::Phase,
    source::Spanned,
};

/// An undo that nothing looks at.
///
/// An abort is done when its undos are, and it is told as done. An undo that is a program, a script, a request or a person
/// has only ended: whether traffic goes where it went before, and whether the copy is gone, a check has to say. Undos are the
/// code that is tried least, and at two in the morning nobody trusts them without it.
///
/// Asked for are steps of the phases `data`, `workloads` and `shift-traffic`.
///
/// Bad:
///
/// ```yaml
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh, recovery], undo: {exec: [./shift.sh, primary]}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   shift:
///     phase: shift-traffic
///     exec: [./shift.sh, recovery]
///     undo:
///       exec: [./shift.sh, primary]
///       verify:
///         - name: users reach the primary again
///           dns: {name: shop.example.org, resolvers: [1.1.1.1, 8.8.8.8]}
///           within: 5m
/// ```
///
/// To fix it, add a `verify` to the undo.
pub const RULE: Rule = Rule {
    id: "rollback-unverified",
    severity: Severity::Warning,
    summary: "an undo is a program, and nothing looks whether it took the step back",
    check,
    source: include_str!("rollback_unverified.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() {
        return;
    }
    for (_, id, step) in context.sound_steps() {
        let Some(undo) = own_undo(step).filter(|undo| undo.verify.is_empty()) else { continue };
        let Some(kind) = action::present_in_undo(undo).next() else { continue };
        let blind = matches!(kind, Kind::Exec | Kind::Shell | Kind::Http | Kind::Manual);
        if blind && is_in(step, &[Phase::Data, Phase::Workloads, Phase::ShiftTraffic]) {
            let otherwise = step.undo.as_ref().map_or(step.span(), Spanned::span);
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.key(&["steps", id, "undo"], otherwise),
                        format!("expected a `verify` for an undo by `{}`, found none", kind.facts().name),
                    )
                    .label("an abort would be told as done when this has ended")
                    .related(context.source, context.id_span(id), "what it takes back")
                    .help("add a `verify` to the undo that shows that things are as before"),
            );
        }
    }
}
