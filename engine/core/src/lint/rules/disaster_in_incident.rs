//! `disaster-in-incident`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        context::Home,
        facts::{is_for_drills, mutates},
    },
    model::TextKind,
};

/// A step that makes the disaster, and exists in incidents, too.
///
/// `injectsOutage` marks the step that loses, kills or cuts off something so that a drill has what to recover from. In an
/// incident that has happened already. Without `only: drill` a real run would do it once more, at two in the morning, to what
/// is left. A `when` that asks for `run.mode` is a way to say it, too.
///
/// Bad:
///
/// ```yaml
/// steps:
///   lose-database: {phase: bootstrap, exec: [./drop-database.sh], injectsOutage: true}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   lose-database: {phase: bootstrap, exec: [./drop-database.sh], injectsOutage: true, only: drill}
/// ```
///
/// To fix it, add `only: drill`.
pub const RULE: Rule = Rule {
    id: "disaster-in-incident",
    severity: Severity::Error,
    summary: "a step that makes the disaster exists in incidents, too",
    check,
    source: include_str!("disaster_in_incident.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (at, id, step) in context.sound_steps() {
        if !step.injects_outage || is_for_drills(step) || !mutates(step) {
            continue;
        }
        let asks = |text: &crate::lint::context::Text<'_>| {
            text.home == Home::Step(at) && text.kind() == TextKind::Condition && text.asks_for_mode()
        };
        if !context.texts.iter().any(asks) {
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.key(&["steps", id, "injectsOutage"], step.span()),
                        format!(
                            "expected `only: drill` on the step that makes the disaster, found `{id}` in incidents, too"
                        ),
                    )
                    .label("an incident would do this to what is left")
                    .related(context.source, context.id_span(id), "it changes something in both modes")
                    .help("add `only: drill`")
                    .fix(context.suggest_key(id, "injectsOutage", "only", "drill")),
            );
        }
    }
}
