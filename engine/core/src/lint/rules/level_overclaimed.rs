//! `level-overclaimed`.

use crate::{
    action::{self, Kind},
    diagnostic::{Diagnostic, Fix, Severity},
    lint::{
        Context, Rule,
        facts::{is_in, mutates, only_exists},
    },
    model::{Level, Phase},
    words::name,
};

/// A level that says more than a passing run can prove.
///
/// The level is what the evidence of a passing run is worth. L5 says that traffic was shifted, so a step of phase
/// `shift-traffic` has to change something. L4 says that the business journey works, so a check or a step of the phases
/// `validate` or `shift-traffic` has to do what a user does: objects that are ready and ports that are open are no journey.
/// A higher number is a claim that an auditor, or the next outage at two in the morning, finds to be untrue.
///
/// Bad:
///
/// ```yaml
/// recovery: {level: L5}
/// steps:
///   restore: {phase: data, exec: [./restore.sh], restores: true}
/// ```
///
/// Good:
///
/// ```yaml
/// recovery: {level: L3}
/// steps:
///   restore: {phase: data, exec: [./restore.sh], restores: true}
/// ```
///
/// To fix it, lower the level, or add what the level claims.
pub const RULE: Rule = Rule {
    id: "level-overclaimed",
    severity: Severity::Error,
    summary: "the level says more than a passing run can prove",
    check,
    source: include_str!("level_overclaimed.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let level = context.runbook.recovery.level;
    if !context.claims_to_restore() || context.includes_others() || context.is_damaged(&["steps"]) {
        return;
    }
    let steps = || context.runbook.steps.values();
    let shifts = steps().any(|step| is_in(step, &[Phase::ShiftTraffic]) && mutates(step));
    let journey = steps().filter(|step| is_in(step, &[Phase::Validate, Phase::ShiftTraffic])).any(|step| {
        let kind = action::of_step(step);
        // To send users there is not to be one.
        let looks = is_in(step, &[Phase::Validate]) || !mutates(step);
        let acts = looks && matches!(kind, Some(Kind::Exec | Kind::Shell | Kind::Http | Kind::Job | Kind::Manual));
        acts || step.verify.iter().any(|check| !only_exists(check))
    });
    let (claims, found, lower, help) = if level >= Level::L5 && !shifts {
        (
            "a step of phase `shift-traffic` that changes something for L5",
            "none",
            "L4",
            "lower the level to L4, or add the step that shifts traffic",
        )
    } else if level >= Level::L4 && !journey {
        (
            "a check in phase `validate` that does what a user does for L4",
            "only checks of what is there",
            "L3",
            "lower the level to L3, or add a check that goes the way of a user",
        )
    } else {
        return;
    };
    let objectives = context.runbook.recovery.objectives.span();
    let span = context.value(&["recovery", "level"], objectives);
    let edits = context.editor.replace(span, &name(&level), lower);
    findings.push(
        context
            .finding(&RULE, span, format!("expected {claims}, found {found}"))
            .label("a passing run does not prove this")
            .help(help)
            .fix(edits.map(|edits| Fix::suggestion(format!("lower the level to {lower}"), edits))),
    );
}
