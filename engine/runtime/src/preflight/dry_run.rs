//! What will be applied, tried without being written.
//!
//! Duty: to put every object that is known already to the API server as it will be put to it then: its schema, its admission
//! plugins, its webhooks, its quotas and the owners of its fields all have their say. What steps before it bring first (its
//! namespace, its kind) cannot be there yet, and that is no fault.

use std::collections::HashMap;

use futures_util::future::join_all;
use lifeboat_core::{
    evidence::event::{Finding, Severity},
    kube::{diff, object, words},
    machine::needs::{Applied, By, Makes, Place},
};
use serde_json::Value;

use super::site::{Lost, Site, users};
use crate::cluster::{ApiError, kinds, kinds::encoded};

/// How many refusals of one step are told.
const TOLD: usize = 3;

/// How the trial of an object ended.
enum Tried {
    Accepted,
    /// It cannot be tried yet: why.
    Later(String),
    /// Somebody else tells what is wrong.
    Told,
    Refused {
        why: String,
        /// A step before may take away what is in its way.
        perhaps: bool,
    },
    /// Nobody can tell.
    Unclear(String),
}

pub(super) async fn look(site: &Site<'_>) -> Result<Vec<Finding>, Lost> {
    let own: Vec<&Applied<'_>> = site.applied.iter().flatten().filter(|it| it.manifests.cluster == site.name).collect();
    let namespaces = namespaces(site, &own).await?;
    let mut findings = Vec::new();
    for applied in own.into_iter().filter(|applied| applied.manifests.complete) {
        let trials = applied.objects.iter().map(|object| one(site, applied, &namespaces, object));
        let tried = join_all(trials).await.into_iter().collect::<Result<Vec<_>, Lost>>()?;
        findings.extend(finding(applied, &tried));
    }
    Ok(findings)
}

/// The namespace that an object goes to.
fn namespace_of<'a>(applied: &'a Applied<'_>, object: &'a Value) -> Option<&'a str> {
    object::namespace(object).or(match &applied.manifests.namespace {
        Place::Namespace(namespace) => Some(namespace),
        Place::All | Place::Unknown => None,
    })
}

