//! `velero-backup`: a backup by Velero.
//!
//! Duty: to have one made, and to follow it to its end. When a backup is good is core's to say. Taking it back has Velero
//! delete it from the bucket too: without that, it would come back into the cluster by itself.

use lifeboat_core::{
    action::{kube::Prepared, velero_backup::VeleroBackup},
    evidence::event::Artifact,
    kube::{
        judged::Outcome,
        object,
        velero::{Phase, judge_backup, read_results},
        words,
    },
    model::Template,
};
use serde_json::{Value, json};

use super::{
    Context, Done, Found, or,
    velero::{
        Velero,
        follow::{Last, Subject},
        results::{Kept, summary},
        selector::label_selector,
    },
};
use crate::cluster::Kind;

/// How many errors of a backup go into the message.
const ERRORS: usize = 3;

pub(super) async fn prepare(cx: &Context<'_>, spec: &VeleroBackup) -> Result<Found, String> {
    let velero = Velero::of(cx, spec.velero_namespace.as_ref());
    let kind = velero.kind("Backup").await?;
    let location = location(&velero.list("BackupStorageLocation").await?, or(spec.storage_location.as_ref(), ""))?;
    request(spec, &location)?;
    // One that is going on is not made a second time. One that has ended is another attempt's: whoever tries again after
    // that wants what is there now.
    let earlier = velero.earlier(&kind, "backup").await?;
    let going_on = earlier.iter().find(|backup| matches!(judge_backup(backup).outcome, Outcome::Pending { .. }));
    let name = going_on.map_or(cx.order.object.as_str(), |backup| object::name(backup));
    match going_on {
        Some(_) => cx.teller.say(&format!("goes on with {}, which an earlier attempt made", velero.shown(&kind, name))),
        None => cx.teller.say(&format!("{} will be kept at the location {location}", velero.shown(&kind, name))),
    }
    Ok(Found { facts: json!({"backup": name, "location": location}), ..Found::default() })
}

/// The location that is named, or the default one, if it can be written to. Without one that is marked as the default,
/// Velero takes the one of that name.
fn location(locations: &[Value], named: &str) -> Result<String, String> {
    let of_name = |name: &str| locations.iter().find(|location| object::name(location) == name);
    let found = match named {
        "" => locations.iter().find(|location| object::flag(location, "/spec/default")).or_else(|| of_name("default")),
        named => of_name(named),
    };
    let Some(location) = found else {
        let names: Vec<&str> = locations.iter().map(object::name).collect();
        let there = if names.is_empty() { "none at all".to_owned() } else { words::list(&names, 5) };
        return Err(if named.is_empty() {
            format!("expected a default BackupStorageLocation, found {there}; name one with `storageLocation`")
        } else {
            format!("expected the BackupStorageLocation `{named}`, found {there}")
        });
    };
    let name = object::name(location);
    if object::text(location, "/spec/accessMode") == "ReadOnly" {
        return Err(format!(
            "the BackupStorageLocation `{name}` is read-only (spec.accessMode): no backup can be made"
        ));
    }
    match object::text(location, "/status/phase") {
        "Available" => Ok(name.to_owned()),
        phase => {
            let phase = if phase.is_empty() { "not validated yet" } else { phase };
            let why = words::because(phase, object::text(location, "/status/message"));
            Err(format!("expected the BackupStorageLocation `{name}` to be Available, found: {why}"))
        }
    }
}

/// What Velero is asked for.
fn request(spec: &VeleroBackup, location: &str) -> Result<Value, String> {
    let mut request = json!({"storageLocation": location});
    for (field, list) in [
        ("includedNamespaces", &spec.namespaces),
        ("includedResources", &spec.included_resources),
        ("excludedResources", &spec.excluded_resources),
    ] {
        if !list.is_empty() {
            request[field] = list.iter().map(Template::as_str).collect();
        }
    }
    if let Some(selector) = spec.selector.as_ref().map(Template::as_str).filter(|text| !text.is_empty()) {
        request["labelSelector"] = label_selector(selector)?;
    }
    for (field, flag) in [
        ("includeClusterResources", spec.include_cluster_resources),
        ("snapshotVolumes", spec.snapshot_volumes),
        ("defaultVolumesToFsBackup", spec.default_volumes_to_fs_backup),
        ("snapshotMoveData", spec.snapshot_move_data),
    ] {
        if let Some(flag) = flag {
            request[field] = flag.into();
        }
    }
    if let Some(ttl) = spec.ttl {
        request["ttl"] = format!("{}ms", ttl.as_millis()).into();
    }
    Ok(request)
}

