//! What extends the API: `CustomResourceDefinition` and `APIService`.
//!
//! Duty: whether objects of such a kind can be read and written now.

use serde_json::Value;

use super::{Verdict, failed, pending};
use crate::kube::{object, words};

/// A definition is ready when its names are accepted, it is established, and it serves a version.
pub(super) fn definition(object: &Value) -> Verdict {
    if served(object).next().is_none() {
        return failed("serves no version; look at spec.versions");
    }
    if let Some(names) = object::condition(object, "NamesAccepted").filter(object::Condition::is_false) {
        return failed(format!("its names are not accepted ({}); another definition has them", names.why()));
    }
    match object::condition(object, "Established") {
        Some(established) if established.is_true() => Ok(()),
        // Any other reason is the end of it, as for kstatus.
        Some(established) if established.is_false() && established.reason != "Installing" => {
            failed(format!("is not established ({})", established.why()))
        }
        _ => pending("is not established yet"),
    }
}

fn served(definition: &Value) -> impl Iterator<Item = &str> {
    object::list(definition, "/spec/versions")
        .iter()
        .filter(|version| object::flag(version, "/served"))
        .map(|version| object::text(version, "/name"))
}

/// Whether a definition serves a version, such as `v1`.
///
/// # Errors
///
/// What it serves instead: objects of a version that is not served cannot be restored, and Velero passes them over in
/// silence.
pub fn serves(definition: &Value, version: &str) -> Result<(), String> {
    let served: Vec<&str> = served(definition).collect();
    if served.contains(&version) {
        return Ok(());
    }
    let instead = if served.is_empty() { "no version".to_owned() } else { format!("only {}", words::list(&served, 6)) };
    Err(format!("does not serve {version}, {instead}"))
}

/// An aggregated API is ready when it is available. One that is not breaks discovery, and with it the deletion of
/// every namespace.
pub(super) fn api_service(object: &Value) -> Verdict {
    match object::condition(object, "Available") {
        Some(available) if available.is_true() => Ok(()),
        Some(available) => pending(format!("is not available ({})", available.why())),
        None => pending("its availability is not known yet"),
    }
}
