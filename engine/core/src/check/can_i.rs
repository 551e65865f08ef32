//! `can-i`: what somebody may do in a Kubernetes cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::{
    action::{
        Field,
        kube::{ClusterRef, Render, Rendered, Texts},
    },
    model::Template,
    source::Spanned,
};

/// Asks the API server whether a service account, a user, or the engine itself may do something. It proves Kubernetes'
/// own rights only: whether a cloud trusts the identity, a `job` under the service account tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CanI {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// The verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verb: Template,
    /// The resource, in the plural: `deployments`.
    pub resource: Template,
    /// Its API group. Without it: the core group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Template>,
    /// A subresource: `log`, `scale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subresource: Option<Template>,
    /// One object. Without it: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Template>,
    /// The namespace. Without it: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Template>,
    /// A service account, as `<namespace>/<name>`, with the groups that it is in by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<Template>,
    /// A user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Template>,
    /// Groups that the user is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Template>,
}

impl Render for CanI {
    fn render(&self, texts: &dyn Texts) -> Rendered<Self> {
        Ok(Self {
            cluster: self.cluster.clone(),
            verb: texts.plain(&self.verb)?,
            resource: texts.plain(&self.resource)?,
            group: texts.option(self.group.as_ref())?,
            subresource: texts.option(self.subresource.as_ref())?,
            name: texts.option(self.name.as_ref())?,
            namespace: texts.option(self.namespace.as_ref())?,
            service_account: texts.option(self.service_account.as_ref())?,
            user: texts.option(self.user.as_ref())?,
            groups: texts.list(&self.groups)?,
        })
    }
}

/// What the runtime is asked to find out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Where.
    pub cluster: ClusterRef,
    /// What; every text is rendered.
    pub spec: CanI,
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "can-i",
    summary: "asks the API server what a service account, a user, or the engine may do",
    example: "can-i: {cluster: recovery, verb: get, resource: secrets, namespace: shop, serviceAccount: api}",
    result: &[
        Field { name: "allowed", kind: "bool", about: "whether it is allowed" },
        Field { name: "reason", kind: "string", about: "why, as far as the server says" },
        Field { name: "as", kind: "string", about: "who was asked about" },
    ],
    expect: "allowed",
};
