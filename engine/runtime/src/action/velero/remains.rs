//! What a restore has made, and taking that back.
//!
//! Duty: to delete what this restore created and nothing else, dependents first. Its label alone does not tell that: with
//! `existing: update`, and for service accounts always, Velero gives it to objects that were there before; and controllers
//! copy labels from object to object. The namespaces that Velero creates do not get it at all. So the list that Velero keeps
//! of what it created counts, and without it the time at which an object was made.
//!
//! - `created`: whether an object is one of them, and in which order they go

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use lifeboat_core::kube::{
    name::label_value,
    object,
    velero::{Phase, RESTORE_NAME},
    words,
};
use serde_json::{Value, json};

use super::{
    Velero,
    follow::{Last, Subject},
    results::{Kept, Restored},
};
use crate::cluster::{ApiError, Kind, watch::Key};

mod created;

use created::{Birth, Tier, must_stay, tier};

/// How many objects are deleted at a time.
const AT_ONCE: usize = 8;
/// How long custom resources may take before the workloads go that may be needed to finalize them.
const FINALIZING: Duration = Duration::from_secs(60);
/// How often it is looked whether all are gone.
const GLANCE: Duration = Duration::from_secs(1);

/// What is recorded of a restore.
pub(in crate::action) struct Traces<'a> {
    /// Its name.
    pub restore: &'a str,
    /// The location of its backup.
    pub location: &'a str,
    /// Namespaces that it was to restore into and that were not there before.
    pub absent: Vec<String>,
    /// It changes objects that are there.
    pub updates: bool,
}

/// What came of taking back.
#[derive(Debug, Default)]
pub(in crate::action) struct Undone {
    /// How many objects were deleted.
    pub deleted: usize,
    /// What is left, each with the reason.
    pub left: Vec<String>,
}

/// An object that is to go.
struct Doomed {
    kind: Kind,
    tier: Tier,
    namespace: Option<String>,
    name: String,
    uid: String,
    /// When it was made; RFC 3339, so that texts are ordered as times are.
    made: String,
}

impl Doomed {
    fn of(kind: &Kind, found: &Value) -> Self {
        Self {
            tier: tier(kind),
            namespace: object::namespace(found).map(str::to_owned),
            name: object::name(found).to_owned(),
            uid: object::uid(found).unwrap_or_default().to_owned(),
            made: object::text(found, "/metadata/creationTimestamp").to_owned(),
            kind: kind.clone(),
        }
    }

    fn shown(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind.kind, self.name),
            None => format!("{} {}", self.kind.kind, self.name),
        }
    }
}

/// Deletes what a restore has created, and then the restore.
pub(in crate::action) async fn take_back(
    velero: &Velero<'_>,
    kind: &Kind,
    traces: &Traces<'_>,
    undone: &mut Undone,
) -> Result<(), String> {
    let teller = velero.cx.teller;
    let mut restore = velero.mine(kind, traces.restore).await?;
    if let Some(found) = &restore {
        let subject = Subject::of(velero, kind, found)?;
        if Phase::of(found) == Phase::Waiting && velero.withdraw(kind, found).await? {
            teller.say(&format!("{} is withdrawn: Velero had not taken it up", subject.shown()));
            // It stays until Velero has looked at it, if it has marked it.
            return subject.gone("waits until Velero lets it go").await;
        }
        let at_work = |restore: &Value| {
            let phase = object::text(restore, "/status/phase");
            let over = Phase::of(restore).is_terminal() || object::deleting_since(restore).is_some();
            (!over).then(|| format!("cannot be taken back before Velero is done with it ({phase})"))
        };
        restore = match subject.follow(at_work).await? {
            Last::Ended(restore) => Some(restore),
            Last::Gone => None,
        };
    }
    let list = match &restore {
        Some(restore) if Phase::of(restore) != Phase::FailedValidation => {
            let roots = velero.roots(traces.location).await;
            let fetched = velero.fetch(Kept::RestoreResourceList, traces.restore, &roots).await;
            fetched
                .and_then(|text| Restored::read(&text))
                .map_err(|why| teller.say(&format!("{why}; goes by label and time")))
        }
        _ => Err(()),
    };
    let birth = Birth {
        list: list.as_ref().ok(),
        began: restore.as_ref().and_then(|restore| object::instant(restore, "/metadata/creationTimestamp")),
        ended: restore.as_ref().and_then(|restore| object::instant(restore, "/status/completionTimestamp")),
        absent: &traces.absent,
        updates: traces.updates,
    };
    let taken_up = restore.as_ref().is_none_or(|restore| Phase::of(restore) != Phase::FailedValidation);
    if taken_up {
        let doomed = doomed(velero, traces, &birth, undone).await?;
        delete_all(velero, doomed, undone).await?;
    }
    if let Some(restore) = restore {
        let path = kind.object(Some(velero.namespace), traces.restore)?;
        let uid = json!({"preconditions": {"uid": object::uid(&restore)}});
        match velero.cx.ask.delete(&path, &uid).await {
            Err(error) if !error.is_missing() && !error.conflicts() => return Err(error.to_string()),
            _ => {
                Subject::of(velero, kind, &restore)?
                    .gone("waits until Velero has deleted its files and it is gone")
                    .await?;
            }
        }
    }
    Ok(())
}

