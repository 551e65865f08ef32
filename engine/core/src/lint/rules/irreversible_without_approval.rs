//! `irreversible-without-approval`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::is_for_drills},
    source::Spanned,
};

/// A point of no return that nobody has to approve.
///
/// What cannot be taken back is what a person should have said yes to: the step itself has an `approval`, or one that it waits
/// for has. Without it, a mistake that was made an hour before is carried over the edge at two in the morning, by a machine.
/// A step of drills only is a rehearsal and needs none.
///
/// Bad:
///
/// ```yaml
/// steps:
///   promote: {phase: data, exec: [./promote.sh], irreversible: true}
/// ```
///
/// Good:
///
/// ```yaml
/// roles: {database-owner: [carol@example.org, dave@example.org]}
/// steps:
///   promote:
///     phase: data
///     exec: [./promote.sh]
///     irreversible: true
///     approval: {by: database-owner, expires: 30m}
/// ```
///
/// To fix it, add an `approval` to the step. `unattended: drill-only` lets drills pass it by themselves.
pub const RULE: Rule = Rule {
    id: "irreversible-without-approval",
    severity: Severity::Warning,
    summary: "a point of no return that nobody has to approve",
    check,
    source: include_str!("irreversible_without_approval.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let risky: Vec<_> = context
        .sound_steps()
        .filter(|(_, _, step)| step.irreversible && step.approval.is_none() && !is_for_drills(step))
        .collect();
    let gated = (!risky.is_empty() && context.claims_to_restore()).then(|| context.gated()).flatten();
    let Some(gated) = gated else { return };
    for (at, id, step) in risky {
        if !gated[at] {
            let span = context.key(&["steps", id, "irreversible"], step.span());
            let phase = step.phase.as_ref().map_or(step.span(), Spanned::span);
            findings.push(
                context
                    .finding(
                        &RULE,
                        span,
                        format!("expected an `approval` of `{id}` or of a step that it needs, found none"),
                    )
                    .label("there is no way back from here")
                    .related(context.source, phase, "nothing before this asks a person")
                    .help("add an `approval` to it; `unattended: drill-only` lets drills pass"),
            );
        }
    }
}
