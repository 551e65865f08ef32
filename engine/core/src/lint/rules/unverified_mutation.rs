//! `unverified-mutation`.

use crate::{
    action::{self, Kind},
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, begun::looks, facts::mutates},
};

/// A step that changes something, and nothing that looks whether it worked.
///
/// A program that exits with 0 has started something, or has done nothing at all; a request with status 200 was taken; a
/// number of replicas was set. Without a check the step is green and the next one builds on what is not there, and at two in
/// the morning the failure shows an hour later and somewhere else.
///
/// Asked for are `exec`, `shell`, `http` and `scale`. Other actions follow what they began to its end. A step that names this
/// one in its `needs` and looks by its own checks, without changing anything itself, is as good as a `verify`.
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
///   restore:
///     phase: data
///     exec: [./restore.sh]
///     verify:
///       - name: all orders are there
///         exec: [./count-orders.sh]
///         expect: json.orders > 1000
/// ```
///
/// To fix it, add a `verify` that asks the system and not the program. A program that only looks says `effect: reads`.
pub const RULE: Rule = Rule {
    id: "unverified-mutation",
    severity: Severity::Warning,
    summary: "a step changes something, and nothing looks whether it worked",
    check,
    source: include_str!("unverified_mutation.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() {
        return;
    }
    let steps = context.runbook.steps.values();
    let looked_at: std::collections::HashSet<&str> = steps
        .filter(|step| !mutates(step) && looks(step) || step.runbook.is_some())
        .flat_map(|step| step.needs.iter().flatten().map(|name| name.as_str()))
        .collect();
    for (_, id, step) in context.sound_steps() {
        let Some(kind) = action::of_step(step) else { continue };
        let blind = matches!(kind, Kind::Exec | Kind::Shell | Kind::Http | Kind::Scale);
        if blind && mutates(step) && step.verify.is_empty() && !looked_at.contains(id) {
            let name = kind.facts().name;
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.id_span(id),
                        format!("expected a `verify` for what `{name}` changes, found none"),
                    )
                    .label("nobody looks whether it worked")
                    .help("add a `verify`; if it only looks, say `effect: reads`"),
            );
        }
    }
}
