//! `velero-backup`: a backup by Velero, followed to its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Facts, Field,
    kube::{Render, Rendered, Texts},
};
use crate::{duration::Duration, model::Template, source::Spanned};

/// Creates a Velero Backup and follows it to its end. `PartiallyFailed` is a failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VeleroBackup {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// Velero's own namespace. Without it: `velero`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub velero_namespace: Option<Template>,
    /// The namespaces to back up. Without it: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Template>,
    /// Resources to back up: `deployments.apps`. Without it: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub included_resources: Vec<Template>,
    /// Resources to leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_resources: Vec<Template>,
    /// Back up only what has these labels: `app=api,tier=web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Template>,
    /// Objects outside of namespaces. Without it Velero takes those that are related.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_cluster_resources: Option<bool>,
    /// Snapshots of persistent volumes. Without it: where Velero can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_volumes: Option<bool>,
    /// Copy the files of all pod volumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_volumes_to_fs_backup: Option<bool>,
    /// Move the data of CSI snapshots into the object store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_move_data: Option<bool>,
    /// The backup storage location. Without it: Velero's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_location: Option<Template>,
    /// How long the backup is kept. Without it: Velero's default of 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
}

impl Render for VeleroBackup {
    fn render(&self, texts: &dyn Texts) -> Rendered<Self> {
        Ok(Self {
            cluster: self.cluster.clone(),
            velero_namespace: texts.option(self.velero_namespace.as_ref())?,
            namespaces: texts.list(&self.namespaces)?,
            included_resources: texts.list(&self.included_resources)?,
            excluded_resources: texts.list(&self.excluded_resources)?,
            selector: texts.option(self.selector.as_ref())?,
            include_cluster_resources: self.include_cluster_resources,
            snapshot_volumes: self.snapshot_volumes,
            default_volumes_to_fs_backup: self.default_volumes_to_fs_backup,
            snapshot_move_data: self.snapshot_move_data,
            storage_location: texts.option(self.storage_location.as_ref())?,
            ttl: self.ttl,
        })
    }
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "velero-backup",
    summary: "makes a Velero backup and follows it to its end",
    example: "velero-backup: {cluster: primary, namespaces: [shop], ttl: 7d}
undo: auto",
    result: &[
        Field { name: "backup", kind: "string", about: "name of the Backup" },
        Field { name: "phase", kind: "string", about: "phase in which it ended: `Completed` when it succeeded" },
        Field {
            name: "startedAt",
            kind: "string",
            about: "when Velero began, RFC 3339: nothing later is in it for sure",
        },
        Field { name: "completedAt", kind: "string", about: "when it ended, RFC 3339" },
        Field { name: "expiresAt", kind: "string", about: "when Velero deletes it, RFC 3339" },
        Field { name: "items", kind: "int", about: "objects that were backed up" },
        Field { name: "errors", kind: "int", about: "errors that Velero counted" },
        Field { name: "warnings", kind: "int", about: "warnings that Velero counted" },
    ],
    undo_auto: true,
};
