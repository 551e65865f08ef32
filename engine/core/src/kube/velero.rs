//! Velero: which backup to restore from, and whether a backup or a restore did what it should.
//!
//! Duty: what phases, counts and results mean. Velero's own tools do not say it: `velero restore create --wait` exits
//! with 0 for every end, and no released version refuses to restore from a backup that failed. Making and reading the
//! objects is the runtime's.
//!
//! Facts are from `pkg/apis/velero/v1`, `pkg/controller`, `pkg/restore/restore.go` and `pkg/cmd/server/server.go` of
//! Velero 1.18.

use serde_json::{Value, json};

use super::{object, words};

mod backup;
mod choose;
mod freshness;
mod namespaces;
mod phase;
mod restore;
mod results;

#[cfg(test)]
mod tests;

pub use backup::{judge_backup, recovery_point, shortcomings};
pub use choose::{Chosen, Refused, Wanted, choose};
pub use freshness::{Freshness, freshness};
pub use namespaces::contains as contains_namespace;
pub use phase::Phase;
pub use restore::{RestorePolicy, judge_restore};
pub use results::{Kept, Message, Results, Scope, judge_results, read_results};

/// The label by which a backup says which schedule made it.
pub const SCHEDULE: &str = "velero.io/schedule-name";

/// The label that everything restored carries: the name of the Restore.
pub const RESTORE_NAME: &str = "velero.io/restore-name";

/// The label that everything restored carries: the name of the Backup.
pub const BACKUP_NAME: &str = "velero.io/backup-name";

fn status(object: &Value, field: &str) -> i64 {
    object::number(object, &format!("/status/{field}")).unwrap_or(0)
}

/// What a status says about why it went wrong; empty when it says nothing.
fn reason(object: &Value) -> String {
    let errors: Vec<&str> = object::texts(object, "/status/validationErrors")
        .chain([object::text(object, "/status/failureReason")])
        .filter(|text| !text.is_empty())
        .collect();
    words::quote(&words::list(&errors, 3))
}

/// When a server starts and finds work of its former life, it calls it failed
/// (`markInProgressCRsFailed`). The same request under a new name begins again.
fn was_interrupted(object: &Value) -> bool {
    object::text(object, "/status/failureReason").contains("during the server starting")
}

/// `InProgress, 812 of 1040 items`.
fn progress(object: &Value, done: &str) -> String {
    let phase = object::text(object, "/status/phase");
    let total = status(object, "progress/totalItems");
    let items = if total > 0 {
        format!(", {} of {}", status(object, &format!("progress/{done}")), words::count(total, "item"))
    } else {
        String::new()
    };
    match Phase::of(object) {
        Phase::Waiting => format!("not taken up by Velero yet ({})", if phase.is_empty() { "no phase" } else { phase }),
        Phase::RunningPartly => format!("{phase}{items}; it will end as PartiallyFailed"),
        _ => format!("{phase}{items}"),
    }
}

/// What is the same in the facts of backups and restores.
fn facts(object: &Value, done: &str) -> Value {
    let at = |field: &str| object::instant(object, &format!("/status/{field}")).map(|at| at.to_string());
    let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    json!({
        "name": object::name(object),
        "phase": text(object::text(object, "/status/phase")),
        "startedAt": at("startTimestamp"),
        "completedAt": at("completionTimestamp"),
        "items": status(object, &format!("progress/{done}")),
        "itemsTotal": status(object, "progress/totalItems"),
        "errors": status(object, "errors"),
        "warnings": status(object, "warnings"),
        "hooksFailed": status(object, "hookStatus/hooksFailed"),
        "failureReason": text(object::text(object, "/status/failureReason")),
        "validationErrors": object::texts(object, "/status/validationErrors").collect::<Vec<_>>(),
    })
}
