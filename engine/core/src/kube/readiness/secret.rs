//! External Secrets' `ExternalSecret`, and `SealedSecret`. Stores have nothing but `Ready`, which is `generic`'s.
//!
//! Duty: whether the Secret that they make is there and up to date. It must not look at the Secret.

use serde_json::Value;

use super::{Verdict, generic, pending};
use crate::kube::object;

/// An `ExternalSecret` is ready when its Secret is written as this generation wants it.
pub(super) fn external(object: &Value) -> Verdict {
    generic::generic(object)?;
    let Some(ready) = object::condition(object, "Ready") else {
        return pending("its controller has not reported yet");
    };
    // `Ready` is true as well when the operator has deleted the Secret, or was told never to make it.
    if ready.reason.ends_with("Deleted") || ready.reason.ends_with("Missing") {
        return pending(format!("is settled without a Secret ({})", ready.why()));
    }
    // There is no observedGeneration; `syncedResourceVersion` is the generation and a digest of labels and annotations.
    let once = object::text(object, "/spec/refreshPolicy") == "CreatedOnce"
        || matches!(object::text(object, "/spec/refreshInterval"), "0" | "0s" | "0h" | "0m" | "0h0m0s");
    let synced = object::text(object, "/status/syncedResourceVersion")
        .split_once('-')
        .and_then(|(generation, _)| generation.parse::<i64>().ok());
    match (synced, object::generation(object)) {
        (Some(synced), Some(wanted)) if synced != wanted && !once => {
            pending(format!("was last synced at generation {synced}, the object is at {wanted}"))
        }
        _ => Ok(()),
    }
}

/// A `SealedSecret` is ready when it is unsealed.
pub(super) fn sealed(object: &Value) -> Verdict {
    match object::condition(object, "Synced") {
        Some(synced) if synced.is_true() => Ok(()),
        // The controller gives up after a few attempts, but begins again when it is restarted, which is what restoring
        // its keys needs anyhow.
        Some(synced) if synced.message.contains("no key could decrypt") => pending(
            "no key of the controller opens it: restore the sealing keys (label \
             sealedsecrets.bitnami.com/sealed-secrets-key) and restart the controller",
        ),
        Some(synced) => pending(format!("is not unsealed ({})", synced.why())),
        None => pending("its controller has not reported yet"),
    }
}
