//! `trusts-velero-exit-code`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        begun::{MOST, is_looked_at},
        programs::{reads_velero, velero_begins},
    },
    script::{Sink, Status},
};

/// The exit code of `velero … --wait` is taken for the result.
///
/// With `--wait` the command ends when the backup or the restore has come to an end, and with 0 whatever end that is: `Failed`,
/// `PartiallyFailed` and `FailedValidation` included. At two in the morning the step is green, and the namespace is empty. Only
/// the phase of the object says what became of it.
///
/// Bad:
///
/// ```yaml
/// shell: velero --kubecontext "$DR" restore create "$LIFEBOAT_RUN_ID" --from-backup "$BACKUP" --wait
/// ```
///
/// Good:
///
/// ```yaml
/// velero-restore: {cluster: dr, backup: latest, schedule: nightly}
/// ```
///
/// To fix it, use `velero-restore` or `velero-backup`, which judge the phase and its numbers; or add a `verify` that looks at the
/// object with `kube`.
pub const RULE: Rule = Rule {
    id: "trusts-velero-exit-code",
    severity: Severity::Warning,
    summary: "the exit code of `velero --wait` is taken for the result",
    check,
    source: include_str!("trusts_velero_exit_code.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let actions = context.commands().filter(|(it, _, _)| it.is_action() && it.script.complete);
    let begun =
        actions.filter_map(|(reading, program, command)| Some((reading, command, velero_begins(program, command)?)));
    for (reading, command, what) in begun.take(MOST) {
        let Some(flag) = command.flag(&["--wait", "-w"]).filter(|it| it.value() != Some("false")) else { continue };
        // What prints the phase for people decides nothing.
        let judged = reading.commands().any(|(name, later)| {
            later.range.start > command.range.start
                && reads_velero(name, later)
                && (later.status != Status::Counts || later.stdout != Sink::Step)
        });
        if judged || is_looked_at(context, reading, true) {
            continue;
        }
        findings.push(
            context
                .finding_in(
                    &RULE,
                    reading,
                    &flag.word.range,
                    format!("expected the phase of the {what} to be judged, found only the exit code of `velero`"),
                )
                .label("ends with 0 after a failure, too")
                .help(format!("use `velero-{what}`, or add a `verify` that looks at the {what} with `kube`")),
        );
    }
}
