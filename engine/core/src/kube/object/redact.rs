//! What an object holds that must not go into a log, a report or a difference.
//!
//! Duty: taking it out of the object itself. Values that a runbook declares secret are `crate::mask`'s, wherever they
//! stand; here nothing is known but the shape of objects.

use serde_json::Value;

/// What stands for a hidden value.
pub const HIDDEN: &str = "***";

/// The annotation in which `kubectl apply` keeps the whole object, for a Secret with all its values.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Hides the values of a Secret, `data` and `stringData`: keys stay, because which keys there are is what evidence
/// needs; and the copy of them in [`LAST_APPLIED`]. From every object it drops `metadata.managedFields`, which is
/// bookkeeping of the API server and often longer than the rest. Lists are followed into their items.
pub fn redact(object: &mut Value) {
    let kind = super::kind(object);
    // The items of a `SecretList` that the API sends have no kind of their own.
    let secrets = kind == "SecretList";
    if kind == "Secret" {
        hide(object);
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    for item in object.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
        if secrets {
            hide(item);
        }
        redact(item);
    }
}

fn hide(secret: &mut Value) {
    for part in ["data", "stringData"] {
        match secret.get_mut(part) {
            Some(Value::Object(values)) => values.values_mut().for_each(|value| *value = HIDDEN.into()),
            // Not the form of a Secret, so whatever it is, it is not shown.
            Some(other) if !other.is_null() => *other = HIDDEN.into(),
            _ => {}
        }
    }
    if let Some(copy) = secret.pointer_mut("/metadata/annotations").and_then(|all| all.get_mut(LAST_APPLIED)) {
        *copy = HIDDEN.into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hides_what_a_secret_holds() {
        let secret = || {
            json!({
                "metadata": {"name": "db", "managedFields": [{"manager": "x"}],
                             "annotations": {LAST_APPLIED: "{\"data\":{\"password\":\"aHVudGVyMg==\"}}", "note": "kept"}},
                "data": {"password": "aHVudGVyMg=="}, "stringData": {"user": "hunter2"}, "type": "Opaque"
            })
        };
        let hidden = json!({
            "metadata": {"name": "db", "annotations": {LAST_APPLIED: "***", "note": "kept"}},
            "data": {"password": "***"}, "stringData": {"user": "***"}, "type": "Opaque"
        });
        let with_kind = |mut object: Value| {
            object["kind"] = "Secret".into();
            object
        };
        for (mut object, wanted) in [
            (with_kind(secret()), with_kind(hidden.clone())),
            (
                json!({"kind": "SecretList", "items": [secret()]}),
                json!({"kind": "SecretList", "items": [hidden.clone()]}),
            ),
            (
                json!({"kind": "List", "items": [with_kind(secret()), {"kind": "ConfigMap", "data": {"a": "b"}}]}),
                json!({"kind": "List", "items": [with_kind(hidden.clone()), {"kind": "ConfigMap", "data": {"a": "b"}}]}),
            ),
            (json!({"kind": "Secret", "data": "aHVudGVyMg=="}), json!({"kind": "Secret", "data": "***"})),
            (json!({"kind": "Secret", "data": null}), json!({"kind": "Secret", "data": null})),
            (json!("hunter2 is no object"), json!("hunter2 is no object")),
        ] {
            redact(&mut object);
            assert_eq!(object, wanted);
        }
    }

    #[test]
    fn leaves_other_kinds_alone_but_for_bookkeeping() {
        let mut object =
            json!({"kind": "ConfigMap", "metadata": {"managedFields": [], "name": "a"}, "data": {"k": "v"}});
        redact(&mut object);
        assert_eq!(object, json!({"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}));
    }
}
