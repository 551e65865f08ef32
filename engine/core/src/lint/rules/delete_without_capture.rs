//! `delete-without-capture`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::context::Home,
    lint::{Context, Rule, facts::is_for_drills},
    model::TextKind,
};

/// Objects that are deleted, without anything that keeps what they were.
///
/// `undo: auto` captures the objects before they go, and makes them again on an abort. Without it, and without a backup that the
/// step waits for, what was deleted is in nobody's hands: at two in the morning it turns out to have been the wrong one. What
/// is made again by its owner (pods, jobs, events), what only drills delete, and what is said to be irreversible is left alone.
///
/// Bad:
///
/// ```yaml
/// steps:
///   clear: {phase: bootstrap, delete: {cluster: dr, kind: ConfigMap, namespace: shop, selector: "app=api"}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   clear: {phase: bootstrap, delete: {cluster: dr, kind: ConfigMap, namespace: shop, selector: "app=api"}, undo: auto}
/// ```
///
/// To fix it, add `undo: auto`, make a `velero-backup` before, or say `irreversible: true`.
pub const RULE: Rule = Rule {
    id: "delete-without-capture",
    severity: Severity::Warning,
    summary: "objects are deleted, and nothing keeps what they were",
    check,
    source: include_str!("delete_without_capture.rs"),
};

/// What somebody makes again by itself, or nobody misses.
const FLEETING: [&str; 6] = ["pod", "job", "event", "replicaset", "endpointslice", "lease"];

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let backs_up = context.runbook.steps.values().any(|step| step.velero_backup.is_some() || step.runbook.is_some());
    for (at, id, step) in context.sound_steps() {
        let Some(delete) = step.delete.as_ref().filter(|_| step.undo.is_none() && !step.irreversible) else { continue };
        let kind = delete.kind.as_str().to_ascii_lowercase();
        let kind = kind.split('.').next().unwrap_or_default();
        let fleeting = FLEETING.iter().any(|it| kind == *it || kind.strip_suffix('s') == Some(it));
        let asks = |text: &crate::lint::context::Text<'_>| {
            text.home == Home::Step(at) && text.kind() == TextKind::Condition && text.asks_for_mode()
        };
        // A backup anywhere may be the one: which of them is meant, nobody knows here.
        if fleeting
            || kind.contains("{{")
            || backs_up
            || is_for_drills(step)
            || step.injects_outage
            || context.texts.iter().any(asks)
        {
            continue;
        }
        let name = context.value(&["steps", id, "delete", "kind"], delete.span());
        findings.push(
            context
                .finding(
                    &RULE,
                    context.key(&["steps", id, "delete"], delete.span()),
                    "expected `undo: auto` or `irreversible: true` on what deletes, found neither",
                )
                .label("nobody keeps what is deleted")
                .related(context.source, name, "of this kind")
                .help("add `undo: auto`, which captures the objects before they go")
                .fix(context.suggest_key(id, "delete", "undo", "auto")),
        );
    }
}
