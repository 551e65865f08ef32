//! A check: something observed, and what is expected of it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Expectation, SecretTemplate, Template};
use crate::{check, duration::Duration, source::Spanned};

/// A check. Exactly one of the kinds must be there; `expect` judges what it observed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// What it proves, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// Runs a program, no shell. Passes when it exits with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<Spanned<check::exec::Exec>>,
    /// Runs a script. Passes when it exits with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Spanned<check::shell::Shell>>,
    /// Sends one HTTP request. Passes on a status from 200 to 299.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Spanned<check::http::Http>>,
    /// Opens a TCP connection. Passes when it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Spanned<check::tcp::Tcp>>,
    /// Makes a TLS handshake. Passes when the chain is trusted, the name matches and the certificate is valid today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Spanned<check::tls::Tls>>,
    /// Asks DNS resolvers. Passes when all of them give the same answers, and at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Spanned<check::dns::Dns>>,
    /// Looks at objects of a Kubernetes cluster. Passes when they are ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kube: Option<Spanned<check::kube::Kube>>,
    /// Asks a Kubernetes API server for rights. Passes when it is allowed.
    #[serde(default, rename = "can-i", skip_serializing_if = "Option::is_none")]
    pub can_i: Option<Spanned<check::can_i::CanI>>,
    /// Nothing but CEL: `expr: "steps.count.outputs.n > 0"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expr: Option<Spanned<Expectation>>,
    /// A person answers yes or no; unattended it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Spanned<Template>>,

    /// Judges the result; without it each kind has its own sensible default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Spanned<Expectation>>,
    /// Keeps checking for so long until it passes. Without it: once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Spanned<Duration>>,
    /// Time between two tries. Without it: `2s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Spanned<Duration>>,
    /// It must then stay true for so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<Spanned<Duration>>,
    /// Negative control: runs it once before the action, and fails the step if it passes already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_fail_first: bool,
    /// Longest time for one try. Without it: `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// Environment of `exec` and `shell`, added to the step's.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub env: IndexMap<String, SecretTemplate>,
    /// Working directory of `exec` and `shell`, relative to the runbook. Without it the step's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<Template>,
}
