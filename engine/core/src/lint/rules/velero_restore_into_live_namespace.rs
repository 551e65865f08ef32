//! `velero-restore-into-live-namespace`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::is_for_drills},
    model::{Level, Mode},
    plan::sketch::exists,
};

/// A drill that restores a namespace under its own name.
///
/// At level L2, and in a step of drills only below it, a restore goes into a place of its own, beside what is live. Without
/// `namespaceMapping` it goes into the namespace that the backup was made of: a rehearsal then changes what users work with, and
/// is the disaster of two in the morning itself. In a clean cluster, which is L3, and where the drill has made its own
/// disaster before, the own name is the right one.
///
/// Bad:
///
/// ```yaml
/// recovery: {level: L2}
/// steps:
///   restore: {phase: data, velero-restore: {cluster: prod, namespaces: [shop]}}
/// ```
///
/// Good:
///
/// ```yaml
/// recovery: {level: L2}
/// steps:
///   restore: {phase: data, velero-restore: {cluster: prod, namespaces: [shop], namespaceMapping: {shop: "drill-{{run.id}}"}}}
/// ```
///
/// To fix it, map the namespace to one of the drill, or say `only: incident`.
pub const RULE: Rule = Rule {
    id: "velero-restore-into-live-namespace",
    severity: Severity::Warning,
    summary: "a drill restores a namespace under its own name, beside nothing",
    check,
    source: include_str!("velero_restore_into_live_namespace.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let recovery = &context.runbook.recovery;
    let injects = context.runbook.steps.values().any(|step| step.injects_outage);
    if context.is_damaged(&["recovery"]) || recovery.level > Level::L2 || injects || context.includes_others() {
        return;
    }
    for (_, id, step) in context.sound_steps() {
        let Some(restore) = &step.velero_restore else { continue };
        let rehearsal = is_for_drills(step) || recovery.level == Level::L2;
        // To map a namespace to itself is to map nothing.
        let stays = restore.namespace_mapping.iter().all(|(from, to)| from.as_str() == to.as_str());
        if rehearsal && exists(step, Mode::Drill) && stays {
            let level = context.value(&["recovery", "level"], recovery.objectives.span());
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.key(&["steps", id, "velero-restore"], restore.span()),
                        "expected a `namespaceMapping` for what a drill restores, found none to another name",
                    )
                    .label("goes into the live namespace")
                    .related(context.source, level, "no level that has a cluster of its own")
                    .help("map it: `namespaceMapping: {shop: \"drill-{{run.id}}\"}`, or say `only: incident`"),
            );
        }
    }
}
