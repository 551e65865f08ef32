//! Whether Argo CD has synced what we asked it to.
//!
//! Duty: the verdict on an Application after an operation was put into it. It knows its own operation by what stands
//! in its `info`, and takes the health only from a comparison made after the sync: the rule of the tool's own wait
//! (`checkAppWaitConditions` of `cmd/argocd/commands/app.go`). That child Applications are healthy is not in it:
//! Argo CD does not look at them since 1.8.

use serde_json::{Value, json};

use super::{
    judged::{Judged, Outcome},
    object, revision, words,
};

#[cfg(test)]
mod tests;

/// The annotation that makes the controller leave an Application alone while it is `true`.
pub const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";

/// How many resources a message names.
const NAMED: usize = 3;

/// Judges an Application whose `operation.info` was given an entry with the value `run_token`. `wanted_revision` is
/// what it should be synced to: a commit, at least 7 digits of it, or the branch, tag or version that was asked for.
///
/// Facts: `phase`, `message`, `startedAt`, `finishedAt`, `reconciledAt`, `retries`, `revisions`, `sync`, `health`,
/// `resources` (how many), `notHealthy` and `outOfSync` (described).
#[must_use]
pub fn judge_argocd(app: &Value, run_token: &str, wanted_revision: Option<&str>) -> Judged {
    Judged { outcome: outcome(app, run_token, wanted_revision), facts: facts(app) }
}

fn outcome(app: &Value, run_token: &str, wanted_revision: Option<&str>) -> Outcome {
    if object::deleting_since(app).is_some() {
        return Outcome::failed("is being deleted");
    }
    if object::annotation(app, SKIP_RECONCILE) == Some("true") {
        return Outcome::failed(format!("is left alone by Argo CD (annotation {SKIP_RECONCILE}); take that away"));
    }
    let state = app.pointer("/status/operationState").unwrap_or(&Value::Null);
    let is_ours = has_token(&state["operation"], run_token);
    let message = words::quote(object::text(state, "/message"));
    let because = if message.is_empty() { String::new() } else { format!(" ({message})") };
    if let Some(operation) = app.get("operation").filter(|operation| !operation.is_null()) {
        if !has_token(operation, run_token) {
            return Outcome::pending("another operation is under way");
        }
        return Outcome::pending(if is_ours {
            format!("is being synced{because}")
        } else {
            "is to be synced".to_owned()
        });
    }
    if state.is_null() {
        return Outcome::pending("has not begun to sync yet");
    }
    if !is_ours {
        return Outcome::pending("shows the operation of somebody else, not the one of this step");
    }
    match object::text(state, "/phase") {
        "Succeeded" => {}
        phase @ ("Failed" | "Error") => {
            return Outcome::failed(format!("its sync ended as {phase}{because}{}", broken(state)));
        }
        phase => {
            let retries = object::number(state, "/retryCount").filter(|&retries| retries > 0);
            let retries = retries.map_or_else(String::new, |retries| format!(", retry {retries}"));
            return Outcome::pending(format!("its sync is {phase}{retries}{because}"));
        }
    }
    let Some(finished) = object::instant(state, "/finishedAt") else {
        return Outcome::pending("its sync has not finished");
    };
    if object::instant(app, "/status/reconciledAt").is_none_or(|at| at < finished) {
        return Outcome::pending("has been synced; its health is from before that");
    }
    if let Some(wanted) = wanted_revision.filter(|wanted| !is_at(state, wanted)) {
        let have = revisions(state);
        let have = if have.is_empty() { "no revision".to_owned() } else { words::list(&have, NAMED) };
        return Outcome::failed(format!("was synced to {have}, wanted is {wanted}"));
    }
    if object::text(app, "/status/sync/status") != "Synced" {
        let which = described(app, is_out_of_sync, "/none");
        let which = if which.is_empty() { String::new() } else { format!(": {}", words::list(&which, NAMED)) };
        return Outcome::pending(format!("has been synced, but is {} again{which}", status(app, "sync")));
    }
    match status(app, "health") {
        "Healthy" => Outcome::Succeeded,
        health => {
            let which = described(app, is_unhealthy, "/health");
            let which = if which.is_empty() { String::new() } else { format!(": {}", words::list(&which, NAMED)) };
            Outcome::pending(format!("has been synced; its health is {health}{which}"))
        }
    }
}

