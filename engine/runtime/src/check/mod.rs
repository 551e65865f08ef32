//! Looking, one kind a file.
//!
//! Duty: to observe once and to hand back the fields that the check's facts in `core` name. It must not judge what it
//! saw, nor change anything. What the world says (refused, expired, NXDOMAIN) is data; an error is only what keeps us
//! from seeing.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use lifeboat_core::{check::Order, machine::Input, mask::Mask};
use serde_json::Value;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

use crate::{
    cluster::Clusters,
    http::{self, Clients},
    process::Filters,
};

mod can_i;
mod dns;
mod kube;
mod process;
mod tcp;
mod tls;

/// What a check is made with.
#[derive(Clone)]
pub struct Context {
    /// The runbook's directory: where relative paths begin.
    pub directory: PathBuf,
    /// The whole environment of processes: the base and `LIFEBOAT_*`.
    pub environment: BTreeMap<String, String>,
    /// Longest time for one observation.
    pub timeout: Duration,
    /// From TERM to KILL for a process that takes longer.
    pub grace: Duration,
    /// Takes secrets out of what a process prints.
    pub filter: Filters,
    /// HTTP clients, shared by all checks.
    pub clients: Clients,
    /// Clusters, shared by everything in the run.
    pub clusters: Clusters,
    /// The step that is checked.
    pub step: Option<String>,
}

/// Observes once. When the future is dropped, nothing of it stays: a process is stopped.
///
/// # Errors
/// Why nothing could be observed, in words, without secrets.
pub async fn observe(order: &Order, cx: &Context) -> Result<Value, String> {
    match order {
        Order::Process(order) => process::observe(order, cx).await,
        Order::Http(order) => http::send(order, &cx.directory, &cx.clients, cx.timeout).await,
        Order::Tcp { address } => Ok(tcp::observe(address, cx.timeout).await),
        Order::Tls(order) => tls::observe(order, &cx.directory, cx.timeout).await,
        Order::Dns(order) => dns::observe(order, cx.timeout).await,
        Order::Kube(order) => within(cx.timeout, kube::observe(order, cx)).await,
        Order::CanI(order) => within(cx.timeout, can_i::observe(order, cx)).await,
        Order::Expr => Err("an `expr` check is evaluated, not observed: this is a mistake of the engine".to_owned()),
        Order::Ask { .. } => Err("an `ask` check is for a person: this is a mistake of the engine".to_owned()),
    }
}

/// Observes on a task of its own and tells the machine what was seen, without secrets. Processes wait for a place among
/// `processes`: checks poll, and a wide layer that verifies must not become a fork bomb.
pub(crate) fn begin(
    run: u64,
    order: Order,
    cx: Context,
    mask: Mask,
    processes: Arc<Semaphore>,
    sender: mpsc::UnboundedSender<Input>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let observed = match &order {
            Order::Process(_) => {
                let permit = processes.acquire_owned().await;
                let observed = observe(&order, &cx).await;
                drop(permit);
                observed
            }
            _ => observe(&order, &cx).await,
        };
        let observed = match observed {
            Ok(mut value) => {
                mask.value(&mut value);
                Ok(value)
            }
            Err(reason) => Err(mask.text(&reason).into_owned()),
        };
        drop(sender.send(Input::CheckFinished { run, observed }));
    })
}

/// A look at a cluster, for as long as it may take.
async fn within(timeout: Duration, look: impl Future<Output = Result<Value, String>>) -> Result<Value, String> {
    match tokio::time::timeout(timeout, look).await {
        Ok(seen) => seen,
        Err(_) => Err(format!("no answer from the cluster within {} s", timeout.as_secs_f64())),
    }
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
