//! `scale-to-zero-without-undo`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// Something that is scaled to zero, and that nothing scales up again.
///
/// Writers are stopped before a restore so that nobody writes into it. When the run is aborted without an `undo`, they stay
/// stopped: at two in the morning everything looks healthy, since zero of zero pods are ready, and nobody is served. A later
/// step that scales the same object takes it up when all goes well, but not after an abort.
///
/// Bad:
///
/// ```yaml
/// steps:
///   stop: {phase: bootstrap, scale: {cluster: dr, kind: Deployment, namespace: shop, name: api, replicas: 0}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   stop: {phase: bootstrap, scale: {cluster: dr, kind: Deployment, namespace: shop, name: api, replicas: 0}, undo: auto}
/// ```
///
/// To fix it, add `undo: auto`: it sets the number that was there before. If it is meant for good, say `irreversible: true`.
pub const RULE: Rule = Rule {
    id: "scale-to-zero-without-undo",
    severity: Severity::Warning,
    summary: "something is scaled to zero, and nothing scales it up again",
    check,
    source: include_str!("scale_to_zero_without_undo.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, id, step) in context.sound_steps() {
        let Some(scale) = step.scale.as_ref().filter(|_| step.undo.is_none() && !step.irreversible) else { continue };
        if scale.replicas.as_str().trim() == "0" && !step.injects_outage {
            let what = context.value(&["steps", id, "scale", "name"], scale.span());
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.value(&["steps", id, "scale", "replicas"], scale.span()),
                        "expected an `undo` for what is scaled to zero, found none",
                    )
                    .label("stays at zero after an abort")
                    .related(context.source, what, "this would serve nobody")
                    .help("add `undo: auto`, which sets the number that was there before")
                    .fix(context.suggest_key(id, "scale", "undo", "auto")),
            );
        }
    }
}
