//! Single objects: which one is meant, what it was like before, and how it gets back there.
//!
//! Duty: what `apply`, `patch` and `delete` have in common. It must not decide what is captured or taken back.

use lifeboat_core::{
    evidence::event::Artifact,
    kube::{manifest, object},
    model::Template,
};
use serde_json::{Value, json};

use super::Context;
use crate::cluster::{ApiError, Ask, Kind, api::Again};

/// An object, by its name.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its kind, as the server has it.
    pub kind: Kind,
    /// Its namespace, when its kind is in namespaces.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// For people: `Deployment shop/api`.
    pub shown: String,
}

impl Target {
    /// Finds out where an object is; not whether it is there.
    pub(crate) async fn of(
        ask: &Ask,
        kind: &Template,
        api_version: Option<&Template>,
        namespace: Option<&Template>,
        name: &Template,
    ) -> Result<Self, String> {
        let kind = ask.kind(kind.as_str(), api_version.map(Template::as_str)).await?;
        Self::new(kind, namespace.map(Template::as_str), name.as_str())
    }

    /// An object of a known kind.
    pub(crate) fn new(kind: Kind, namespace: Option<&str>, name: &str) -> Result<Self, String> {
        let namespace = namespace.filter(|namespace| !namespace.is_empty() && kind.namespaced).map(str::to_owned);
        if name.trim().is_empty() {
            return Err(format!("expected the name of a {}, found an empty text", kind.kind));
        }
        let path = kind.object(namespace.as_deref(), name)?;
        let shown = match &namespace {
            Some(namespace) => format!("{} {namespace}/{name}", kind.kind),
            None => format!("{} {name}", kind.kind),
        };
        Ok(Self { kind, namespace, name: name.to_owned(), path, shown })
    }

    /// The object as it is, or nothing when it is not there.
    pub(crate) async fn get(&self, ask: &Ask) -> Result<Option<Value>, ApiError> {
        match ask.get(&self.path).await {
            Ok(mut object) => {
                if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
                    metadata.remove("managedFields");
                }
                Ok(Some(object))
            }
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What tells it in the facts of an action.
    pub(crate) fn facts(&self) -> Value {
        json!({
            "apiVersion": self.kind.api_version(),
            "kind": self.kind.kind,
            "namespace": self.namespace,
            "name": self.name,
        })
    }

    /// The one that facts tell.
    pub(crate) async fn from_facts(ask: &Ask, facts: &Value) -> Result<Self, String> {
        let text = |name: &str| facts[name].as_str().unwrap_or_default();
        let kind = ask.kind(text("kind"), Some(text("apiVersion"))).await?;
        Self::new(kind, facts["namespace"].as_str(), text("name"))
    }
}

/// An object as it was, kept as an artifact. A Secret is not: its values would be on the disk, and readable with the
/// evidence for as long as that is kept.
pub(crate) async fn keep_before(
    cx: &Context<'_>,
    target: &Target,
    object: &Value,
) -> Result<(Value, Vec<Artifact>), String> {
    if target.kind.kind == "Secret" && target.kind.group.is_empty() {
        return Err(format!(
            "{}: `undo: auto` cannot put back a Secret that is there already: its values would have to be kept with the \
             evidence; write the undo out",
            target.shown
        ));
    }
    let name = format!("before-{}-{}.json", target.kind.kind.to_lowercase(), target.name);
    let text = serde_json::to_string_pretty(object).map_err(|error| error.to_string())?;
    let artifacts = cx.teller.keep(&name, &text).await;
    let sha256 = artifacts.first().map(|artifact| artifact.sha256.clone());
    Ok((json!({"uid": object::uid(object), "sha256": sha256}), artifacts))
}

/// Puts an object back to how it was.
pub(crate) async fn put_back(cx: &Context<'_>, target: &Target, before: &Value) -> Result<(), String> {
    let sha256 = before["sha256"].as_str().ok_or("what it was like before was not kept")?;
    let mut object: Value = serde_json::from_str(&cx.teller.kept(sha256).await?)
        .map_err(|error| format!("what {} was like before cannot be read: {error}", target.shown))?;
    let uid = object::uid(&object).map(str::to_owned);
    manifest::portable(&mut object);
    // Read, compare, replace: by the resource version nobody's change in between is lost unseen.
    for _ in 0..5 {
        let Some(now) = target.get(cx.ask).await? else {
            let collection = target.kind.collection(target.namespace.as_deref());
            match cx.ask.create(&collection, &object).await {
                Ok(_) => {
                    cx.teller.say(&format!("{} is back", target.shown));
                    return Ok(());
                }
                Err(error) if error.exists() || error.in_doubt => continue,
                Err(error) => return Err(error.to_string()),
            }
        };
        if object::uid(&now) != uid.as_deref() && before["recreate"] != true {
            return Err(format!(
                "{} is another object than the one that was changed: somebody has made it anew; it is left alone",
                target.shown
            ));
        }
        if before["recreate"] == true {
            // It was deleted and is there: by an earlier try of this undo, or by somebody else.
            cx.teller.say(&format!("{} is there again", target.shown));
            return Ok(());
        }
        object["metadata"]["resourceVersion"] = object::text(&now, "/metadata/resourceVersion").into();
        match cx.ask.put(&target.path, &object).await {
            Ok(_) => {
                cx.teller.say(&format!("{} is as it was", target.shown));
                return Ok(());
            }
            Err(error) if error.conflicts() || error.is_missing() => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(format!("{} is changed by somebody else again and again, so it cannot be put back", target.shown))
}

/// Deletes an object that was made here, if it is still the same one; whether it was there.
pub(crate) async fn remove(cx: &Context<'_>, target: &Target, uid: Option<&str>) -> Result<bool, String> {
    let options = match uid {
        Some(uid) => json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}}),
        None => json!({"kind": "DeleteOptions", "apiVersion": "v1"}),
    };
    match cx.ask.delete(&target.path, &options).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_missing() => Ok(false),
        // By the precondition: the one that was meant is gone.
        Err(error) if uid.is_some() && error.conflicts() => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// Changes an object by a merge patch that may be made twice.
pub(crate) async fn merge(ask: &Ask, path: &str, patch: &Value) -> Result<Value, ApiError> {
    ask.patch(path, "application/merge-patch+json", patch, Again::Always).await
}
