//! `irreversible-in-drill`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    model::TextKind,
};

/// A drill that goes over a point of no return.
///
/// A drill is a rehearsal: it must leave everything as it was. A step that says of itself that it cannot be taken back, and
/// that exists in both modes, is done for real in the next drill, and by a machine if the drill runs by night. With a `when`
/// that asks for `run.mode` it is left alone, and so is what makes its own disaster.
///
/// Bad:
///
/// ```yaml
/// steps:
///   promote: {phase: data, exec: [./promote.sh], irreversible: true, approval: {}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   promote: {phase: data, exec: [./promote.sh], irreversible: true, approval: {}, only: incident}
///   promote-a-copy: {phase: data, exec: [./promote-copy.sh], undo: {exec: [./drop-copy.sh]}, only: drill}
/// ```
///
/// To fix it, say `only: incident` and rehearse the step on a copy.
pub const RULE: Rule = Rule {
    id: "irreversible-in-drill",
    severity: Severity::Warning,
    summary: "a drill goes over a point of no return",
    check,
    source: include_str!("irreversible_in_drill.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() {
        return;
    }
    for (at, id, step) in context.sound_steps() {
        if !step.irreversible || step.only.is_some() || step.injects_outage {
            continue;
        }
        let asks = context.texts.iter().any(|text| {
            text.home == crate::lint::context::Home::Step(at)
                && text.kind() == TextKind::Condition
                && text.asks_for_mode()
        });
        if !asks {
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.key(&["steps", id, "irreversible"], step.span()),
                        "expected no point of no return in a drill, found one in both modes",
                    )
                    .label("a drill does this, too")
                    .related(context.source, context.id_span(id), "without `only` it exists in both modes")
                    .help("add `only: incident`, and rehearse it on a copy with a step that is `only: drill`"),
            );
        }
    }
}
