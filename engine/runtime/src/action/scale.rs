//! `scale`: how many replicas.

use lifeboat_core::{action::kube::Prepared, action::scale::Scale};
use serde_json::{Value, json};

use super::{Context, Done, Found, objects::Target};
use crate::cluster::api::Again;

/// The media type of a JSON merge patch.
const MERGE: &str = "application/merge-patch+json";

async fn target(cx: &Context<'_>, scale: &Scale) -> Result<(Target, String), String> {
    let target =
        Target::of(cx.ask, &scale.kind, scale.api_version.as_ref(), scale.namespace.as_ref(), &scale.name).await?;
    if !target.kind.subresources.iter().any(|name| name == "scale") {
        return Err(format!("expected a kind that can be scaled, found {}", target.kind.kind));
    }
    let path = format!("{}/scale", target.path);
    Ok((target, path))
}

fn wanted(scale: &Scale) -> Result<u64, String> {
    let text = scale.replicas.as_str().trim();
    text.parse::<u32>().map(u64::from).map_err(|_| format!("replicas: expected a whole number from 0, found `{text}`"))
}

pub(super) async fn prepare(cx: &Context<'_>, scale: &Scale) -> Result<Found, String> {
    let wanted = wanted(scale)?;
    let (target, path) = target(cx, scale).await?;
    let before = cx.ask.get(&path).await?;
    let replicas = before.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or_default();
    let uid = before.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    cx.teller.say(&format!("{}: {replicas} → {wanted} replicas", target.shown));
    Ok(Found { facts: json!({"before": replicas, "uid": uid}), ..Found::default() })
}

pub(super) async fn carry_out(cx: &Context<'_>, scale: &Scale, found: &Value) -> Result<Done, String> {
    let wanted = wanted(scale)?;
    set(cx, scale, wanted, &found["uid"]).await?;
    Ok(Done::well(json!({"before": found["before"], "replicas": wanted})))
}

async fn set(cx: &Context<'_>, scale: &Scale, replicas: u64, uid: &Value) -> Result<(), String> {
    let (target, path) = target(cx, scale).await?;
    // The UID keeps it from hitting another object that has got the name meanwhile.
    let patch = json!({"metadata": {"uid": uid}, "spec": {"replicas": replicas}});
    cx.ask.patch(&path, MERGE, &patch, Again::Always).await.map_err(|error| {
        if error.conflicts() {
            format!("{}: it is another object than the one that was found before: {error}", target.shown)
        } else {
            error.to_string()
        }
    })?;
    Ok(())
}

pub(super) async fn undo(cx: &Context<'_>, scale: &Scale, prepared: &[Prepared]) -> Result<Done, String> {
    // The first attempt saw it as it was; a later one may have seen what the first had done.
    let Some(first) = prepared.first() else { return Ok(Done::default()) };
    let replicas = first.facts["before"].as_u64().ok_or("how many there were before is not recorded")?;
    set(cx, scale, replicas, &first.facts["uid"]).await?;
    cx.teller.say(&format!("back to {replicas} replicas"));
    Ok(Done::well(json!({"replicas": replicas})))
}
