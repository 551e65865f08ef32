//! `manual`: a person does it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Facts, Field};
use crate::model::Template;

/// A person does it and says done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manual {
    /// What to do, and how to see that it worked.
    pub instructions: Template,
    /// Names of files that belong into the evidence: a screenshot, a protocol. They are asked for, but nobody is held up
    /// by one that is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attach: Vec<String>,
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "manual",
    summary: "a person does it and says done; unattended the run holds",
    example: "manual:
  instructions: |
    Tell the provider to lock the old account.
    Attach the answer.
  attach: [answer]",
    result: &[
        Field { name: "by", kind: "string", about: "who said done" },
        Field { name: "note", kind: "string", about: "what that person wrote, or empty" },
        Field { name: "missing", kind: "list", about: "names of `attach` that nobody has attached" },
    ],
    undo_auto: false,
};
