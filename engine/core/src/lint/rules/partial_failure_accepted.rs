//! `partial-failure-accepted`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// Backups and restores that have failed in part, and nobody says why they will do.
///
/// `PartiallyFailed` means that some objects or volumes are missing, and the phase does not say which. `allowPartial` makes the
/// step green all the same. There are reasons for it, a kind that never comes back for example; without the reason, whoever
/// reads the report at two in the morning cannot tell an accepted loss from a new one.
///
/// Bad:
///
/// ```yaml
/// restore: {phase: data, velero-restore: {cluster: dr, allowPartial: true}}
/// ```
///
/// Good:
///
/// ```yaml
/// restore:
///   phase: data
///   description: Leases never come back, and nobody needs them.
///   velero-restore: {cluster: dr, allowPartial: true, excludedResources: [leases.coordination.k8s.io]}
/// ```
///
/// To fix it, exclude what cannot be restored and take `allowPartial` away, or say the reason in the step's `description`.
pub const RULE: Rule = Rule {
    id: "partial-failure-accepted",
    severity: Severity::Warning,
    summary: "backups and restores that have failed in part will do, and nobody says why",
    check,
    source: include_str!("partial_failure_accepted.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, id, step) in context.sound_steps() {
        let partial = step.velero_restore.as_ref().is_some_and(|restore| restore.allow_partial);
        if partial && step.description.as_ref().is_none_or(|text| text.trim().is_empty()) {
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.key(&["steps", id, "velero-restore", "allowPartial"], step.span()),
                        "expected a `description` that says why a part may be missing, found none",
                    )
                    .label("which part is missing, nobody looks at")
                    .related(context.source, context.id_span(id), "this step has no description")
                    .help("exclude what cannot be restored, or say the reason in `description`"),
            );
        }
    }
}
