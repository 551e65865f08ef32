//! `argocd-sync`: Argo CD brings a cluster to what Git says.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use lifeboat_core::{
    action::argocd_sync::ArgocdSync,
    kube::{
        argocd::judge_argocd,
        children::{ObjectRef, children},
        judged::Outcome,
        object::{self, flag, instant, list, text},
        readiness::{Around, Readiness, readiness},
        revision,
        set::{Verdict, Waiting},
        words,
    },
    model::Template,
};
use serde_json::{Value, json};

use super::{
    Context, Done, Found,
    gitops::{Controller, Look, follow, same, there},
    objects::{self, Target},
    or,
};
use crate::cluster::{Kind, api::Again, watch::Key};

/// The API version of its kinds.
const API: &str = "argoproj.io/v1alpha1";
/// In whose name operations are.
const USER: &str = "lifeboat";
/// By this annotation an Application is compared anew, and not within its usual minutes.
const REFRESH: &str = "argocd.argoproj.io/refresh";
/// Who looks at Applications.
const CONTROLLER: Controller = Controller {
    kinds: &["StatefulSet", "Deployment"],
    label: "app.kubernetes.io/name",
    name: "argocd-application-controller",
};
/// What is degraded for so long is not about to get well by itself; an autoscaler without metrics and a secret that is
/// fetched for the first time are degraded for a moment, too.
const DEGRADED: Duration = Duration::from_secs(30);
/// How often it is tried to be the first to change an Application that others change as well.
const TRIES: usize = 20;
/// How many objects a message names.
const NAMED: usize = 3;

async fn kind(cx: &Context<'_>) -> Result<Kind, String> {
    cx.ask.kind("Application", Some(API)).await.map_err(|why| format!("Argo CD is not there: {why}"))
}

fn wanted(sync: &ArgocdSync) -> Option<&str> {
    sync.revision.as_ref().map(Template::as_str).map(str::trim).filter(|revision| !revision.is_empty())
}

pub(super) async fn prepare(cx: &Context<'_>, sync: &ArgocdSync) -> Result<Found, String> {
    let namespace = or(sync.namespace.as_ref(), "argocd");
    let target = Target::new(kind(cx).await?, Some(namespace), sync.application.as_str())?;
    let app = there(cx, &target).await?;
    let token = token(cx, &app);
    if let Outcome::Failed { why, .. } = judge_argocd(&app, &token, None).outcome {
        return Err(format!("{} {why}", target.shown));
    }
    if let Some(operation) = under_way(&app).filter(|operation| !is_ours(operation, &token)) {
        return Err(format!(
            "{} is being synced already, {}; wait for the end of that, or end it: `argocd app terminate-op {}`",
            target.shown,
            whose(&app, operation),
            target.name
        ));
    }
    let automated = automated(&app);
    let heals = automated && flag(&app, "/spec/syncPolicy/automated/selfHeal");
    let sources = list(&app, "/spec/sources").len();
    if let Some(wanted) = wanted(sync) {
        if sources > 1 {
            return Err(format!(
                "revision: {} has {sources} sources, so one revision cannot be meant for all of them; pin the \
                 `targetRevision` of each",
                target.shown
            ));
        }
        let own = own_revision(&app);
        if automated && own != wanted {
            return Err(format!(
                "revision: {} is synced automatically to {own}, which would take {wanted} back at once; pin its \
                 `targetRevision`, or switch `syncPolicy.automated` off before",
                target.shown
            ));
        }
    }
    cx.teller.say(&match text(&app, "/status/sync/revision") {
        "" => format!("syncs {}, which was never compared", target.shown),
        at => format!("syncs {}, which is compared with {at}", target.shown),
    });
    if automated {
        let heals = if heals { " and takes back what others change (self-heal)" } else { "" };
        cx.teller
            .say(&format!("{} is synced automatically, too{heals}: what a restore changes may not stay", target.shown));
    }
    let known = |pointer: &str| Some(text(&app, pointer)).filter(|text| !text.is_empty());
    let mut facts = target.facts();
    facts["uid"] = object::uid(&app).into();
    facts["token"] = token.into();
    facts["revisionBefore"] = known("/status/sync/revision").into();
    facts["syncBefore"] = known("/status/sync/status").into();
    facts["healthBefore"] = known("/status/health/status").into();
    facts["automated"] = automated.into();
    facts["selfHeal"] = heals.into();
    Ok(Found { facts, ..Found::default() })
}

