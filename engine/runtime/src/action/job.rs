//! `job`: a container, run once, and what it printed.

use std::sync::{Arc, Mutex, PoisonError};

use lifeboat_core::{
    action::{job::Job, kube::Prepared},
    duration::Duration,
    kube::{
        name::label_value,
        object::{self, text},
    },
    model::Template,
};
use serde_json::{Value, json};

use super::{
    Context, Done, Found,
    objects::{self, Target},
    or,
};
use crate::cluster::{ApiError, Kind, watch::Key};

/// The container's name.
const CONTAINER: &str = "step";
/// By this label Kubernetes' own Job controller marks its pods.
const BY_JOB: &str = "batch.kubernetes.io/job-name";
/// Which run and step made an object.
const RUN: &str = "lifeboat.dev/run";
const STEP: &str = "lifeboat.dev/step";
/// How long a finished Job is kept when the author does not say.
const KEPT: Duration = Duration::from_secs(3600);
/// How much of the log is in the result, in bytes; the artifact has all of it that was read.
const MOST: usize = 1024 * 1024;
/// How much of the log is kept at all.
const LONGEST: usize = 64 * 1024 * 1024;

async fn kinds(cx: &Context<'_>) -> Result<(Kind, Kind, Kind), String> {
    Ok((
        cx.ask.kind("Job", Some("batch/v1")).await?,
        cx.ask.kind("Pod", Some("v1")).await?,
        cx.ask.kind("Secret", Some("v1")).await?,
    ))
}

pub(super) async fn prepare(cx: &Context<'_>, job: &Job) -> Result<Found, String> {
    let (kind, _, _) = kinds(cx).await?;
    let namespace = job.namespace.as_str();
    let path = Target::new(cx.ask.kind("Namespace", Some("v1")).await?, None, namespace)?;
    if path.get(cx.ask).await.is_ok_and(|there| there.is_none()) {
        return Err(format!("expected the namespace {namespace}, found none of that name"));
    }
    let target = Target::new(kind, Some(namespace), &cx.order.object)?;
    cx.teller.say(&format!("runs {} as {}", job.image.as_str(), target.shown));
    Ok(Found { facts: target.facts(), ..Found::default() })
}

fn labels(cx: &Context<'_>) -> Value {
    json!({RUN: label_value(&cx.order.run), STEP: label_value(&cx.order.step)})
}

fn manifest(cx: &Context<'_>, job: &Job) -> Value {
    let texts = |list: &[Template]| -> Vec<String> { list.iter().map(|it| it.as_str().to_owned()).collect() };
    let name = &cx.order.object;
    let mut container = json!({"name": CONTAINER, "image": job.image.as_str()});
    if !job.command.is_empty() {
        container["command"] = json!(texts(&job.command));
    }
    if !job.args.is_empty() {
        container["args"] = json!(texts(&job.args));
    }
    if !job.env.is_empty() {
        // All of it by a Secret: which of them are secrets is not known any more, and a Job is read by many.
        let from = |variable: &String| json!({"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": variable}}});
        container["env"] = job.env.keys().map(from).collect();
    }
    let mut pod = json!({"restartPolicy": "Never", "containers": [container]});
    let account = or(job.service_account.as_ref(), "");
    if !account.is_empty() {
        pod["serviceAccountName"] = account.into();
    }
    let mut labels = labels(cx);
    let own = labels.clone();
    for (label, value) in &job.labels {
        labels[label] = value.as_str().into();
    }
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": job.namespace.as_str(), "labels": own},
        "spec": {
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": job.ttl.unwrap_or(KEPT).as_std().as_secs(),
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    })
}

