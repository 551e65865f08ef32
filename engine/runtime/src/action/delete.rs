//! `delete`: objects that are to go, and what holds them.

use std::{collections::HashMap, sync::Arc};

use lifeboat_core::{
    action::{
        delete::{Delete, Propagation},
        kube::Prepared,
    },
    kube::object,
    model::Template,
};
use serde_json::{Value, json};

use super::{
    Context, Done, Found,
    objects::{self, Target},
};
use crate::cluster::watch::Key;

/// More than so many objects at once are a mistake in a selector.
const MOST: usize = 1000;
/// Kinds whose contents are gone with them: what is made anew is empty.
const CONTENTS: [&str; 4] = ["Namespace", "PersistentVolumeClaim", "PersistentVolume", "CustomResourceDefinition"];

pub(super) async fn prepare(cx: &Context<'_>, delete: &Delete) -> Result<Found, String> {
    let kind = match cx.ask.kind(delete.kind.as_str(), delete.api_version.as_ref().map(Template::as_str)).await {
        Ok(kind) => kind,
        // A kind that is not served any more has no objects: what was to go is gone.
        Err(why) => {
            cx.teller.say(&format!("{why}: there is nothing to delete"));
            return Ok(Found { facts: json!({"objects": []}), ..Found::default() });
        }
    };
    if cx.order.capture && CONTENTS.contains(&kind.kind.as_str()) {
        return Err(format!(
            "`undo: auto` cannot bring back a {}: what was in it would be gone; write the undo out, or mark the step \
             `irreversible: true`",
            kind.kind
        ));
    }
    let namespace = delete.namespace.as_ref().map(Template::as_str);
    let targets = if let Some(name) = &delete.name {
        let target = Target::new(kind, namespace, name.as_str())?;
        let there = target.get(cx.ask).await?;
        there.map(|object| (target, object)).into_iter().collect()
    } else {
        let selector = delete.selector.as_ref().map_or("", Template::as_str);
        if selector.trim().is_empty() {
            return Err("selector: expected labels, found an empty text: that would be every object".to_owned());
        }
        if kind.namespaced && namespace.is_none_or(str::is_empty) {
            return Err(format!("expected a namespace for {}, found none", kind.plural));
        }
        let key = Key { kind: kind.clone(), namespace: namespace.map(str::to_owned), selector: selector.to_owned() };
        let found = cx.ask.look(&key, None, false, true).await?;
        let mut targets = Vec::new();
        for object in found.objects {
            let target = Target::new(kind.clone(), object::namespace(&object), object::name(&object))?;
            targets.push((target, (*object).clone()));
        }
        targets
    };
    if targets.len() > MOST {
        return Err(format!("expected at most {MOST} objects, found {}; use a narrower selector", targets.len()));
    }
    let (mut facts, mut artifacts) = (Vec::new(), Vec::new());
    for (target, object) in &targets {
        let mut known = target.facts();
        known["uid"] = object::uid(object).into();
        if cx.order.capture {
            // The whole of it, as `look` hides what it should not show.
            let whole = target.get(cx.ask).await?.unwrap_or_else(|| object.clone());
            let (before, kept) = objects::keep_before(cx, target, &whole).await?;
            known["before"] = before;
            artifacts.extend(kept);
        }
        facts.push(known);
    }
    let names: Vec<&str> = targets.iter().take(5).map(|(target, _)| target.shown.as_str()).collect();
    cx.teller.say(&match (names.as_slice(), targets.len()) {
        ([], _) => "there is nothing to delete".to_owned(),
        (names, all) if all > names.len() => format!("deletes {} and {} more", names.join(", "), all - names.len()),
        (names, _) => format!("deletes {}", names.join(", ")),
    });
    Ok(Found { facts: json!({ "objects": facts }), artifacts })
}

