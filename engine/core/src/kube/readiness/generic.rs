//! Every kind without rules of its own.
//!
//! Duty: what conditions mean by convention, as kstatus reads them (`pkg/kstatus/status/generic.go`), and two of its
//! blind spots closed: conditions of a former generation, and a controller that has not written anything yet.

use serde_json::Value;

use super::{Verdict, failed, pending};
use crate::kube::object::{self, Condition};

/// Conditions that are true when all is well. kstatus knows only the first; objects without it that have one of the
/// others (crossplane, the Prometheus operator, `OpenShift`) mean the same by it.
const GOOD: [&str; 4] = ["Ready", "Available", "Healthy", "Synced"];

/// Groups whose objects get a status from a controller, each with the kinds that do; empty: all. An object of theirs
/// without one has not been looked at. Of kinds that are not known here nobody can say that, and without a status they
/// are ready, as for kstatus.
const CONTROLLED: [(&str, &[&str]); 13] = [
    ("cert-manager.io", &[]),
    ("external-secrets.io", &["ExternalSecret", "SecretStore", "ClusterSecretStore", "ClusterExternalSecret"]),
    ("gateway.networking.k8s.io", &["GatewayClass"]),
    ("kustomize.toolkit.fluxcd.io", &[]),
    ("helm.toolkit.fluxcd.io", &[]),
    ("source.toolkit.fluxcd.io", &[]),
    ("image.toolkit.fluxcd.io", &[]),
    ("notification.toolkit.fluxcd.io", &["Receiver"]),
    ("cluster.x-k8s.io", &["Cluster", "Machine", "MachineSet", "MachineDeployment"]),
    ("kafka.strimzi.io", &["Kafka", "KafkaConnect", "KafkaTopic", "KafkaUser", "KafkaNodePool"]),
    ("serving.knative.dev", &[]),
    ("keda.sh", &["ScaledObject"]),
    ("pkg.crossplane.io", &["Provider", "Configuration", "Function"]),
];

/// Nothing stalls, nothing is going on, and what says that all is well does.
pub(super) fn generic(object: &Value) -> Verdict {
    let generation = object::generation(object);
    let holds = |kind: &str| {
        object::condition(object, kind).filter(|condition| condition.is_true() && !condition.is_of_another(generation))
    };
    if let Some(stalled) = holds("Stalled") {
        return failed(format!("has stalled ({})", stalled.why()));
    }
    if let Some(reconciling) = holds("Reconciling") {
        // While Flux tries again, why it has to is in `Ready`.
        let why = object::condition(object, "Ready")
            .filter(|ready| reconciling.reason == "ProgressingWithRetry" && ready.is_false())
            .map_or_else(
                || format!("is being reconciled ({})", reconciling.why()),
                |ready| format!("is being tried again ({})", ready.why()),
            );
        return pending(why);
    }
    let mut found = false;
    for kind in GOOD {
        let Some(condition) = object::condition(object, kind) else { continue };
        // The first one is the word of the controller on all of the object. Others only add bad news: not every
        // controller keeps them up to date.
        if found {
            if condition.is_false() && !condition.is_of_another(generation) {
                return pending(not(&condition));
            }
            continue;
        }
        found = true;
        if let Some((observed, wanted)) = condition.observed_generation.zip(generation)
            && observed != wanted
        {
            return pending(format!("its condition {kind} is of generation {observed}, the object is at {wanted}"));
        }
        if !condition.is_true() {
            return pending(not(&condition));
        }
    }
    if let Some(accepted) = object::condition(object, "Accepted").filter(|_| !found) {
        found = true;
        if !accepted.is_true() {
            return pending(not(&accepted));
        }
    }
    if found || !is_controlled(object) { Ok(()) } else { pending("its controller has not reported yet") }
}

fn not(condition: &Condition<'_>) -> String {
    match (condition.kind, condition.status) {
        ("Ready", "Unknown") => format!("does not know yet whether it is ready ({})", condition.why()),
        (kind, _) => format!("is not {} ({})", kind.to_lowercase(), condition.why()),
    }
}

fn is_controlled(object: &Value) -> bool {
    let (group, kind) = (object::group(object), object::kind(object));
    CONTROLLED.iter().any(|(known, kinds)| *known == group && (kinds.is_empty() || kinds.contains(&kind)))
}
