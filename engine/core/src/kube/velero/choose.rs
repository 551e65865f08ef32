//! Which backup to restore from.
//!
//! Duty: the newest one that can be used, by when it started, and why none of the newer ones. Velero's own ways differ
//! among themselves (the server takes `Completed` only, its tool `PartiallyFailed` as well), and neither looks at the
//! storage location, at hooks or at the expiry. A backup that somebody named is taken or refused, never replaced.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Phase, SCHEDULE, contains_namespace, recovery_point, shortcomings};
use crate::{
    duration::Duration,
    kube::{object, words},
};

/// What is wanted of a backup.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// This one and no other.
    pub name: Option<&'a str>,
    /// One that this schedule made.
    pub schedule: Option<&'a str>,
    /// Namespaces that must be in it.
    pub namespaces: &'a [String],
    /// How long ago it may have started; the recovery point objective. `None`: any age.
    pub max_age: Option<Duration>,
    /// Whether one that ended as `PartiallyFailed`, or lacks something else, is good enough.
    pub allow_partial: bool,
    /// The time.
    pub now: Timestamp,
    /// It must not expire before this. Velero deletes a backup that has expired, and its restores with it.
    pub expires_after: Timestamp,
}

/// The backup to take, and why that one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chosen {
    /// Its name.
    pub name: String,
    /// When it started: the recovery point.
    pub started_at: Timestamp,
    /// When it was complete.
    pub completed_at: Option<Timestamp>,
    /// When Velero will delete it.
    pub expires_at: Option<Timestamp>,
    /// The schedule that made it.
    pub schedule: Option<String>,
    /// Its `BackupStorageLocation`.
    pub storage_location: String,
    /// Why this one, one sentence.
    pub why: String,
    /// Newer ones that could not be used: name and reason, newest first.
    pub passed_over: Vec<(String, String)>,
}

/// Why there is no backup to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// For the commander, one sentence.
    pub message: String,
    /// Those that could not be used: name and reason, newest first.
    pub passed_over: Vec<(String, String)>,
}

/// Chooses a backup among all that there are; `locations` are all `BackupStorageLocation`s.
///
/// # Errors
///
/// When none can be used, or the newest that can is too old: an older one is never taken in its place.
pub fn choose(backups: &[Value], locations: &[Value], wanted: &Wanted<'_>) -> Result<Chosen, Refused> {
    let refuse = |message: String, passed_over| Err(Refused { message, passed_over });
    let mut candidates: Vec<&Value> = backups.iter().filter(|backup| is_meant(backup, wanted)).collect();
    candidates.sort_by_key(|backup| std::cmp::Reverse((recovery_point(backup), object::name(backup))));
    let what = match (wanted.name, wanted.schedule) {
        (Some(name), None) => format!("backup {name}"),
        (Some(name), Some(schedule)) => format!("backup {name} of schedule {schedule}"),
        (None, Some(schedule)) => format!("backup of schedule {schedule}"),
        (None, None) => "backup".to_owned(),
    };
    if candidates.is_empty() {
        return refuse(nothing(&what, backups, locations), Vec::new());
    }
    let mut passed_over = Vec::new();
    for backup in candidates {
        let name = object::name(backup).to_owned();
        let started_at = match usable(backup, locations, wanted) {
            Ok(started_at) => started_at,
            Err(why) if wanted.name.is_some() => {
                return refuse(format!("backup {name} cannot be used: it {why}"), vec![(name, why)]);
            }
            Err(why) => {
                passed_over.push((name, why));
                continue;
            }
        };
        if let Some(objective) = wanted.max_age {
            let fresh = super::freshness(&name, started_at, objective, wanted.now);
            if !fresh.met {
                let newest = if wanted.name.is_some() { "" } else { "newest usable " };
                return refuse(format!("{newest}{}", fresh.message), passed_over);
            }
        }
        return Ok(Chosen {
            why: why(wanted, started_at, passed_over.len(), backup),
            started_at,
            completed_at: object::instant(backup, "/status/completionTimestamp"),
            expires_at: object::instant(backup, "/status/expiration"),
            schedule: object::label(backup, SCHEDULE).map(str::to_owned),
            storage_location: object::text(backup, "/spec/storageLocation").to_owned(),
            name,
            passed_over,
        });
    }
    let shown: Vec<String> = passed_over.iter().take(3).map(|(name, why)| format!("{name} {why}")).collect();
    let count = i64::try_from(passed_over.len()).unwrap_or(i64::MAX);
    let of = wanted.schedule.map_or_else(String::new, |schedule| format!(" of schedule {schedule}"));
    let count = words::count(count, "backup");
    refuse(format!("of {count}{of} none can be used: {}", shown.join("; ")), passed_over)
}

