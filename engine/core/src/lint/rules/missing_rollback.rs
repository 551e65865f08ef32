//! `missing-rollback`.

use crate::{
    action::{self, Kind},
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        facts::{is_for_drills, is_in, mutates},
    },
    model::Phase,
    source::Spanned,
};

/// A step that can neither be taken back nor says that it cannot.
///
/// An abort undoes what was done, last first. A step of phase `data`, `workloads` or `shift-traffic` without an `undo` stays as
/// it is: at two in the morning the commander aborts, and half of the recovery is still there, with traffic or data on it.
/// Whoever reads the plan should see it before: either `undo`, or `irreversible: true`, which makes it a point of no return.
///
/// Reconciling and syncing only bring about what is declared elsewhere, and are not asked for it. A step of drills only is
/// left to the `cleanup`, and the disaster of a drill is what the recovery itself takes back.
///
/// Bad:
///
/// ```yaml
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh, recovery]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh, recovery], undo: {exec: [./shift.sh, primary]}}
/// ```
///
/// To fix it, write the undo, `undo: auto` where the action knows one, or say `irreversible: true`.
pub const RULE: Rule = Rule {
    id: "missing-rollback",
    severity: Severity::Warning,
    summary: "a step can neither be taken back nor says that it cannot",
    check,
    source: include_str!("missing_rollback.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() {
        return;
    }
    let cleaned = !context.runbook.cleanup.is_empty();
    for (_, id, step) in context.sound_steps() {
        let Some(kind) = action::of_step(step) else { continue };
        // Deleting and scaling to nothing have rules of their own, for every phase.
        let lasting = matches!(
            kind,
            Kind::Exec | Kind::Shell | Kind::Http | Kind::Manual | Kind::Apply | Kind::Patch | Kind::VeleroRestore
        );
        let told = step.undo.is_some() || step.irreversible || step.injects_outage || (is_for_drills(step) && cleaned);
        if lasting && mutates(step) && !told && is_in(step, &[Phase::Data, Phase::Workloads, Phase::ShiftTraffic]) {
            let phase = step.phase.as_ref().map_or(step.span(), Spanned::span);
            let help = if kind.facts().undo_auto {
                "add `undo: auto`, an undo of your own, or `irreversible: true`"
            } else {
                "add an `undo`, or say `irreversible: true`"
            };
            // What a restore or a program has made may be more than an undo should take away.
            let captured = matches!(kind, Kind::Apply | Kind::Patch) && kind.facts().undo_auto;
            let fix = if captured { context.suggest_key(id, kind.facts().name, "undo", "auto") } else { None };
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.id_span(id),
                        format!("expected `undo` or `irreversible: true` for `{}`, found neither", kind.facts().name),
                    )
                    .label("an abort would leave it as it is")
                    .related(context.source, phase, "what is done in this phase is what an abort has to take back")
                    .help(help)
                    .fix(fix),
            );
        }
    }
}
