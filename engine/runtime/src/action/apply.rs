//! `apply`: server-side apply.

use std::collections::HashMap;

use lifeboat_core::{
    action::{apply::Apply, kube::Prepared},
    evidence::chain,
    kube::{
        diff, manifest,
        object::{self, text},
        readiness::{self, Around, Readiness},
    },
    model::{SecretTemplate, Template},
};
use serde_json::{Value, json};

use super::{
    Context, Done, Found,
    objects::{self, Target},
};
use crate::{
    cluster::{ApiError, Kind, api::Again, watch::Key},
    manifests,
};

/// By this name the server knows which fields are ours.
const MANAGER: &str = "lifeboat";
/// How long a kind may take to be served once its definition is established.
const SERVED: std::time::Duration = std::time::Duration::from_secs(30);

/// One object of the manifests.
struct Wanted {
    object: Value,
    /// Where it is; `None` for a kind that a CRD of the same manifests brings.
    target: Option<Target>,
}

pub(super) async fn prepare(cx: &Context<'_>, apply: &Apply) -> Result<Found, String> {
    let objects = read(cx, apply).await?;
    let manifest = serde_json::to_string_pretty(&shown_documents(&objects)).map_err(|error| error.to_string())?;
    let mut artifacts = cx.teller.keep("manifest.json", &manifest).await;
    let (mut facts, mut new) = (Vec::new(), 0);
    for wanted in resolve(cx, &objects, &objects, apply).await? {
        let described = object::describe(&wanted.object);
        let Some(target) = &wanted.target else {
            new += 1;
            facts.push(json!({"object": described, "existed": false, "later": true}));
            continue;
        };
        let mut known = target.facts();
        match target.get(cx.ask).await? {
            None => {
                new += 1;
                known["existed"] = false.into();
            }
            Some(before) => {
                known["existed"] = true.into();
                known["uid"] = object::uid(&before).into();
                known["generation"] = object::generation(&before).into();
                known["resourceVersion"] = text(&before, "/metadata/resourceVersion").into();
                if cx.order.capture {
                    let (kept, more) = objects::keep_before(cx, target, &before).await?;
                    known["before"] = kept;
                    artifacts.extend(more);
                }
            }
        }
        facts.push(known);
    }
    let all = facts.len();
    cx.teller.say(&format!("applies {all} object{}, {new} of them new", if all == 1 { "" } else { "s" }));
    Ok(Found { facts: json!({"objects": facts, "sha256": digest(&objects)}), artifacts })
}

/// Tells manifests from others, without the values of Secrets: those could be guessed from a digest.
fn digest(objects: &[Value]) -> String {
    chain::digest(Value::Array(shown_documents(objects)).to_string().as_bytes())
}

pub(super) async fn carry_out(cx: &Context<'_>, apply: &Apply, found: &Value) -> Result<Done, String> {
    let objects = read(cx, apply).await?;
    if found["sha256"].as_str() != Some(digest(&objects).as_str()) {
        return Err(
            "the manifests are others than when this attempt began: they have changed on the disk; retry the step to \
                    apply what is there now"
                .to_owned(),
        );
    }
    let before: HashMap<String, &Value> = found["objects"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| (key(text(it, "/kind"), text(it, "/namespace"), text(it, "/name")), it))
        .collect();
    let mut results = Vec::new();
    let (mut created, mut changed, mut unchanged) = (0, 0, 0);
    for wave in manifest::waves(&objects) {
        let mut crds = Vec::new();
        if wave.establish.is_empty() {
            served(cx, wave.objects, &objects).await?;
        }
        for wanted in resolve(cx, wave.objects, &objects, apply).await? {
            let shown = object::describe(&wanted.object);
            let Some(target) = wanted.target else {
                return Err(format!("{shown}: its kind is not served, and no CRD of these manifests brings it"));
            };
            let after = one(cx, apply, &target, &wanted.object).await?;
            let known =
                before.get(&key(&target.kind.kind, target.namespace.as_deref().unwrap_or_default(), &target.name));
            let existed = known.is_some_and(|it| it["existed"] == true && it["uid"].as_str() == object::uid(&after));
            let same =
                known.is_some_and(|it| text(it, "/resourceVersion") == text(&after, "/metadata/resourceVersion"));
            match (existed, same) {
                (false, _) => created += 1,
                (true, true) => unchanged += 1,
                (true, false) => changed += 1,
            }
            let word = if !existed {
                "created"
            } else if same {
                "unchanged"
            } else {
                "changed"
            };
            cx.teller.say(&format!("{}: {word}", target.shown));
            if target.kind.kind == "CustomResourceDefinition" {
                crds.push(target.clone());
            }
            let mut result = target.facts();
            result["uid"] = object::uid(&after).into();
            result["generation"] = object::generation(&after).into();
            result["created"] = (!existed).into();
            result["changed"] = (existed && !same).into();
            results.push(result);
        }
        for crd in &crds {
            established(cx, crd).await?;
        }
    }
    Ok(Done::well(json!({
        "objects": results,
        "created": created,
        "changed": changed,
        "unchanged": unchanged,
    })))
}

