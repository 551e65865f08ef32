//! `etcdctl-removed-subcommand`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    script::Word,
};

/// `etcdctl` is asked for what only `etcdutl` can do.
///
/// etcd 3.5 moved `snapshot status` and `snapshot restore` into `etcdutl`, and 3.6 took them out of `etcdctl`. The tools are
/// updated with the cluster and the runbook is not: at two in the morning, with no etcd running, the restore is an unknown command.
/// Where `requires.tools` asks for an `etcdctl` below 3.6, or the script looks which of the two is there, nothing is said.
///
/// Bad:
///
/// ```yaml
/// shell: etcdctl snapshot restore snapshot.db --data-dir "$DIR"
/// ```
///
/// Good:
///
/// ```yaml
/// shell: etcdutl snapshot restore snapshot.db --data-dir "$DIR"
/// ```
///
/// To fix it, use `etcdutl`, which has the same flags; `snapshot save` stays with `etcdctl`.
pub const RULE: Rule = Rule {
    id: "etcdctl-removed-subcommand",
    severity: Severity::Warning,
    summary: "`etcdctl` is asked for what only `etcdutl` can do",
    check,
    source: include_str!("etcdctl_removed_subcommand.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let versions = context.runbook.requires.tools.get("etcdctl").map(|it| it.0.replace(' ', ""));
    if versions.is_some_and(|it| ["<3.6", "<=3.5", "<3.5", "<=3.4"].iter().any(|old| it.contains(old))) {
        return;
    }
    for (reading, program, command) in context.commands().filter(|(_, program, _)| *program == "etcdctl") {
        let what = ["status", "restore"].into_iter().find(|what| command.does(program, &["snapshot", what]));
        let asks = reading.script.commands.iter().any(|it| {
            matches!(it.program(), Some("command" | "which" | "type"))
                && it.arguments.iter().filter_map(Word::constant).any(|it| it.starts_with("etcd"))
        });
        let Some(what) = what.filter(|_| !asks) else { continue };
        findings.push(
            context
                .finding_in(
                    &RULE,
                    reading,
                    &command.range,
                    format!("expected `etcdutl snapshot {what}`, found `etcdctl`, which has it no more from 3.6 on"),
                )
                .label("an unknown command after the next update")
                .help("use `etcdutl`; if the version is kept, say `etcdctl: \"<3.6\"` in `requires.tools`"),
        );
    }
}