/// All that is to go.
async fn doomed(
    velero: &Velero<'_>,
    traces: &Traces<'_>,
    birth: &Birth<'_>,
    undone: &mut Undone,
) -> Result<Vec<Doomed>, String> {
    let ask = velero.cx.ask;
    let kinds = match birth.list {
        Some(list) => {
            let mut kinds = Vec::new();
            for (kind, names) in &list.kinds {
                // Service accounts are merged, whatever is asked for; that changes nothing that was there.
                if kind.kind != "ServiceAccount" {
                    let changed = names.updated.iter();
                    undone
                        .left
                        .extend(changed.map(|name| format!("{} {name} was there before and was changed", kind.kind)));
                }
                match ask.kind(&kind.kind, Some(&kind.api_version)).await {
                    Ok(known) if !names.created.is_empty() => kinds.push(known),
                    Ok(_) => {}
                    // Its definition went before; its objects went with it.
                    Err(_) => velero.cx.teller.say(&format!("{} is not served any more", kind.kind)),
                }
            }
            kinds
        }
        None => created::candidates(ask.discover().await?),
    };
    let mut doomed = Vec::new();
    for kind in kinds.iter().filter(|kind| kind.kind != "Namespace") {
        for found in labelled(velero, kind, traces.restore, birth).await.unwrap_or_else(|error| {
            // Not every kind can be listed; only what is known to be there is missed.
            if birth.list.is_some() {
                undone.left.push(format!("{}: {error}", kind.resource()));
            }
            Vec::new()
        }) {
            if !birth.made(kind, &found) {
                continue;
            }
            match must_stay(kind) {
                Some(why) => undone.left.push(format!("{}: {why}", object::describe(&found))),
                None => doomed.push(Doomed::of(kind, &found)),
            }
        }
    }
    let namespaces = ask.kind("Namespace", Some("v1")).await?;
    for name in birth.namespaces() {
        match ask.get(&namespaces.object(None, &name)?).await {
            Ok(found) if birth.made(&namespaces, &found) => doomed.push(Doomed::of(&namespaces, &found)),
            Ok(_) => {}
            Err(error) if error.is_missing() => {}
            Err(error) => undone.left.push(format!("Namespace {name}: {error}")),
        }
    }
    Ok(doomed)
}