fn key(kind: &str, namespace: &str, name: &str) -> String {
    format!("{kind} {namespace}/{name}")
}

async fn one(cx: &Context<'_>, apply: &Apply, target: &Target, object: &Value) -> Result<Value, String> {
    let force = if apply.force { "&force=true" } else { "" };
    let path = format!("{}?fieldManager={MANAGER}&fieldValidation=Strict{force}", target.path);
    // A namespace or a CRD of the wave before may not be known to every server yet.
    let mut late = 0;
    loop {
        // Server-side apply is the same when it is made twice.
        let applied = cx.ask.patch(&path, "application/apply-patch+yaml", object, Again::Always).await;
        return match applied {
            Ok(after) => Ok(after),
            Err(error) if error.is_missing() && late < 10 => {
                late += 1;
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                continue;
            }
            Err(error) if error.conflicts() => Err(conflict(cx, target, object, &error).await),
            Err(error) => Err(format!("{}: {error}", target.shown)),
        };
    }
}

/// Who owns the fields in the way, and how they differ.
async fn conflict(cx: &Context<'_>, target: &Target, object: &Value, error: &ApiError) -> String {
    let owners: Vec<String> = diff::conflicts(&error.answer)
        .iter()
        .map(|conflict| format!("  {} is set by `{}`", conflict.field, conflict.manager))
        .collect();
    if owners.is_empty() {
        return format!("{}: {error}", target.shown);
    }
    // What would become of it by force, as the server itself says.
    let path = format!("{}?fieldManager={MANAGER}&force=true&dryRun=All", target.path);
    let now = target.get(cx.ask).await.ok().flatten().unwrap_or_default();
    let forced = cx.ask.patch(&path, "application/apply-patch+yaml", object, Again::Always).await.unwrap_or_default();
    let differs: Vec<String> = diff::diff(&now, &forced, 20).iter().map(|line| format!("  {line}")).collect();
    format!(
        "{}: fields that others have set are in the way:\n{}\nwhat would change:\n{}\nlet them set it no more, leave it out, \
         or take it over with `force: true`",
        target.shown,
        owners.join("\n"),
        differs.join("\n"),
    )
}

/// Waits until a CRD's kind can be used.
async fn established(cx: &Context<'_>, target: &Target) -> Result<(), String> {
    let key = Key { kind: target.kind.clone(), namespace: None, selector: String::new() };
    let around =
        Around { now: jiff::Timestamp::now(), storage_classes: None, endpoint_slices: None, zero_is_ready: false };
    cx.ask
        .until(&key, Some(&target.name), |objects| match readiness::readiness(objects.first()?, &around) {
            Readiness::Ready => Some(Ok(())),
            Readiness::Failed(why) => Some(Err(format!("{}: {why}", target.shown))),
            Readiness::Pending(why) => {
                cx.teller.say(&format!("{}: {why}", target.shown));
                None
            }
        })
        .await?
}

/// The objects of all manifests, in the order in which they are applied.
async fn read(cx: &Context<'_>, apply: &Apply) -> Result<Vec<Value>, String> {
    let files: Vec<String> = apply.files.iter().map(|file| file.as_str().to_owned()).collect();
    manifests::read(cx.directory, apply.manifest.as_ref().map(SecretTemplate::as_str), &files).await
}

