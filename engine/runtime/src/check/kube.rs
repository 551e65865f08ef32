//! `kube`: objects of a cluster, and how ready they are.
//!
//! Duty: to look, by a watch where it is looked at again and again, and to hand back what was seen with what core's rules
//! say of it. It must not judge by itself.

use jiff::Timestamp;
use lifeboat_core::{
    check::kube::Order,
    kube::{object, readiness::Around, set},
    model::Template,
};
use serde_json::{Value, json};

use super::Context;
use crate::cluster::{Ask, watch::Key};

pub(super) async fn observe(order: &Order, cx: &Context) -> Result<Value, String> {
    let spec = &order.spec;
    let text = |text: &Option<Template>| {
        text.as_ref().map(Template::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let cluster = cx.clusters.get(&order.cluster, cx.step.as_deref()).await.map_err(|why| why.to_string())?;
    let ask = cluster.ask(cx.step.as_deref());
    let kind = match ask.kind(spec.kind.as_str(), spec.api_version.as_ref().map(Template::as_str)).await {
        Ok(kind) => kind,
        // What is not served has no objects: that is what `absent` asks.
        Err(_) if spec.absent => return Ok(seen(&[], &Value::Null, set::Verdict::default(), true)),
        Err(why) => return Err(why),
    };
    let (name, namespace) = (text(&spec.name), text(&spec.namespace));
    if name.is_some() {
        kind.object(namespace.as_deref(), name.as_deref().unwrap_or_default())?;
    }
    let selector = if name.is_some() { String::new() } else { text(&spec.selector).unwrap_or_default() };
    let key = Key { kind: kind.clone(), namespace: namespace.filter(|_| kind.namespaced), selector };
    let found = ask.look(&key, name.as_deref(), order.again, order.fresh).await?;
    let objects: Vec<Value> = found.objects.iter().map(|object| (**object).clone()).collect();

    let (mut storage_classes, mut endpoint_slices) = (None, None);
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "PersistentVolumeClaim") => storage_classes = all(&ask, "StorageClass", None).await,
        ("", "Service") => endpoint_slices = all(&ask, "EndpointSlice", key.namespace.as_deref()).await,
        _ => {}
    }
    let around = Around {
        now: Timestamp::now(),
        storage_classes: storage_classes.as_deref(),
        endpoint_slices: endpoint_slices.as_deref(),
        zero_is_ready: spec.allow_zero,
    };
    let verdict = set::judge(&objects, &around);
    let ok = if spec.absent {
        objects.is_empty()
    } else if let Some(condition) = text(&spec.condition) {
        !objects.is_empty() && objects.iter().all(|object| has(object, &condition))
    } else if let Some(count) = text(&spec.count) {
        let wanted: usize =
            count.trim().parse().map_err(|_| format!("count: expected a whole number, found `{count}`"))?;
        objects.len() == wanted
    } else {
        enough(&verdict, text(&spec.ready).as_deref().unwrap_or("all"))?
    };
    let object = match (&name, objects.first()) {
        (Some(_), Some(object)) => object.clone(),
        _ => Value::Null,
    };
    Ok(seen(&objects, &object, verdict, ok))
}

/// Others that the rules of a kind want to see. Without the right to, the rules do without them.
async fn all(ask: &Ask, kind: &str, namespace: Option<&str>) -> Option<Vec<Value>> {
    let kind = ask.kind(kind, None).await.ok()?;
    let key = Key { kind, namespace: namespace.map(str::to_owned), selector: String::new() };
    let found = ask.look(&key, None, false, true).await.ok()?;
    Some(found.objects.iter().map(|object| (**object).clone()).collect())
}

fn enough(verdict: &set::Verdict, wanted: &str) -> Result<bool, String> {
    match wanted.trim() {
        "all" => Ok(verdict.count > 0 && verdict.ready == verdict.count),
        "any" => Ok(verdict.ready > 0),
        number => number
            .parse::<usize>()
            .map(|number| verdict.ready >= number)
            .map_err(|_| format!("ready: expected `all`, `any` or a whole number, found `{number}`")),
    }
}

/// Whether a condition is so, and speaks of the object as it is now: `Available`, `Progressing=False`.
fn has(object: &Value, wanted: &str) -> bool {
    let (kind, status) = wanted.split_once('=').unwrap_or((wanted, "True"));
    let generation = object::generation(object);
    let observed = object::number(object, "/status/observedGeneration");
    let current = |observed: Option<i64>| match (generation, observed) {
        (Some(generation), Some(observed)) => observed >= generation,
        _ => true,
    };
    object::condition(object, kind.trim()).is_some_and(|condition| {
        condition.status == status.trim() && current(observed) && current(condition.observed_generation)
    })
}

fn seen(objects: &[Value], object: &Value, verdict: set::Verdict, ok: bool) -> Value {
    let told = |waiting: &[set::Waiting]| -> Vec<Value> {
        waiting.iter().map(|it| json!({"object": it.object, "why": it.why})).collect()
    };
    json!({
        "ok": ok,
        "count": objects.len(),
        "ready": verdict.ready,
        "waiting": told(&verdict.waiting),
        "failed": told(&verdict.failed),
        "object": object,
        "objects": objects,
        "now": Timestamp::now().to_string(),
    })
}
