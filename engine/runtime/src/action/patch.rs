//! `patch`: a change to one object.

use lifeboat_core::{
    action::{kube::Prepared, patch::Patch},
    kube::object,
    model::Template,
};
use serde_json::{Value, json};

use super::{
    Context, Done, Found,
    objects::{self, Target},
};
use crate::cluster::api::Again;

async fn target(cx: &Context<'_>, patch: &Patch) -> Result<(Target, String), String> {
    let target =
        Target::of(cx.ask, &patch.kind, patch.api_version.as_ref(), patch.namespace.as_ref(), &patch.name).await?;
    let Some(subresource) = patch.subresource.as_ref().map(Template::as_str).filter(|it| !it.is_empty()) else {
        let path = target.path.clone();
        return Ok((target, path));
    };
    if !target.kind.subresources.iter().any(|known| known == subresource) {
        return Err(format!(
            "expected a subresource of {} ({}), found `{subresource}`",
            target.kind.kind,
            target.kind.subresources.join(", ")
        ));
    }
    let path = format!("{}/{subresource}", target.path);
    Ok((target, path))
}

/// The patch as JSON, its media type, and whether it may be made twice.
fn content(patch: &Patch) -> Result<(&'static str, Value, Again), String> {
    let (name, media, text, again) = if let Some(text) = &patch.merge {
        ("merge", "application/merge-patch+json", text, Again::Always)
    } else if let Some(text) = &patch.strategic {
        // Lists are merged by their keys, so it is the same when it is made twice.
        ("strategic", "application/strategic-merge-patch+json", text, Again::Always)
    } else if let Some(text) = &patch.json {
        ("json", "application/json-patch+json", text, Again::Refused)
    } else {
        return Err("expected one of `merge`, `strategic` and `json`, found none".to_owned());
    };
    let value: Value = lifeboat_core::kube::text::value(text.as_str())
        .map_err(|why| format!("{name}: expected YAML or JSON, found something else: {why}"))?;
    let fits = if name == "json" { value.is_array() } else { value.is_object() };
    if !fits {
        let wanted = if name == "json" { "a list of operations" } else { "a mapping" };
        return Err(format!("{name}: expected {wanted}, found something else"));
    }
    Ok((media, value, again))
}

pub(super) async fn prepare(cx: &Context<'_>, patch: &Patch) -> Result<Found, String> {
    content(patch)?;
    let (target, _) = target(cx, patch).await?;
    let Some(before) = target.get(cx.ask).await? else {
        return Err(format!("expected {} to be there, found nothing of that name", target.shown));
    };
    let mut facts = target.facts();
    facts["uid"] = object::uid(&before).into();
    facts["resourceVersion"] = object::text(&before, "/metadata/resourceVersion").into();
    let mut artifacts = Vec::new();
    if cx.order.capture {
        let (before, kept) = objects::keep_before(cx, &target, &before).await?;
        facts["before"] = before;
        artifacts = kept;
    }
    cx.teller.say(&format!("changes {}", target.shown));
    Ok(Found { facts, artifacts })
}

pub(super) async fn carry_out(cx: &Context<'_>, patch: &Patch, found: &Value) -> Result<Done, String> {
    let (media, value, again) = content(patch)?;
    let (target, path) = target(cx, patch).await?;
    let Some(now) = target.get(cx.ask).await? else {
        return Err(format!("{} is gone: somebody has deleted it since it was found", target.shown));
    };
    if object::uid(&now) != found["uid"].as_str() {
        return Err(format!("{} is another object than the one that was found: it is left alone", target.shown));
    }
    let version = object::text(&now, "/metadata/resourceVersion");
    let content = if again == Again::Refused {
        // A list of operations made twice is another change. By the version that was found before, it is made once: if the
        // object is at another one, it was made by an earlier try, or somebody else was there.
        let known = found["resourceVersion"].as_str().unwrap_or_default();
        if version != known {
            return Err(format!(
                "{} has changed since it was found (version {known}, now {version}): whether the patch was made nobody can \
                 tell; look at it, then retry or accept the step",
                target.shown
            ));
        }
        let test = json!({"op": "test", "path": "/metadata/resourceVersion", "value": known});
        Value::Array(std::iter::once(test).chain(value.as_array().cloned().unwrap_or_default()).collect())
    } else {
        value
    };
    let mut after = cx.ask.patch(&path, media, &content, again).await.map_err(|error| error.to_string())?;
    let changed = object::text(&after, "/metadata/resourceVersion") != version;
    object::redact(&mut after);
    Ok(Done::well(json!({"object": after, "changed": changed})))
}

pub(super) async fn undo(cx: &Context<'_>, patch: &Patch, prepared: &[Prepared]) -> Result<Done, String> {
    let Some(first) = prepared.first() else { return Ok(Done::default()) };
    let (target, _) = target(cx, patch).await?;
    objects::put_back(cx, &target, &first.facts["before"]).await?;
    Ok(Done::well(Value::Null))
}