pub(super) async fn carry_out(cx: &Context<'_>, job: &Job) -> Result<Done, String> {
    let (kind, pods, secrets) = kinds(cx).await?;
    let namespace = job.namespace.as_str();
    let target = Target::new(kind.clone(), Some(namespace), &cx.order.object)?;
    if !job.env.is_empty() {
        let data: Value = job.env.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": cx.order.object, "namespace": namespace, "labels": labels(cx)},
            "stringData": data,
        });
        make(cx, &Target::new(secrets.clone(), Some(namespace), &cx.order.object)?, &secret).await?;
    }
    let made = match make(cx, &target, &manifest(cx, job)).await {
        Ok(made) => made,
        Err(why) => {
            // Without a Job there is nobody with whom it would go.
            if !job.env.is_empty() {
                let secret = Target::new(secrets, Some(namespace), &cx.order.object)?;
                drop(cx.ask.delete(&secret.path, &json!({})).await);
            }
            return Err(why);
        }
    };
    let uid = object::uid(&made).unwrap_or_default().to_owned();
    if !job.env.is_empty() {
        // It goes with the Job, whoever deletes that.
        let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": cx.order.object, "uid": uid});
        let secret = Target::new(secrets, Some(namespace), &cx.order.object)?;
        objects::merge(cx.ask, &secret.path, &json!({"metadata": {"ownerReferences": [owner]}})).await?;
    }
    let log = Log::default();
    let ended = {
        let end = end(cx, &kind, &pods, namespace, &uid);
        let read = log.follow(cx, &pods, namespace);
        tokio::pin!(end, read);
        tokio::select! {
            ended = &mut end => ended?,
            () = &mut read => end.await?,
        }
    };
    // What came between the last read and the end.
    let pod = pod(cx, &pods, namespace).await?;
    log.rest(cx, &pods, namespace, pod.as_ref()).await;
    let (whole, truncated, missing) = log.done();
    let artifacts = cx.teller.keep("log", &whole).await;
    let mut from = whole.len().saturating_sub(MOST);
    while !whole.is_char_boundary(from) {
        from += 1;
    }
    let stdout = &whole[from..];
    let state = pod.as_ref().and_then(|pod| pod.pointer("/status/containerStatuses/0")).cloned().unwrap_or_default();
    let code = state.pointer("/state/terminated/exitCode").cloned().unwrap_or_default();
    let of_pod = |pointer: &str| pod.as_ref().map_or("", |pod| text(pod, pointer)).to_owned();
    let result = json!({
        "job": cx.order.object,
        "pod": of_pod("/metadata/name"),
        "node": of_pod("/spec/nodeName"),
        "imageId": text(&state, "/imageID"),
        "exitCode": code,
        "stdout": stdout,
        "json": serde_json::from_str::<Value>(stdout).unwrap_or_default(),
        "truncated": truncated || from > 0,
        "logMissing": missing,
    });
    let error = ended.err().map(|why| {
        let code = code.as_i64().map_or(String::new(), |code| format!(", exit code {code}"));
        let last: Vec<&str> = stdout.lines().rev().take(3).collect();
        let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
        if last.is_empty() { format!("{why}{code}") } else { format!("{why}{code}\n{last}") }
    });
    Ok(Done { result, error, artifacts })
}