/// The objects of a kind that have the restore's label, from all namespaces or, where that is not allowed, from those that
/// are known.
async fn labelled(velero: &Velero<'_>, kind: &Kind, restore: &str, birth: &Birth<'_>) -> Result<Vec<Value>, String> {
    let selector = format!("{RESTORE_NAME}={}", label_value(restore));
    let key = |namespace: Option<String>| Key { kind: kind.clone(), namespace, selector: selector.clone() };
    let look = async |namespace: Option<String>| {
        let found = velero.cx.ask.look(&key(namespace), None, false, true).await?;
        Ok::<_, String>(found.objects.iter().map(|object| (**object).clone()).collect::<Vec<_>>())
    };
    let everywhere = look(None).await;
    let namespaces = if kind.namespaced { birth.places(kind) } else { BTreeSet::new() };
    match everywhere {
        Err(_) if !namespaces.is_empty() => {
            let mut all = Vec::new();
            for namespace in namespaces {
                all.extend(look(Some(namespace)).await?);
            }
            Ok(all)
        }
        everywhere => everywhere,
    }
}

/// Deletes objects tier by tier, and waits until all of them are gone.
async fn delete_all(velero: &Velero<'_>, mut doomed: Vec<Doomed>, undone: &mut Undone) -> Result<(), String> {
    let teller = velero.cx.teller;
    if doomed.is_empty() {
        return Ok(());
    }
    teller.say(&format!("deletes {} that it created", words::count(count(doomed.len()), "object")));
    // The newest first: what was made later may need what was made before it.
    doomed.sort_by(|a, b| a.tier.cmp(&b.tier).then_with(|| b.made.cmp(&a.made)));
    let mut going: Vec<Doomed> = Vec::new();
    while !doomed.is_empty() {
        let tier = doomed[0].tier;
        let later = doomed.split_off(doomed.partition_point(|object| object.tier <= tier));
        let batch = std::mem::replace(&mut doomed, later);
        let answers: Vec<(Doomed, Result<bool, ApiError>)> = futures_util::stream::iter(batch)
            .map(|object| async {
                let answer = delete(velero, &object).await;
                (object, answer)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (object, answer) in answers {
            match answer {
                Ok(true) => going.push(object),
                Ok(false) => undone.deleted += 1,
                Err(error) => undone.left.push(format!("{}: {error}", object.shown())),
            }
        }
        if tier == Tier::Custom {
            wait(velero, &mut going, undone, Some(FINALIZING)).await?;
        }
    }
    wait(velero, &mut going, undone, None).await
}

/// Whether it is on its way out; `false`: it is gone already.
async fn delete(velero: &Velero<'_>, object: &Doomed) -> Result<bool, ApiError> {
    let Ok(path) = object.kind.object(object.namespace.as_deref(), &object.name) else { return Ok(false) };
    let options = json!({"preconditions": {"uid": object.uid}, "propagationPolicy": "Background"});
    match velero.cx.ask.delete(&path, &options).await {
        Ok(_) => Ok(true),
        // Another one has its name now: that one stays.
        Err(error) if error.is_missing() || error.conflicts() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Waits until they are gone, and tells who holds them up.
async fn wait(
    velero: &Velero<'_>,
    going: &mut Vec<Doomed>,
    undone: &mut Undone,
    longest: Option<Duration>,
) -> Result<(), String> {
    let began = Instant::now();
    loop {
        let (mut still, mut held) = (Vec::new(), Vec::new());
        for object in going.drain(..) {
            let path = object.kind.object(object.namespace.as_deref(), &object.name)?;
            match velero.cx.ask.get(&path).await {
                Ok(found) if object::uid(&found) == Some(&object.uid) => {
                    let by: Vec<&str> = object::finalizers(&found).collect();
                    let by = if by.is_empty() { String::new() } else { format!(" ({})", words::list(&by, 3)) };
                    held.push(format!("{}{by}", object.shown()));
                    still.push(object);
                }
                Ok(_) => undone.deleted += 1,
                Err(error) if error.is_missing() => undone.deleted += 1,
                Err(error) => undone.left.push(format!("{}: {error}", object.shown())),
            }
        }
        *going = still;
        if going.is_empty() || longest.is_some_and(|longest| began.elapsed() > longest) {
            return Ok(());
        }
        let count = words::count(count(going.len()), "object");
        velero.cx.teller.say(&format!("waits until {count} more are gone: {}", words::list(&held, 5)));
        tokio::time::sleep(GLANCE).await;
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
