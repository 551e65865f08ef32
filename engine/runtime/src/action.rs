//! What is done in a cluster, one action a file.
//!
//! Duty: submit, follow, judge. Every action looks first and tells what it found and settled (`prepare`); only when that is
//! durable it changes anything (`carry_out`), by names and preconditions that make a second try of the same attempt find the
//! first one's work. It must not decide whether to try again, nor what follows.

use std::path::Path;

use lifeboat_core::{
    action::kube::{Order, Prepared, Request},
    evidence::event::Artifact,
};
use serde_json::Value;

use crate::{cluster::Ask, driver::Teller};

mod apply;
mod argocd_sync;
mod delete;
mod flux_reconcile;
mod gitops;
mod inventory;
mod job;
pub(crate) mod objects;
mod patch;
mod scale;
mod velero;
mod velero_backup;
mod velero_restore;

/// What an action is carried out with.
pub(crate) struct Context<'a> {
    /// The cluster, asked in the name of the step.
    pub ask: &'a Ask,
    /// What is asked for.
    pub order: &'a Order,
    /// What earlier attempts found before they changed anything; never this one's.
    pub earlier: &'a [Prepared],
    /// The directory of the runbook that was asked for.
    pub directory: &'a Path,
    /// Tells people what goes on, and keeps files with the evidence.
    pub teller: &'a Teller,
}

/// What was found before anything is changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// What it found and settled; it becomes part of the record, so nothing in it is secret or long.
    pub facts: Value,
    /// What it kept.
    pub artifacts: Vec<Artifact>,
}

/// How it ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Done {
    /// What expressions see as `result`.
    pub result: Value,
    /// Why it failed, for people; with the result as far as there is one.
    pub error: Option<String>,
    /// What it wrote.
    pub artifacts: Vec<Artifact>,
}

impl Done {
    pub(crate) fn well(result: Value) -> Self {
        Self { result, ..Self::default() }
    }

    pub(crate) fn badly(result: Value, error: impl Into<String>) -> Self {
        Self { result, error: Some(error.into()), ..Self::default() }
    }
}

/// Looks, and changes nothing.
pub(crate) async fn prepare(cx: &Context<'_>) -> Result<Found, String> {
    match &cx.order.request {
        Request::Apply(apply) => apply::prepare(cx, apply).await,
        Request::Patch(patch) => patch::prepare(cx, patch).await,
        Request::Scale(scale) => scale::prepare(cx, scale).await,
        Request::Delete(delete) => delete::prepare(cx, delete).await,
        Request::Job(job) => job::prepare(cx, job).await,
        Request::FluxReconcile(flux) => flux_reconcile::prepare(cx, flux).await,
        Request::ArgocdSync(sync) => argocd_sync::prepare(cx, sync).await,
        Request::VeleroBackup(backup) => velero_backup::prepare(cx, backup).await,
        Request::VeleroRestore(restore) => velero_restore::prepare(cx, restore).await,
        Request::Undo { .. } => Err("what is taken back was looked at before it was done".to_owned()),
    }
}

/// Changes what is to be changed, and follows it to its end. Whoever has done a part of it before finds that.
pub(crate) async fn carry_out(cx: &Context<'_>, found: &Value) -> Result<Done, String> {
    match &cx.order.request {
        Request::Apply(apply) => apply::carry_out(cx, apply, found).await,
        Request::Patch(patch) => patch::carry_out(cx, patch, found).await,
        Request::Scale(scale) => scale::carry_out(cx, scale, found).await,
        Request::Delete(delete) => delete::carry_out(cx, delete, found).await,
        Request::Job(job) => job::carry_out(cx, job).await,
        Request::FluxReconcile(flux) => flux_reconcile::carry_out(cx, flux, found).await,
        Request::ArgocdSync(sync) => argocd_sync::carry_out(cx, sync, found).await,
        Request::VeleroBackup(backup) => velero_backup::carry_out(cx, backup, found).await,
        Request::VeleroRestore(restore) => velero_restore::carry_out(cx, restore, found).await,
        Request::Undo { of, prepared } => undo(cx, of, prepared).await,
    }
}

/// Takes an action back by what its attempts found before they changed anything.
async fn undo(cx: &Context<'_>, of: &Request, prepared: &[Prepared]) -> Result<Done, String> {
    match of {
        Request::Apply(_) => apply::undo(cx, prepared).await,
        Request::Patch(patch) => patch::undo(cx, patch, prepared).await,
        Request::Scale(scale) => scale::undo(cx, scale, prepared).await,
        Request::Delete(_) => delete::undo(cx, prepared).await,
        Request::Job(job) => job::undo(cx, job, prepared).await,
        Request::VeleroBackup(backup) => velero_backup::undo(cx, backup, prepared).await,
        Request::VeleroRestore(restore) => velero_restore::undo(cx, restore, prepared).await,
        _ => Err("this action cannot be taken back".to_owned()),
    }
}

/// A text of a specification that has a default.
pub(crate) fn or<'a>(text: Option<&'a lifeboat_core::model::Template>, otherwise: &'a str) -> &'a str {
    text.map(lifeboat_core::model::Template::as_str).filter(|text| !text.is_empty()).unwrap_or(otherwise)
}
