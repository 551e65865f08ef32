//! `velero-restore`: a restore by Velero.
//!
//! Duty: to take the backup that core's rules choose and no other, to have it restored, to follow that to its end, and to
//! read what Velero kept of it. A restore is taken back by what it has created.
//!
//! - `request`: what is wanted of a backup, and what Velero is asked for
//! - `kept`: what Velero kept of a restore, and what of it counts

use jiff::Timestamp;
use lifeboat_core::{
    action::{
        kube::Prepared,
        velero_restore::{Existing, VeleroRestore},
    },
    kube::{
        judged::Outcome,
        object,
        velero::{Phase, RestorePolicy, choose, judge_restore, judge_results},
        words,
    },
    model::Template,
};
use serde_json::{Value, json};

use super::{
    Context, Done, Found,
    velero::{
        Velero,
        follow::{Last, Subject},
        remains,
        results::summary,
    },
    velero_backup::pretty,
};
use crate::cluster::Kind;

mod kept;
mod request;

/// How many backups that were passed over are recorded.
const PASSED_OVER: usize = 30;
/// How many of them are told.
const TOLD: usize = 5;
/// How many errors of a restore go into the message.
const ERRORS: usize = 5;

/// What a restore may end with and still be good.
fn policy(spec: &VeleroRestore) -> RestorePolicy {
    let keep = matches!(spec.existing, None | Some(Existing::Keep));
    RestorePolicy { allow_partial: spec.allow_partial, allow_empty: false, allow_kept: !keep }
}

pub(super) async fn prepare(cx: &Context<'_>, spec: &VeleroRestore) -> Result<Found, String> {
    let velero = Velero::of(cx, spec.velero_namespace.as_ref());
    let kind = velero.kind("Restore").await?;
    request::restore(spec, "")?;
    modifier(&velero, spec).await?;
    let (targets, absent) = targets(cx, spec).await?;

    let earlier = velero.earlier(&kind, "restore").await?;
    if let Some(going_on) = earlier.iter().find(|restore| !Phase::of(restore).is_terminal()) {
        let name = object::name(going_on);
        cx.teller.say(&format!("goes on with {}, which an earlier attempt made", velero.shown(&kind, name)));
        let known = cx.earlier.iter().rev().find(|prepared| prepared.facts["restore"] == name);
        let facts = known.map(|prepared| prepared.facts.clone()).unwrap_or_default();
        return Ok(Found { facts, ..Found::default() });
    }
    // What an earlier attempt has restored well need not be restored again, if it is still there.
    let good = |restore: &&Value| judge_restore(restore, &policy(spec)).outcome == Outcome::Succeeded;
    let adopt = earlier.iter().find(good).filter(|restore| request::still_there(restore, &targets, &absent));

    let backups = velero.list("Backup").await?;
    let locations = velero.list("BackupStorageLocation").await?;
    let now = Timestamp::now();
    let wanted = request::Wishes::of(spec);
    // Two backups must not be mixed: what the first attempt has restored stays, and the second one finds it there.
    let mixed =
        earlier.iter().find(|restore| object::number(restore, "/status/progress/itemsRestored").unwrap_or(0) > 0);
    let same = mixed.map(|restore| object::text(restore, "/spec/backupName")).filter(|name| !name.is_empty());
    let again = same.and_then(|name| choose(&backups, &locations, &wanted.this(name, now)).ok());
    let chosen = match again {
        Some(mut chosen) => {
            chosen.why = format!("an earlier attempt has restored a part of it; {}", chosen.why);
            chosen
        }
        None => choose(&backups, &locations, &wanted.wanted(now)).map_err(|refused| request::refusal(&refused))?,
    };
    for (name, why) in chosen.passed_over.iter().take(TOLD) {
        cx.teller.say(&format!("passed over: backup {name} {why}"));
    }
    let more = chosen.passed_over.len().saturating_sub(TOLD);
    if more > 0 {
        cx.teller.say(&format!("passed over: {more} more"));
    }
    cx.teller.say(&format!("takes backup {}: {}", chosen.name, chosen.why));
    let passed_over: Vec<Value> = chosen
        .passed_over
        .iter()
        .take(PASSED_OVER)
        .map(|(name, why)| json!({"backup": name, "why": words::quote(why)}))
        .collect();
    let mut facts = json!({
        "restore": cx.order.object,
        "backup": chosen.name,
        "startedAt": chosen.started_at.to_string(),
        "completedAt": chosen.completed_at.map(|at| at.to_string()),
        "expiresAt": chosen.expires_at.map(|at| at.to_string()),
        "schedule": chosen.schedule,
        "location": chosen.storage_location,
        "why": chosen.why,
        "passedOver": passed_over,
        "passedOverCount": chosen.passed_over.len(),
        "absent": absent,
    });
    if let Some(adopt) = adopt {
        facts["adopt"] = object::name(adopt).into();
    }
    Ok(Found { facts, ..Found::default() })
}

