//! `tls`: a handshake, and what the certificate says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::{action::Field, model::Template};

/// Makes a TLS handshake and looks at the chain, the names and the days left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tls {
    /// `host:port` to connect to.
    pub address: Template,
    /// The name to ask for (SNI) and to find in the certificate. Without it: the host of `address`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<Template>,
    /// A PEM file with the roots to trust, relative to the runbook. Without it: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<Template>,
    /// Days that must be left. Without it: `1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_days_left: Option<u32>,
}

/// A handshake to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// `host:port`.
    pub address: String,
    /// SNI, and the name to find.
    pub server_name: String,
    /// Roots, relative to the runbook; `None`: the system's.
    pub ca_file: Option<String>,
    /// Days that must be left; comes back as `minDaysLeft`.
    pub min_days_left: u32,
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "tls",
    summary: "makes a TLS handshake: chain, names, days left",
    example: r#"tls: {address: "shop.example.org:443"}
expect: "trusted && nameMatches && daysLeft >= 14""#,
    result: &[
        Field { name: "connected", kind: "bool", about: "whether a handshake was made, trusted or not" },
        Field { name: "trusted", kind: "bool", about: "whether the chain leads to a trusted root and is valid now" },
        Field { name: "nameMatches", kind: "bool", about: "whether the certificate is for the server name" },
        Field { name: "names", kind: "list", about: "the DNS names and addresses of the certificate" },
        Field { name: "subject", kind: "string", about: "the certificate's subject" },
        Field { name: "issuer", kind: "string", about: "the certificate's issuer" },
        Field { name: "notBefore", kind: "string", about: "valid from, RFC 3339" },
        Field { name: "notAfter", kind: "string", about: "valid to, RFC 3339" },
        Field { name: "daysLeft", kind: "int", about: "whole days until it ends; negative when it has ended" },
        Field { name: "minDaysLeft", kind: "int", about: "as the check asked" },
        Field { name: "error", kind: "string", about: "what is wrong with the chain or connection, or empty" },
        Field { name: "durationMs", kind: "int", about: "time it took, in milliseconds" },
    ],
    expect: "trusted && nameMatches && daysLeft >= minDaysLeft",
};
