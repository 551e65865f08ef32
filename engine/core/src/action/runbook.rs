//! `runbook`: another runbook, expanded into this one.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::{model::Template, source::Spanned};

/// Includes another runbook: its steps become `<this step>/<their id>` in the same plan and the same evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Include {
    /// The file, relative to this runbook.
    pub path: Spanned<String>,
    /// Its inputs. Templates here see `inputs` only. A secret input is handed on by `{{inputs.name}}` alone.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub inputs: IndexMap<String, Template>,
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "runbook",
    summary: "includes another runbook: one plan, one evidence log",
    example: r#"runbook: {path: postgres-promotion.yaml, inputs: {host: "{{inputs.databaseHost}}"}}"#,
    result: &[],
    undo_auto: false,
};
