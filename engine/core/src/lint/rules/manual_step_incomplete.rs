//! `manual-step-incomplete`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::mutates},
    source::Spanned,
};

/// A step that a person does, and of which nothing is left.
///
/// The person says done, and that is all: no check looks at the result, and no file goes into the evidence. At two in the
/// morning people say done to the wrong window; afterwards nobody can tell what they have done. A check is best; where nothing
/// can look, the names of files to attach are asked for.
///
/// Bad:
///
/// ```yaml
/// steps:
///   call: {phase: shift-traffic, manual: {instructions: Ask the provider to announce the prefix}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   call:
///     phase: shift-traffic
///     manual: {instructions: Ask the provider to announce the prefix, attach: [ticket]}
///     verify: [{exec: [./is-announced.sh], within: 30m}]
/// ```
///
/// To fix it, add a `verify` to the step, or `attach` to what it asks for. A person who only looks has `effect: reads`.
pub const RULE: Rule = Rule {
    id: "manual-step-incomplete",
    severity: Severity::Warning,
    summary: "a person does something, and nothing is left that shows it",
    check,
    source: include_str!("manual_step_incomplete.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() {
        return;
    }
    for (_, id, step) in context.sound_steps() {
        let Some(manual) = &step.manual else { continue };
        if mutates(step) && step.verify.is_empty() && manual.attach.is_empty() {
            let phase = step.phase.as_ref().map_or(step.span(), Spanned::span);
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.key(&["steps", id, "manual"], manual.span()),
                        "expected a `verify` or an `attach` for what a person does, found neither",
                    )
                    .label("`done` is all that is left of it")
                    .related(context.source, phase, "what is done in this phase is part of the evidence")
                    .help("add a `verify` to the step, or name files in `attach`"),
            );
        }
    }
}
