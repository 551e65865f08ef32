//! `exec`: a program, without a shell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Facts, Field};
use crate::model::Template;

/// A program and its arguments; each is templated on its own, and no shell reads them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Exec(#[schemars(length(min = 1))] pub Vec<Template>);

/// The names that a process gives to expressions.
pub const RESULT: &[Field] = &[
    Field { name: "exitCode", kind: "int", about: "exit code; null when a signal ended it" },
    Field { name: "signal", kind: "int", about: "the signal that ended it, or null" },
    Field { name: "stdout", kind: "string", about: "standard output, at most its first 1 MiB" },
    Field { name: "stderr", kind: "string", about: "standard error, at most its first 1 MiB" },
    Field { name: "json", kind: "dyn", about: "standard output read as JSON, or null when it is not JSON" },
    Field { name: "truncated", kind: "bool", about: "whether a stream was longer than what is kept here" },
    Field { name: "durationMs", kind: "int", about: "how long it ran, in milliseconds" },
];

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "exec",
    summary: "runs a program, no shell; each argument is templated on its own",
    example: r#"exec: [terraform, "-chdir=infra", apply, -auto-approve, -input=false]"#,
    result: RESULT,
    undo_auto: false,
};
