//! `cleanup-missing-for-drill`.

use crate::{
    action::{self, Kind},
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        facts::{is_for_drills, mutates},
    },
    model::{Mode, Step},
    plan::sketch::exists,
};

/// A drill that makes things, and no `cleanup` that removes them.
///
/// When a drill ends well nothing is undone: undos are for aborts. What a step of drills only has made stays, and so does a
/// namespace that was restored under another name. It costs money, it is in the way of the next drill, and at two in the
/// morning somebody takes it for the real thing. `cleanup` runs at the end of every drill, however it ended.
///
/// Bad:
///
/// ```yaml
/// steps:
///   fill: {phase: bootstrap, only: drill, exec: [./make-test-data.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   fill: {phase: bootstrap, only: drill, exec: [./make-test-data.sh]}
/// cleanup:
///   drop: {exec: [./drop-test-data.sh]}
/// ```
///
/// To fix it, add a `cleanup`. It should make names again and not take them from outputs, as it must work whatever happened.
pub const RULE: Rule = Rule {
    id: "cleanup-missing-for-drill",
    severity: Severity::Warning,
    summary: "a drill makes things that nothing removes",
    check,
    source: include_str!("cleanup_missing_for_drill.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let steps = &context.runbook.steps;
    let removes = steps.values().any(|step| step.delete.is_some() && exists(step, Mode::Drill));
    if !context.claims_to_restore()
        || !context.runbook.cleanup.is_empty()
        || context.is_damaged(&["cleanup"])
        || removes
        || context.includes_others()
    {
        return;
    }
    let left = context.sound_steps().find(|(_, _, step)| exists(step, Mode::Drill) && makes(step));
    if let Some((_, id, step)) = left {
        let why = if is_for_drills(step) { "only drills do this" } else { "restored under another name" };
        let key = if is_for_drills(step) { "only" } else { "velero-restore" };
        findings.push(
            context
                .finding(
                    &RULE,
                    context.id_span(id),
                    format!("expected a `cleanup` that removes what `{id}` makes in a drill, found none"),
                )
                .label("stays when the drill has ended well")
                .related(context.source, context.key(&["steps", id, key], step.span()), why)
                .help("add a `cleanup`: undos are for aborts only"),
        );
    }
}

fn makes(step: &Step) -> bool {
    if step.injects_outage || !mutates(step) {
        return false;
    }
    match action::of_step(step) {
        Some(Kind::Apply | Kind::Exec | Kind::Shell) => is_for_drills(step),
        Some(Kind::VeleroRestore) => {
            let restore = step.velero_restore.as_ref();
            is_for_drills(step)
                || restore.is_some_and(|restore| restore.namespace_mapping.iter().any(|(from, to)| from != to))
        }
        _ => false,
    }
}
