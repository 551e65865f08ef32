//! `shell`: a script.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;

/// A script, run by `bash -euo pipefail -c` or the step's `interpreter`. There are no templates inside, so no value can
/// be read as a command: values come by `env`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Shell(#[schemars(length(min = 1))] pub String);

/// What runs a script when the step does not say.
pub const INTERPRETER: [&str; 5] = ["bash", "-e", "-u", "-o", "pipefail"];

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "shell",
    summary: "runs a script with `bash -euo pipefail`; no templates inside, values by `env`",
    example: r#"shell: ./shift.sh "$ZONE" "$TARGET"
env: {ZONE: "{{inputs.zone}}", TARGET: "{{inputs.target}}"}"#,
    result: super::exec::RESULT,
    undo_auto: false,
};
