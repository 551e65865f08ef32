//! From a name to a client: kubeconfig, service account, credentials; and who answers.
//!
//! Duty: to reach the cluster that is meant, to say what is wrong where that cannot help by itself, and to go on trying
//! where it can.

use std::{
    path::{Path, PathBuf},
    sync::{RwLock, atomic::AtomicU64},
    time::Duration,
};

use kube::config::{KubeConfigOptions, Kubeconfig};
use lifeboat_core::{action::kube::ClusterRef, evidence::event::ClusterMet, machine::Input};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Cluster, Troubles, api, kinds, watch};

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);

/// How a cluster is reached.
#[derive(Debug, Clone)]
pub(super) struct Source {
    cluster: ClusterRef,
    directory: PathBuf,
}

impl Source {
    pub(super) fn new(cluster: &ClusterRef, directory: &Path) -> Self {
        Self { cluster: cluster.clone(), directory: directory.to_owned() }
    }

    /// Reads the configuration and makes a client. It runs credential plugins, so it may take a while. Besides the client:
    /// the context by which it was reached, and the address.
    pub(super) async fn client(&self) -> Result<(kube::Client, (Option<String>, String)), String> {
        let name = &self.cluster.name;
        let (mut config, context) = if self.cluster.in_cluster {
            let config = kube::Config::incluster().map_err(|error| {
                format!("cluster `{name}`: expected to run in a pod with a service account, found: {}", causes(&error))
            })?;
            (config, None)
        } else {
            let (config, context) = self.kubeconfig().await?;
            (config, Some(context))
        };
        config.connect_timeout = Some(CONNECT);
        // A watch may be silent for minutes; who waits for an answer has a time of its own.
        config.read_timeout = None;
        // Ours are told, and go on for as long as the step may wait.
        config.default_retry = false;
        let server = config.cluster_url.to_string();
        let client = kube::Client::try_from(config)
            .map_err(|error| format!("cluster `{name}`: no client can be made: {}", causes(&error)))?;
        Ok((client, (context, server)))
    }

    async fn kubeconfig(&self) -> Result<(kube::Config, String), String> {
        let name = &self.cluster.name;
        let (kubeconfig, place) = if let Some(path) = &self.cluster.kubeconfig {
            let path = self.directory.join(path);
            let place = path.display().to_string();
            let read = Kubeconfig::read_from(&path)
                .map_err(|error| format!("cluster `{name}`: no kubeconfig that can be used: {}", causes(&error)))?;
            (read, place)
        } else {
            let place = std::env::var("KUBECONFIG").ok().filter(|paths| !paths.is_empty());
            let place = place.unwrap_or_else(|| "~/.kube/config".to_owned());
            let read = Kubeconfig::read().map_err(|error| {
                format!(
                    "cluster `{name}`: no kubeconfig that can be used in {place}: {}; set KUBECONFIG, or write \
                         `kubeconfig:` under `clusters.{name}`",
                    causes(&error)
                )
            })?;
            (read, place)
        };
        let names: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
        let context = self.cluster.context.clone().or_else(|| kubeconfig.current_context.clone());
        let Some(context) = context.filter(|context| !context.is_empty()) else {
            return Err(format!(
                "cluster `{name}`: expected a context, found none in the runbook and no current one in {place}; it has {}",
                list(&names)
            ));
        };
        if !names.contains(&context.as_str()) {
            return Err(format!(
                "cluster `{name}`: expected the context `{context}` in {place}, found {}",
                list(&names)
            ));
        }
        let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|error| format!("cluster `{name}`, context `{context}`: {}", causes(&error)))?;
        Ok((config, context))
    }
}

fn list(names: &[&str]) -> String {
    match names {
        [] => "no context at all".to_owned(),
        names => format!("the contexts {}", names.join(", ")),
    }
}

/// An error with what caused it, on one line.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        // Many errors repeat their cause in their own text.
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = next.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reaches a cluster and asks who it is, again and again until it answers.
pub(super) async fn reach(
    source: Source,
    (inputs, troubles): (mpsc::UnboundedSender<Input>, Troubles),
    step: Option<String>,
    handle: tokio::runtime::Handle,
) -> Result<Cluster, String> {
    let name = source.cluster.name.clone();
    let (client, (context, server)) = source.client().await?;
    let met = ClusterMet { cluster: name.clone(), context, server, uid: String::new(), version: String::new() };
    let mut cluster = Cluster {
        name,
        met,
        connection: RwLock::new(client),
        source,
        inputs,
        troubles,
        requests: AtomicU64::new(0),
        kinds: kinds::Cache::default(),
        watches: watch::Registry::default(),
        handle,
    };
    let version = api::get(&cluster, step.as_deref(), "/version").await;
    let version = version.map_err(|error| format!("cluster `{}`: {error}", cluster.name))?;
    cluster.met.version = version["gitVersion"].as_str().unwrap_or("unknown").to_owned();
    let namespace = api::get(&cluster, step.as_deref(), "/api/v1/namespaces/kube-system").await;
    cluster.met.uid = match namespace {
        Ok(namespace) => match namespace.pointer("/metadata/uid").and_then(Value::as_str) {
            Some(uid) => uid.to_owned(),
            None => return Err(format!("cluster `{}`: its namespace kube-system has no UID", cluster.name)),
        },
        // Without that right the address has to do: it is weaker, as it may lead elsewhere tomorrow, and it is told so.
        Err(error) if error.is_denied() => format!("[{}; its UID may not be read]", cluster.met.server),
        Err(error) => return Err(format!("cluster `{}`: {error}", cluster.name)),
    };
    Ok(cluster)
}
