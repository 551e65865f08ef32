//! `argocd-sync`: Argo CD brings a cluster to what Git says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Facts, Field,
    kube::{Render, Rendered, Texts},
};
use crate::{model::Template, source::Spanned};

/// Starts a sync operation of one Application and follows that very operation until it has succeeded and the Application
/// is synced and healthy by a comparison that was made afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArgocdSync {
    /// The cluster that Argo CD runs in, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// The Application.
    pub application: Template,
    /// Its namespace. Without it: `argocd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Template>,
    /// The revision to sync to. Without it: the Application's own target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Template>,
    /// Delete what Git does not have any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prune: bool,
    /// Sync options: `CreateNamespace=true`, `ServerSideApply=true`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sync_options: Vec<Template>,
    /// Look at every child Application, too: since Argo CD 1.8 the health of a root says nothing about them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub children: bool,
}

impl Render for ArgocdSync {
    fn render(&self, texts: &dyn Texts) -> Rendered<Self> {
        Ok(Self {
            cluster: self.cluster.clone(),
            application: texts.plain(&self.application)?,
            namespace: texts.option(self.namespace.as_ref())?,
            revision: texts.option(self.revision.as_ref())?,
            prune: self.prune,
            sync_options: texts.list(&self.sync_options)?,
            children: self.children,
        })
    }
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "argocd-sync",
    summary: "has Argo CD sync an Application, until it is synced and healthy at the wanted revision",
    example: "argocd-sync: {cluster: recovery, application: shop, namespace: argocd}",
    result: &[
        Field { name: "revision", kind: "string", about: "revision that was synced" },
        Field { name: "sync", kind: "string", about: "sync status: `Synced` when it succeeded" },
        Field { name: "health", kind: "string", about: "health status: `Healthy` when it succeeded" },
        Field { name: "phase", kind: "string", about: "phase in which the operation ended: `Succeeded`" },
        Field { name: "message", kind: "string", about: "what the operation says" },
        Field { name: "resources", kind: "int", about: "resources that were synced" },
    ],
    undo_auto: false,
};
