//! `http`: one request.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Facts, Field};
use crate::{
    model::{SecretTemplate, Template},
    source::Spanned,
};

/// One HTTP request. It succeeds on a status from 200 to 299.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Http {
    /// The address, `http://` or `https://`.
    pub url: Template,
    /// The method. Without it: `GET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Spanned<Method>>,
    /// Headers.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, SecretTemplate>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<SecretTemplate>,
    /// Follow redirects, at most 10. Without it they are not followed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow_redirects: bool,
    /// A PEM file with further roots to trust, relative to the runbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<Template>,
    /// Do not verify the server's certificate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Read.
    Get,
    /// Read the headers.
    Head,
    /// Create, or act.
    Post,
    /// Replace.
    Put,
    /// Change.
    Patch,
    /// Delete.
    Delete,
}

impl Method {
    /// As it goes over the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// The names that a response gives to expressions.
pub const RESULT: &[Field] = &[
    Field { name: "status", kind: "int", about: "status code" },
    Field { name: "headers", kind: "map", about: "response headers, names in lower case" },
    Field { name: "body", kind: "string", about: "body as text, at most its first 1 MiB" },
    Field { name: "json", kind: "dyn", about: "body read as JSON, or null when it is not JSON" },
    Field { name: "durationMs", kind: "int", about: "time to the end of the body, in milliseconds" },
];

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "http",
    summary: "sends one HTTP request; GET and HEAD read, everything else mutates",
    example: r#"http:
  url: https://cdn.example.org/purge
  method: POST
  headers: {Authorization: "Bearer {{inputs.token}}"}"#,
    result: RESULT,
    undo_auto: false,
};
