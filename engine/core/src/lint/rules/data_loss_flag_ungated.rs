//! `data-loss-flag-ungated`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, gates::Ungated},
    script::Command,
};

/// A command that accepts the loss of data, and nobody has to say yes to it.
///
/// A forced failover gives up what the old primary had not handed over yet. Sometimes that is right; it is a decision about
/// the business's data, and it is final. At two in the morning it must be somebody's, with a name in the evidence, and not a flag that
/// was written in good weather. Steps that exist in drills only are left alone.
///
/// Bad:
///
/// ```yaml
/// shell: aws rds failover-global-cluster --region "$REGION" --global-cluster-identifier shop --allow-data-loss
/// ```
///
/// Good:
///
/// ```yaml
/// shell: aws rds failover-global-cluster --region "$REGION" --global-cluster-identifier shop --allow-data-loss
/// approval: {by: database-owner, unattended: drill-only}
/// ```
///
/// To fix it, add an `approval` to the step or to one that it needs, or use the planned form, which loses nothing.
pub const RULE: Rule = Rule {
    id: "data-loss-flag-ungated",
    severity: Severity::Warning,
    summary: "a command accepts the loss of data, and nobody has to say yes",
    check,
    source: include_str!("data_loss_flag_ungated.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for Ungated { reading, command, what, .. } in context.ungated(|_, program, command| loses(program, command)) {
        findings.push(
            context
                .finding_in(
                    &RULE,
                    reading,
                    &command.range,
                    format!("expected an `approval` for {what}, found none on the way to it"),
                )
                .label("gives up what has not been handed over")
                .help("add an `approval` to the step; `unattended: drill-only` lets drills pass"),
        );
    }
}

/// What is given up by a command.
fn loses(program: &str, command: &Command) -> Option<&'static str> {
    let verbs = command.verbs();
    match (program, verbs.as_slice()) {
        ("aws", ["rds", "failover-global-cluster", ..]) if command.has(&["--allow-data-loss"]) => {
            Some("a failover with `--allow-data-loss`")
        }
        ("az", ["sql", "failover-group", "set-primary", ..]) if command.has(&["--allow-data-loss"]) => {
            Some("a failover with `--allow-data-loss`")
        }
        ("az", ["postgres", "flexible-server", "replica", "promote", ..]) => {
            let forced = command.flag(&["--promote-option"]).is_some_and(|it| it.value() == Some("forced"));
            forced.then_some("a promotion with `--promote-option forced`")
        }
        ("az", ["storage", "account", "failover", ..]) => Some("a failover of a storage account"),
        ("patronictl", ["failover", ..]) => Some("`patronictl failover`, which skips the checks of lag"),
        ("pg_resetwal", _) if command.has(&["-f", "--force"]) => Some("`pg_resetwal --force`"),
        ("etcd", _) if command.has(&["--force-new-cluster"]) => Some("`etcd --force-new-cluster`"),
        _ => None,
    }
}