/// The `ConfigMap` with rules must be there: Velero would find out only after the request is made.
async fn modifier(velero: &Velero<'_>, spec: &VeleroRestore) -> Result<(), String> {
    let Some(name) = spec.resource_modifier.as_ref().map(Template::as_str).filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let kind = velero.cx.ask.kind("ConfigMap", Some("v1")).await?;
    match velero.get(&kind, name).await? {
        Some(_) => Ok(()),
        None => Err(format!(
            "resourceModifier: expected {}, found none; it must be in Velero's namespace",
            velero.shown(&kind, name)
        )),
    }
}

/// The namespaces that are known to be restored into, as far as they are there, and the names of those that are not.
async fn targets(cx: &Context<'_>, spec: &VeleroRestore) -> Result<(Vec<Value>, Vec<String>), String> {
    let kind = cx.ask.kind("Namespace", Some("v1")).await?;
    let (mut there, mut absent) = (Vec::new(), Vec::new());
    for name in request::targets(spec) {
        match cx.ask.get(&kind.object(None, &name)?).await {
            Ok(found) if object::deleting_since(&found).is_some() => {
                return Err(format!(
                    "expected the namespace {name} to be there or not, found it being deleted: a restore into it would be \
                     lost; wait until it is gone"
                ));
            }
            Ok(found) => there.push(found),
            Err(error) if error.is_missing() => absent.push(name),
            // Without the right to look, Velero will tell.
            Err(error) if error.is_denied() => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok((there, absent))
}

pub(super) async fn carry_out(cx: &Context<'_>, spec: &VeleroRestore, found: &Value) -> Result<Done, String> {
    let velero = Velero::of(cx, spec.velero_namespace.as_ref());
    let kind = velero.kind("Restore").await?;
    let name = named(found)?;
    let mut known = velero.mine(&kind, name).await?;
    if let (None, Some(adopt)) = (&known, found["adopt"].as_str())
        && let Some(earlier) = velero.mine(&kind, adopt).await?
    {
        let facts = cx.earlier.iter().rev().find(|prepared| prepared.facts["restore"] == adopt);
        let done = ended(&velero, &kind, spec, facts.map_or(found, |prepared| &prepared.facts), &earlier).await;
        if done.error.is_none() {
            cx.teller.say(&format!("{} of an earlier attempt is good", velero.shown(&kind, adopt)));
            return Ok(done);
        }
    }
    if known.is_none() {
        let backup = found["backup"].as_str().ok_or("which backup was chosen is not recorded")?;
        known = Some(velero.submit(&kind, name, request::restore(spec, backup)?).await?);
    }
    let subject = Subject::of(&velero, &kind, &known.unwrap_or_default())?;
    let policy = policy(spec);
    let pending = |restore: &Value| match judge_restore(restore, &policy).outcome {
        Outcome::Pending { progress } => Some(progress),
        _ => None,
    };
    let Last::Ended(restore) = subject.follow(pending).await? else {
        return Err(format!(
            "{} is gone: somebody has deleted it, or its backup has expired; what it restored is still there",
            subject.shown()
        ));
    };
    Ok(ended(&velero, &kind, spec, found, &restore).await)
}

fn named(facts: &Value) -> Result<&str, String> {
    facts["restore"].as_str().ok_or_else(|| "which restore it is about is not recorded".to_owned())
}

/// Judges a restore that has ended.
async fn ended(velero: &Velero<'_>, kind: &Kind, spec: &VeleroRestore, facts: &Value, restore: &Value) -> Done {
    let cx = velero.cx;
    let policy = policy(spec);
    let judged = judge_restore(restore, &policy);
    let mut artifacts = cx.teller.keep("restore.json", &pretty(restore)).await;
    let interrupted = matches!(judged.outcome, Outcome::Failed { retriable: true, .. });
    // Of what Velero refused, or had to leave, it keeps nothing.
    let kept = if interrupted || Phase::of(restore) == Phase::FailedValidation {
        kept::Reading::default()
    } else {
        kept::read(velero, restore, facts["location"].as_str().unwrap_or_default(), &policy).await
    };
    artifacts.extend(kept.artifacts);
    let told = summary(&kept.results, ERRORS);
    let told = if told.is_empty() { told } else { format!("; {told}") };
    let unread = if kept.notes.is_empty() { String::new() } else { format!("; {}", kept.notes.join("; ")) };
    let shown = velero.shown(kind, object::name(restore));
    let error = match judged.outcome {
        Outcome::Failed { why, retriable: true } => Some(format!(
            "{shown} {why}; Velero's server was started anew meanwhile, so trying again makes a new Restore"
        )),
        Outcome::Failed { why, retriable: false } => Some(format!("{shown} {why}{told}{unread}")),
        Outcome::Pending { progress } => Some(format!("{shown}: {progress}")),
        Outcome::Succeeded => match judge_results(&kept.results, &policy) {
            Outcome::Failed { why, .. } => Some(format!("{shown} is Completed, but {why}")),
            _ => None,
        },
    };
    let result = json!({
        "restore": object::name(restore),
        "backup": facts["backup"],
        "why": facts["why"],
        "backupStartedAt": facts["startedAt"],
        "recoveryPoint": facts["startedAt"],
        "phase": judged.facts["phase"],
        "items": judged.facts["items"],
        "errors": judged.facts["errors"],
        "warnings": judged.facts["warnings"],
        "restored": kept.restored,
        "notes": kept.notes,
    });
    if error.is_none() {
        cx.teller.say(&format!("{shown} is {}: {} objects{told}{unread}", result["phase"], result["items"]));
    }
    Done { result, error, artifacts }
}

pub(super) async fn undo(cx: &Context<'_>, spec: &VeleroRestore, prepared: &[Prepared]) -> Result<Done, String> {
    let velero = Velero::of(cx, spec.velero_namespace.as_ref());
    let kind = velero.kind("Restore").await?;
    let mut undone = remains::Undone::default();
    let mut names: Vec<&str> = Vec::new();
    for prepared in prepared.iter().rev() {
        let name = named(&prepared.facts)?;
        if names.contains(&name) {
            continue;
        }
        names.push(name);
        let traces = remains::Traces {
            restore: name,
            location: prepared.facts["location"].as_str().unwrap_or_default(),
            absent: object::texts(&prepared.facts, "/absent").map(str::to_owned).collect(),
            updates: spec.existing == Some(Existing::Update),
        };
        remains::take_back(&velero, &kind, &traces, &mut undone).await?;
    }
    let result = json!({"restores": names, "deleted": undone.deleted, "left": undone.left});
    if undone.left.is_empty() {
        return Ok(Done::well(result));
    }
    let count = words::count(i64::try_from(undone.left.len()).unwrap_or(i64::MAX), "object");
    Ok(Done::badly(result, format!("{count} left of what was restored: {}", words::list(&undone.left, 10))))
}
