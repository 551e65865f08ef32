//! `kube`: objects of a cluster, and how ready they are.
//!
//! Duty: to look, by a watch where it is looked at again and again, and to hand back what was seen with what core's rules
//! say of it. It must not judge by itself.

use jiff::Timestamp;
use lifeboat_core::{
    check::kube::{Kube, Order},
    kube::{object, readiness::Around, set},
    model::Template,
};
use serde_json::{Value, json};

use super::Context;
use crate::cluster::{Ask, Kind, watch::Key};

/// How many objects a sentence names.
const SHOWN: usize = 5;

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
        Err(_) if spec.absent => {
            return Ok(seen(&[], &Value::Null, &set::Verdict::default(), "", false));
        }
        Err(why) => return Err(why),
    };
    let (name, namespace) = (text(&spec.name), text(&spec.namespace));
    if name.is_some() {
        kind.object(namespace.as_deref(), name.as_deref().unwrap_or_default())?;
    }
    let selector = if name.is_some() { String::new() } else { text(&spec.selector).unwrap_or_default() };
    let key = Key { kind: kind.clone(), namespace: namespace.filter(|_| kind.namespaced), selector };
    let found = ask.look(&key, name.as_deref(), order.again, order.fresh).await;
    cluster.tell_requests();
    let found = found?;
    let objects: Vec<Value> = found.objects.iter().map(|object| (**object).clone()).collect();

    let (mut storage_classes, mut endpoint_slices) = (None, None);
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "PersistentVolumeClaim") => storage_classes = all(&ask, "StorageClass", None, order).await,
        ("", "Service") => endpoint_slices = all(&ask, "EndpointSlice", key.namespace.as_deref(), order).await,
        _ => {}
    }
    let around = Around {
        now: Timestamp::now(),
        storage_classes: storage_classes.as_deref(),
        endpoint_slices: endpoint_slices.as_deref(),
        zero_is_ready: spec.allow_zero,
    };
    let verdict = set::judge(&objects, &around);
    let (why, hopeless) = wish(spec, &objects, &verdict, &what(&kind, &key, name.as_deref()))?;
    let object = match (&name, objects.first()) {
        (Some(_), Some(object)) => object.clone(),
        _ => Value::Null,
    };
    let mut seen = seen(&objects, &object, &verdict, &why, hopeless);
    if !order.whole
        && let Some(fields) = seen.as_object_mut()
    {
        fields.retain(|name, _| !matches!(name.as_str(), "object" | "objects"));
    }
    Ok(seen)
}

/// What is looked at, for people: `Deployment shop/api`, `pods of app=api in shop`.
fn what(kind: &Kind, key: &Key, name: Option<&str>) -> String {
    match (name, &key.namespace) {
        (Some(name), Some(namespace)) => format!("{} {namespace}/{name}", kind.kind),
        (Some(name), None) => format!("{} {name}", kind.kind),
        (None, namespace) => {
            let of = if key.selector.is_empty() { String::new() } else { format!(" with {}", key.selector) };
            let inside = namespace.as_ref().map_or(String::new(), |namespace| format!(" in {namespace}"));
            format!("{}{of}{inside}", kind.plural)
        }
    }
}

/// Why the objects are not as is wished, empty when they are; and whether waiting is pointless.
fn wish(spec: &Kube, objects: &[Value], verdict: &set::Verdict, what: &str) -> Result<(String, bool), String> {
    let text = |text: &Option<Template>| text.as_ref().map(|text| text.as_str().trim().to_owned());
    let none = || format!("expected {what}, found none");
    if spec.absent {
        let names: Vec<String> = objects.iter().take(SHOWN).map(object::describe).collect();
        let more = objects.len().saturating_sub(SHOWN);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let why = format!("expected nothing, found {}{more}", names.join(", "));
        return Ok((if objects.is_empty() { String::new() } else { why }, false));
    }
    if let Some(condition) = text(&spec.condition) {
        if objects.is_empty() {
            return Ok((none(), false));
        }
        let lacks: Vec<String> = objects.iter().filter_map(|object| lacks(object, &condition)).take(SHOWN).collect();
        return Ok((lacks.join("; "), false));
    }
    if let Some(count) = text(&spec.count) {
        let wanted: usize = count.parse().map_err(|_| format!("count: expected a whole number, found `{count}`"))?;
        let found = objects.len();
        let why = if found == wanted { String::new() } else { format!("expected {wanted} {what}, found {found}") };
        return Ok((why, false));
    }
    let ready = text(&spec.ready).unwrap_or_else(|| "all".to_owned());
    let (enough, hopeless) = match ready.as_str() {
        "all" => (verdict.count > 0 && verdict.is_ready(), !verdict.failed.is_empty()),
        "any" => (verdict.ready > 0, false),
        number => {
            let wanted: usize = number
                .parse()
                .map_err(|_| format!("ready: expected `all`, `any` or a whole number, found `{number}`"))?;
            (verdict.ready >= wanted, false)
        }
    };
    Ok(match (enough, objects.is_empty()) {
        (true, _) => (String::new(), false),
        (false, true) => (none(), false),
        (false, false) => (verdict.sentence(SHOWN), hopeless),
    })
}

/// Others that the rules of a kind want to see. Without the right to, the rules do without them.
async fn all(ask: &Ask, kind: &str, namespace: Option<&str>, order: &Order) -> Option<Vec<Value>> {
    let kind = ask.kind(kind, None).await.ok()?;
    let key = Key { kind, namespace: namespace.map(str::to_owned), selector: String::new() };
    let found = ask.look(&key, None, order.again, order.fresh).await.ok()?;
    Some(found.objects.iter().map(|object| (**object).clone()).collect())
}

/// What an object lacks of a condition, which has to speak of the object as it is now: `Available`, `Progressing=False`.
fn lacks(object: &Value, wanted: &str) -> Option<String> {
    let (kind, status) = wanted.split_once('=').unwrap_or((wanted, "True"));
    let (kind, status) = (kind.trim(), status.trim());
    let shown = object::describe(object);
    let Some(condition) = object::condition(object, kind) else {
        return Some(format!("{shown}: expected the condition {kind}={status}, found none of that name"));
    };
    let generation = object::generation(object);
    let observed = [object::number(object, "/status/observedGeneration"), condition.observed_generation];
    let old = observed.into_iter().flatten().find(|observed| generation.is_some_and(|now| *observed < now));
    if let (Some(old), Some(now)) = (old, generation) {
        return Some(format!("{shown}: its condition {kind} is of generation {old}, the object is at {now}"));
    }
    (condition.status != status).then(|| {
        let because = [condition.reason, condition.message].into_iter().filter(|text| !text.is_empty());
        let because = because.collect::<Vec<_>>().join(": ");
        let because = if because.is_empty() { because } else { format!(" ({because})") };
        format!("{shown}: expected the condition {kind}={status}, found {}{because}", condition.status)
    })
}

fn seen(objects: &[Value], object: &Value, verdict: &set::Verdict, why: &str, hopeless: bool) -> Value {
    let told = |waiting: &[set::Waiting]| -> Vec<Value> {
        waiting.iter().map(|it| json!({"object": it.object, "why": it.why})).collect()
    };
    json!({
        "ok": why.is_empty(),
        "why": why,
        "hopeless": hopeless,
        "count": objects.len(),
        "ready": verdict.ready,
        "waiting": told(&verdict.waiting),
        "failed": told(&verdict.failed),
        "object": object,
        "objects": objects,
        "now": Timestamp::now().to_string(),
    })
}