fn named(facts: &Value) -> Result<&str, String> {
    facts["backup"].as_str().ok_or_else(|| "which backup it is about is not recorded".to_owned())
}

pub(super) async fn carry_out(cx: &Context<'_>, spec: &VeleroBackup, found: &Value) -> Result<Done, String> {
    let velero = Velero::of(cx, spec.velero_namespace.as_ref());
    let kind = velero.kind("Backup").await?;
    let (name, location) = (named(found)?, found["location"].as_str().unwrap_or_default());
    let made = match velero.mine(&kind, name).await? {
        Some(found) => found,
        None => velero.submit(&kind, name, request(spec, location)?).await?,
    };
    let subject = Subject::of(&velero, &kind, &made)?;
    let pending = |backup: &Value| match judge_backup(backup).outcome {
        Outcome::Pending { progress } => Some(progress),
        _ => None,
    };
    let Last::Ended(backup) = subject.follow(pending).await? else {
        return Err(format!("{} is gone: somebody has deleted it", subject.shown()));
    };
    let judged = judge_backup(&backup);
    let result = result(&judged.facts);
    let mut artifacts = cx.teller.keep("backup.json", &pretty(&backup)).await;
    let Outcome::Failed { why, retriable } = judged.outcome else {
        cx.teller.say(&format!("{} is Completed: {} objects", subject.shown(), result["items"]));
        return Ok(Done { artifacts, ..Done::well(result) });
    };
    let mut error = format!("{} {why}", subject.shown());
    if retriable {
        error.push_str("; Velero's server was started anew meanwhile, so trying again makes a new Backup");
    }
    if Phase::of(&backup) != Phase::FailedValidation {
        let (told, kept) = errors(&velero, &backup).await;
        artifacts.extend(kept);
        error.push_str(&told);
    }
    Ok(Done { artifacts, ..Done::badly(result, error) })
}

/// What Velero has kept of its errors, as the end of a message.
async fn errors(velero: &Velero<'_>, backup: &Value) -> (String, Vec<Artifact>) {
    let roots = velero.roots(object::text(backup, "/spec/storageLocation")).await;
    match velero.fetch(Kept::BackupResults, object::name(backup), &roots).await {
        Ok(text) => {
            let kept = velero.cx.teller.keep(Kept::BackupResults.file(), &text).await;
            let results = read_results(&serde_json::from_str(&text).unwrap_or_default());
            let told = summary(&results, ERRORS);
            (if told.is_empty() { told } else { format!("; {told}") }, kept)
        }
        Err(why) => (format!("; {why}"), Vec::new()),
    }
}

/// Exactly the fields of core's `FACTS`.
fn result(facts: &Value) -> Value {
    json!({
        "backup": facts["name"],
        "phase": facts["phase"],
        "startedAt": facts["startedAt"],
        "completedAt": facts["completedAt"],
        "expiresAt": facts["expiresAt"],
        "items": facts["items"],
        "errors": facts["errors"],
        "warnings": facts["warnings"],
    })
}

pub(super) fn pretty(object: &Value) -> String {
    let mut object = object.clone();
    object::redact(&mut object);
    serde_json::to_string_pretty(&object).unwrap_or_default()
}

pub(super) async fn undo(cx: &Context<'_>, spec: &VeleroBackup, prepared: &[Prepared]) -> Result<Done, String> {
    let velero = Velero::of(cx, spec.velero_namespace.as_ref());
    let kind = velero.kind("Backup").await?;
    let mut names: Vec<&str> = Vec::new();
    for prepared in prepared.iter().rev() {
        let name = named(&prepared.facts)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut deleted = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let Some(backup) = velero.mine(&kind, name).await? else { continue };
        remove(&velero, &kind, &backup, at).await?;
        deleted.push(*name);
    }
    Ok(Done::well(json!({"deleted": deleted})))
}

