//! `orphan-step`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        facts::{is_in, mutates},
    },
    model::Phase,
    source::Spanned,
};

/// A step that changes something for the recovery, and that the end of the recovery does not wait for.
///
/// The step that says `restores: true` stops the RTO clock. What it does not wait for may still be running then, or may have
/// failed: at two in the morning the capability is told as restored while a database is still being copied. Steps that only
/// look, and steps of the phases `validate` and `shift-traffic`, are not meant.
///
/// Bad:
///
/// ```yaml
/// steps:
///   database: {phase: data, exec: [./restore-database.sh]}
///   files: {phase: data, exec: [./restore-files.sh]}
///   start: {phase: workloads, needs: [database], exec: [./start.sh], restores: true}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   database: {phase: data, exec: [./restore-database.sh]}
///   files: {phase: data, exec: [./restore-files.sh]}
///   start: {phase: workloads, needs: [database, files], exec: [./start.sh], restores: true}
/// ```
///
/// To fix it, let the step that restores need it, directly or by others; or move it to a later phase.
pub const RULE: Rule = Rule {
    id: "orphan-step",
    severity: Severity::Warning,
    summary: "a step changes something, and what restores the capability does not wait for it",
    check,
    source: include_str!("orphan_step.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    // An included runbook may be what restores.
    if !context.claims_to_restore() || context.includes_others() {
        return;
    }
    let steps = &context.runbook.steps;
    for sketch in context.sound_orders() {
        let ends: Vec<usize> = steps
            .values()
            .enumerate()
            .filter(|(at, step)| step.restores && sketch.has(*at))
            .map(|(at, _)| at)
            .collect();
        let Some((_, end)) = ends.first().and_then(|at| steps.get_index(*at)) else { continue };
        let before = sketch.graph.ancestors(ends.iter().copied());
        for (at, id, step) in context.sound_steps() {
            let late = is_in(step, &[Phase::Validate, Phase::ShiftTraffic]);
            if before[at] || ends.contains(&at) || late || !mutates(step) || !sketch.has(at) {
                continue;
            }
            let span = step.phase.as_ref().map_or(step.span(), Spanned::span);
            let other = end.phase.as_ref().map_or(end.span(), Spanned::span);
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.id_span(id),
                        "expected what restores the capability to come after this step, found no path to it",
                    )
                    .label("may still be running when the RTO clock stops")
                    .related(context.source, other, "the clock stops after a step here")
                    .related(context.source, span, "this phase is part of the recovery")
                    .help(format!("let the step with `restores: true` need `{id}`, or move `{id}` to a later phase")),
            );
        }
    }
}
