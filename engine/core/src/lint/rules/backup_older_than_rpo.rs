//! `backup-older-than-rpo`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A backup that will do although it is older than the RPO.
///
/// `maxAge` says which backup is still taken, and it allows more than the objective does. When the newest backup is that old,
/// the run goes all the way and then reports that the RPO was missed. In a drill that is known before; at two in the morning
/// the person who commands should be asked, and not find it in the report. Without `maxAge` any backup is taken on purpose.
///
/// Bad:
///
/// ```yaml
/// recovery: {objectives: {rpo: 15m, rto: 1h}}
/// steps:
///   restore: {phase: data, velero-restore: {cluster: dr, maxAge: 24h}}
/// ```
///
/// Good:
///
/// ```yaml
/// recovery: {objectives: {rpo: 15m, rto: 1h}}
/// steps:
///   restore: {phase: data, velero-restore: {cluster: dr, maxAge: 15m}}
/// ```
///
/// To fix it, make `maxAge` at most the RPO, make backups more often, or promise less.
pub const RULE: Rule = Rule {
    id: "backup-older-than-rpo",
    severity: Severity::Warning,
    summary: "a backup will do that is older than the RPO",
    check,
    source: include_str!("backup_older_than_rpo.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let objectives = &context.runbook.recovery.objectives;
    if context.is_damaged(&["recovery"]) {
        return;
    }
    for (_, id, step) in context.sound_steps() {
        let Some(age) = step.velero_restore.as_ref().and_then(|restore| restore.max_age) else { continue };
        if age > objectives.rpo {
            let rpo = context.value(&["recovery", "objectives", "rpo"], objectives.span());
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.value(&["steps", id, "velero-restore", "maxAge"], step.span()),
                        format!("expected a `maxAge` of at most the RPO ({}), found {age}", objectives.rpo),
                    )
                    .label("takes a backup with which the objective is missed")
                    .related(context.source, rpo, "the RPO")
                    .help("lower `maxAge`, or leave it out to take any backup on purpose"),
            );
        }
    }
}
