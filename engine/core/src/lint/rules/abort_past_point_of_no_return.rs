//! `abort-past-point-of-no-return`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    model::Then,
};

/// A guard that may abort the run after a step that cannot be taken back.
///
/// An abort undoes the steps, last first. What is irreversible stays, and what it needs stays with it; everything else is taken
/// back. So past the point of no return an abort leads neither forward nor back: at two in the morning a primary is shut down
/// for good, the recovery is half taken away, and a guard has decided it by itself. After that point a guard should pause, so
/// that a person decides.
///
/// Bad:
///
/// ```yaml
/// guards:
///   - {name: errors, check: {exec: [./errors-are-low.sh]}, then: abort}
/// steps:
///   promote: {phase: data, exec: [./promote.sh], irreversible: true, approval: {}}
/// ```
///
/// Good:
///
/// ```yaml
/// guards:
///   - {name: errors, during: {until: bootstrap}, check: {exec: [./errors-are-low.sh]}, then: abort}
///   - {name: errors-later, during: {from: data}, check: {exec: [./errors-are-low.sh]}, then: pause}
/// steps:
///   promote: {phase: data, exec: [./promote.sh], irreversible: true, approval: {}}
/// ```
///
/// To fix it, end the guard before that step by `until`, or say `then: pause`.
pub const RULE: Rule = Rule {
    id: "abort-past-point-of-no-return",
    severity: Severity::Warning,
    summary: "a guard may abort the run after a step that cannot be taken back",
    check,
    source: include_str!("abort_past_point_of_no_return.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if context.is_damaged(&["guards"]) {
        return;
    }
    let Some((_, id, step)) = context.sound_steps().find(|(_, _, step)| step.irreversible) else { return };
    for guard in &context.runbook.guards {
        // One that ends somewhere has been thought about.
        let ends = guard.during.as_ref().is_some_and(|during| during.until.is_some());
        if guard.then == Then::Abort && !ends {
            let span = context.key(&["steps", id, "irreversible"], step.span());
            findings.push(
                context
                    .finding(
                        &RULE,
                        guard.name.span(),
                        format!("expected a guard that aborts to end before `{id}`, found no `until`"),
                    )
                    .label("may abort when there is no way back")
                    .related(context.source, span, "the point of no return")
                    .help("end it by `during: {until: …}`, or say `then: pause`"),
            );
        }
    }
}
