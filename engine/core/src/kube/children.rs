//! What a Flux or Argo CD object has applied.
//!
//! Duty: reading the list that the object keeps, so that each child can be looked at by itself: neither tool's own
//! verdict is about all of them (Flux waits only if told to, Argo CD does not look at the health of child
//! Applications).

use serde::Serialize;
use serde_json::Value;

use super::object;

/// An object, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ObjectRef {
    /// Its API group; empty for the core group.
    pub group: String,
    /// Its API version, if the list says it.
    pub version: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Its namespace, if it is in one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// `Deployment shop/api`.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { kind, namespace, name, .. } = self;
        namespace.as_ref().map_or_else(|| format!("{kind} {name}"), |namespace| format!("{kind} {namespace}/{name}"))
    }
}

/// The children of an object: `status.inventory.entries[]` of a Flux Kustomization or `HelmRelease`,
/// `status.resources[]` of an Argo CD Application. Hooks and what is about to be pruned are left out, because they go
/// away by themselves.
#[must_use]
pub fn children(parent: &Value) -> Vec<ObjectRef> {
    let entries = object::list(parent, "/status/inventory/entries").iter().filter_map(entry);
    let resources = object::list(parent, "/status/resources").iter().filter_map(resource);
    entries.chain(resources).collect()
}

fn filled(text: &str) -> Option<String> {
    Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// `<namespace>_<name>_<group>_<kind>` (cli-utils, `pkg/object/objmetadata.go`); a colon in the name of a role is
/// written as two underscores.
fn entry(entry: &Value) -> Option<ObjectRef> {
    let (namespace, rest) = object::text(entry, "/id").split_once('_')?;
    let (rest, kind) = rest.rsplit_once('_')?;
    let (name, group) = rest.rsplit_once('_')?;
    Some(ObjectRef {
        group: group.to_owned(),
        version: filled(object::text(entry, "/v")),
        kind: filled(kind)?,
        namespace: filled(namespace),
        name: filled(&name.replace("__", ":"))?,
    })
}

fn resource(resource: &Value) -> Option<ObjectRef> {
    if object::flag(resource, "/hook") || object::flag(resource, "/requiresPruning") {
        return None;
    }
    Some(ObjectRef {
        group: object::text(resource, "/group").to_owned(),
        version: filled(object::text(resource, "/version")),
        kind: filled(object::text(resource, "/kind"))?,
        namespace: filled(object::text(resource, "/namespace")),
        name: filled(object::text(resource, "/name"))?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(parent: &Value) -> Vec<String> {
        children(parent).iter().map(ObjectRef::describe).collect()
    }

    #[test]
    fn of_flux() {
        let parent = json!({"status": {"inventory": {"entries": [
            {"id": "shop_api_apps_Deployment", "v": "v1"},
            {"id": "_shop__Namespace", "v": "v1"},
            {"id": "_system__shop__view_rbac.authorization.k8s.io_ClusterRole", "v": "v1"},
            {"id": "nonsense"}, {}
        ]}}});
        assert_eq!(names(&parent), ["Deployment shop/api", "Namespace shop", "ClusterRole system:shop:view"]);
        let first = &children(&parent)[0];
        assert_eq!((first.group.as_str(), first.version.as_deref()), ("apps", Some("v1")));
        assert_eq!(children(&parent)[1].group, "");
    }

    #[test]
    fn of_argo_cd() {
        let parent = json!({"status": {"resources": [
            {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": "api"},
            {"kind": "Namespace", "name": "shop", "version": "v1"},
            {"group": "batch", "kind": "Job", "namespace": "shop", "name": "migrate", "hook": true},
            {"kind": "ConfigMap", "namespace": "shop", "name": "old", "requiresPruning": true},
            {"kind": "", "name": "x"}
        ]}});
        assert_eq!(names(&parent), ["Deployment shop/api", "Namespace shop"]);
        assert_eq!(children(&json!({})), []);
    }
}
