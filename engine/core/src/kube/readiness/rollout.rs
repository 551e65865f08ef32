//! Argo Rollouts' Rollout.
//!
//! Duty: the rules of `utils/rollout/rolloututil.go` there. It is judged apart from everything else because its
//! `status.observedGeneration` is a text, and before version 0.10 not even a number.

use serde_json::Value;

use super::{Around, Verdict, failed, not_at_zero, pending};
use crate::kube::{object, words};

/// A Rollout is ready when its phase is `Healthy` for this generation.
pub(super) fn rollout(object: &Value, around: &Around<'_>) -> Verdict {
    let (wanted, observed) = (object::generation(object).unwrap_or(0), object::observed_generation(object));
    if object::text(object, "/status/observedGeneration").is_empty() && observed.is_none() {
        return pending("its controller has not looked at it yet");
    }
    if let Some(observed) = observed.filter(|&observed| observed < wanted) {
        return pending(format!("its status is of generation {observed}, the object is at {wanted}"));
    }
    not_at_zero(object::number(object, "/spec/replicas").unwrap_or(1), around)?;
    let paused = object::list(object, "/status/pauseConditions");
    if object::flag(object, "/status/controllerPause") && paused.is_empty() {
        return pending("is about to go on after a pause");
    }
    let message = words::quote(object::text(object, "/status/message"));
    let because = if message.is_empty() { String::new() } else { format!(" ({message})") };
    if object::flag(object, "/status/abort") {
        return failed(format!("was aborted{because}; retry it, or go back to the stable revision"));
    }
    match object::text(object, "/status/phase") {
        "Healthy" => Ok(()),
        "Degraded" => failed(format!("is degraded{because}; look at its newest ReplicaSet and its analysis runs")),
        "Paused" => pending(format!("is paused{because}: it goes on when its pause ends or somebody promotes it")),
        "" => pending("its controller has not told a phase yet"),
        phase => pending(format!("is {}{because}", phase.to_lowercase())),
    }
}
