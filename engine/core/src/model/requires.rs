//! Pre-flight: what must be true before anything is touched.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, Template};
use crate::source::Spanned;

/// What must be true before anything is touched. All of it is checked, and all that is missing is told at once.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requires {
    /// Programs that must be on the `PATH`, each with the versions that will do: `"*"`, `">=1.9"`, `">=1.9, <2"`.
    /// The version is the first one that `PROGRAM --version` (or `PROGRAM version`) prints.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub tools: IndexMap<String, Spanned<Requirement>>,
    /// Environment variables that must be set and not empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Rights that the engine must have, beyond those that the steps need: they are found out anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<Spanned<Access>>,
    /// Custom resource definitions that must be established, beyond those that the steps need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crds: Vec<Spanned<Crd>>,
    /// Checks that must pass. They see `inputs` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Spanned<Check>>,
}

/// Versions that will do: `"*"`, or comparisons joined by commas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Requirement(pub String);

/// A right that the engine must have in a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Access {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// The verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verb: String,
    /// The resource, in the plural: `restores`.
    pub resource: String,
    /// Its API group. Without it: the core group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The namespace. Without it: all of them. Its text sees `inputs` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Template>,
}

/// A custom resource definition that must be established in a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Crd {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// Its name: `restores.velero.io`.
    pub name: String,
    /// A version that must be served: `v1`. Without it: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}