/// Which namespaces are there; `None`: that may not be seen.
async fn namespaces(site: &Site<'_>, own: &[&Applied<'_>]) -> Result<HashMap<String, Option<bool>>, Lost> {
    let mut names: Vec<&str> = Vec::new();
    for applied in own {
        for name in applied.objects.iter().filter_map(|object| namespace_of(applied, object)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let found = join_all(names.iter().map(|name| async {
        Ok(match site.get(&format!("/api/v1/namespaces/{}", encoded(name))).await? {
            Ok(_) => Some(true),
            Err(error) => error.is_missing().then_some(false),
        })
    }));
    let found = found.await.into_iter().collect::<Result<Vec<_>, Lost>>()?;
    Ok(names.into_iter().map(str::to_owned).zip(found).collect())
}

async fn one(
    site: &Site<'_>,
    applied: &Applied<'_>,
    namespaces: &HashMap<String, Option<bool>>,
    object: &Value,
) -> Result<Tried, Lost> {
    let by = std::slice::from_ref(&applied.manifests.by);
    // What is not served is told by `served`.
    let Ok(kind) = kinds::find(&site.kinds, object::kind(object), Some(object::api_version(object))) else {
        return Ok(Tried::Told);
    };
    let namespace = namespace_of(applied, object).filter(|_| kind.namespaced);
    let Ok(path) = kind.object(namespace, object::name(object)) else { return Ok(Tried::Told) };
    if let Some(namespace) = namespace
        && namespaces.get(namespace) == Some(&Some(false))
    {
        return Ok(without_namespace(site, applied, namespace));
    }
    let mut object = object.clone();
    if let Some(namespace) = namespace {
        object["metadata"]["namespace"] = namespace.into();
    }
    let Err(error) = site.try_to_apply(&path, applied.manifests.force, &object).await? else {
        return Ok(Tried::Accepted);
    };
    let shown = object::describe(&object);
    if error.is_missing()
        && let Some(namespace) = namespace
    {
        return Ok(without_namespace(site, applied, namespace));
    }
    // A right that is missing is told as such; a refusal by admission has the same code.
    let lacks_right = |verb: &str| error.message.contains(&format!("cannot {verb} resource"));
    if error.status == 403 && (lacks_right("patch") || lacks_right("create")) {
        return Ok(Tried::Told);
    }
    if error.message.contains("does not support dry run") || error.status == 0 {
        return Ok(Tried::Unclear(format!("{shown}: {}", words::quote(&error.message))));
    }
    let conflicts = diff::conflicts(&error.answer);
    let why = if conflicts.is_empty() { reason(&error) } else { diff::sentence(&conflicts, 3) };
    // What is there now may be another one by then, or gone.
    let changes = |makes: Makes| matches!(makes, Makes::Anything | Makes::Gaps);
    let perhaps = site.excuse(by, |maker| changes(maker.makes)).is_some() && site.get(&path).await?.is_ok();
    Ok(Tried::Refused { why: format!("{shown}: {why}"), perhaps })
}

/// The server's own words, without those in which it repeats what was sent.
fn reason(error: &ApiError) -> String {
    let message = words::quote(&error.message);
    message.strip_prefix("Internal error occurred: ").map(str::to_owned).unwrap_or(message)
}

fn without_namespace(site: &Site<'_>, applied: &Applied<'_>, namespace: &str) -> Tried {
    let by: &[By] = std::slice::from_ref(&applied.manifests.by);
    let is_it = |object: &Value| object::kind(object) == "Namespace" && object::name(object) == namespace;
    if applied.objects.iter().any(is_it) {
        return Tried::Later(format!("namespace {namespace} is among them"));
    }
    let made = site.excuse(by, |maker| site.applied_by(maker).iter().any(is_it));
    let made = made.or_else(|| site.excuse(by, |maker| maker.makes == Makes::Anything));
    match made {
        Some(steps) => Tried::Later(format!("namespace {namespace} is not there before {steps}")),
        None => Tried::Refused {
            why: format!("namespace {namespace} is not there, and no step before makes it"),
            perhaps: false,
        },
    }
}

fn finding(applied: &Applied<'_>, tried: &[Tried]) -> Option<Finding> {
    let requirement = format!("manifests that the API server takes{}", users([&applied.manifests.by]));
    let (mut refused, mut unclear, mut later) = (Vec::new(), Vec::new(), Vec::new());
    let (mut accepted, mut not_yet, mut certain) = (0_usize, 0_usize, false);
    for one in tried {
        match one {
            Tried::Accepted => accepted += 1,
            Tried::Told => {}
            Tried::Later(why) => {
                not_yet += 1;
                push(&mut later, why);
            }
            Tried::Refused { why, perhaps } => {
                certain |= !perhaps;
                push(&mut refused, why);
            }
            Tried::Unclear(why) => push(&mut unclear, why),
        }
    }
    let count = |number: usize| words::count(i64::try_from(number).unwrap_or(i64::MAX), "object");
    if !refused.is_empty() {
        let more = refused.len().saturating_sub(TOLD);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let found = format!(
            "{} of {} refused: {}{more}",
            refused.len(),
            count(tried.len()),
            refused.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; ")
        );
        let help = "correct the manifests, or what refuses them; nothing was written, it was a dry run";
        let severity = if certain { Severity::Error } else { Severity::Warning };
        return Some(Finding::missing(requirement, found, help).severity(severity));
    }
    if !unclear.is_empty() {
        let found = format!("{} cannot be tried: {}", count(unclear.len()), words::list(&unclear, TOLD));
        let help =
            "a webhook that supports no dry runs cannot be asked before; whether it agrees shows when it is applied";
        return Some(Finding::missing(requirement, found, help).severity(Severity::Warning));
    }
    if accepted + not_yet == 0 {
        return None;
    }
    let mut found = format!("{} taken in a dry run", count(accepted));
    if not_yet > 0 {
        found.push_str(&format!("; {} cannot be tried yet: {}", count(not_yet), words::list(&later, TOLD)));
    }
    Some(Finding::met(requirement, found))
}

fn push(list: &mut Vec<String>, text: &str) {
    if !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}
