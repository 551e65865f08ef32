//! `pinned-backup-name`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::literal},
};

/// A restore that names one backup by a literal name.
///
/// Backups expire, and newer ones are made. The named one was the newest when the runbook was written; at two in the morning it is
/// weeks old, or gone. `latest` takes the newest one that is usable, and an input lets the commander choose another one without an
/// edit of the runbook. A backup that this very run makes has a name that is known only then.
///
/// Bad:
///
/// ```yaml
/// velero-restore: {cluster: dr, backup: nightly-20260301020000}
/// ```
///
/// Good:
///
/// ```yaml
/// velero-restore: {cluster: dr, backup: "{{inputs.backup}}", schedule: nightly}
/// ```
///
/// To fix it, use an input with `default: latest`, and `schedule` to choose among the backups of one schedule.
pub const RULE: Rule = Rule {
    id: "pinned-backup-name",
    severity: Severity::Warning,
    summary: "a restore names one backup by its name",
    check,
    source: include_str!("pinned_backup_name.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, id, step) in context.sound_steps() {
        let Some(restore) = &step.velero_restore else { continue };
        let named = restore.backup.as_ref().and_then(|backup| literal(backup.as_str())).map(str::trim);
        if let Some(name) = named.filter(|name| !name.is_empty() && *name != "latest") {
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.value(&["steps", id, "velero-restore", "backup"], restore.span()),
                        format!("expected `latest` or an input as the backup, found the name `{name}`"),
                    )
                    .label("expires, and newer ones are made")
                    .related(context.source, context.id_span(id), "every run of this restores the same backup")
                    .help("declare an input with `default: latest`; `schedule` chooses among those of one schedule"),
            );
        }
    }
}
