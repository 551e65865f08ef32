//! The step actions: what authors write for each, what is asked of the runtime, and what is known about it.
//!
//! Duty: the specification, one action a file. Doing it lives in the runtime's room of the same name.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{duration::Duration, model, source::Spanned};

pub mod apply;
pub mod argocd_sync;
pub mod delete;
pub mod exec;
pub mod flux_reconcile;
pub mod http;
pub mod job;
pub mod kube;
pub mod manual;
pub mod patch;
pub mod pause;
pub mod runbook;
pub mod scale;
pub mod shell;
pub mod velero_backup;
pub mod velero_restore;

/// The kinds of action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A program.
    Exec,
    /// A script.
    Shell,
    /// An HTTP request.
    Http,
    /// Soak time.
    Pause,
    /// A person.
    Manual,
    /// Another runbook.
    Runbook,
    /// Applies manifests to a cluster by server-side apply.
    Apply,
    /// Changes one object of a cluster.
    Patch,
    /// Sets a number of replicas.
    Scale,
    /// Deletes objects of a cluster and waits until they are gone.
    Delete,
    /// Runs a container as a Kubernetes Job and streams its log.
    Job,
    /// Makes a Velero backup and follows it to its end.
    VeleroBackup,
    /// Restores from a usable Velero backup and follows it to its end.
    VeleroRestore,
    /// Has Flux reconcile an object now and follows it.
    FluxReconcile,
    /// Has Argo CD sync an Application and follows it.
    ArgocdSync,
}

/// What is known about a kind of action.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The key in a runbook.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// How it is written, with what mostly stands beside it: YAML.
    pub example: &'static str,
    /// Names that `result` has, each with its type and meaning.
    pub result: &'static [Field],
    /// Whether `undo: auto` works.
    pub undo_auto: bool,
}

/// A name in a result, for expressions.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// The CEL type.
    pub kind: &'static str,
    /// What it is.
    pub about: &'static str,
}

impl Kind {
    /// Every kind, in the order of the reference.
    pub const ALL: [Self; 15] = [
        Self::Exec,
        Self::Shell,
        Self::Apply,
        Self::Patch,
        Self::Scale,
        Self::Delete,
        Self::Job,
        Self::VeleroBackup,
        Self::VeleroRestore,
        Self::FluxReconcile,
        Self::ArgocdSync,
        Self::Http,
        Self::Pause,
        Self::Manual,
        Self::Runbook,
    ];

    /// Whether it acts on a Kubernetes cluster: it finds by itself what an earlier engine began, so that nothing is done
    /// twice.
    #[must_use]
    pub const fn is_kube(self) -> bool {
        match self {
            Self::Apply
            | Self::Patch
            | Self::Scale
            | Self::Delete
            | Self::Job
            | Self::VeleroBackup
            | Self::VeleroRestore
            | Self::FluxReconcile
            | Self::ArgocdSync => true,
            Self::Exec | Self::Shell | Self::Http | Self::Pause | Self::Manual | Self::Runbook => false,
        }
    }

    /// What is known about it.
    #[must_use]
    pub const fn facts(self) -> &'static Facts {
        match self {
            Self::Exec => &exec::FACTS,
            Self::Shell => &shell::FACTS,
            Self::Http => &http::FACTS,
            Self::Pause => &pause::FACTS,
            Self::Manual => &manual::FACTS,
            Self::Runbook => &runbook::FACTS,
            Self::Apply => &apply::FACTS,
            Self::Patch => &patch::FACTS,
            Self::Scale => &scale::FACTS,
            Self::Delete => &delete::FACTS,
            Self::Job => &job::FACTS,
            Self::VeleroBackup => &velero_backup::FACTS,
            Self::VeleroRestore => &velero_restore::FACTS,
            Self::FluxReconcile => &flux_reconcile::FACTS,
            Self::ArgocdSync => &argocd_sync::FACTS,
        }
    }
}

/// What the runtime is asked to do: rendered, with nothing left to decide. It may hold secrets: it is never stored as
/// it is, see `mask`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Order {
    /// Run a process.
    Process(ProcessOrder),
    /// Send a request.
    Http(HttpOrder),
    /// Wait.
    Pause {
        /// How long.
        duration: Duration,
    },
    /// Ask a person to do something; the machine asks, the runtime does nothing.
    Manual {
        /// What to do.
        instructions: String,
    },
    /// Do something in a cluster.
    Kube(Box<kube::Order>),
    /// Nothing: the step is its verification, or a join.
    Nothing,
}

