//! Velero: where backups are, and whether one can be restored from now.
//!
//! Duty: to find out before the run what its steps would find out in the middle of it: a store that nobody reads, no backup
//! that can be used, one that is too old for the objective or expires while it is needed. An old backup keeps nobody from
//! recovering: it is told as an objective that will be missed.

use std::collections::BTreeMap;

use lifeboat_core::{
    duration::Duration,
    evidence::event::{Finding, Severity},
    kube::{
        object,
        velero::{self, Chosen, Wanted},
        words,
    },
    machine::needs::{Backup, By, Makes, Restore},
};
use serde_json::Value;

use super::site::{Lost, Site, users};
use crate::cluster::kinds;

/// Velero's group.
const GROUP: &str = "velero.io";
/// How long ago a bucket may have been read, on top of three of its periods.
const GRACE_MS: u64 = 10 * 60_000;

pub(super) async fn look(site: &Site<'_>) -> Result<Vec<Finding>, Lost> {
    let mut of_namespace: BTreeMap<&str, (Vec<&Restore>, Vec<&Backup>)> = BTreeMap::new();
    for restore in site.needs.restores.iter().filter(|restore| restore.cluster == site.name) {
        let Some(namespace) = &restore.velero_namespace else { continue };
        of_namespace.entry(namespace).or_default().0.push(restore);
    }
    for backup in site.needs.backups.iter().filter(|backup| backup.cluster == site.name) {
        let Some(namespace) = &backup.velero_namespace else { continue };
        of_namespace.entry(namespace).or_default().1.push(backup);
    }
    let mut findings = Vec::new();
    for (namespace, (restores, backups)) in of_namespace {
        findings.extend(in_namespace(site, namespace, &restores, &backups).await?);
    }
    Ok(findings)
}

async fn in_namespace(
    site: &Site<'_>,
    namespace: &str,
    restores: &[&Restore],
    backups: &[&Backup],
) -> Result<Vec<Finding>, Lost> {
    let kind = |name: &str| kinds::find(&site.kinds, &format!("{name}.{GROUP}"), None).ok();
    // That Velero is not there is told by the kinds that are not served.
    let (Some(of_backups), Some(of_locations)) = (kind("backups"), kind("backupstoragelocations")) else {
        return Ok(Vec::new());
    };
    let (locations, all) =
        tokio::join!(site.list(&of_locations, Some(namespace)), site.list(&of_backups, Some(namespace)));
    let locations = match locations? {
        Ok(locations) => locations,
        Err(error) => {
            site.could_not_see(&of_locations.resource(), &error);
            return Ok(Vec::new());
        }
    };
    let by: Vec<By> = restores
        .iter()
        .map(|restore| restore.by.clone())
        .chain(backups.iter().map(|backup| backup.by.clone()))
        .collect();
    if locations.is_empty() {
        let requirement = format!("a BackupStorageLocation in {namespace}{}", users(&by));
        let help = "make one that names the bucket with the backups; Velero reads it within a minute";
        let finding = Finding::missing(requirement, "none", help);
        // A program before may install it: without a location it is sure that it is not there yet.
        let programs = site.excuse(&by, |maker| maker.makes == Makes::Anything).is_some();
        let finding = if programs { finding.severity(Severity::Warning) } else { finding };
        return Ok(vec![excused(site, &by, false, finding)]);
    }
    let mut findings = Vec::new();
    for backup in backups {
        findings.extend(store_of(site, namespace, backup, &locations));
    }
    if restores.is_empty() {
        return Ok(findings);
    }
    let all = match all? {
        Ok(all) => all,
        Err(error) => {
            site.could_not_see(&of_backups.resource(), &error);
            return Ok(findings);
        }
    };
    for restore in restores {
        findings.extend(source_of(site, restore, &all, &locations));
    }
    Ok(findings)
}

/// What is wrong with where a backup is to be written.
fn store_of(site: &Site<'_>, namespace: &str, backup: &Backup, locations: &[Value]) -> Option<Finding> {
    let by = std::slice::from_ref(&backup.by);
    let location = match &backup.location {
        Some(name) => locations.iter().find(|location| object::name(location) == name),
        None => locations.iter().find(|location| object::flag(location, "/spec/default")).or(locations.first()),
    };
    let Some(location) = location else {
        let name = backup.location.as_ref()?;
        let requirement = format!("the BackupStorageLocation {name} in {namespace}{}", users(by));
        let there: Vec<&str> = locations.iter().map(object::name).collect();
        let there = if there.is_empty() { "none".to_owned() } else { format!("only {}", words::list(&there, 5)) };
        let finding = Finding::missing(requirement, there, "correct `storageLocation`, or make it");
        return Some(excused(site, by, false, finding));
    };
    let name = object::name(location);
    let requirement = format!("the BackupStorageLocation {name} in order{}", users(by));
    if object::text(location, "/spec/accessMode") == "ReadOnly" {
        let help = "a location that is read only takes no backups; make it ReadWrite, or name another one";
        return Some(excused(site, by, false, Finding::missing(requirement, "it is ReadOnly", help)));
    }
    let help = "look at the bucket, its credentials, and at the log of Velero";
    // Whether its backups have been read matters to who restores; what is written needs a bucket that can be written to.
    match object::text(location, "/status/phase") {
        "Available" => Some(Finding::met(requirement, "it is Available")),
        "" => {
            let found = "Velero has not looked at it yet, which it does within a minute";
            Some(excused(site, by, false, Finding::missing(requirement, found, help).severity(Severity::Warning)))
        }
        phase => {
            let why = words::quote(object::text(location, "/status/message"));
            let found = if why.is_empty() { format!("it is {phase}") } else { format!("it is {phase}: {why}") };
            Some(excused(site, by, false, Finding::missing(requirement, found, help)))
        }
    }
}