/// Creates an object, or finds the one that an earlier try of this very attempt has made.
async fn make(cx: &Context<'_>, target: &Target, object: &Value) -> Result<Value, String> {
    let collection = target.kind.collection(target.namespace.as_deref());
    loop {
        let failed: ApiError = match cx.ask.create(&collection, object).await {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        if !failed.exists() && !failed.in_doubt {
            return Err(format!("{}: {failed}", target.shown));
        }
        match target.get(cx.ask).await? {
            Some(there) if ours(&there, object) => return Ok(there),
            Some(_) => return Err(format!("{} is there already, and no step of this run has made it", target.shown)),
            // The answer was lost, and so was the request: it is safe to make it.
            None => {}
        }
    }
}

fn ours(there: &Value, object: &Value) -> bool {
    [RUN, STEP].iter().all(|label| object::label(there, label) == object::label(object, label))
}

/// Waits for the Job's end; `Err` inside is why it failed.
async fn end(
    cx: &Context<'_>,
    kind: &Kind,
    pods: &Kind,
    namespace: &str,
    uid: &str,
) -> Result<Result<(), String>, String> {
    let key = Key { kind: kind.clone(), namespace: Some(namespace.to_owned()), selector: String::new() };
    let wait = cx.ask.until(&key, Some(&cx.order.object), |objects| {
        let Some(job) = objects.iter().find(|it| object::uid(it) == Some(uid)) else {
            return Some(Err("the Job is gone: somebody has deleted it".to_owned()));
        };
        if let Some(failed) = object::condition(job, "Failed").filter(|it| it.status == "True") {
            return Some(Err(format!("the Job failed: {} {}", failed.reason, failed.message).trim().to_owned()));
        }
        object::condition(job, "Complete").filter(|it| it.status == "True").map(|_| Ok(()))
    });
    let key = Key {
        kind: pods.clone(),
        namespace: Some(namespace.to_owned()),
        selector: format!("{BY_JOB}={}", cx.order.object),
    };
    // The pod says why it does not run; it decides nothing.
    let watch = cx.ask.until(&key, None, |objects| {
        if let Some(why) = objects.first().and_then(|pod| holds(pod)) {
            cx.teller.say(&why);
        }
        None::<()>
    });
    tokio::pin!(wait, watch);
    tokio::select! {
        ended = &mut wait => ended,
        _ = &mut watch => wait.await,
    }
}

/// Why a pod does not run.
fn holds(pod: &Value) -> Option<String> {
    let shown = object::describe(pod);
    let waiting = pod.pointer("/status/containerStatuses/0/state/waiting");
    if let Some(waiting) = waiting {
        let (reason, message) = (text(waiting, "/reason"), text(waiting, "/message"));
        return (!reason.is_empty()).then(|| format!("{shown} waits: {reason} {message}").trim().to_owned());
    }
    let scheduled = object::condition(pod, "PodScheduled").filter(|it| it.status == "False")?;
    Some(format!("{shown} waits for a node: {}", scheduled.message))
}

async fn pod(cx: &Context<'_>, pods: &Kind, namespace: &str) -> Result<Option<Value>, String> {
    let selector = format!("{BY_JOB}={}", cx.order.object);
    let key = Key { kind: pods.clone(), namespace: Some(namespace.to_owned()), selector };
    let found = cx.ask.look(&key, None, false, true).await?;
    Ok(found.objects.last().map(|pod| (**pod).clone()))
}

/// What the container has printed so far.
#[derive(Default)]
struct Log {
    inner: Arc<Mutex<Read>>,
}

#[derive(Default)]
struct Read {
    text: String,
    /// The time of the last line, as the kubelet wrote it: what is read again begins there.
    last: String,
    /// Lines of exactly that time that were read already.
    at_last: usize,
    truncated: bool,
    missing: Option<String>,
}

impl Log {
    /// Reads on and on; it never ends by itself, so whoever waits for the end of the Job drops it.
    async fn follow(&self, cx: &Context<'_>, pods: &Kind, namespace: &str) {
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            if let Ok(Some(pod)) = pod(cx, pods, namespace).await {
                self.read(cx, pods, namespace, &pod).await;
            }
        }
    }

    /// Reads what is left when all is over.
    async fn rest(&self, cx: &Context<'_>, pods: &Kind, namespace: &str, pod: Option<&Value>) {
        match pod {
            Some(pod) => self.read(cx, pods, namespace, pod).await,
            None => self.inner().missing = Some("its pod is gone".to_owned()),
        }
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Read> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, cx: &Context<'_>, pods: &Kind, namespace: &str, pod: &Value) {
        let started = pod
            .pointer("/status/containerStatuses/0/state")
            .is_some_and(|state| state.get("running").is_some() || state.get("terminated").is_some());
        if !started {
            return;
        }
        let Ok(path) = pods.object(Some(namespace), object::name(pod)) else { return };
        let since = self.inner().last.clone();
        let since =
            if since.is_empty() { since } else { format!("&sinceTime={}", crate::cluster::kinds::encoded(&since)) };
        let path = format!("{path}/log?container={CONTAINER}&timestamps=true{since}");
        match tokio::time::timeout(std::time::Duration::from_secs(20), cx.ask.text(&path)).await {
            Ok(Ok(text)) => self.take(cx, &text),
            Ok(Err(error)) => self.inner().missing = Some(error.to_string()),
            Err(_) => self.inner().missing = Some("the log was not there within 20 s".to_owned()),
        }
    }

    fn take(&self, cx: &Context<'_>, text: &str) {
        let mut inner = self.inner();
        inner.missing = None;
        let (mut known, last) = (inner.at_last, inner.last.clone());
        for line in text.lines() {
            let (time, line) = line.split_once(' ').unwrap_or((line, ""));
            if time < last.as_str() {
                continue;
            }
            if time == last && known > 0 {
                known -= 1;
                continue;
            }
            if time == inner.last {
                inner.at_last += 1;
            } else {
                time.clone_into(&mut inner.last);
                inner.at_last = 1;
            }
            if inner.text.len() + line.len() > LONGEST {
                inner.truncated = true;
                continue;
            }
            inner.text.push_str(line);
            inner.text.push('\n');
            cx.teller.print(line);
        }
    }

    fn done(self) -> (String, bool, Option<String>) {
        let mut inner = self.inner();
        (std::mem::take(&mut inner.text), inner.truncated, inner.missing.take())
    }
}

pub(super) async fn undo(cx: &Context<'_>, job: &Job, prepared: &[Prepared]) -> Result<Done, String> {
    let mut deleted = Vec::new();
    for attempt in prepared {
        let target = Target::from_facts(cx.ask, &attempt.facts).await?;
        let Some(there) = target.get(cx.ask).await? else { continue };
        let ours = object::label(&there, RUN) == Some(label_value(&cx.order.run).as_str());
        if !ours {
            return Err(format!("{} was not made by this run: it is left alone", target.shown));
        }
        let options = json!({
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Foreground",
            "preconditions": {"uid": object::uid(&there)},
        });
        match cx.ask.delete(&target.path, &options).await {
            Err(error) if !error.is_missing() && !error.conflicts() => return Err(error.to_string()),
            _ => {}
        }
        let key = Key {
            kind: target.kind.clone(),
            namespace: Some(job.namespace.as_str().to_owned()),
            selector: String::new(),
        };
        cx.ask
            .until(&key, Some(&target.name), |objects| {
                if objects.is_empty() {
                    return Some(());
                }
                cx.teller.say(&format!("waits until {} and its pod are gone", target.shown));
                None
            })
            .await?;
        deleted.push(target.name);
    }
    Ok(Done::well(json!({ "deleted": deleted })))
}
