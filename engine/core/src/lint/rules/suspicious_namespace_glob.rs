//! `suspicious-namespace-glob`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::literal},
};

/// A pattern where namespaces are named.
///
/// Whether Velero takes `team-*` for a pattern or for the name of a namespace depends on its version: older ones find no such
/// namespace, and the backup is complete and empty. It is then found out at two in the morning, by the restore. A lone `*` means
/// all of them in every version.
///
/// Bad:
///
/// ```yaml
/// velero-backup: {cluster: prod, namespaces: ["team-*"]}
/// ```
///
/// Good:
///
/// ```yaml
/// velero-backup: {cluster: prod, namespaces: [team-shop, team-billing]}
/// ```
///
/// To fix it, list the namespaces, or take them in by an input of type `list`.
pub const RULE: Rule = Rule {
    id: "suspicious-namespace-glob",
    severity: Severity::Warning,
    summary: "a pattern stands where namespaces are named",
    check,
    source: include_str!("suspicious_namespace_glob.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (room, id, step) in context.sound() {
        let lists = [
            ("velero-backup", step.velero_backup.as_ref().map(|backup| &backup.namespaces)),
            ("velero-restore", step.velero_restore.as_ref().map(|restore| &restore.namespaces)),
        ];
        for (action, list) in lists.into_iter().filter_map(|(action, list)| Some((action, list?))) {
            let names = list.iter().filter_map(|name| literal(name.as_str()));
            let Some(name) = names.into_iter().find(|name| name.contains(['*', '?', '[']) && *name != "*") else {
                continue;
            };
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.value(&[room, id, action, "namespaces"], step.span()),
                        format!("expected names of namespaces, found the pattern `{name}`"),
                    )
                    .label("not every version of Velero takes this for a pattern")
                    .help("list the namespaces, or take them in by an input of type `list`"),
            );
        }
    }
}
