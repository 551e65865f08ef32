//! `apply`: server-side apply.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Facts, Field,
    kube::{Render, Rendered, Texts},
};
use crate::{
    model::{SecretTemplate, Template},
    source::Spanned,
};

/// Applies manifests as the field manager `lifeboat`: CRDs and namespaces first, each CRD established before its
/// resources. It does not wait for what it applied to get ready: that is for `verify`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Apply {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// Files with manifests in YAML or JSON, or directories of them, relative to the runbook. They are taken as they are:
    /// no templates inside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Template>,
    /// Manifests in YAML or JSON, in place. Several documents are separated by `---`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<SecretTemplate>,
    /// The namespace of objects that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Template>,
    /// Take over fields that another manager has set. Without it such a conflict fails the step and is shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

impl Render for Apply {
    fn render(&self, texts: &dyn Texts) -> Rendered<Self> {
        Ok(Self {
            cluster: self.cluster.clone(),
            files: texts.paths(&self.files)?,
            manifest: self.manifest.as_ref().map(|text| texts.secret(text)).transpose()?,
            namespace: texts.option(self.namespace.as_ref())?,
            force: self.force,
        })
    }
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "apply",
    summary: "applies manifests by server-side apply, no kubectl",
    example: "apply:
  cluster: recovery
  namespace: shop
  manifest: |
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: mode}
    data: {mode: recovery}
undo: auto",
    result: &[
        Field {
            name: "objects",
            kind: "list",
            about: "what was applied: maps of `kind`, `namespace`, `name`, `uid`, `generation`, `created`, `changed`",
        },
        Field { name: "created", kind: "int", about: "how many objects did not exist before" },
        Field { name: "changed", kind: "int", about: "how many existed and were changed" },
        Field { name: "unchanged", kind: "int", about: "how many were as they should be already" },
    ],
    undo_auto: true,
};
