//! `delete`: Kubernetes objects, until they are gone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Facts, Field,
    kube::{Render, Rendered, Texts},
};
use crate::{model::Template, source::Spanned};

/// Deletes one object by `name`, or those that a `selector` finds, and waits until they are gone; what blocks is told.
/// Objects that are not there are no failure. Exactly one of `name` and `selector`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delete {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// The kind: `Namespace`, `deployments.apps`, or `Restore.velero.io`.
    pub kind: Template,
    /// The API version, where a kind is served in several: `apps/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Template>,
    /// The object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Template>,
    /// A label selector: `app=api,tier!=cache`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Template>,
    /// The namespace, if the kind is a namespaced one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Template>,
    /// What happens to the objects that these own. Without it: `background`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagation: Option<Propagation>,
}

/// What happens to the objects that a deleted one owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Propagation {
    /// They are deleted afterwards.
    Background,
    /// They are deleted first.
    Foreground,
    /// They stay.
    Orphan,
}

impl Render for Delete {
    fn render(&self, texts: &dyn Texts) -> Rendered<Self> {
        Ok(Self {
            cluster: self.cluster.clone(),
            kind: texts.plain(&self.kind)?,
            api_version: texts.option(self.api_version.as_ref())?,
            name: texts.option(self.name.as_ref())?,
            selector: texts.option(self.selector.as_ref())?,
            namespace: texts.option(self.namespace.as_ref())?,
            propagation: self.propagation,
        })
    }
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "delete",
    summary: "deletes Kubernetes objects and waits until they are gone",
    example: "delete: {cluster: recovery, kind: Namespace, name: restore-drill}
irreversible: true",
    result: &[
        Field { name: "deleted", kind: "list", about: "what was deleted: maps of `kind`, `namespace`, `name`, `uid`" },
        Field { name: "absent", kind: "bool", about: "whether there was nothing to delete" },
    ],
    undo_auto: true,
};