/// `info` is the only part of an operation that the controller hands on as it is.
fn has_token(operation: &Value, token: &str) -> bool {
    object::list(operation, "/info").iter().any(|info| object::text(info, "/value") == token)
}

fn status<'a>(app: &'a Value, of: &str) -> &'a str {
    match object::text(app, &format!("/status/{of}/status")) {
        "" => "Unknown",
        status => status,
    }
}

/// What the sync was made to; one for each source.
fn revisions(state: &Value) -> Vec<&str> {
    let one = object::text(state, "/syncResult/revision");
    let all = object::texts(state, "/syncResult/revisions").chain([one]);
    all.filter(|revision| !revision.is_empty()).collect()
}

/// A branch or tag is resolved to a commit by Argo CD, so it counts when it is what was asked for. A whole commit is
/// not resolved to anything: it must be what was synced. (Less than that may be a tag, such as a date.)
fn is_at(state: &Value, wanted: &str) -> bool {
    let asked = ["/operation/sync/revision", "/operation/sync/source/targetRevision"];
    let asked = asked.iter().map(|field| object::text(state, field));
    let asked = asked.chain(object::texts(state, "/operation/sync/revisions"));
    revisions(state).iter().any(|have| revision::is(have, wanted))
        || (!(wanted.len() == 40 && revision::is_commit(wanted)) && asked.into_iter().any(|asked| asked == wanted))
}

fn is_out_of_sync(resource: &Value) -> bool {
    object::text(resource, "/status") == "OutOfSync"
}

fn is_unhealthy(resource: &Value) -> bool {
    !matches!(object::text(resource, "/health/status"), "" | "Healthy")
}

/// The resources that something is true of, with what stands at a pointer about them:
/// `Deployment shop/api (Degraded: 0 of 3 ready)`.
fn described(app: &Value, which: fn(&Value) -> bool, about: &str) -> Vec<String> {
    let resources = object::list(app, "/status/resources").iter().filter(|resource| which(resource));
    resources.map(|resource| describe(resource, about)).collect()
}

fn describe(resource: &Value, about: &str) -> String {
    let (kind, name) = (object::text(resource, "/kind"), object::text(resource, "/name"));
    let name = match object::text(resource, "/namespace") {
        "" => name.to_owned(),
        namespace => format!("{namespace}/{name}"),
    };
    let state = words::because(
        object::text(resource, &format!("{about}/status")),
        object::text(resource, &format!("{about}/message")),
    );
    if state.is_empty() { format!("{kind} {name}") } else { format!("{kind} {name} ({state})") }
}

/// The resources whose sync failed, with what was said of each.
fn broken(state: &Value) -> String {
    let failed: Vec<String> = object::list(state, "/syncResult/resources")
        .iter()
        .filter(|resource| {
            object::text(resource, "/status") == "SyncFailed"
                || matches!(object::text(resource, "/hookPhase"), "Failed" | "Error")
        })
        .map(|resource| describe(resource, ""))
        .collect();
    if failed.is_empty() { String::new() } else { format!("; {}", words::list(&failed, NAMED)) }
}

fn facts(app: &Value) -> Value {
    let text = |pointer: &str| match object::text(app, pointer) {
        "" => Value::Null,
        text => words::quote(text).into(),
    };
    let state = app.pointer("/status/operationState").unwrap_or(&Value::Null);
    json!({
        "phase": text("/status/operationState/phase"),
        "message": text("/status/operationState/message"),
        "startedAt": text("/status/operationState/startedAt"),
        "finishedAt": text("/status/operationState/finishedAt"),
        "reconciledAt": text("/status/reconciledAt"),
        "retries": object::number(state, "/retryCount").unwrap_or(0),
        "revisions": revisions(state),
        "sync": text("/status/sync/status"),
        "health": text("/status/health/status"),
        "resources": object::list(app, "/status/resources").len(),
        "notHealthy": described(app, is_unhealthy, "/health"),
        "outOfSync": described(app, is_out_of_sync, "/none"),
    })
}
