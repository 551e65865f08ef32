//! Any Kubernetes object: its names, generations and conditions, and what must not be shown of it.
//!
//! Duty: reading what all kinds share. It must not judge anything. Objects come from outside: whatever is missing or
//! of another type reads as absent, and nothing in here fails.

use jiff::Timestamp;
use serde_json::Value;

mod condition;
mod redact;

pub use condition::{Condition, condition, conditions, conditions_of, find};
pub use redact::{HIDDEN, LAST_APPLIED, redact};

/// The text at a JSON pointer; empty when there is none.
#[must_use]
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a JSON pointer. Some controllers write numbers as texts (Argo Rollouts its
/// `status.observedGeneration`), so a text of digits counts as well.
#[must_use]
pub fn number(object: &Value, pointer: &str) -> Option<i64> {
    match object.pointer(pointer)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The boolean at a JSON pointer; `false` when there is none.
#[must_use]
pub fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
}

/// The list at a JSON pointer; empty when there is none.
#[must_use]
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of a list at a JSON pointer; what is no text is left out.
pub fn texts<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
    list(object, pointer).iter().filter_map(Value::as_str)
}

/// The instant at a JSON pointer, written as RFC 3339.
#[must_use]
pub fn instant(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// `metadata.name`; empty when there is none.
#[must_use]
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`; `None` for what is not in a namespace, and for manifests that leave it to the caller.
#[must_use]
pub fn namespace(object: &Value) -> Option<&str> {
    Some(text(object, "/metadata/namespace")).filter(|namespace| !namespace.is_empty())
}

/// `kind`; empty when there is none. The items of a typed list of the API have neither kind nor `apiVersion`.
#[must_use]
pub fn kind(object: &Value) -> &str {
    text(object, "/kind")
}

/// `apiVersion`, such as `apps/v1`; empty when there is none.
#[must_use]
pub fn api_version(object: &Value) -> &str {
    text(object, "/apiVersion")
}

/// The group of the `apiVersion`: `apps`, and empty for the core group.
#[must_use]
pub fn group(object: &Value) -> &str {
    api_version(object).rsplit_once('/').map_or("", |(group, _)| group)
}

/// The version of the `apiVersion`: `v1`.
#[must_use]
pub fn version(object: &Value) -> &str {
    api_version(object).rsplit_once('/').map_or_else(|| api_version(object), |(_, version)| version)
}

/// `metadata.uid`: which of all objects that ever had this name it is.
#[must_use]
pub fn uid(object: &Value) -> Option<&str> {
    Some(text(object, "/metadata/uid")).filter(|uid| !uid.is_empty())
}

/// `metadata.generation`: counts the changes of what is wanted.
#[must_use]
pub fn generation(object: &Value) -> Option<i64> {
    number(object, "/metadata/generation")
}

/// `status.observedGeneration`: the generation that the status speaks of.
#[must_use]
pub fn observed_generation(object: &Value) -> Option<i64> {
    number(object, "/status/observedGeneration")
}

/// `metadata.resourceVersion`: opaque; only good for comparing two readings for equality.
#[must_use]
pub fn resource_version(object: &Value) -> Option<&str> {
    Some(text(object, "/metadata/resourceVersion")).filter(|version| !version.is_empty())
}

/// When its deletion was asked for, if it was; it stays until its finalizers are gone.
#[must_use]
pub fn deleting_since(object: &Value) -> Option<Timestamp> {
    instant(object, "/metadata/deletionTimestamp")
}

/// Who holds up its deletion: `metadata.finalizers`, and for a Namespace also `spec.finalizers`.
pub fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    let spec = if kind(object) == "Namespace" { "/spec/finalizers" } else { "/none" };
    texts(object, "/metadata/finalizers").chain(texts(object, spec))
}

/// The value of a label.
#[must_use]
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}

/// The value of an annotation.
#[must_use]
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(key)?.as_str()
}

/// What people call it: `Deployment shop/api`, `Namespace shop`.
#[must_use]
pub fn describe(object: &Value) -> String {
    let kind = if kind(object).is_empty() { "object" } else { kind(object) };
    let name = match (name(object), text(object, "/metadata/generateName")) {
        ("", "") => "?".to_owned(),
        ("", prefix) => format!("{prefix}*"),
        (name, _) => name.to_owned(),
    };
    namespace(object).map_or_else(|| format!("{kind} {name}"), |namespace| format!("{kind} {namespace}/{name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_all_kinds_share() {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "api", "namespace": "shop", "uid": "u-1", "generation": 4, "resourceVersion": "812",
                "labels": {"app": "api"}, "annotations": {"example.com/note": "x"},
                "deletionTimestamp": "2026-11-21T02:20:28Z", "finalizers": ["a/b", 7]
            },
            "status": {"observedGeneration": "3"}
        });
        assert_eq!(describe(&object), "Deployment shop/api");
        assert_eq!((group(&object), version(&object)), ("apps", "v1"));
        assert_eq!((generation(&object), observed_generation(&object)), (Some(4), Some(3)));
        assert_eq!((uid(&object), resource_version(&object)), (Some("u-1"), Some("812")));
        assert_eq!(label(&object, "app"), Some("api"));
        assert_eq!(annotation(&object, "example.com/note"), Some("x"));
        assert_eq!(deleting_since(&object), "2026-11-21T02:20:28Z".parse().ok());
        assert_eq!(finalizers(&object).collect::<Vec<_>>(), ["a/b"]);
    }

    #[test]
    fn names_what_has_little_of_one() {
        for (object, name) in [
            (json!({}), "object ?"),
            (json!(null), "object ?"),
            (json!({"kind": "Namespace", "metadata": {"name": "shop"}}), "Namespace shop"),
            (json!({"kind": "Job", "metadata": {"generateName": "load-", "namespace": "shop"}}), "Job shop/load-*"),
        ] {
            assert_eq!(describe(&object), name);
        }
        let core = json!({"apiVersion": "v1"});
        assert_eq!((group(&core), version(&core)), ("", "v1"));
    }

    #[test]
    fn a_namespace_has_finalizers_of_its_own() {
        let object = json!({"kind": "Namespace", "spec": {"finalizers": ["kubernetes"]}});
        assert_eq!(finalizers(&object).collect::<Vec<_>>(), ["kubernetes"]);
    }
}
