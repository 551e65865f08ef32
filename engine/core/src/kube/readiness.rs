//! Whether an object does what it is for: the engine's own answer, for every kind.
//!
//! Duty: which rules a kind has, and what comes before all of them (deletion, a status that speaks of a former
//! generation). The rules stand in the files below, one for kinds that belong together. Nothing in here may wait or
//! remember: two readings with the same object, time and neighbours get the same answer.
//!
//! The rules begin with kubectl's `rollout_status.go` and with kstatus of `kubernetes-sigs/cli-utils`, and close the
//! blind spots that make a wait lie in a disaster: a status that nobody has written yet, a workload scaled to zero, a
//! load balancer without an address, a Pod that ended in failure, a Job that merely runs.

use jiff::Timestamp;
use serde_json::Value;

use super::{object, words};

mod certificate;
mod cluster;
mod database;
mod extension;
mod gateway;
mod generic;
mod gitops;
mod job;
mod pod;
mod rollout;
mod secret;
mod service;
mod snapshot;
mod stateful_set;
mod storage;
mod velero;
mod workload;

#[cfg(test)]
mod tests;

pub use extension::serves;

/// Whether an object is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It does what it is for.
    Ready,
    /// Not yet; waiting makes sense. Why, as the end of a sentence that begins with the object's name: `2 of 3
    /// replicas are available`.
    Pending(String),
    /// Waiting is pointless: it cannot come by itself any more. Why, and what to look at.
    Failed(String),
}

impl Readiness {
    /// Why it is not ready; `None` when it is.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Ready => None,
            Self::Pending(why) | Self::Failed(why) => Some(why),
        }
    }
}

/// What a verdict needs to know besides the object.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The time.
    pub now: Timestamp,
    /// All `StorageClass`es of the cluster; `None`: nobody looked. With them a claim that waits for its first consumer
    /// is told from one that waits for its storage.
    pub storage_classes: Option<&'a [Value]>,
    /// `EndpointSlice`s, at least those of the object's namespace; `None`: nobody looked, and then a Service is judged
    /// without its endpoints.
    pub endpoint_slices: Option<&'a [Value]>,
    /// Whether a workload that is scaled to zero is as it should be. A pilot light passes every rule of `kubectl
    /// rollout status`, so without this it is not ready.
    pub zero_is_ready: bool,
}

impl Around<'_> {
    /// The time and nothing else.
    #[must_use]
    pub const fn alone(now: Timestamp) -> Self {
        Self { now, storage_classes: None, endpoint_slices: None, zero_is_ready: false }
    }
}

/// Judges one object as the API server sent it. Every kind gets an answer; those without rules of their own get the
/// generic ones of `generic`.
#[must_use]
pub fn readiness(object: &Value, around: &Around<'_>) -> Readiness {
    match verdict(object, around) {
        Ok(()) => Readiness::Ready,
        Err(not_ready) => not_ready,
    }
}

/// Ready, or why not.
type Verdict = Result<(), Readiness>;

fn pending(why: impl Into<String>) -> Verdict {
    Err(Readiness::Pending(why.into()))
}

fn failed(why: impl Into<String>) -> Verdict {
    Err(Readiness::Failed(why.into()))
}

fn verdict(object: &Value, around: &Around<'_>) -> Verdict {
    let (group, kind) = (object::group(object), object::kind(object));
    // A Namespace that is being deleted tells more about it than others.
    if (group, kind) != ("", "Namespace") {
        not_deleting(object, around.now)?;
    }
    // These two have ways of their own to say which generation a status is of.
    match (group, kind) {
        ("argoproj.io", "Rollout") => return rollout::rollout(object, around),
        (group, _) if group.ends_with(".toolkit.fluxcd.io") => return gitops::flux(object),
        _ => {}
    }
    of_this_generation(object)?;
    match (group, kind) {
        ("apps", "Deployment") => workload::deployment(object, around),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => workload::replica_set(object, around),
        ("apps", "DaemonSet") => workload::daemon_set(object),
        ("apps", "StatefulSet") => stateful_set::stateful_set(object, around),
        ("batch", "Job") => job::job(object),
        ("", "Pod") => pod::pod(object),
        ("", "Node") => cluster::node(object, around.now),
        ("", "Namespace") => cluster::namespace(object, around.now),
        ("", "PersistentVolumeClaim") => storage::claim(object, around),
        ("", "PersistentVolume") => storage::volume(object),
        ("snapshot.storage.k8s.io", "VolumeSnapshot" | "VolumeSnapshotContent") => snapshot::snapshot(object),
        ("", "Service") => service::service(object, around),
        ("networking.k8s.io", "Ingress") => service::ingress(object),
        ("gateway.networking.k8s.io", "Gateway") => gateway::gateway(object),
        ("gateway.networking.k8s.io", kind) if kind.ends_with("Route") => gateway::route(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => extension::definition(object),
        ("apiregistration.k8s.io", "APIService") => extension::api_service(object),
        ("cert-manager.io", "Certificate") => certificate::certificate(object, around.now),
        ("cert-manager.io", "CertificateRequest") => certificate::request(object),
        ("bitnami.com", "SealedSecret") => secret::sealed(object),
        ("external-secrets.io", "ExternalSecret") => secret::external(object),
        ("postgresql.cnpg.io", "Cluster") => database::cnpg(object),
        ("acid.zalan.do", "postgresql") => database::zalando(object),
        ("argoproj.io", "Application") => gitops::argocd(object),
        // It has no conditions; that external-dns has read it is all there is to know.
        ("externaldns.k8s.io", "DNSEndpoint") => observed(object),
        ("velero.io", kind) => velero::velero(object, kind, around.now),
        // They say what is wanted of others; whether they can do it now is not whether they are there. kstatus calls
        // them always current as well.
        ("autoscaling", "HorizontalPodAutoscaler") | ("policy", "PodDisruptionBudget") | ("batch", "CronJob") => Ok(()),
        _ => generic::generic(object),
    }
}

/// An object that is being deleted never becomes ready, but one of the same name may: that is how a drill cleans up
/// and begins again. So it is worth waiting.
fn not_deleting(object: &Value, now: Timestamp) -> Verdict {
    let Some(since) = object::deleting_since(object) else { return Ok(()) };
    let held: Vec<&str> = object::finalizers(object).collect();
    let held = if held.is_empty() { String::new() } else { format!(", held by {}", words::list(&held, 3)) };
    pending(format!("is being deleted since {}{held}", words::since(since, now)))
}

/// A status of another generation says nothing about this one. A higher one is as foreign as a lower one: it came
/// with an object that was restored together with its status.
fn of_this_generation(object: &Value) -> Verdict {
    match (object::generation(object), object::observed_generation(object)) {
        (Some(wanted), Some(observed)) if wanted != observed => {
            pending(format!("its status is of generation {observed}, the object is at {wanted}"))
        }
        _ => Ok(()),
    }
}

/// For kinds whose controller always says which generation it has seen.
fn observed(object: &Value) -> Verdict {
    match object::observed_generation(object) {
        Some(_) => Ok(()),
        None => pending("its controller has not looked at it yet"),
    }
}

/// A workload that is scaled to zero does nothing. Another step or an autoscaler may scale it up, so this is no
/// failure.
fn not_at_zero(wanted: i64, around: &Around<'_>) -> Verdict {
    if wanted == 0 && !around.zero_is_ready { pending("is scaled to 0 replicas") } else { Ok(()) }
}
