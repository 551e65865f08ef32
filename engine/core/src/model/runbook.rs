//! The top of a runbook.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cluster, Guard, Input, Notify, Recovery, Requires, Retry, Step};
use crate::{duration::Duration, source::Spanned};

/// A disaster-recovery runbook: a DAG of steps that restores a capability.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Runbook {
    /// The version of the language.
    pub api_version: ApiVersion,
    /// What kind of document this is.
    pub kind: Kind,
    /// Name, owner and description.
    pub metadata: Metadata,
    /// The recovery invariant that a run proves.
    pub recovery: Recovery,
    /// Values a run needs, typed. Asked for on a terminal; `--input name=value` or `--inputs FILE` otherwise.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub inputs: IndexMap<String, Spanned<Input>>,
    /// Kubernetes clusters, by the names that steps use for them.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub clusters: IndexMap<String, Spanned<Cluster>>,
    /// What must be true before anything is touched.
    #[serde(default)]
    pub requires: Requires,
    /// Scripts and modules that the steps use, relative to the runbook: paths, or globs with `*` and `**`.
    /// They are digested at the start and checked again before each step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Spanned<String>>,
    /// Who may approve what: role name to people.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub roles: IndexMap<String, Vec<String>>,
    /// Who is told what. Where this runbook is included in another one, that one says who is told, and this has no effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Notify>,
    /// Abort criteria, watched while the run goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<Spanned<Guard>>,
    /// What steps use when they say nothing themselves.
    #[serde(default)]
    pub defaults: Defaults,
    /// The steps. The key is the step's id; file order is reading order.
    pub steps: IndexMap<String, Spanned<Step>>,
    /// Steps that run at the end of every drill and after an abort, never in a successful incident.
    /// They run one after the other, in file order, and one that fails does not stop the next.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub cleanup: IndexMap<String, Spanned<Step>>,
}

/// The version of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// Version 1.
    #[serde(rename = "lifeboat.dev/v1")]
    V1,
}

/// The kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// A runbook.
    Runbook,
}

/// Name, owner and description.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// The runbook's name: lower-case letters, digits and `-`, at most 63 characters.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))]
    pub name: Spanned<String>,
    /// One line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The accountable team.
    pub owner: String,
    /// What this restores, and what it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Free labels.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
    /// Further reading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

/// A link for people.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Link {
    /// What it is.
    pub title: String,
    /// Where it is.
    pub url: String,
}

/// What steps use when they say nothing themselves.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Defaults {
    /// Longest time one attempt of an action may take. Without it: `10m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How actions are tried again. Without it they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
}
