//! `velero-restore`: a restore by Velero from a usable backup, followed to its end.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Facts, Field,
    kube::{Render, Rendered, Texts},
};
use crate::{duration::Duration, model::Template, source::Spanned};

/// Chooses a usable backup, pins it, creates a Velero Restore and follows it to its end. The recovery point is the start of
/// the backup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VeleroRestore {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// Velero's own namespace. Without it: `velero`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub velero_namespace: Option<Template>,
    /// The backup, or `latest`: the newest usable one by its start. Without it: `latest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Template>,
    /// Choose among the backups of this schedule only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Template>,
    /// The oldest backup that will do, from its start to now. Without it: any age, as the objective is looked at anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
    /// A backup that ended as `PartiallyFailed` will do, too; and so will such a restore.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_partial: bool,
    /// The namespaces to restore. Without it: all that the backup has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Template>,
    /// Restore a namespace under another name: `shop: shop-drill`. Every namespace that is restored must be listed, or it
    /// is restored under its own name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub namespace_mapping: IndexMap<Template, Template>,
    /// Resources to restore: `deployments.apps`. Without it: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub included_resources: Vec<Template>,
    /// Resources to leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_resources: Vec<Template>,
    /// Restore only what has these labels: `app=api,tier=web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Template>,
    /// Objects outside of namespaces. Without it Velero takes those that are related.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_cluster_resources: Option<bool>,
    /// Restore persistent volumes from their snapshots. Without it: where Velero can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_volumes: Option<bool>,
    /// What happens to objects that exist already. Without it: `keep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<Existing>,
    /// A `ConfigMap` with resource modifier rules in Velero's namespace, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_modifier: Option<Template>,
}

/// What a restore does with objects that exist already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Existing {
    /// They are kept. If one of them differs from the backup, the restore counts as failed: what is there is not what was
    /// backed up.
    Keep,
    /// They are kept, and may differ.
    KeepDifferent,
    /// They are changed to what the backup has, where Velero can. Data in volumes is never overwritten.
    Update,
}

impl Render for VeleroRestore {
    fn render(&self, texts: &dyn Texts) -> Rendered<Self> {
        Ok(Self {
            cluster: self.cluster.clone(),
            velero_namespace: texts.option(self.velero_namespace.as_ref())?,
            backup: texts.option(self.backup.as_ref())?,
            schedule: texts.option(self.schedule.as_ref())?,
            max_age: self.max_age,
            allow_partial: self.allow_partial,
            namespaces: texts.list(&self.namespaces)?,
            namespace_mapping: mapping(texts, &self.namespace_mapping)?,
            included_resources: texts.list(&self.included_resources)?,
            excluded_resources: texts.list(&self.excluded_resources)?,
            selector: texts.option(self.selector.as_ref())?,
            include_cluster_resources: self.include_cluster_resources,
            restore_volumes: self.restore_volumes,
            existing: self.existing,
            resource_modifier: texts.option(self.resource_modifier.as_ref())?,
        })
    }
}

/// Both sides are texts, as both may be inputs.
fn mapping(texts: &dyn Texts, written: &IndexMap<Template, Template>) -> Rendered<IndexMap<Template, Template>> {
    let mut mapping = IndexMap::new();
    for (from, to) in written {
        let (from, to) = (texts.plain(from)?, texts.plain(to)?);
        if let Some(other) = mapping.insert(from.clone(), to) {
            let (from, other) = (from.as_str(), other.as_str());
            return Err(format!(
                "namespaceMapping: expected every namespace once, found `{from}` again (first to `{other}`)"
            ));
        }
    }
    Ok(mapping)
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "velero-restore",
    summary: "restores from the newest usable Velero backup, or a named one, and follows it to its end",
    example: "velero-restore:
  cluster: recovery
  backup: latest
  maxAge: 1h
  namespaces: [shop]
  namespaceMapping: {shop: shop-drill}
undo: auto",
    result: &[
        Field { name: "restore", kind: "string", about: "name of the Restore" },
        Field { name: "backup", kind: "string", about: "name of the backup that was chosen" },
        Field { name: "why", kind: "string", about: "why that backup" },
        Field { name: "backupStartedAt", kind: "string", about: "start of that backup, RFC 3339: the recovery point" },
        Field { name: "recoveryPoint", kind: "string", about: "the same" },
        Field { name: "phase", kind: "string", about: "phase in which it ended: `Completed` when it succeeded" },
        Field { name: "items", kind: "int", about: "objects that were restored" },
        Field { name: "errors", kind: "int", about: "errors that Velero counted" },
        Field { name: "warnings", kind: "int", about: "warnings that Velero counted" },
        Field {
            name: "restored",
            kind: "map",
            about: "objects by resource, where the object store can be reached: `deployments.apps` to a list of names",
        },
        Field { name: "notes", kind: "list", about: "what could not be found out, and why: texts" },
    ],
    undo_auto: true,
};
