//! `async-without-wait`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        begun::{MOST, is_looked_at},
        programs::{reads_velero, velero_begins},
        scripts::Reading,
    },
    script::{Command, Sink, Status},
};

/// Something is begun, and nobody waits for its end.
///
/// The command only hands the work over and ends well at once. The next step begins on what is not there yet: at two in the
/// morning traffic is shifted to a namespace of which the restore has just begun, and whether it ever ends well is asked by
/// nobody.
///
/// A later command of the script that waits counts, and so does a check of the step, or a step that needs this one and only
/// looks. For Velero it has to look at the backup or the restore itself.
///
/// Bad:
///
/// ```yaml
/// shell: velero --kubecontext "$DR" restore create "$LIFEBOAT_RUN_ID" --from-backup "$BACKUP"
/// ```
///
/// Good:
///
/// ```yaml
/// velero-restore: {cluster: dr, backup: latest, schedule: nightly}
/// ```
///
/// To fix it, use the action that follows it to its end (`velero-restore`, `velero-backup`, `argocd-sync`, `delete`), let the command
/// wait, or add a `verify` with `within`.
pub const RULE: Rule = Rule {
    id: "async-without-wait",
    severity: Severity::Warning,
    summary: "something is begun, and nobody waits for its end",
    check,
    source: include_str!("async_without_wait.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let actions = context.commands().filter(|(it, _, _)| it.is_action() && it.script.complete);
    let begun =
        actions.filter_map(|(reading, program, command)| Some((reading, program, command, begins(program, command)?)));
    for (reading, program, command, (what, help)) in begun.take(MOST) {
        let velero = velero_begins(program, command).is_some();
        if command.may_have_more()
            || waits_later(reading, program, command, velero)
            || is_looked_at(context, reading, velero)
        {
            continue;
        }
        findings.push(
            context
                .finding_in(
                    &RULE,
                    reading,
                    &command.range,
                    format!("expected a wait for the end of {what}, found none in the script, its checks, or a step that looks"),
                )
                .label("ends when the work has only begun")
                .help(help),
        );
    }
}

/// What a command begins without waiting, and what to do.
fn begins(program: &str, command: &Command) -> Option<(&'static str, &'static str)> {
    let verbs = command.verbs();
    let off = |flag: &str| command.flag(&[flag]).is_some_and(|it| it.value() == Some("false"));
    if let Some(what) = velero_begins(program, command) {
        let waits = command.has(&["--wait", "-w"]) && !off("--wait");
        return (!waits).then_some(match what {
            "restore" => ("the restore", "use `velero-restore`, which follows it to its end and judges its phase"),
            _ => ("the backup", "use `velero-backup`, which follows it to its end and judges its phase"),
        });
    }
    let verify = "add a `verify` with `within` that asks for its state";
    match (program, verbs.as_slice()) {
        ("az", _) if command.has(&["--no-wait"]) => {
            Some(("what `--no-wait` began", "take `--no-wait` away, or add a `verify` with `within`"))
        }
        ("gcloud", _) if command.has(&["--async"]) => {
            Some(("what `--async` began", "take `--async` away, or add a `verify` with `within`"))
        }
        ("kubectl" | "oc", ["delete", ..]) if off("--wait") => {
            Some(("the deletion", "use `delete`, or take `--wait=false` away"))
        }
        ("argocd", ["app", "sync", ..]) if command.has(&["--async"]) => {
            Some(("the sync", "use `argocd-sync`, which follows it until it is healthy"))
        }
        ("aws", ["rds", verb, ..]) if is_slow_in_rds(verb) => Some(("what RDS began", verify)),
        ("aws", ["eks", "create-cluster" | "create-nodegroup", ..]) => Some(("what EKS began", verify)),
        ("aws", ["backup", "start-restore-job", ..]) => Some(("the restore job", verify)),
        _ => None,
    }
}

fn is_slow_in_rds(verb: &str) -> bool {
    verb.starts_with("restore-db-")
        || verb.starts_with("failover-")
        || verb.starts_with("switchover-")
        || matches!(verb, "promote-read-replica" | "promote-read-replica-db-cluster" | "create-db-instance")
}

/// Whether a later command waits, or asks in a way that something is decided by.
fn waits_later(reading: &Reading<'_>, begun: &str, command: &Command, velero: bool) -> bool {
    reading.commands().filter(|(_, it)| it.range.start > command.range.start).any(|(program, later)| {
        let verbs = later.verbs();
        let waits = verbs.contains(&"wait") || verbs.windows(2).any(|it| it == ["rollout", "status"]);
        let decides = later.status != Status::Counts || later.stdout != Sink::Step;
        let asks = if velero { reads_velero(program, later) } else { program == begun };
        waits || asks && decides
    })
}
