//! Kubernetes clusters, by the names that steps use for them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Template;

/// A Kubernetes cluster. Without any key: the current context of the kubeconfig, which a lint rule warns about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// The context in the kubeconfig. Its text sees `inputs` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Template>,
    /// The kubeconfig, relative to the runbook. Without it: the files of `KUBECONFIG`, else `~/.kube/config`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<Template>,
    /// The engine runs in a pod of this cluster and uses its service account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_cluster: bool,
}
