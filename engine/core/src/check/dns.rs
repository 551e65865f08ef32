//! `dns`: what resolvers answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::{action::Field, model::Template, source::Spanned};

/// Asks resolvers for records, past every cache of this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dns {
    /// The name; taken as fully qualified.
    pub name: Template,
    /// The record type. Without it: `A`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub record: Option<Spanned<RecordType>>,
    /// Resolvers to ask, each `address` or `address:port`. Without it: the system's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolvers: Vec<Template>,
}

/// A DNS record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// The canonical name.
    Cname,
    /// Texts.
    Txt,
    /// Mail exchangers.
    Mx,
    /// Name servers.
    Ns,
    /// Services.
    Srv,
    /// Start of authority.
    Soa,
    /// Who may issue certificates.
    Caa,
}

impl RecordType {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Txt => "TXT",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Srv => "SRV",
            Self::Soa => "SOA",
            Self::Caa => "CAA",
        }
    }
}

/// A question for resolvers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The name.
    pub name: String,
    /// The record type.
    pub record: RecordType,
    /// Resolvers; empty: the system's.
    pub resolvers: Vec<String>,
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "dns",
    summary: "asks DNS resolvers; all must agree",
    example: r#"dns: {name: shop.example.org, type: A, resolvers: [1.1.1.1, 8.8.8.8]}
expect: "agreed && answers == ['192.0.2.10']"
within: 5m"#,
    result: &[
        Field {
            name: "answers",
            kind: "list",
            about: "the answers, sorted; those of the first resolver when they differ",
        },
        Field { name: "agreed", kind: "bool", about: "whether every resolver answered, and all the same" },
        Field {
            name: "ttl",
            kind: "int",
            about: "the smallest time to live of the answers, in seconds; 0 without answers",
        },
        Field {
            name: "resolvers",
            kind: "map",
            about: "resolver to its `answers`, `ttl`, `code` (such as NOERROR, NXDOMAIN) and `error`",
        },
        Field { name: "durationMs", kind: "int", about: "time it took, in milliseconds" },
    ],
    expect: "agreed && size(answers) > 0",
};