/// What can be told of the backup that would be taken now.
fn source_of(site: &Site<'_>, restore: &Restore, backups: &[Value], locations: &[Value]) -> Vec<Finding> {
    let by = std::slice::from_ref(&restore.by);
    let Some(spec) = &restore.spec else { return Vec::new() };
    let text = |text: &Option<lifeboat_core::model::Template>| {
        text.as_ref().map(|text| text.as_str().to_owned()).filter(|text| !text.is_empty())
    };
    let (name, schedule) = (text(&spec.backup).filter(|name| name != "latest"), text(&spec.schedule));
    let namespaces: Vec<String> = spec.namespaces.iter().map(|namespace| namespace.as_str().to_owned()).collect();
    let wanted = Wanted {
        name: name.as_deref(),
        schedule: schedule.as_deref(),
        namespaces: &namespaces,
        max_age: spec.max_age,
        allow_partial: spec.allow_partial,
        now: site.now,
        expires_after: site.now,
    };
    let requirement = format!("a backup that can be used{}", users(by));
    let chosen = match velero::choose(backups, locations, &wanted) {
        Ok(chosen) => chosen,
        Err(refused) => {
            let help = "mend what is said of it, or make a backup where that is still possible; without one nothing is \
                        restored";
            return vec![excused(site, by, true, Finding::missing(requirement, refused.message, help))];
        }
    };
    let mut findings = vec![Finding::met(requirement, format!("{}: {}", chosen.name, chosen.why))];
    findings.push(fresh(site, by, &chosen));
    findings.extend(lasting(site, by, &chosen));
    findings.extend(read_lately(site, by, &chosen, locations));
    findings
}

/// Whether it is new enough for the objective: now, before anything is lost by waiting.
fn fresh(site: &Site<'_>, by: &[By], chosen: &Chosen) -> Finding {
    let rpo = Duration::from_millis(site.needs.rpo_ms);
    let fresh = velero::freshness(&chosen.name, chosen.started_at, rpo, site.now);
    let requirement = format!("a backup within the RPO of {}{}", words::length(site.needs.rpo_ms), users(by));
    if fresh.met {
        return Finding::met(requirement, fresh.message);
    }
    let help = "if the source still lives, make a backup now; otherwise this is what there is to restore, and the RPO will \
                be missed: see why no newer one was made";
    excused(site, by, true, Finding::missing(requirement, fresh.message, help).severity(Severity::Objective))
}

/// Whether it is kept for as long as it may be needed.
fn lasting(site: &Site<'_>, by: &[By], chosen: &Chosen) -> Option<Finding> {
    let expires = chosen.expires_at?;
    let left = words::between(site.now, expires);
    let requirement = format!("a backup that outlasts the RTO of {}{}", words::length(site.needs.rto_ms), users(by));
    if left > site.needs.rto_ms {
        return Some(Finding::met(requirement, format!("it expires in {}", words::length(left))));
    }
    let found = format!("{} expires in {}: Velero deletes it then, and its restores", chosen.name, words::length(left));
    let help = "restore from it at once, or make one that lasts longer";
    Some(excused(site, by, true, Finding::missing(requirement, found, help).severity(Severity::Warning)))
}

/// Whether the bucket was read lately: newer backups in it are not known here otherwise.
fn read_lately(site: &Site<'_>, by: &[By], chosen: &Chosen, locations: &[Value]) -> Option<Finding> {
    let location = locations.iter().find(|location| object::name(location) == chosen.storage_location)?;
    let period = object::text(location, "/spec/backupSyncPeriod");
    let period = period.parse::<Duration>().map_or(60_000, Duration::as_millis);
    if period == 0 {
        return None;
    }
    let read = object::instant(location, "/status/lastSyncedTime")?;
    let name = object::name(location);
    let requirement = format!("the BackupStorageLocation {name} read lately{}", users(by));
    let found = format!("it was read {} ago", words::since(read, site.now));
    if words::between(read, site.now) <= period.saturating_mul(3).saturating_add(GRACE_MS) {
        return Some(Finding::met(requirement, found));
    }
    let help = "see whether Velero runs: newer backups in the bucket are not known in this cluster";
    Some(Finding::missing(requirement, found, help).severity(Severity::Warning))
}

/// The same as a warning when a step before may bring what is missing; `made`: a backup would do.
fn excused(site: &Site<'_>, by: &[By], made: bool, finding: Finding) -> Finding {
    let location = |object: &Value| object::group(object) == GROUP;
    let steps = site.excuse(by, |maker| match maker.makes {
        Makes::Backup => made,
        Makes::Manifests(_) => site.applied_by(maker).iter().any(location),
        Makes::Anything | Makes::Gaps => false,
    });
    match steps {
        Some(steps) => {
            let found = format!("{}; {steps} before may bring it", finding.found);
            Finding { found, ..finding }.severity(Severity::Warning)
        }
        None => finding,
    }
}
