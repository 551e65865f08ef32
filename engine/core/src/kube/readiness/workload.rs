//! Deployment, `ReplicaSet`, `ReplicationController` and `DaemonSet`.
//!
//! Duty: the rules of kubectl's `rollout_status.go`, and those of kstatus that are stricter. It must not look at pods:
//! what a controller counted is what counts.

use serde_json::Value;

use super::{Around, Verdict, failed, not_at_zero, observed, pending};
use crate::kube::{object, words};

fn status(object: &Value, field: &str) -> i64 {
    object::number(object, &format!("/status/{field}")).unwrap_or(0)
}

/// Why no more pods come, when the controller was refused them: a quota, an admission webhook, a missing account.
fn refused(object: &Value) -> String {
    object::condition(object, "ReplicaFailure")
        .filter(object::Condition::is_true)
        .map_or_else(String::new, |failure| format!("; {}", failure.why()))
}

/// A Deployment is ready when all its replicas are updated and available, and none of another revision are left.
pub(super) fn deployment(object: &Value, around: &Around<'_>) -> Verdict {
    observed(object)?;
    // The API server writes the default, 1, into the object; a bare manifest may not have it.
    let wanted = object::number(object, "/spec/replicas").unwrap_or(1);
    not_at_zero(wanted, around)?;
    if let Some(progressing) = object::condition(object, "Progressing")
        && progressing.reason == "ProgressDeadlineExceeded"
    {
        let deadline = object::number(object, "/spec/progressDeadlineSeconds").unwrap_or(600);
        let deadline = words::length(u64::try_from(deadline).unwrap_or(0).saturating_mul(1_000));
        return failed(format!(
            "made no progress for {deadline}, its deadline ({}){}; look at the pods of its newest ReplicaSet",
            progressing.why(),
            refused(object),
        ));
    }
    let (replicas, updated) = (status(object, "replicas"), status(object, "updatedReplicas"));
    if updated < wanted {
        let paused =
            if object::flag(object, "/spec/paused") { ", and its rollout is paused (spec.paused)" } else { "" };
        return pending(format!("{} updated{paused}{}", words::of(updated, wanted, "replica"), refused(object)));
    }
    if replicas > updated {
        return pending(words::still(replicas.saturating_sub(updated), "replica", "of a former revision"));
    }
    // kubectl would call a Deployment scaled down as soon as it is asked for; whoever fences a service must know that
    // nothing runs any more.
    too_many(replicas, wanted)?;
    let available = status(object, "availableReplicas");
    if available < wanted {
        return pending(format!("{} available{}", words::of(available, wanted, "replica"), refused(object)));
    }
    Ok(())
}

fn too_many(replicas: i64, wanted: i64) -> Verdict {
    if replicas > wanted {
        return pending(words::still(
            replicas.saturating_sub(wanted),
            "replica",
            &format!("more than the {wanted} wanted"),
        ));
    }
    Ok(())
}

/// A `ReplicaSet` is ready when its replicas are available.
pub(super) fn replica_set(object: &Value, around: &Around<'_>) -> Verdict {
    observed(object)?;
    let wanted = object::number(object, "/spec/replicas").unwrap_or(1);
    // A Deployment keeps the ReplicaSets of former revisions, at zero: those are as they should be.
    let owned = !object::list(object, "/metadata/ownerReferences").is_empty();
    if !owned {
        not_at_zero(wanted, around)?;
    }
    let available = status(object, "availableReplicas");
    if available < wanted {
        return pending(format!("{} available{}", words::of(available, wanted, "replica"), refused(object)));
    }
    too_many(status(object, "replicas"), wanted)
}

/// A `DaemonSet` is ready when the pod on every node that it wants is updated and available. It may want none: which
/// nodes a cluster has is no property of the `DaemonSet`.
pub(super) fn daemon_set(object: &Value) -> Verdict {
    observed(object)?;
    let wanted = status(object, "desiredNumberScheduled");
    let updated = status(object, "updatedNumberScheduled");
    if updated < wanted {
        let why = format!("the pods of {} updated", words::of(updated, wanted, "node"));
        if object::text(object, "/spec/updateStrategy/type") == "OnDelete" {
            return failed(format!("{why}; it replaces a pod only when somebody deletes it (updateStrategy OnDelete)"));
        }
        return pending(why);
    }
    let available = status(object, "numberAvailable");
    if available < wanted {
        return pending(format!("the pods of {} available", words::of(available, wanted, "node")));
    }
    Ok(())
}
