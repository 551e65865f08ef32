//! `existing-resources-overwritten`.

use crate::{
    action::velero_restore::Existing,
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A restore that changes what is there, without a backup of it.
///
/// `existing: update` overwrites the objects that are in the namespace with those of the backup. What was there is newer than any
/// backup, and after this nobody has it: when the restore turns out to be the wrong one, at two in the morning, there is no way
/// back. A `velero-backup` that it waits for, of the same cluster, keeps what was there.
///
/// Bad:
///
/// ```yaml
/// steps:
///   restore: {phase: data, velero-restore: {cluster: prod, namespaces: [shop], existing: update}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   keep: {phase: bootstrap, velero-backup: {cluster: prod, namespaces: [shop]}}
///   restore: {phase: data, velero-restore: {cluster: prod, namespaces: [shop], existing: update}}
/// ```
///
/// To fix it, back the namespace up first, or use `existing: keep`.
pub const RULE: Rule = Rule {
    id: "existing-resources-overwritten",
    severity: Severity::Warning,
    summary: "a restore changes what is there, and nothing was backed up before",
    check,
    source: include_str!("existing_resources_overwritten.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let steps = &context.runbook.steps;
    for (at, id, step) in context.sound_steps() {
        let Some(restore) = &step.velero_restore else { continue };
        if restore.existing != Some(Existing::Update) || context.includes_others() {
            continue;
        }
        let cluster = restore.cluster.as_str();
        let mut orders = context.sound_orders().filter(|sketch| sketch.has(at)).peekable();
        if orders.peek().is_none() {
            continue;
        }
        let kept = orders.all(|sketch| {
            let before = sketch.needed().ancestors([at]);
            steps.values().enumerate().any(|(other, step)| {
                let here = step.velero_backup.as_ref().is_some_and(|backup| backup.cluster.as_str() == cluster);
                here && before[other] && sketch.has(other)
            })
        });
        if !kept {
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.value(&["steps", id, "velero-restore", "existing"], restore.span()),
                        "expected a `velero-backup` before what is there is overwritten, found none that this waits for",
                    )
                    .label("afterwards nobody has what was there")
                    .related(context.source, restore.cluster.span(), "a backup of this cluster would keep it")
                    .help("back the namespaces up in an earlier step, or use `existing: keep`"),
            );
        }
    }
}