/// A process to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessOrder {
    /// The program and its arguments; never empty.
    pub argv: Vec<String>,
    /// The step's own environment, on top of the base and of `LIFEBOAT_*`.
    pub env: IndexMap<String, String>,
    /// Working directory, relative to the runbook's directory; `None`: that directory.
    pub cwd: Option<String>,
    /// Standard input; `None`: the null device.
    pub stdin: Option<String>,
}

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpOrder {
    /// The method, upper case.
    pub method: String,
    /// The address.
    pub url: String,
    /// Headers.
    pub headers: IndexMap<String, String>,
    /// The body.
    pub body: Option<String>,
    /// Whether redirects are followed (at most 10).
    pub follow_redirects: bool,
    /// Trust any certificate.
    pub insecure: bool,
    /// A PEM file with further roots, relative to the runbook.
    pub ca_file: Option<String>,
}

/// How an action ended, as the runtime saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It did what it was asked (for a process: exit code 0).
    Succeeded,
    /// It failed.
    Failed,
    /// It was stopped because its time was over.
    TimedOut,
    /// It was stopped because the run is being aborted or ends.
    Stopped,
}

/// What an action returned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Returned {
    /// What expressions see as `result`: an object with the fields of `Facts::result`. Secrets are already masked.
    pub result: Value,
    /// Why it failed, for people.
    pub error: Option<String>,
}

/// The action of a step or of an undo, by kind; `None` when there is none. The first one found counts: that there is
/// only one is checked when the runbook is read.
#[must_use]
pub fn of_step(step: &model::Step) -> Option<Kind> {
    present(step).next()
}

/// All the action kinds that a step names.
pub fn present(step: &model::Step) -> impl Iterator<Item = Kind> {
    [
        step.exec.as_ref().map(|_| Kind::Exec),
        step.shell.as_ref().map(|_| Kind::Shell),
        step.http.as_ref().map(|_| Kind::Http),
        step.pause.as_ref().map(|_| Kind::Pause),
        step.manual.as_ref().map(|_| Kind::Manual),
        step.runbook.as_ref().map(|_| Kind::Runbook),
        step.apply.as_ref().map(|_| Kind::Apply),
        step.patch.as_ref().map(|_| Kind::Patch),
        step.scale.as_ref().map(|_| Kind::Scale),
        step.delete.as_ref().map(|_| Kind::Delete),
        step.job.as_ref().map(|_| Kind::Job),
        step.velero_backup.as_ref().map(|_| Kind::VeleroBackup),
        step.velero_restore.as_ref().map(|_| Kind::VeleroRestore),
        step.flux_reconcile.as_ref().map(|_| Kind::FluxReconcile),
        step.argocd_sync.as_ref().map(|_| Kind::ArgocdSync),
    ]
    .into_iter()
    .flatten()
}

/// All the action kinds that an undo names.
pub fn present_in_undo(undo: &model::UndoAction) -> impl Iterator<Item = Kind> {
    [
        undo.exec.as_ref().map(|_| Kind::Exec),
        undo.shell.as_ref().map(|_| Kind::Shell),
        undo.http.as_ref().map(|_| Kind::Http),
        undo.manual.as_ref().map(|_| Kind::Manual),
        undo.apply.as_ref().map(|_| Kind::Apply),
        undo.patch.as_ref().map(|_| Kind::Patch),
        undo.scale.as_ref().map(|_| Kind::Scale),
        undo.delete.as_ref().map(|_| Kind::Delete),
        undo.job.as_ref().map(|_| Kind::Job),
        undo.velero_backup.as_ref().map(|_| Kind::VeleroBackup),
        undo.velero_restore.as_ref().map(|_| Kind::VeleroRestore),
        undo.flux_reconcile.as_ref().map(|_| Kind::FluxReconcile),
        undo.argocd_sync.as_ref().map(|_| Kind::ArgocdSync),
    ]
    .into_iter()
    .flatten()
}

/// The name of the cluster that each action on a cluster names; for a step and for an undo.
macro_rules! clusters_of {
    ($of:expr) => {
        [
            $of.apply.as_ref().map(|action| &action.cluster),
            $of.patch.as_ref().map(|action| &action.cluster),
            $of.scale.as_ref().map(|action| &action.cluster),
            $of.delete.as_ref().map(|action| &action.cluster),
            $of.job.as_ref().map(|action| &action.cluster),
            $of.velero_backup.as_ref().map(|action| &action.cluster),
            $of.velero_restore.as_ref().map(|action| &action.cluster),
            $of.flux_reconcile.as_ref().map(|action| &action.cluster),
            $of.argocd_sync.as_ref().map(|action| &action.cluster),
        ]
        .into_iter()
        .flatten()
    };
}

/// The clusters that the actions of a step name.
pub fn clusters(step: &model::Step) -> impl Iterator<Item = &Spanned<String>> {
    clusters_of!(step)
}

/// The clusters that the actions of an undo name.
pub fn clusters_in_undo(undo: &model::UndoAction) -> impl Iterator<Item = &Spanned<String>> {
    clusters_of!(undo)
}
