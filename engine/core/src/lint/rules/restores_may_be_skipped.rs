//! `restores-may-be-skipped`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A runbook in which every step that restores the capability may be left out.
///
/// The RTO clock stops after the steps that say `restores: true`. A step whose `when` is false is left out, and when all of them are
/// the clock stops at nothing that was verified: at two in the morning the run ends, and whether the capability is back nobody has
/// looked at. A step that only exists in one mode is not meant, and one without a condition is enough.
///
/// Bad:
///
/// ```yaml
/// steps:
///   journey: {phase: validate, when: inputs.url != '', verify: [{http: {url: "{{inputs.url}}"}}], restores: true}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   journey: {phase: validate, when: inputs.url != '', verify: [{http: {url: "{{inputs.url}}"}}]}
///   back: {phase: validate, needs: [journey], verify: [{exec: [./is-served.sh]}], restores: true}
/// ```
///
/// To fix it, let a step without a condition, which needs the others, say `restores: true`.
pub const RULE: Rule = Rule {
    id: "restores-may-be-skipped",
    severity: Severity::Warning,
    summary: "every step that restores the capability has a condition",
    check,
    source: include_str!("restores_may_be_skipped.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    // Two conditions may exclude each other, so that one of them is always true.
    if !context.claims_to_restore() || context.includes_others() || context.is_damaged(&["steps"]) {
        return;
    }
    let mut ends = context.sound_steps().filter(|(_, _, step)| step.restores);
    let (Some((_, id, step)), None) = (ends.next(), ends.next()) else { return };
    if let Some(when) = &step.when {
        let span = context.key(&["steps", id, "restores"], step.span());
        findings.push(
            context
                .finding(
                    &RULE,
                    when.span(),
                    format!("expected `{id}` to have no condition, found one on what restores"),
                )
                .label("when this is false, nobody looks whether the capability is back")
                .related(context.source, span, "no other step stops the RTO clock")
                .help("let a step without a condition, which needs this one, say `restores: true`"),
        );
    }
}
