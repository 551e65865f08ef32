//! Whether somebody may do something: access reviews of `authorization.k8s.io/v1`.
//!
//! Duty: what to ask the API server, and what its answer means. It proves the cluster's own rules only: whether a
//! cloud trusts the same account must be tried there.

use std::fmt;

use serde_json::{Map, Value, json};

use super::words;

/// What somebody wants to do. A part that is empty is left out, which means all for a namespace or a name, and the
/// core group for a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes<'a> {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, …
    pub verb: &'a str,
    /// The API group.
    pub group: &'a str,
    /// The API version; without it any.
    pub version: &'a str,
    /// The resource, in lower case and plural: `deployments`.
    pub resource: &'a str,
    /// What of it: `scale`, `status`, `log`.
    pub subresource: &'a str,
    /// The namespace.
    pub namespace: &'a str,
    /// The name of one object.
    pub name: &'a str,
    /// A path of the server, such as `/readyz`, instead of a resource.
    pub path: &'a str,
}

impl fmt::Display for Attributes<'_> {
    /// `patch deployments.apps/scale api in namespace shop`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            return write!(f, "{} {}", self.verb, self.path);
        }
        write!(f, "{} {}", self.verb, self.resource)?;
        for (before, part) in [(".", self.group), ("/", self.subresource), (" ", self.name)] {
            if !part.is_empty() {
                write!(f, "{before}{part}")?;
            }
        }
        if self.namespace.is_empty() { Ok(()) } else { write!(f, " in namespace {}", self.namespace) }
    }
}

/// What an access review says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It is allowed.
    Allowed,
    /// It is not.
    Denied {
        /// Why, as far as the server says.
        reason: String,
    },
    /// The server does not know: one of its authorizers failed, or there is no answer.
    Inconclusive {
        /// Why.
        why: String,
    },
}

fn spec(attributes: &Attributes<'_>) -> Map<String, Value> {
    let part = |fields: &[(&str, &str)]| {
        let fields = fields.iter().filter(|(_, text)| !text.is_empty());
        fields.map(|&(key, text)| (key.to_owned(), text.into())).collect::<Map<String, Value>>()
    };
    let (key, fields) = if attributes.path.is_empty() {
        let fields = part(&[
            ("namespace", attributes.namespace),
            ("verb", attributes.verb),
            ("group", attributes.group),
            ("version", attributes.version),
            ("resource", attributes.resource),
            ("subresource", attributes.subresource),
            ("name", attributes.name),
        ]);
        ("resourceAttributes", fields)
    } else {
        ("nonResourceAttributes", part(&[("path", attributes.path), ("verb", attributes.verb)]))
    };
    Map::from_iter([(key.to_owned(), fields.into())])
}

fn review(kind: &str, spec: Map<String, Value>) -> Value {
    json!({"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec})
}

/// The question whether whoever asks may do something.
#[must_use]
pub fn self_subject_access_review(attributes: &Attributes<'_>) -> Value {
    review("SelfSubjectAccessReview", spec(attributes))
}

/// The question whether a service account, `(namespace, name)`, may do something. A user without groups is in none, so
/// the three that the server gives every service account are named; else what is granted to them would not count.
#[must_use]
pub fn subject_access_review(service_account: (&str, &str), attributes: &Attributes<'_>) -> Value {
    let (namespace, name) = service_account;
    let mut spec = spec(attributes);
    spec.insert("user".to_owned(), format!("system:serviceaccount:{namespace}:{name}").into());
    spec.insert(
        "groups".to_owned(),
        json!(["system:serviceaccounts", format!("system:serviceaccounts:{namespace}"), "system:authenticated"]),
    );
    review("SubjectAccessReview", spec)
}

/// Reads the answer. `allowed: false` together with an error is not a no: the part of the server that failed might have
/// said yes.
#[must_use]
pub fn judge_review(review: &Value) -> Access {
    let flag = |field: &str| review.pointer(field).and_then(Value::as_bool);
    let text = |field: &str| words::quote(super::object::text(review, field));
    let reason = |default: &str| {
        let reason = text("/status/reason");
        if reason.is_empty() { default.to_owned() } else { reason }
    };
    match (flag("/status/allowed"), flag("/status/denied"), text("/status/evaluationError")) {
        (Some(true), _, _) => Access::Allowed,
        (_, Some(true), _) => Access::Denied { reason: reason("it is denied") },
        (Some(false), _, error) if error.is_empty() => Access::Denied { reason: reason("no rule allows it") },
        (Some(false), _, error) => Access::Inconclusive { why: error },
        (None, _, _) => Access::Inconclusive { why: "the server did not answer the review".to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale() -> Attributes<'static> {
        Attributes {
            verb: "patch",
            group: "apps",
            resource: "deployments",
            subresource: "scale",
            namespace: "shop",
            name: "api",
            ..Attributes::default()
        }
    }

    #[test]
    fn asks() {
        let restores = Attributes { verb: "create", group: "velero.io", resource: "restores", ..Attributes::default() };
        assert_eq!(
            self_subject_access_review(&restores),
            json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {
                "resourceAttributes": {"verb": "create", "group": "velero.io", "resource": "restores"}
            }})
        );
        assert_eq!(
            subject_access_review(("shop", "api"), &scale()),
            json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
                "resourceAttributes": {"namespace": "shop", "verb": "patch", "group": "apps", "resource": "deployments",
                                       "subresource": "scale", "name": "api"},
                "user": "system:serviceaccount:shop:api",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]
            }})
        );
        let path = Attributes { verb: "get", path: "/readyz", ..Attributes::default() };
        assert_eq!(
            self_subject_access_review(&path)["spec"],
            json!({"nonResourceAttributes": {"path": "/readyz", "verb": "get"}})
        );
        assert_eq!(scale().to_string(), "patch deployments.apps/scale api in namespace shop");
        assert_eq!(restores.to_string(), "create restores.velero.io");
        assert_eq!(path.to_string(), "get /readyz");
    }

    #[test]
    fn judges() {
        let denied = |reason: &str| Access::Denied { reason: reason.to_owned() };
        let open = |why: &str| Access::Inconclusive { why: why.to_owned() };
        for (status, wanted) in [
            (json!({"allowed": true}), Access::Allowed),
            (json!({"allowed": true, "evaluationError": "webhook failed"}), Access::Allowed),
            (json!({"allowed": false}), denied("no rule allows it")),
            (json!({"allowed": false, "reason": "access denied by webhook."}), denied("access denied by webhook")),
            (json!({"allowed": false, "denied": true, "evaluationError": "x"}), denied("it is denied")),
            (json!({"allowed": false, "evaluationError": "webhook failed"}), open("webhook failed")),
            (json!({}), open("the server did not answer the review")),
            (json!(null), open("the server did not answer the review")),
        ] {
            assert_eq!(judge_review(&json!({"status": status})), wanted, "{status}");
        }
    }
}