pub(super) async fn carry_out(cx: &Context<'_>, delete: &Delete, found: &Value) -> Result<Done, String> {
    let facts = found["objects"].as_array().cloned().unwrap_or_default();
    let policy = match delete.propagation {
        None | Some(Propagation::Background) => "Background",
        Some(Propagation::Foreground) => "Foreground",
        Some(Propagation::Orphan) => "Orphan",
    };
    let mut waits: HashMap<Key, HashMap<(String, String), String>> = HashMap::new();
    for known in &facts {
        let uid = known["uid"].as_str().unwrap_or_default();
        let Ok(target) = Target::from_facts(cx.ask, known).await else { continue };
        // By the UID: one that somebody makes anew under the same name is not meant.
        let options = json!({
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": policy,
            "preconditions": {"uid": uid},
        });
        match cx.ask.delete(&target.path, &options).await {
            Ok(_) => {
                let key = Key { kind: target.kind, namespace: target.namespace.clone(), selector: String::new() };
                let at = (target.namespace.unwrap_or_default(), target.name);
                waits.entry(key).or_default().insert(at, uid.to_owned());
            }
            Err(error) if error.is_missing() || error.conflicts() => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    for (key, wanted) in &waits {
        // One by its name, so that a watch over a whole cluster is not begun for a single namespace that goes.
        let name = match wanted.keys().next() {
            Some((_, name)) if wanted.len() == 1 => Some(name.as_str()),
            _ => None,
        };
        cx.ask
            .until(key, name, |objects| {
                let left: Vec<&Arc<Value>> = objects
                    .iter()
                    .filter(|it| {
                        let at = (object::namespace(it).unwrap_or_default().to_owned(), object::name(it).to_owned());
                        wanted.get(&at).map(String::as_str) == object::uid(it)
                    })
                    .collect();
                if left.is_empty() {
                    return Some(());
                }
                cx.teller.say(&holds(&left));
                None
            })
            .await?;
    }
    let deleted: Vec<Value> = facts
        .iter()
        .map(|it| json!({"kind": it["kind"], "namespace": it["namespace"], "name": it["name"], "uid": it["uid"]}))
        .collect();
    let absent = deleted.is_empty();
    Ok(Done::well(json!({"deleted": deleted, "absent": absent})))
}

/// What holds the objects that are still there.
fn holds(left: &[&Arc<Value>]) -> String {
    let first = left[0];
    let shown = object::describe(first);
    let others = left.len() - 1;
    let others = if others == 0 { String::new() } else { format!(" (and {others} more)") };
    let finalizers: Vec<&str> = object::texts(first, "/metadata/finalizers").collect();
    // A namespace says in its conditions what is left in it, and which API does not answer.
    let told: Vec<String> = object::conditions(first)
        .filter(|it| it.status == "True" && it.kind.starts_with("Namespace") && !it.message.is_empty())
        .map(|it| it.message.to_owned())
        .collect();
    let mut why = Vec::new();
    if !finalizers.is_empty() {
        why.push(format!("it has the finalizers {}, which whoever set them has to remove", finalizers.join(", ")));
    }
    why.extend(told);
    if why.is_empty() {
        return format!("waits until {shown}{others} is gone");
    }
    format!("waits until {shown}{others} is gone: {}", why.join("; "))
}

pub(super) async fn undo(cx: &Context<'_>, prepared: &[Prepared]) -> Result<Done, String> {
    let mut back = 0;
    // A later attempt saw less: what the first one deleted was gone by then.
    let mut known: Vec<&Value> = Vec::new();
    for attempt in prepared {
        known.extend(attempt.facts["objects"].as_array().into_iter().flatten());
    }
    for facts in known {
        let target = Target::from_facts(cx.ask, facts).await?;
        let mut before = facts["before"].clone();
        before["recreate"] = true.into();
        // Whatever waits for it to go has to be over first.
        let key = Key { kind: target.kind.clone(), namespace: target.namespace.clone(), selector: String::new() };
        cx.ask
            .until(&key, Some(&target.name), |objects| {
                let going = objects.iter().find(|it| it.pointer("/metadata/deletionTimestamp").is_some());
                going.map_or(Some(()), |going| {
                    cx.teller.say(&holds(&[going]));
                    None
                })
            })
            .await?;
        objects::put_back(cx, &target, &before).await?;
        back += 1;
    }
    Ok(Done::well(json!({ "restored": back })))
}
