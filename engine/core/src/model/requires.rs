//! Pre-flight: what must be true before anything is touched.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Check;
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
    /// Checks that must pass. They see `inputs` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Spanned<Check>>,
}

/// Versions that will do: `"*"`, or comparisons joined by commas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Requirement(pub String);
