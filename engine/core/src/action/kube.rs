//! What all actions on a Kubernetes cluster have in common.
//!
//! Duty: how a cluster is named, how texts are rendered, what the runtime is asked to do. Each action has a file of its
//! own; what their objects mean is in the room `kube`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    apply::Apply, argocd_sync::ArgocdSync, delete::Delete, flux_reconcile::FluxReconcile, job::Job, patch::Patch,
    scale::Scale, velero_backup::VeleroBackup, velero_restore::VeleroRestore,
};
use crate::model::{SecretTemplate, Template};

/// A rendered specification, or why it cannot be rendered.
pub type Rendered<T> = Result<T, String>;

/// Where texts come from.
pub trait Texts {
    /// A text without secrets.
    ///
    /// # Errors
    /// Why it cannot be rendered.
    fn plain(&self, template: &Template) -> Rendered<Template>;

    /// A text that may hold secrets.
    ///
    /// # Errors
    /// Why it cannot be rendered.
    fn secret(&self, template: &SecretTemplate) -> Rendered<SecretTemplate>;

    /// A path, relative to the directory of the runbook that was asked for.
    ///
    /// # Errors
    /// Why it cannot be rendered.
    fn path(&self, template: &Template) -> Rendered<Template>;

    /// A text that may be missing.
    ///
    /// # Errors
    /// Why it cannot be rendered.
    fn option(&self, template: Option<&Template>) -> Rendered<Option<Template>> {
        template.map(|template| self.plain(template)).transpose()
    }

    /// Several texts.
    ///
    /// # Errors
    /// Why one cannot be rendered.
    fn list(&self, templates: &[Template]) -> Rendered<Vec<Template>> {
        templates.iter().map(|template| self.plain(template)).collect()
    }

    /// Several paths.
    ///
    /// # Errors
    /// Why one cannot be rendered.
    fn paths(&self, templates: &[Template]) -> Rendered<Vec<Template>> {
        templates.iter().map(|template| self.path(template)).collect()
    }

    /// Texts by name.
    ///
    /// # Errors
    /// Why one cannot be rendered.
    fn map(&self, templates: &IndexMap<String, Template>) -> Rendered<IndexMap<String, Template>> {
        templates.iter().map(|(name, template)| Ok((name.clone(), self.plain(template)?))).collect()
    }
}

/// A specification whose texts can be rendered.
pub trait Render: Sized {
    /// The same with every text rendered.
    ///
    /// # Errors
    /// Why a text cannot be rendered.
    fn render(&self, texts: &dyn Texts) -> Rendered<Self>;
}

/// A cluster, as the runtime finds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterRef {
    /// Its name in the evidence: as under `clusters`, behind the id of the step that includes its runbook.
    pub name: String,
    /// The context; `None`: the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The kubeconfig, relative to the directory of the runbook that was asked for; `None`: the usual places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<String>,
    /// By the service account of the engine's own pod.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_cluster: bool,
    /// The cluster's identity as this run has met it: another one under this name is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

/// Something to do in a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Where.
    pub cluster: ClusterRef,
    /// The name that an object gets which the action creates: the same for the same run, step and attempt, so that it is
    /// found again and never made twice.
    pub object: String,
    /// The run, for labels and tokens.
    pub run: String,
    /// The step, likewise.
    pub step: String,
    /// Whether `undo: auto` will want to take it back, so that what was there before is kept.
    pub capture: bool,
    /// What.
    pub request: Request,
}

/// What is to be done in a cluster. Every text in it is rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", content = "spec", rename_all = "kebab-case")]
pub enum Request {
    /// Server-side apply.
    Apply(Apply),
    /// A change to one object.
    Patch(Patch),
    /// A number of replicas.
    Scale(Scale),
    /// Objects that are to go.
    Delete(Delete),
    /// A container.
    Job(Job),
    /// A backup.
    VeleroBackup(VeleroBackup),
    /// A restore.
    VeleroRestore(VeleroRestore),
    /// Flux.
    FluxReconcile(FluxReconcile),
    /// Argo CD.
    ArgocdSync(ArgocdSync),
    /// `undo: auto`: takes one of the above back.
    Undo {
        /// What was done.
        of: Box<Request>,
        /// What each of its attempts found before it changed anything, by attempt. An attempt that is not here has changed
        /// nothing.
        prepared: Vec<Prepared>,
    },
}

/// What an attempt found before it changed anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prepared {
    /// The attempt, from 1.
    pub attempt: u32,
    /// What it found and settled: see `Event::ActionPrepared`.
    pub facts: Value,
}
