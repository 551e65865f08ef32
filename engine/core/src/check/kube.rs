//! `kube`: objects of a Kubernetes cluster.

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

/// Looks at one object by `name`, or at those of a kind that a `selector` finds. At most one of `ready`, `condition`,
/// `absent` and `count` says what must be true of them; `expect` judges freely. Without any of them it is `ready: all`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kube {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// The kind: `Deployment`, `deployments.apps`, or `Restore.velero.io`.
    pub kind: Template,
    /// The API version, where a kind is served in several: `apps/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Template>,
    /// One object. Without it: all that `selector` finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Template>,
    /// A label selector: `app=api,tier!=cache`; empty for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Template>,
    /// The namespace. Without it: all namespaces, for a list of a namespaced kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Template>,
    /// How many must be ready, by the rules of their kind: `all` (and at least one), `any`, or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<Template>,
    /// A workload that is scaled to zero counts as ready.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_zero: bool,
    /// A condition that must be true of the object's current generation: `Available`, or `Progressing=False`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Template>,
    /// Nothing of it may be there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub absent: bool,
    /// How many must be there, ready or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Template>,
}

impl Render for Kube {
    fn render(&self, texts: &dyn Texts) -> Rendered<Self> {
        Ok(Self {
            cluster: self.cluster.clone(),
            kind: texts.plain(&self.kind)?,
            api_version: texts.option(self.api_version.as_ref())?,
            name: texts.option(self.name.as_ref())?,
            selector: texts.option(self.selector.as_ref())?,
            namespace: texts.option(self.namespace.as_ref())?,
            ready: texts.option(self.ready.as_ref())?,
            allow_zero: self.allow_zero,
            condition: texts.option(self.condition.as_ref())?,
            absent: self.absent,
            count: texts.option(self.count.as_ref())?,
        })
    }
}

/// What the runtime is asked to look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Where.
    pub cluster: ClusterRef,
    /// What; every text is rendered.
    pub spec: Kube,
    /// It will be looked at again and again: by a watch that all who wait share.
    pub again: bool,
    /// An expression judges the objects, so they are wanted as they are; otherwise what is said of them is enough.
    pub whole: bool,
    /// This is the first look: it must not come from a watch that may lag behind what was just done.
    pub fresh: bool,
}

/// The names that a look gives to expressions.
pub const RESULT: &[Field] = &[
    Field { name: "ok", kind: "bool", about: "whether `ready`, `condition`, `absent` or `count` is true" },
    Field { name: "object", kind: "dyn", about: "the object, or null when it is not there; with `name` and `expect`" },
    Field { name: "objects", kind: "list", about: "the objects that were found; with `expect`" },
    Field { name: "count", kind: "int", about: "how many were found" },
    Field { name: "ready", kind: "int", about: "how many of them are ready" },
    Field { name: "waiting", kind: "list", about: "why others are not: maps of `object` and `why`" },
    Field { name: "failed", kind: "list", about: "for which of them waiting is pointless, likewise" },
    Field { name: "why", kind: "string", about: "why `ok` is false, in words; empty when it is true" },
    Field { name: "hopeless", kind: "bool", about: "whether waiting for `ok` is pointless; then nobody waits" },
    Field { name: "now", kind: "timestamp", about: "time of the look, by the engine's clock" },
];

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "kube",
    summary: "looks at objects of a Kubernetes cluster; passes when they are ready",
    example: r#"kube: {cluster: recovery, kind: Deployment, namespace: shop, selector: "app=api", ready: all}
within: 5m"#,
    result: RESULT,
    expect: "ok",
};
