//! `job`: a container, run once in a cluster.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Facts, Field,
    kube::{Render, Rendered, Texts},
};
use crate::{
    duration::Duration,
    model::{SecretTemplate, Template},
    source::Spanned,
};

/// Runs a container as a Kubernetes Job with one pod that is not restarted, and streams its log. It succeeds when the Job
/// does. With a service account it probes what that workload may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Job {
    /// The cluster, by its name under `clusters`.
    pub cluster: Spanned<String>,
    /// The namespace.
    pub namespace: Template,
    /// The image.
    pub image: Template,
    /// The program, in place of the image's own; each argument is templated on its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<Template>,
    /// Arguments, in place of the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Template>,
    /// Environment. A secret here is put into a Kubernetes Secret that is deleted with the Job.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub env: IndexMap<String, SecretTemplate>,
    /// The service account whose identity the pod has. Without it: the namespace's `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<Template>,
    /// Labels of the pod, for example those by which a cloud's workload identity knows it.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, Template>,
    /// How long the finished Job is kept. Without it: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
}

impl Render for Job {
    fn render(&self, texts: &dyn Texts) -> Rendered<Self> {
        Ok(Self {
            cluster: self.cluster.clone(),
            namespace: texts.plain(&self.namespace)?,
            image: texts.plain(&self.image)?,
            command: texts.list(&self.command)?,
            args: texts.list(&self.args)?,
            env: self
                .env
                .iter()
                .map(|(name, value)| Ok((name.clone(), texts.secret(value)?)))
                .collect::<Result<_, String>>()?,
            service_account: texts.option(self.service_account.as_ref())?,
            labels: texts.map(&self.labels)?,
            ttl: self.ttl,
        })
    }
}

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "job",
    summary: "runs a container as a Kubernetes Job and streams its log",
    example: "job:
  cluster: recovery
  namespace: shop
  image: registry.example.org/probe@sha256:4a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9
  command: [probe, --read-only]
  serviceAccount: api
effect: reads",
    result: &[
        Field { name: "job", kind: "string", about: "name of the Job" },
        Field { name: "pod", kind: "string", about: "name of its pod" },
        Field { name: "node", kind: "string", about: "node that the pod ran on" },
        Field { name: "imageId", kind: "string", about: "digest of the image that ran" },
        Field { name: "exitCode", kind: "int", about: "exit code of the container" },
        Field { name: "stdout", kind: "string", about: "what the container printed, at most its last 1 MiB" },
        Field { name: "json", kind: "dyn", about: "`stdout` read as JSON, or null when it is not JSON" },
        Field { name: "truncated", kind: "bool", about: "whether `stdout` is only the end" },
    ],
    undo_auto: true,
};
