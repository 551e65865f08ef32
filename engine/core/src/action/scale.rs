//! `scale`: how many replicas.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Facts, Field,
    kube::{Render, Rendered, Texts},
};
use crate::{model::Template, source::Spanned};

/// Sets the number of replicas of one object that has the `scale` subresource. It does not wait until they are ready: that
/// is for `verify`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scale {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// The kind: `Deployment`, `StatefulSet`, `deployments.apps`.
    pub kind: Template,
    /// The API version, where a kind is served in several: `apps/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Template>,
    /// The object.
    pub name: Template,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Template>,
    /// How many: a whole number from 0.
    pub replicas: Template,
}

impl Render for Scale {
    fn render(&self, texts: &dyn Texts) -> Rendered<Self> {
        Ok(Self {
            cluster: self.cluster.clone(),
            kind: texts.plain(&self.kind)?,
            api_version: texts.option(self.api_version.as_ref())?,
            name: texts.plain(&self.name)?,
            namespace: texts.option(self.namespace.as_ref())?,
            replicas: texts.plain(&self.replicas)?,
        })
    }
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "scale",
    summary: "sets the number of replicas",
    example: "scale: {cluster: recovery, kind: Deployment, namespace: shop, name: worker, replicas: 0}
undo: auto",
    result: &[
        Field { name: "before", kind: "int", about: "how many were wanted before" },
        Field { name: "replicas", kind: "int", about: "how many are wanted now" },
    ],
    undo_auto: true,
};
