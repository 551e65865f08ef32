//! Job.
//!
//! Duty: a Job is ready when it has succeeded. kstatus calls one current that merely runs, which is why it is not
//! asked.

use serde_json::Value;

use super::{Verdict, failed, pending};
use crate::kube::{object, words};

/// A Job is ready when it is complete, and failed when its controller has given up or is about to.
pub(super) fn job(object: &Value) -> Verdict {
    let holds = |kind: &str| object::condition(object, kind).filter(object::Condition::is_true);
    if holds("Complete").is_some() {
        return Ok(());
    }
    // `FailureTarget` (1.27) says so early, while the last pods are still being stopped.
    if let Some(failure) = holds("Failed").or_else(|| holds("FailureTarget")) {
        return failed(format!("failed ({}); look at the logs of its pods", failure.why()));
    }
    if holds("SuccessCriteriaMet").is_some() {
        return pending("has succeeded; its last pods are ending");
    }
    let suspended = holds("Suspended").is_some() || object::flag(object, "/spec/suspend");
    if suspended {
        // Queues such as Kueue suspend every Job and resume it when there is room.
        return pending("is suspended: none of its pods run until spec.suspend is false");
    }
    let status = |field: &str| object::number(object, &format!("/status/{field}")).unwrap_or(0);
    if object::text(object, "/status/startTime").is_empty() {
        return pending("has not started");
    }
    let parallelism = object::number(object, "/spec/parallelism").unwrap_or(1);
    let completions = object::number(object, "/spec/completions").unwrap_or(parallelism);
    let failures = match status("failed") {
        0 => String::new(),
        pods => format!(
            ", {} failed (it gives up after {})",
            words::count(pods, "pod"),
            object::number(object, "/spec/backoffLimit").unwrap_or(6)
        ),
    };
    pending(format!(
        "runs: {} of {} succeeded, {} active{failures}",
        status("succeeded"),
        completions,
        status("active")
    ))
}