/// Waits until the kinds that CRDs of these manifests bring are served: a definition is established a moment before that.
async fn served(cx: &Context<'_>, objects: &[Value], all: &[Value]) -> Result<(), String> {
    for object in objects {
        let (version, kind) = (text(object, "/apiVersion"), object::kind(object));
        if !brings(all, version, kind) {
            continue;
        }
        let began = std::time::Instant::now();
        while let Err(why) = cx.ask.kind(kind, Some(version)).await {
            if began.elapsed() > SERVED {
                return Err(format!("{}: {why}, although its definition is established", object::describe(object)));
            }
            cx.teller.say(&format!("waits until {kind} of {version} is served"));
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    }
    Ok(())
}

/// Where each object is. A kind that a CRD among them brings is not there yet.
async fn resolve(cx: &Context<'_>, objects: &[Value], all: &[Value], apply: &Apply) -> Result<Vec<Wanted>, String> {
    let otherwise = apply.namespace.as_ref().map(Template::as_str).filter(|namespace| !namespace.is_empty());
    let mut wanted = Vec::new();
    for object in objects {
        let mut object = object.clone();
        let (version, name) = (text(&object, "/apiVersion").to_owned(), object::kind(&object).to_owned());
        let kind: Kind = match cx.ask.kind(&name, Some(&version)).await {
            Ok(kind) => kind,
            Err(_) if brings(all, &version, &name) => {
                wanted.push(Wanted { object, target: None });
                continue;
            }
            Err(why) => return Err(format!("{}: {why}", object::describe(&object))),
        };
        if kind.namespaced && object::namespace(&object).is_none() {
            let Some(namespace) = otherwise else {
                return Err(format!(
                    "{}: expected a namespace, found none; write it in the manifest, or `namespace:` in the step",
                    object::describe(&object)
                ));
            };
            object["metadata"]["namespace"] = namespace.into();
        }
        let target = Target::new(kind, object::namespace(&object), object::name(&object))?;
        wanted.push(Wanted { object, target: Some(target) });
    }
    Ok(wanted)
}

/// Whether a CRD among the objects brings a kind.
fn brings(objects: &[Value], api_version: &str, kind: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    objects.iter().any(|it| {
        object::kind(it) == "CustomResourceDefinition"
            && text(it, "/spec/group") == group
            && text(it, "/spec/names/kind") == kind
    })
}

/// What is applied, without the values of Secrets.
fn shown_documents(objects: &[Value]) -> Vec<Value> {
    objects
        .iter()
        .map(|object| {
            let mut object = object.clone();
            object::redact(&mut object);
            object
        })
        .collect()
}

pub(super) async fn undo(cx: &Context<'_>, prepared: &[Prepared]) -> Result<Done, String> {
    let Some(first) = prepared.first() else { return Ok(Done::default()) };
    let facts: Vec<&Value> = first.facts["objects"].as_array().into_iter().flatten().collect();
    let (mut removed, mut restored) = (0, 0);
    let mut left: Vec<String> = Vec::new();
    // The other way round: what was applied last goes first.
    for known in facts.into_iter().rev() {
        if known["later"] == true {
            // It goes with the CRD that brought its kind.
            continue;
        }
        let target = match Target::from_facts(cx.ask, known).await {
            Ok(target) => target,
            Err(why) => {
                left.push(why);
                continue;
            }
        };
        let ended = if known["existed"] == true {
            objects::put_back(cx, &target, &known["before"]).await.map(|()| restored += 1)
        } else {
            take_away(cx, &target).await.map(|gone| removed += u32::from(gone))
        };
        if let Err(why) = ended {
            left.push(why);
        }
    }
    let result = json!({"removed": removed, "restored": restored});
    if left.is_empty() {
        return Ok(Done::well(result));
    }
    Ok(Done::badly(result, left.join("\n")))
}

/// Takes an object away that was not there before, if it is ours.
async fn take_away(cx: &Context<'_>, target: &Target) -> Result<bool, String> {
    let Some(now) = cx
        .ask
        .get(&target.path)
        .await
        .map(Some)
        .or_else(|error| if error.is_missing() { Ok(None) } else { Err(error.to_string()) })?
    else {
        return Ok(false);
    };
    // Somebody else may have made one of this name after the engine looked and before it applied.
    // An object without any field has no manager either.
    let managers = object::list(&now, "/metadata/managedFields");
    let ours = managers.is_empty() || managers.iter().any(|it| text(it, "/manager") == MANAGER);
    if !ours {
        return Err(format!("{} was not made by this engine: it is left alone", target.shown));
    }
    let gone = objects::remove(cx, target, object::uid(&now)).await?;
    let key = Key { kind: target.kind.clone(), namespace: target.namespace.clone(), selector: String::new() };
    let uid = object::uid(&now).map(str::to_owned);
    cx.ask
        .until(&key, Some(&target.name), |objects| {
            let there = objects.iter().find(|it| object::uid(it) == uid.as_deref());
            there.map_or(Some(()), |_| {
                cx.teller.say(&format!("waits until {} is gone", target.shown));
                None
            })
        })
        .await?;
    Ok(gone)
}
