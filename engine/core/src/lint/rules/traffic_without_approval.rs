//! `traffic-without-approval`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        facts::{is_in, mutates},
    },
    model::{Level, Mode, Phase},
    plan::sketch::exists,
};

/// Users are sent elsewhere in an incident, and nobody is asked.
///
/// Checks know what their author thought of. A person who looks at the new side before everybody is there sees the rest: the data of
/// yesterday, the payment provider that refuses the new addresses, the other team that is half-way back. One gate before the
/// shift is enough; a step that every way to it goes through may have it. A drill that moves a name which no user knows needs none.
///
/// Bad:
///
/// ```yaml
/// recovery: {level: L5}
/// steps:
///   shift: {phase: shift-traffic, http: {url: "https://dns.example.org/shift", method: POST}}
/// ```
///
/// Good:
///
/// ```yaml
/// recovery: {level: L5}
/// steps:
///   shift:
///     phase: shift-traffic
///     approval: {by: incident-commander, expires: 15m}
///     http: {url: "https://dns.example.org/shift", method: POST}
/// ```
///
/// To fix it, add an `approval` to the step, or to one that it needs.
pub const RULE: Rule = Rule {
    id: "traffic-without-approval",
    severity: Severity::Warning,
    summary: "users are sent elsewhere in an incident, and nobody is asked",
    check,
    source: include_str!("traffic_without_approval.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if context.runbook.recovery.level < Level::L5 {
        return;
    }
    let Some(gated) = context.gated() else { return };
    let shift = context.sound_steps().find(|(at, _, step)| {
        is_in(step, &[Phase::ShiftTraffic]) && mutates(step) && exists(step, Mode::Incident) && !gated[*at]
    });
    if let Some((_, id, step)) = shift {
        let phase = step.phase.as_ref().map_or(step.span(), crate::source::Spanned::span);
        findings.push(
            context
                .finding(
                    &RULE,
                    context.id_span(id),
                    "expected an `approval` before users are sent elsewhere, found none",
                )
                .label("nobody is asked")
                .related(context.source, phase, "users go where this leads")
                .help("add `approval: {by: …, expires: 15m}` to it, or to a step that it needs"),
        );
    }
}