/// What the operation is known by. An earlier attempt's operation that is still going on is gone on with: there can be only
/// one at a time.
fn token(cx: &Context<'_>, app: &Value) -> String {
    let operation = under_way(app);
    let earlier = cx.earlier.iter().filter_map(|attempt| attempt.facts["token"].as_str());
    let goes_on = |token: &&str| operation.is_some_and(|operation| is_ours(operation, token));
    earlier.rev().find(goes_on).unwrap_or(&cx.order.object).to_owned()
}

/// The operation that goes on.
fn under_way(app: &Value) -> Option<&Value> {
    let asked = app.get("operation").filter(|operation| !operation.is_null());
    let state = app.pointer("/status/operationState");
    let running = state.filter(|state| matches!(text(state, "/phase"), "Running" | "Terminating"));
    asked.or_else(|| running.map(|state| &state["operation"]))
}

fn is_ours(operation: &Value, token: &str) -> bool {
    list(operation, "/info").iter().any(|info| text(info, "/value") == token)
}

/// `by alice since 2026-11-21T02:30:00Z (waiting for completion of hook)`.
fn whose(app: &Value, operation: &Value) -> String {
    let who = match text(operation, "/initiatedBy/username") {
        _ if flag(operation, "/initiatedBy/automated") => "by Argo CD itself (automated sync)".to_owned(),
        "" => "by nobody knows whom".to_owned(),
        USER => match list(operation, "/info").iter().find(|info| text(info, "/name") == USER) {
            Some(info) => format!("by another run or step of Lifeboat ({})", words::quote(text(info, "/value"))),
            None => format!("by {USER}"),
        },
        name => format!("by {}", words::quote(name)),
    };
    let state = app.pointer("/status/operationState").unwrap_or(&Value::Null);
    if state["operation"] != *operation {
        return who;
    }
    let since = match text(state, "/startedAt") {
        "" => String::new(),
        since => format!(" since {since}"),
    };
    let message = match words::quote(text(state, "/message")) {
        message if message.is_empty() => message,
        message => format!(" ({message})"),
    };
    format!("{who}{since}{message}")
}

/// Whether Argo CD syncs by itself.
fn automated(app: &Value) -> bool {
    let automated = app.pointer("/spec/syncPolicy/automated").filter(|it| !it.is_null());
    automated.is_some_and(|it| it.get("enabled").and_then(Value::as_bool) != Some(false))
}

/// What it is to be synced to by its own specification.
fn own_revision(app: &Value) -> &str {
    let own = [text(app, "/spec/source/targetRevision"), text(app, "/spec/sources/0/targetRevision")];
    own.into_iter().find(|own| !own.is_empty()).unwrap_or("HEAD")
}

pub(super) async fn carry_out(cx: &Context<'_>, sync: &ArgocdSync, found: &Value) -> Result<Done, String> {
    let target = Target::from_facts(cx.ask, found).await?;
    let (token, uid) = (text(found, "/token"), text(found, "/uid"));
    begin(cx, sync, &target, uid, token).await?;
    let app = match ended(cx, sync, &target, uid, token).await? {
        Ok(app) => app,
        Err((app, why)) => {
            let which = unhealthy(cx, &app).await;
            return Ok(Done::badly(result(&app), format!("{} {why}{which}", target.shown)));
        }
    };
    if sync.children
        && let Err(why) = all_children(cx, &target, &app).await?
    {
        return Ok(Done::badly(result(&app), why));
    }
    cx.teller.say(&format!("{} is synced and healthy at {}", target.shown, revisions(&app)));
    Ok(Done::well(result(&app)))
}

/// What the operation was made to; several sources have several.
fn revisions(app: &Value) -> String {
    let of = |pointer: &str| text(app, &format!("/status/operationState/syncResult/{pointer}"));
    let several: Vec<&str> = object::texts(app, "/status/operationState/syncResult/revisions").collect();
    if several.is_empty() { of("revision").to_owned() } else { several.join(",") }
}

fn result(app: &Value) -> Value {
    json!({
        "revision": revisions(app),
        "sync": text(app, "/status/sync/status"),
        "health": text(app, "/status/health/status"),
        "phase": text(app, "/status/operationState/phase"),
        "message": text(app, "/status/operationState/message"),
        "resources": list(app, "/status/operationState/syncResult/resources").len(),
    })
}

