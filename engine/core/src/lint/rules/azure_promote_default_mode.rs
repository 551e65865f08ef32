//! `azure-promote-default-mode`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, programs::lacking},
};

/// A replica of a managed database on Azure is promoted in whatever mode is the default.
///
/// Without `--promote-mode` it becomes a server of its own: replication is broken, and the old primary goes on to take writes.
/// Without `--promote-option` the promotion waits for the primary to hand over everything, which one in a lost region never
/// does. At two in the morning the first is two truths, and the second is a command that does not come back.
///
/// Bad:
///
/// ```yaml
/// shell: az postgres flexible-server replica promote -g "$GROUP" -n "$REPLICA" --yes
/// ```
///
/// Good:
///
/// ```yaml
/// shell: >-
///   az postgres flexible-server replica promote -g "$GROUP" -n "$REPLICA" --yes
///   --promote-mode switchover --promote-option forced
/// approval: {by: database-owner}
/// ```
///
/// To fix it, say both. `forced` may lose what the replica has not got yet: it belongs behind an `approval`.
pub const RULE: Rule = Rule {
    id: "azure-promote-default-mode",
    severity: Severity::Warning,
    summary: "a replica on Azure is promoted in whatever mode is the default",
    check,
    source: include_str!("azure_promote_default_mode.rs"),
};

const FLAGS: [&str; 2] = ["--promote-mode", "--promote-option"];

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (reading, program, command) in context.commands() {
        if !command.does("az", &["postgres", "flexible-server", "replica", "promote"]) {
            continue;
        }
        let Some(missing) = lacking(command, &FLAGS) else { continue };
        findings.push(
            context
                .finding_in(
                    &RULE,
                    reading,
                    &command.range,
                    format!("expected `{program} … replica promote` to say how, found no {missing}"),
                )
                .label("the default breaks replication, or waits for the lost primary")
                .help("say `--promote-mode switchover` or `standalone`, and `--promote-option planned` or `forced`"),
        );
    }
}
