//! Pod.
//!
//! Duty: whether one pod serves, and if not, the one thing that holds it up: scheduling, an image, a missing Secret, a
//! crash. It must not know who made the pod.
//!
//! A reason is a failure only when nothing but another manifest can mend it. Images, Secrets and dependencies appear
//! while a platform is being restored, so waiting for them makes sense, however bad they look.

use serde_json::Value;

use super::{Verdict, failed, pending};
use crate::kube::{object, words};

/// A pod is ready when it runs and its condition `Ready` is true, or when it has done its work.
pub(super) fn pod(object: &Value) -> Verdict {
    match object::text(object, "/status/phase") {
        "Succeeded" => return Ok(()),
        "Failed" => return failed(format!("ended in failure{}", end(object))),
        "" => return pending("has not been seen by the cluster yet"),
        "Unknown" => return pending(format!("cannot be reached: {}", status_text(object))),
        _ => {}
    }
    let containers = object::list(object, "/status/containerStatuses");
    let ready = object::condition(object, "Ready");
    if object::text(object, "/status/phase") == "Running" && ready.is_some_and(|ready| ready.is_true()) {
        return Ok(());
    }
    if let Some(scheduled) = object::condition(object, "PodScheduled").filter(object::Condition::is_false) {
        return pending(match scheduled.reason {
            "SchedulingGated" => format!("waits for its scheduling gates to be taken away: {}", gates(object)),
            _ => format!("has no node: {}", scheduled.why()),
        });
    }
    let init = object::list(object, "/status/initContainerStatuses");
    for (status, what) in init.iter().map(|c| (c, "init container")).chain(containers.iter().map(|c| (c, "container")))
    {
        trouble(status, what)?;
    }
    if let Some(running) = init.iter().find(|status| !is_done(status) && !is_sidecar(object, status)) {
        return pending(format!("its init container `{}` has not finished", object::text(running, "/name")));
    }
    let up = containers.iter().filter(|status| object::flag(status, "/ready")).count();
    let (up, all) = (number(up), number(containers.len()));
    if all == 0 {
        return pending("its containers have not been created");
    }
    if up < all {
        return pending(format!("{} ready", words::of(up, all, "container")));
    }
    // All containers are, so a readiness gate or the node is what is missing.
    pending(ready.map_or_else(|| "is not ready".to_owned(), |ready| ready.why()))
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn is_done(status: &Value) -> bool {
    object::number(status, "/state/terminated/exitCode") == Some(0)
}

/// An init container that restarts always is a sidecar (1.28): it is started, not awaited.
fn is_sidecar(object: &Value, status: &Value) -> bool {
    object::flag(status, "/started")
        && object::list(object, "/spec/initContainers").iter().any(|container| {
            container.get("name") == status.get("name") && object::text(container, "/restartPolicy") == "Always"
        })
}

fn gates(object: &Value) -> String {
    let names: Vec<&str> =
        object::list(object, "/spec/schedulingGates").iter().map(|gate| object::text(gate, "/name")).collect();
    words::list(&names, 3)
}

fn status_text(object: &Value) -> String {
    let text = words::because(object::text(object, "/status/reason"), object::text(object, "/status/message"));
    if text.is_empty() { "its node does not answer".to_owned() } else { text }
}

/// What holds up one container, if anything does.
fn trouble(status: &Value, what: &str) -> Verdict {
    let name = object::text(status, "/name");
    let reason = object::text(status, "/state/waiting/reason");
    let message = words::because(reason, object::text(status, "/state/waiting/message"));
    match reason {
        // What every container goes through.
        "" | "ContainerCreating" | "PodInitializing" => Ok(()),
        "InvalidImageName" => failed(format!("its {what} `{name}` names an image that cannot be one ({message})")),
        "CrashLoopBackOff" => {
            let restarts = object::number(status, "/restartCount").unwrap_or(0);
            let last = exit(status, "/lastState/terminated").map_or_else(String::new, |exit| format!(", last {exit}"));
            pending(format!(
                "its {what} `{name}` keeps ending (CrashLoopBackOff): {}{last}",
                words::count(restarts, "restart")
            ))
        }
        "ErrImagePull" | "ImagePullBackOff" => pending(format!(
            "the image `{}` of its {what} `{name}` cannot be pulled ({message})",
            object::text(status, "/image")
        )),
        _ => pending(format!("its {what} `{name}` waits ({message})")),
    }
}

/// How a container ended: `with exit code 137 (OOMKilled)`.
fn exit(status: &Value, pointer: &str) -> Option<String> {
    let ended = status.pointer(pointer)?;
    let code = object::number(ended, "/exitCode")?;
    let reason = match object::text(ended, "/reason") {
        "" | "Error" | "Completed" => String::new(),
        reason => format!(" ({reason})"),
    };
    Some(format!("with exit code {code}{reason}"))
}

/// Why a pod failed, and what to look at.
fn end(object: &Value) -> String {
    let text = words::because(object::text(object, "/status/reason"), object::text(object, "/status/message"));
    let broken = object::list(object, "/status/initContainerStatuses")
        .iter()
        .chain(object::list(object, "/status/containerStatuses"))
        .find(|status| object::number(status, "/state/terminated/exitCode").is_some_and(|code| code != 0));
    let container = broken.and_then(|status| {
        let name = object::text(status, "/name");
        exit(status, "/state/terminated").map(|exit| format!("container `{name}` ended {exit}; look at its log"))
    });
    match (text.is_empty(), container) {
        (true, None) => String::new(),
        (true, Some(container)) => format!(": {container}"),
        (false, None) => format!(" ({text})"),
        (false, Some(container)) => format!(" ({text}): {container}"),
    }
}
