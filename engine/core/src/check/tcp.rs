//! `tcp`: a connection opens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::{action::Field, model::Template};

/// Opens a TCP connection and closes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tcp {
    /// `host:port`; an IPv6 address in brackets.
    pub address: Template,
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "tcp",
    summary: "opens a TCP connection",
    example: r#"tcp: {address: "db.example.org:5432"}
within: 1m"#,
    result: &[
        Field { name: "connected", kind: "bool", about: "whether it opened" },
        Field { name: "error", kind: "string", about: "why not, or empty" },
        Field { name: "durationMs", kind: "int", about: "time it took, in milliseconds" },
    ],
    expect: "connected",
};
