//! `no-restores`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    model::{Level, Mode, Runbook},
    plan::sketch,
};

/// No step says that the capability is back.
///
/// The RTO clock stops after the verification of the step that says `restores: true`. Without one it cannot be measured, and
/// a run can never show that the objective was met. A runbook of level L0 or L1 restores nothing and needs none.
///
/// Bad:
///
/// ```yaml
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh], restores: true}
/// ```
pub const RULE: Rule = Rule {
    id: "no-restores",
    severity: Severity::Warning,
    summary: "no step says `restores: true`",
    check,
    source: include_str!("no_restores.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let recovery = &context.runbook.recovery;
    // A step that cannot be read, here or in an included runbook, may be the one.
    if recovery.level <= Level::L1
        || context.is_damaged(&["steps"])
        || context.is_damaged(&["recovery"])
        || !context.includes.complete
    {
        return;
    }
    let missing: Vec<Mode> =
        [Mode::Incident, Mode::Drill].into_iter().filter(|mode| !restores(context, *mode)).collect();
    let found = match missing.as_slice() {
        [] => return,
        [mode] => format!("none that exists in mode `{}`", mode.name()),
        _ => String::from("none"),
    };
    findings.push(
        context
            .finding(&RULE, recovery.objectives.span(), format!("expected a step with `restores: true`, found {found}"))
            .label("the RTO cannot be measured")
            .help("add `restores: true` to the step after whose verification the capability is back"),
    );
}

fn restores(context: &Context<'_>, mode: Mode) -> bool {
    let says = |runbook: &Runbook| runbook.steps.values().any(|step| step.restores && sketch::exists(step, mode));
    says(context.runbook) || context.includes.reached.iter().any(|loaded| says(&loaded.runbook))
}
