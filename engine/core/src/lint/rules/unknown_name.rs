//! `unknown-name`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, names},
};

/// A name that this text cannot see.
///
/// Every text sees `inputs`. Texts of steps also see `steps.<id>` (with `outputs`, `status`, `startedAt`, `finishedAt`), `run`
/// (`id`, `mode`, `startedAt`), `clock` (`sinceOutage`, `sinceDeclared`, `elapsed`) and, with `forEach`, `each.<as>`. An
/// `expect` also sees the fields of its check's result, and the `outputs` of its own step; the CEL of an output sees
/// `result`. What is evaluated when the plan is made sees `inputs` and `run.mode`. Names are literal, so that all of this is
/// known before anything runs: `steps[inputs.which]` is refused.
///
/// Bad:
///
/// ```yaml
/// inputs: {zone: {type: string}}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh, "{{inputs.zoen}}"]}
/// ```
///
/// Good:
///
/// ```yaml
/// inputs: {zone: {type: string}}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh, "{{inputs.zone}}"]}
/// ```
pub const RULE: Rule = Rule {
    id: "unknown-name",
    severity: Severity::Error,
    summary: "a text names what it cannot see",
    check,
    source: include_str!("unknown_name.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for text in &context.texts {
        for reference in text.references() {
            if let Some(wrong) = names::wrong(context, text, reference) {
                let span = context.place(text, reference.range.clone());
                findings.push(context.finding(&RULE, span, wrong.message).help(wrong.help));
            }
        }
    }
}
