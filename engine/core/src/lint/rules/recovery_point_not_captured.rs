//! `recovery-point-not-captured`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        facts::{is_in, mutates},
    },
    model::{Phase, Runbook},
};

/// Data that is restored, and nothing says to which point in time.
///
/// The RPO is measured from the recovery point: how old the restored data is. `velero-restore` knows it from its backup. For
/// everything else the step that restores has to say it by `recoveryPoint`. Without it the report says that the objective
/// was not measured, and at two in the morning nobody can tell the business which orders are lost.
///
/// Bad:
///
/// ```yaml
/// steps:
///   restore: {phase: data, exec: [./restore.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   restore: {phase: data, exec: [./restore.sh], recoveryPoint: result.json.backupTakenAt}
/// ```
///
/// To fix it, have the program print when the backup was begun, and say where: `recoveryPoint: result.json.takenAt`.
pub const RULE: Rule = Rule {
    id: "recovery-point-not-captured",
    severity: Severity::Warning,
    summary: "data is restored, and nothing says to which point in time",
    check,
    source: include_str!("recovery_point_not_captured.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() || context.is_damaged(&["steps"]) || !context.includes.complete {
        return;
    }
    let says = |runbook: &Runbook| {
        runbook.steps.values().any(|step| step.recovery_point.is_some() || step.velero_restore.is_some())
    };
    if says(context.runbook) || context.includes.reached.iter().any(|loaded| says(&loaded.runbook)) {
        return;
    }
    // What Git declares has its own point, a commit; only what is done by others can be data.
    let restores = context.sound_steps().find(|(_, _, step)| {
        is_in(step, &[Phase::Data])
            && mutates(step)
            && (step.exec.is_some() || step.shell.is_some() || step.job.is_some())
    });
    if let Some((_, id, _)) = restores {
        let rpo = context.value(&["recovery", "objectives", "rpo"], context.runbook.recovery.objectives.span());
        findings.push(
            context
                .finding(
                    &RULE,
                    context.id_span(id),
                    "expected a `recoveryPoint` where data is restored, found none in the runbook",
                )
                .label("how old the restored data is stays unknown")
                .related(context.source, rpo, "this cannot be measured without it")
                .help(
                    "let the step print when its backup was begun, and say where: `recoveryPoint: result.json.takenAt`",
                ),
        );
    }
}