fn is_meant(backup: &Value, wanted: &Wanted<'_>) -> bool {
    wanted.name.is_none_or(|name| object::name(backup) == name)
        && wanted.schedule.is_none_or(|schedule| object::label(backup, SCHEDULE) == Some(schedule))
}

/// There is no backup that is meant: what else there is, and where to look.
fn nothing(what: &str, backups: &[Value], locations: &[Value]) -> String {
    let down: Vec<String> = locations.iter().filter_map(|at| location(Some(at), object::name(at)).err()).collect();
    let hint = if locations.is_empty() {
        "there is no BackupStorageLocation, so no bucket is read".to_owned()
    } else if down.is_empty() {
        "a bucket is read once a minute; was it read already?".to_owned()
    } else {
        words::list(&down, 3)
    };
    let count = words::count(i64::try_from(backups.len()).unwrap_or(i64::MAX), "other backup");
    format!("there is no {what} ({count}); {hint}")
}

fn why(wanted: &Wanted<'_>, started_at: Timestamp, newer: usize, backup: &Value) -> String {
    let age = words::since(started_at, wanted.now);
    let kind = match (wanted.name, wanted.schedule) {
        (Some(_), _) => "named by the runbook or its inputs".to_owned(),
        (None, Some(schedule)) => format!("the newest usable one of schedule {schedule}"),
        (None, None) => "the newest usable one".to_owned(),
    };
    let lacks = shortcomings(backup);
    let lacks = if lacks.is_empty() { String::new() } else { format!("; it lacks: {}", words::list(&lacks, 5)) };
    let newer = match newer {
        0 => String::new(),
        1 => "; 1 newer one cannot be used".to_owned(),
        newer => format!("; {newer} newer ones cannot be used"),
    };
    format!("{kind}; it started {age} ago{newer}{lacks}")
}

/// When a backup that can be used started; else why it cannot, as the end of a sentence that begins with its name.
fn usable(backup: &Value, locations: &[Value], wanted: &Wanted<'_>) -> Result<Timestamp, String> {
    if object::deleting_since(backup).is_some() {
        return Err("is being deleted".to_owned());
    }
    let phase = object::text(backup, "/status/phase");
    match Phase::of(backup) {
        Phase::Completed => {}
        Phase::PartiallyFailed if wanted.allow_partial => {}
        Phase::Waiting | Phase::Running | Phase::RunningPartly => {
            return Err(format!("has not ended ({})", if phase.is_empty() { "no phase" } else { phase }));
        }
        Phase::Deleting => return Err("is being deleted".to_owned()),
        Phase::PartiallyFailed | Phase::Failed | Phase::FailedValidation => {
            let reason = super::reason(backup);
            let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            return Err(format!("ended as {phase}{reason}"));
        }
    }
    let name = object::text(backup, "/spec/storageLocation");
    location(locations.iter().find(|location| object::name(location) == name), name)
        .map_err(|why| format!("cannot be read: {why}"))?;
    if let Some(end) = object::instant(backup, "/status/expiration") {
        if end <= wanted.now {
            return Err(format!("expired {} ago", words::since(end, wanted.now)));
        }
        if end <= wanted.expires_after {
            return Err(format!("expires in {}, while it may still be needed", words::since(wanted.now, end)));
        }
    }
    let lacks = shortcomings(backup);
    if !wanted.allow_partial && !lacks.is_empty() {
        return Err(format!("is {phase}, but {}", words::list(&lacks, 5)));
    }
    let missing: Vec<&String> = wanted.namespaces.iter().filter(|name| !contains_namespace(backup, name)).collect();
    if !missing.is_empty() {
        return Err(format!("was not made of {}", words::list(&missing, 5)));
    }
    recovery_point(backup).ok_or_else(|| "does not say when it started".to_owned())
}

/// Whether a location can be read.
fn location(location: Option<&Value>, name: &str) -> Result<(), String> {
    let Some(location) = location else { return Err(format!("its storage location `{name}` does not exist here")) };
    match object::text(location, "/status/phase") {
        "Available" => Ok(()),
        phase => {
            let phase = if phase.is_empty() { "not validated yet" } else { phase };
            Err(format!(
                "storage location `{name}` is {}",
                words::because(phase, object::text(location, "/status/message"))
            ))
        }
    }
}
