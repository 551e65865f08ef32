//! `flux-reconcile`: Flux brings a cluster to what Git says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Facts, Field,
    kube::{Render, Rendered, Texts},
};
use crate::{model::Template, source::Spanned};

/// Asks a Flux controller to reconcile one object now, and follows it until that very request was handled and the object is
/// ready. Stalled and suspended objects fail at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FluxReconcile {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// The kind: `Kustomization`, `HelmRelease`, `GitRepository`, `OCIRepository`, `HelmRepository`, `HelmChart`, `Bucket`.
    /// Without it: `Kustomization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Template>,
    /// The object.
    pub name: Template,
    /// Its namespace. Without it: `flux-system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Template>,
    /// Reconcile its source first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_source: bool,
    /// The revision that has to be applied: `main@sha1:<40 hex digits>`, or the commit alone. Without it: whatever the
    /// source has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Template>,
    /// A `HelmRelease` is upgraded even if nothing has changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// A `HelmRelease` forgets its failed tries.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
    /// Look at every object that a `Kustomization` applied, too: `Ready` alone says "applied" unless it waits itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub children: bool,
}

impl Render for FluxReconcile {
    fn render(&self, texts: &dyn Texts) -> Rendered<Self> {
        Ok(Self {
            cluster: self.cluster.clone(),
            kind: texts.option(self.kind.as_ref())?,
            name: texts.plain(&self.name)?,
            namespace: texts.option(self.namespace.as_ref())?,
            with_source: self.with_source,
            revision: texts.option(self.revision.as_ref())?,
            force: self.force,
            reset: self.reset,
            children: self.children,
        })
    }
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "flux-reconcile",
    summary: "has Flux reconcile an object now, until it is ready at the wanted revision",
    example: "flux-reconcile: {cluster: recovery, kind: Kustomization, namespace: flux-system, name: apps}",
    result: &[
        Field { name: "revision", kind: "string", about: "revision that was applied, or fetched by a source" },
        Field { name: "token", kind: "string", about: "the request that was handled" },
        Field { name: "reason", kind: "string", about: "reason of the `Ready` condition" },
        Field { name: "message", kind: "string", about: "its message" },
        Field { name: "objects", kind: "int", about: "objects in its inventory" },
    ],
    undo_auto: false,
};
