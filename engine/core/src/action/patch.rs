//! `patch`: a change to one Kubernetes object.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Facts, Field,
    kube::{Render, Rendered, Texts},
};
use crate::{model::Template, source::Spanned};

/// Changes one object. Exactly one of `merge`, `strategic` and `json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Patch {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// The kind: `Deployment`, `deployments.apps`, or `Restore.velero.io`.
    pub kind: Template,
    /// The API version, where a kind is served in several: `apps/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Template>,
    /// The object.
    pub name: Template,
    /// Its namespace, if it is of a namespaced kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Template>,
    /// A subresource: `status`, `scale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subresource: Option<Template>,
    /// A JSON merge patch (RFC 7386), in YAML or JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Template>,
    /// A strategic merge patch, in YAML or JSON; for Kubernetes' own kinds only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategic: Option<Template>,
    /// A JSON patch (RFC 6902): a list of operations, in YAML or JSON. With a `test` operation it cannot be done twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Template>,
}

impl Render for Patch {
    fn render(&self, texts: &dyn Texts) -> Rendered<Self> {
        Ok(Self {
            cluster: self.cluster.clone(),
            kind: texts.plain(&self.kind)?,
            api_version: texts.option(self.api_version.as_ref())?,
            name: texts.plain(&self.name)?,
            namespace: texts.option(self.namespace.as_ref())?,
            subresource: texts.option(self.subresource.as_ref())?,
            merge: texts.option(self.merge.as_ref())?,
            strategic: texts.option(self.strategic.as_ref())?,
            json: texts.option(self.json.as_ref())?,
        })
    }
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "patch",
    summary: "changes one Kubernetes object",
    example: r#"patch:
  cluster: recovery
  kind: Deployment
  namespace: shop
  name: api
  merge: '{"spec": {"paused": true}}'
undo: auto"#,
    result: &[
        Field { name: "object", kind: "map", about: "the object afterwards, without `managedFields`" },
        Field { name: "changed", kind: "bool", about: "whether it is another than before" },
    ],
    undo_auto: true,
};
