//! Actions and checks in a real Kubernetes.
//!
//! Most of it needs no more than an API server: objects are kept there, and nothing happens to them but what a test does,
//! so a status is what the test says. What needs controllers, nodes or Velero uses the one whole cluster of the process.

use std::{fmt::Write as _, sync::OnceLock};

use lifeboat_test_cluster::{Client, Cluster, Options};

use crate::harness::{Place, runbook_with};

mod faults;
mod gitops;
mod job;
mod messages;
mod objects;
mod preflight;
mod resume;
mod velero;
mod waits;

/// An API server alone, shared by all tests; each has a namespace of its own.
pub(crate) fn api() -> &'static Cluster {
    static API: OnceLock<Cluster> = OnceLock::new();
    API.get_or_init(|| Cluster::start(Options::api_only()).expect("an API server"))
}

/// A namespace of a cluster, and a directory with a store.
pub(crate) struct Site {
    pub(crate) place: Place,
    pub(crate) namespace: String,
    pub(crate) client: &'static Client,
    kubeconfig: String,
}

impl Site {
    pub(crate) fn new(cluster: &'static Cluster, name: &str) -> Self {
        let client = cluster.client();
        let namespace = client.new_namespace(name).expect("a namespace");
        Self { place: Place::new(), namespace, client, kubeconfig: cluster.kubeconfig().display().to_string() }
    }

    /// A runbook around these steps; `NS` is the namespace, `dr` the cluster.
    pub(crate) fn runbook(&self, steps: &str) -> String {
        self.runbook_at("admin", &self.kubeconfig, steps)
    }

    /// The same with another context and kubeconfig.
    pub(crate) fn runbook_at(&self, context: &str, kubeconfig: &str, steps: &str) -> String {
        let mut clusters = String::new();
        _ = writeln!(clusters, "clusters:\n  dr: {{context: {context}, kubeconfig: \"{kubeconfig}\"}}");
        runbook_with(&clusters, &steps.replace("NS", &self.namespace))
    }

    /// Where an object of this namespace is.
    pub(crate) fn path(&self, api_version: &str, plural: &str, name: &str) -> String {
        lifeboat_test_cluster::path(api_version, plural, &self.namespace, name)
    }
}
