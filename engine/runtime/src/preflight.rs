//! What must be true before anything is touched.
//!
//! Duty: to look at all of it at once and to say all that is missing, so that a commander mends it in one go: each with what
//! is required, what was found, and what to do. It must not change anything: tools are asked for their versions, clusters are
//! read, and what is to be applied is tried by dry runs, which write nothing.
//!
//! - `tools`: programs and environment variables
//! - `clusters`: every cluster, all of them at once; `site` is one of them while it is looked at
//! - `manifests`: what `apply` will apply, read once
//! - `served`, `access`, `dry_run`, `admission`, `storage`, `velero`: what is looked at in a cluster
//! - `skew`: clusters against one another
//! - `alone`: the pre-flight of a run that is not begun

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use lifeboat_core::{action::kube::ClusterRef, evidence::event::Finding, machine::needs::Needs, model::Requirement};

use crate::{cluster::Clusters, files::Files, process::Filters};

pub mod alone;

mod access;
mod admission;
mod clusters;
mod dry_run;
mod manifests;
mod served;
mod site;
mod skew;
mod storage;
mod velero;

pub mod tools;

/// What must be there on this machine.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Programs, and the versions that will do.
    pub tools: Vec<(String, Requirement)>,
    /// Environment variables.
    pub variables: Vec<String>,
}

/// What is looked at, and with what.
pub struct Look {
    /// What must be there on this machine.
    pub wanted: Wanted,
    /// The environment that steps get, without their own variables.
    pub environment: BTreeMap<String, String>,
    /// The runbook's directory.
    pub directory: PathBuf,
    /// Takes secrets out of what programs print.
    pub filter: Filters,
    /// Files that the runbook says its steps use.
    pub files: Arc<Files>,
    /// How clusters are reached.
    pub clusters: Clusters,
    /// Those of the plan.
    pub refs: Vec<ClusterRef>,
    /// What the plan will need of them.
    pub needs: Needs,
}

/// Looks at everything. A cluster that does not answer costs its time once, beside all others.
pub async fn everything(look: &Look) -> Vec<Finding> {
    let Wanted { tools, variables } = &look.wanted;
    let here = tools::look(tools, variables, &look.environment, &look.directory, &look.filter);
    let (mut findings, there) = tokio::join!(here, clusters::look(look));
    findings.extend(look.files.findings());
    findings.extend(there);
    findings
}