/// Begins the operation, unless it was begun.
async fn begin(cx: &Context<'_>, sync: &ArgocdSync, target: &Target, uid: &str, token: &str) -> Result<(), String> {
    for _ in 0..TRIES {
        let app = same(cx, target, uid).await?;
        if begun(&app, token) {
            cx.teller.say(&format!("{}: the operation was begun before; follows it", target.shown));
            return Ok(());
        }
        if let Some(operation) = under_way(&app) {
            return Err(format!(
                "{} is being synced, {}; this sync was not begun",
                target.shown,
                whose(&app, operation)
            ));
        }
        let version = object::resource_version(&app).unwrap_or_default();
        // By the version that was looked at: whoever is first has begun an operation, and the other sees it.
        let mut patch = json!({
            "metadata": {"uid": uid, "resourceVersion": version},
            "operation": operation(sync, &app, token, cx),
        });
        if app.pointer("/status/operationState").is_some_and(|state| !state.is_null()) {
            // As Argo CD does it: what is shown is never the one before.
            patch["status"] = json!({"operationState": null});
        }
        match cx.ask.patch(&target.path, "application/merge-patch+json", &patch, Again::Always).await {
            Ok(_) => return Ok(()),
            // Somebody has changed it meanwhile; or a lost answer had been a yes.
            Err(error) if error.conflicts() => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(format!("{} is changed by others again and again, so that no sync can be begun", target.shown))
}

fn begun(app: &Value, token: &str) -> bool {
    let asked = app.get("operation").is_some_and(|operation| is_ours(operation, token));
    asked || app.pointer("/status/operationState/operation").is_some_and(|operation| is_ours(operation, token))
}

/// The operation as Argo CD's own server would make it: what is not asked for is what the Application has.
fn operation(sync: &ArgocdSync, app: &Value, token: &str, cx: &Context<'_>) -> Value {
    let mut how = json!({});
    if let Some(wanted) = wanted(sync) {
        if list(app, "/spec/sources").is_empty() {
            how["revision"] = wanted.into();
        } else {
            how["revisions"] = json!([wanted]);
        }
    }
    if sync.prune {
        how["prune"] = true.into();
    }
    let ours: Vec<&str> = sync.sync_options.iter().map(Template::as_str).collect();
    let key = |option: &str| option.split_once('=').map_or(option, |(key, _)| key).to_owned();
    let keys: BTreeSet<String> = ours.iter().map(|option| key(option)).collect();
    let own = object::texts(app, "/spec/syncPolicy/syncOptions").filter(|option| !keys.contains(&key(option)));
    let options: Vec<&str> = own.chain(ours.iter().copied()).collect();
    if !options.is_empty() {
        how["syncOptions"] = options.into();
    }
    let mut operation = json!({
        "initiatedBy": {"username": USER},
        "info": [
            {"name": USER, "value": token},
            {"name": "run", "value": cx.order.run},
            {"name": "step", "value": cx.order.step},
        ],
        "sync": how,
    });
    if let Some(retry) = app.pointer("/spec/syncPolicy/retry").filter(|retry| retry.is_object()) {
        operation["retry"] = retry.clone();
    }
    operation
}

type Ended = Result<Value, (Value, String)>;

/// Follows the operation and the comparison after it.
async fn ended(cx: &Context<'_>, sync: &ArgocdSync, target: &Target, uid: &str, token: &str) -> Result<Ended, String> {
    let pin = wanted(sync);
    let mut degraded: Option<Instant> = None;
    follow(cx, target, uid, CONTROLLER, |app| {
        let badly = |why: String| Look::Ended(Err((app.clone(), why)));
        if !begun(app, token) {
            let other = under_way(app).or_else(|| app.pointer("/status/operationState/operation"));
            let whose = other.map_or_else(String::new, |other| format!(" {}", whose(app, other)));
            return badly(format!("shows another operation{whose}: how the one of this step ended is not known"));
        }
        match judge_argocd(app, token, pin).outcome {
            Outcome::Failed { why, .. } => badly(why),
            Outcome::Succeeded => match elsewhere(app, pin) {
                None => Look::Ended(Ok(app.clone())),
                Some(why) if is_newer(app) => badly(why),
                Some(why) => Look::Waits(why),
            },
            Outcome::Pending { progress } => {
                if !is_compared(app) {
                    degraded = None;
                    let taken_up = app.pointer("/status/operationState").is_some_and(|state| !state.is_null());
                    return if taken_up { Look::Waits(progress) } else { Look::Unheard(progress) };
                }
                if let Some(why) = elsewhere(app, pin).filter(|_| is_newer(app)) {
                    return badly(why);
                }
                if let Some(why) = only_pruning(app).filter(|_| !sync.prune) {
                    return badly(why);
                }
                if text(app, "/status/health/status") == "Degraded" {
                    if degraded.get_or_insert_with(Instant::now).elapsed() >= DEGRADED {
                        return badly(format!("has been degraded for {} s: {progress}", DEGRADED.as_secs()));
                    }
                } else {
                    degraded = None;
                }
                Look::Waits(progress)
            }
        }
    })
    .await
}

/// Whether it was compared after the operation: `reconciledAt` is when a comparison began, in whole seconds.
fn is_compared(app: &Value) -> bool {
    text(app, "/status/operationState/phase") == "Succeeded"
        && finished(app).is_some_and(|finished| instant(app, "/status/reconciledAt").is_some_and(|at| at >= finished))
}

/// Whether it was compared later than in the second in which the operation ended.
fn is_newer(app: &Value) -> bool {
    finished(app).is_some_and(|finished| instant(app, "/status/reconciledAt").is_some_and(|at| at > finished))
}

fn finished(app: &Value) -> Option<Timestamp> {
    instant(app, "/status/operationState/finishedAt")
}

/// `Synced` is said of the revision that an Application names itself: that another commit was synced does not show in it.
fn elsewhere(app: &Value, pin: Option<&str>) -> Option<String> {
    let pin = pin.filter(|pin| revision::is_commit(pin))?;
    let one = [text(app, "/status/sync/revision")];
    let compared: Vec<&str> =
        object::texts(app, "/status/sync/revisions").chain(one).filter(|it| !it.is_empty()).collect();
    if compared.is_empty() || compared.iter().any(|have| revision::is(have, pin)) {
        return None;
    }
    Some(format!(
        "was synced to {pin}, but is compared with {} (its targetRevision is {}): whether it is as {pin} wants it nobody \
         tells; pin its targetRevision",
        compared.join(", "),
        own_revision(app)
    ))
}

/// When nothing but what Git does not have any more keeps it out of sync, it will stay so.
fn only_pruning(app: &Value) -> Option<String> {
    let out: Vec<&Value> =
        list(app, "/status/resources").iter().filter(|it| text(it, "/status") == "OutOfSync").collect();
    if out.is_empty() || !out.iter().all(|it| flag(it, "/requiresPruning")) {
        return None;
    }
    let names: Vec<String> = out.iter().map(|it| named(it)).collect();
    Some(format!(
        "was synced, and is out of sync for what Git does not have any more: {}; with `prune: true` that is deleted",
        words::list(&names, NAMED)
    ))
}

fn named(resource: &Value) -> String {
    let (kind, name) = (text(resource, "/kind"), text(resource, "/name"));
    match text(resource, "/namespace") {
        "" => format!("{kind} {name}"),
        namespace => format!("{kind} {namespace}/{name}"),
    }
}

/// Which resources are not healthy, as far as that is not told yet. Since Argo CD 3 it stands in its cache and no more in the
/// Application, so they are looked at here when they are in this cluster.
async fn unhealthy(cx: &Context<'_>, app: &Value) -> String {
    let told = list(app, "/status/resources").iter().any(|it| it.pointer("/health/status").is_some());
    if told || !matches!(text(app, "/status/health/status"), "Degraded" | "Missing") {
        return String::new();
    }
    let message = words::quote(text(app, "/status/health/message"));
    if !message.is_empty() {
        return format!(": {message}");
    }
    let here = text(app, "/spec/destination/server") == "https://kubernetes.default.svc"
        || text(app, "/spec/destination/name") == "in-cluster";
    if !here {
        return String::new();
    }
    let around = Around { zero_is_ready: true, ..Around::alone(Timestamp::now()) };
    let mut found = Vec::new();
    for child in children(app) {
        let version = child.version.as_deref().unwrap_or("v1");
        let version = if child.group.is_empty() { version.to_owned() } else { format!("{}/{version}", child.group) };
        let Ok(kind) = cx.ask.kind(&child.kind, Some(&version)).await else { continue };
        let Ok(target) = Target::new(kind, child.namespace.as_deref(), &child.name) else { continue };
        match target.get(cx.ask).await {
            Ok(Some(object)) => {
                found.extend(readiness(&object, &around).why().map(|why| format!("{}: {why}", target.shown)));
            }
            Ok(None) => found.push(format!("{}: is not there", target.shown)),
            Err(_) => {}
        }
    }
    if found.is_empty() { String::new() } else { format!(": {}", words::list(&found, NAMED)) }
}

/// Waits for the Applications that an Application has made, and for those that they have made.
async fn all_children(cx: &Context<'_>, target: &Target, root: &Value) -> Result<Result<(), String>, String> {
    let since = finished(root).unwrap_or(Timestamp::MIN);
    let mut known: BTreeSet<(String, String)> = BTreeSet::new();
    known.insert((target.namespace.clone().unwrap_or_default(), target.name.clone()));
    let mut parents = vec![root.clone()];
    loop {
        let mut next: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for child in parents.iter().flat_map(children).filter(is_application) {
            let namespace = child.namespace.or_else(|| target.namespace.clone()).unwrap_or_default();
            if known.insert((namespace.clone(), child.name.clone())) {
                next.entry(namespace).or_default().insert(child.name);
            }
        }
        if next.is_empty() {
            return Ok(Ok(()));
        }
        parents.clear();
        for (namespace, names) in next {
            match these(cx, target, &namespace, &names, since).await? {
                Ok(apps) => parents.extend(apps),
                Err(why) => return Ok(Err(why)),
            }
        }
    }
}

fn is_application(child: &ObjectRef) -> bool {
    child.kind == "Application" && child.group == "argoproj.io"
}

/// Waits for Applications of a namespace until each is synced and healthy by a comparison that was made since.
async fn these(
    cx: &Context<'_>,
    parent: &Target,
    namespace: &str,
    names: &BTreeSet<String>,
    since: Timestamp,
) -> Result<Result<Vec<Value>, String>, String> {
    let key = Key { kind: parent.kind.clone(), namespace: Some(namespace.to_owned()), selector: String::new() };
    for name in names {
        let child = Target::new(parent.kind.clone(), Some(namespace), name)?;
        let old = child
            .get(cx.ask)
            .await?
            .is_some_and(|app| instant(&app, "/status/reconciledAt").is_none_or(|at| at < since));
        if old {
            // It would be compared within some minutes anyway.
            let patch = json!({"metadata": {"annotations": {REFRESH: "normal"}}});
            match objects::merge(cx.ask, &child.path, &patch).await {
                Err(error) if !error.is_missing() => return Err(error.to_string()),
                _ => {}
            }
        }
    }
    let mut degraded: BTreeMap<String, Instant> = BTreeMap::new();
    cx.ask
        .until(&key, None, |objects| {
            let mut verdict = Verdict { count: names.len(), ..Verdict::default() };
            let mut apps = Vec::new();
            for name in names {
                let waiting = |why: String| Waiting { object: format!("Application {namespace}/{name}"), why };
                let Some(app) = objects.iter().find(|it| object::name(it) == name) else {
                    verdict.waiting.push(waiting("is not there".to_owned()));
                    continue;
                };
                let is_degraded = text(app, "/status/health/status") == "Degraded";
                if !is_degraded {
                    degraded.remove(name);
                }
                match one(app, since) {
                    Readiness::Ready => {
                        verdict.ready += 1;
                        apps.push((**app).clone());
                    }
                    Readiness::Pending(why)
                        if is_degraded
                            && degraded.entry(name.clone()).or_insert_with(Instant::now).elapsed() >= DEGRADED =>
                    {
                        verdict.failed.push(waiting(why));
                    }
                    Readiness::Pending(why) => verdict.waiting.push(waiting(why)),
                    Readiness::Failed(why) => verdict.failed.push(waiting(why)),
                }
            }
            let sentence = format!("children of {}: {}", parent.shown, verdict.sentence(NAMED));
            if !verdict.failed.is_empty() {
                return Some(Err(sentence));
            }
            if verdict.is_ready() {
                return Some(Ok(apps));
            }
            cx.teller.say(&sentence);
            None
        })
        .await
}

/// Whether a child is good, and says so of what its parent has made of it.
fn one(app: &Value, since: Timestamp) -> Readiness {
    let around = Around::alone(Timestamp::now());
    match readiness(app, &around) {
        Readiness::Ready if instant(app, "/status/reconciledAt").is_none_or(|at| at < since) => {
            Readiness::Pending("was not compared since its parent was synced".to_owned())
        }
        Readiness::Pending(why)
            if text(app, "/status/sync/status") == "OutOfSync" && !automated(app) && under_way(app).is_none() =>
        {
            Readiness::Pending(format!("{why}, and is not synced automatically: sync it by a step of its own"))
        }
        found => found,
    }
}