/// Has Velero delete a backup, with all that is in the bucket.
async fn remove(velero: &Velero<'_>, kind: &Kind, backup: &Value, at: usize) -> Result<(), String> {
    let subject = Subject::of(velero, kind, backup)?;
    if Phase::of(backup) == Phase::Waiting && velero.withdraw(kind, backup).await? {
        velero.cx.teller.say(&format!("{} is withdrawn: Velero had not taken it up", subject.shown()));
        return Ok(());
    }
    // Velero refuses to delete what it is at.
    let at_work = |backup: &Value| {
        let over = Phase::of(backup).is_terminal() || Phase::of(backup) == Phase::Deleting;
        let phase = object::text(backup, "/status/phase");
        (!over).then(|| format!("cannot be deleted before Velero is done with it ({phase})"))
    };
    if let Last::Gone = subject.follow(at_work).await? {
        return Ok(());
    }
    let requests = velero.kind("DeleteBackupRequest").await?;
    let name = match at {
        0 => velero.cx.order.object.clone(),
        at => format!("{}-b{at}", velero.cx.order.object),
    };
    let made = velero.submit(&requests, &name, json!({"backupName": object::name(backup)})).await?;
    let request = Subject::of(velero, &requests, &made)?;
    let unprocessed = |request: &Value| match object::text(request, "/status/phase") {
        "Processed" => None,
        "" | "New" => Some("not taken up by Velero yet".to_owned()),
        phase => Some(phase.to_owned()),
    };
    // Velero deletes the request itself, together with the backup, when all went well.
    if let Last::Ended(request) = request.follow(unprocessed).await? {
        let errors: Vec<&str> = object::texts(&request, "/status/errors").collect();
        if !errors.is_empty() {
            let errors = words::quote(&words::list(&errors, ERRORS));
            return Err(format!("{} cannot be deleted: {errors}", subject.shown()));
        }
    }
    subject.gone("waits until it is gone").await?;
    velero.cx.teller.say(&format!("{} is gone, from the bucket too", subject.shown()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str, spec: Value, status: Value) -> Value {
        json!({"metadata": {"name": name}, "spec": spec, "status": status})
    }

    #[test]
    fn where_a_backup_is_kept() {
        let locations = [
            at("old", json!({"accessMode": "ReadOnly"}), json!({"phase": "Available"})),
            at("main", json!({"default": true}), json!({"phase": "Available"})),
            at("far", json!({}), json!({"phase": "Unavailable", "message": "AccessDenied."})),
            at("new", json!({}), json!({})),
        ];
        assert_eq!(location(&locations, "").as_deref(), Ok("main"));
        assert_eq!(location(&locations, "main").as_deref(), Ok("main"));
        for (named, why) in [
            ("old", "the BackupStorageLocation `old` is read-only (spec.accessMode): no backup can be made"),
            ("far", "expected the BackupStorageLocation `far` to be Available, found: Unavailable: AccessDenied"),
            ("new", "expected the BackupStorageLocation `new` to be Available, found: not validated yet"),
            ("none", "expected the BackupStorageLocation `none`, found old, main, far, new"),
        ] {
            assert_eq!(location(&locations, named).unwrap_err(), why);
        }
        assert_eq!(
            location(&locations[2..], "").unwrap_err(),
            "expected a default BackupStorageLocation, found far, new; name one with `storageLocation`"
        );
        assert!(location(&[], "main").is_err_and(|why| why.ends_with("found none at all")));
        assert_eq!(location(&[at("default", json!({}), json!({"phase": "Available"}))], "").as_deref(), Ok("default"));
    }

    #[test]
    fn what_velero_is_asked_for() {
        let spec = |mut spec: Value| {
            spec["cluster"] = json!({"$start": 0, "$end": 1, "$value": "c"});
            serde_json::from_value::<VeleroBackup>(spec).unwrap()
        };
        assert_eq!(request(&spec(json!({})), "main"), Ok(json!({"storageLocation": "main"})));
        let all = json!({
            "namespaces": ["shop"], "includedResources": ["secrets"], "excludedResources": ["pods"],
            "selector": "app=api", "includeClusterResources": false, "snapshotVolumes": true,
            "defaultVolumesToFsBackup": false, "snapshotMoveData": true, "ttl": "2h"
        });
        assert_eq!(
            request(&spec(all), "main"),
            Ok(json!({
                "storageLocation": "main", "includedNamespaces": ["shop"], "includedResources": ["secrets"],
                "excludedResources": ["pods"],
                "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["api"]}]},
                "includeClusterResources": false, "snapshotVolumes": true, "defaultVolumesToFsBackup": false,
                "snapshotMoveData": true, "ttl": "7200000ms"
            }))
        );
        assert!(request(&spec(json!({"selector": "a b"})), "main").is_err());
    }
}
