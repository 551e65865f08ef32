//! `latest-backup-unfiltered`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, programs::words},
    script::Command,
};

/// The last backup of a list is taken, whatever became of it.
///
/// The list is in the order of the names, and it has those that failed, those that are still being made, and those of every
/// other schedule. At two in the morning the last one is most likely the one that the disaster broke. What is restored from it is
/// half of a namespace, and the restore says so in a number that nobody reads.
///
/// Bad:
///
/// ```yaml
/// shell: velero backup get -o name | tail -n1
/// ```
///
/// Good:
///
/// ```yaml
/// velero-restore: {cluster: dr, backup: latest, schedule: nightly}
/// ```
///
/// To fix it, use `velero-restore`, which takes the newest completed backup of a schedule by the time it was begun; in a
/// script, choose by `status.phase` and sort by `status.startTimestamp`.
pub const RULE: Rule = Rule {
    id: "latest-backup-unfiltered",
    severity: Severity::Warning,
    summary: "the last backup of a list is taken, whatever became of it",
    check,
    source: include_str!("latest_backup_unfiltered.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (reading, program, command) in context.commands() {
        if !lists_backups(program, command) || command.may_have_more() {
            continue;
        }
        let behind = reading.script.behind_in_pipeline(command);
        let filtered = std::iter::once(command).chain(behind.iter().copied()).any(|it| {
            let text = words(it).to_ascii_lowercase();
            text.contains("completed") || text.contains("phase")
        });
        // What is not constant may be the filter.
        let unknown = behind.iter().any(|it| it.arguments.iter().any(|word| word.constant().is_none()));
        let chooses = behind.iter().find(|it| takes_one(it));
        if let Some(chooses) = chooses.filter(|_| !filtered && !unknown) {
            findings.push(
                context
                    .finding_in(
                        &RULE,
                        reading,
                        &chooses.range,
                        "expected a backup to be chosen by its phase and its time, found one chosen by its place in a list",
                    )
                    .label("may have failed, or be of another schedule")
                    .related(context.source, context.in_script(reading, &command.range), "this list has all of them")
                    .help("use `velero-restore` with `backup: latest` and `schedule`"),
            );
        }
    }
}

fn lists_backups(program: &str, command: &Command) -> bool {
    let verbs = command.verbs();
    match (program, verbs.as_slice()) {
        ("velero", ["backup" | "backups", "get"] | ["get", "backup" | "backups"]) => true,
        ("kubectl" | "oc", ["get", kind, ..]) => {
            matches!(*kind, "backup" | "backups" | "backup.velero.io" | "backups.velero.io")
        }
        _ => false,
    }
}

/// Whether a command keeps one line of many.
fn takes_one(command: &Command) -> bool {
    let text = words(command);
    match command.program() {
        Some("tail" | "head") => ["-1", "-n1", "-n 1", "--lines=1"].iter().any(|it| text.contains(it)),
        Some("sed") => text.contains("$p") || text.contains("1p"),
        Some("awk") => text.contains("END"),
        Some("jq") => text.contains("[-1]") || text.contains("last"),
        _ => false,
    }
}
