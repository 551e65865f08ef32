//! Who else manages a field that a server-side apply wants to change.
//!
//! Duty: the answer 409 of a server-side apply (`managedfields/internal/conflict.go` of apimachinery). Whether to take
//! a field over is the author's to say.

use serde_json::Value;

use crate::kube::{object, words};

/// A field that belongs to another manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The manager: `kubectl-client-side-apply`, `kube-controller-manager`, `argocd-controller`; `?` when the answer
    /// does not name it.
    pub manager: String,
    /// The field, as the server writes it: `.spec.template.spec.containers[name="app"].image`.
    pub field: String,
    /// What the server wrote.
    pub message: String,
}

/// Reads the conflicts of a `Status`. Empty when it is another answer: a 409 is also how a server says that an object
/// exists, or was changed since it was read.
#[must_use]
pub fn conflicts(status: &Value) -> Vec<Conflict> {
    let causes = object::list(status, "/details/causes").iter();
    causes
        .filter(|cause| object::text(cause, "/reason") == "FieldManagerConflict")
        .map(|cause| {
            let message = words::quote(object::text(cause, "/message"));
            // `conflict with "kubectl" with subresource "scale" using apps/v1 at 2026-…`
            let manager = message.split('"').nth(1).unwrap_or("?").to_owned();
            Conflict { manager, field: object::text(cause, "/field").to_owned(), message }
        })
        .collect()
}

/// One sentence for people: `.spec.replicas belongs to keda-operator; leave it out of the manifest, or take it over
/// with force`. At most `most` fields are named.
#[must_use]
pub fn sentence(conflicts: &[Conflict], most: usize) -> String {
    let named: Vec<String> =
        conflicts.iter().map(|Conflict { manager, field, .. }| format!("{field} belongs to {manager}")).collect();
    let them = if named.len() == 1 { "it" } else { "them" };
    format!("{}; leave {them} out of the manifest, or take {them} over with force", words::list(&named, most))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_conflicts() {
        let status = json!({"kind": "Status", "status": "Failure", "reason": "Conflict", "code": 409, "details": {"causes": [
            {"reason": "FieldManagerConflict", "message": "conflict with \"keda-operator\" with subresource \"scale\" using apps/v1", "field": ".spec.replicas"},
            {"reason": "FieldManagerConflict", "message": "conflict", "field": ".spec.paused"},
            {"reason": "FieldValueInvalid", "message": "x", "field": "y"}
        ]}});
        let found = conflicts(&status);
        assert_eq!(
            found[0],
            Conflict {
                manager: "keda-operator".into(),
                field: ".spec.replicas".into(),
                message: "conflict with \"keda-operator\" with subresource \"scale\" using apps/v1".into()
            }
        );
        assert_eq!(found[1].manager, "?");
        assert_eq!(
            sentence(&found[..1], 3),
            ".spec.replicas belongs to keda-operator; leave it out of the manifest, or take it over with force"
        );
        assert_eq!(
            sentence(&found, 1),
            ".spec.replicas belongs to keda-operator and 1 more; leave them out of the manifest, or take them over with \
             force"
        );
        assert_eq!(conflicts(&json!({"reason": "AlreadyExists", "code": 409})), []);
    }
}
