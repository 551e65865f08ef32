//! Kubernetes clusters: the only user of `kube`.
//!
//! Duty: to reach a cluster, to be sure which one it is, and to ask it; a request that fails for a reason that may pass is
//! made again, and every such try is told. It must not know what an answer means: that is for core's room `kube` and for
//! the actions.
//!
//! - `connect`: from a name to a client
//! - `api`: one request, and when it is made again
//! - `kinds`: from what an author calls a kind to where its objects are
//! - `watch`: one watch a cluster, kind and namespace, shared by all that wait on it

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lifeboat_core::{
    action::kube::ClusterRef,
    evidence::event::ClusterMet,
    machine::{Input, input::ApiTrouble},
};
use tokio::sync::{Mutex, OnceCell, mpsc};

pub mod api;
mod connect;
pub mod kinds;
pub mod watch;

pub use api::{ApiError, Ask};
pub use kinds::Kind;

/// How long a cluster may take to say who it is before a pre-flight gives it up.
pub const MEETING: Duration = Duration::from_secs(15);

/// Every cluster of a run, each reached once.
#[derive(Clone)]
pub struct Clusters {
    inner: Arc<Inner>,
}

struct Inner {
    inputs: mpsc::UnboundedSender<Input>,
    directory: PathBuf,
    /// Each is reached on its own: one that does not answer must not hold up the others.
    known: Mutex<HashMap<ClusterRef, Arc<OnceCell<Arc<Cluster>>>>>,
    /// What came last instead of an answer, by the cluster's name.
    troubles: Troubles,
    runtime: RwLock<Option<tokio::runtime::Runtime>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A runtime must not be dropped where another one runs; nothing of it is waited for.
        if let Some(runtime) = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}

/// What came last instead of an answer, by the cluster's name: for those who give up.
type Troubles = Arc<RwLock<HashMap<String, String>>>;

/// A cluster that was reached.
pub struct Cluster {
    /// Its name in the evidence.
    pub name: String,
    /// What it says of itself.
    pub met: ClusterMet,
    connection: RwLock<kube::Client>,
    /// How it was reached, to do it again when its credentials have expired.
    source: connect::Source,
    inputs: mpsc::UnboundedSender<Input>,
    troubles: Troubles,
    requests: AtomicU64,
    kinds: kinds::Cache,
    watches: watch::Registry,
    handle: tokio::runtime::Handle,
}

/// Why a cluster cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreachable {
    /// It cannot be reached; for people.
    Failed(String),
    /// Another one answers under this name. The machine was told.
    Another(String),
}

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(why) | Self::Another(why) => f.write_str(why),
        }
    }
}

impl Clusters {
    /// Clusters of a run. Kubeconfigs are relative to `directory`; the machine hears of each cluster by `inputs`.
    #[must_use]
    pub fn new(inputs: mpsc::UnboundedSender<Input>, directory: PathBuf) -> Self {
        let inner = Inner {
            inputs,
            directory,
            known: Mutex::new(HashMap::new()),
            troubles: Troubles::default(),
            runtime: RwLock::new(None),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A runtime of its own: credential plugins are programs that are waited for, and must not hold up the engine.
    fn handle(&self) -> Result<tokio::runtime::Handle, String> {
        let mut runtime = self.inner.runtime.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*runtime {
            return Ok(runtime.handle().clone());
        }
        let made = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(8)
            .thread_name("clusters")
            .enable_all()
            .build()
            .map_err(|error| format!("no thread for clusters can be had: {error}"))?;
        let handle = made.handle().clone();
        *runtime = Some(made);
        Ok(handle)
    }

    /// The cluster of this name. The first time it is reached and asked who it is; `by` is the step that wants it.
    ///
    /// It tries until it is reached; whoever waits for it has a time of its own.
    ///
    /// # Errors
    /// When there is no such context, when trying again cannot help, or when another cluster answers than the run has met
    /// under this name.
    pub async fn get(&self, cluster: &ClusterRef, by: Option<&str>) -> Result<Arc<Cluster>, Unreachable> {
        // Who it must be is asked of each order anew, and is no part of how it is reached.
        let key = ClusterRef { uid: None, ..cluster.clone() };
        let cell = Arc::clone(self.inner.known.lock().await.entry(key.clone()).or_default());
        let reach = || async {
            let source = connect::Source::new(&key, &self.inner.directory);
            let handle = self.handle().map_err(Unreachable::Failed)?;
            let (inputs, step) = (self.inner.inputs.clone(), by.map(str::to_owned));
            let tell = (inputs, Arc::clone(&self.inner.troubles));
            let task = handle.spawn(connect::reach(source, tell, step, handle.clone()));
            // Whoever waits may give up: then nobody needs the connection any more either.
            let task = Abandoned(task);
            let reached = task.await.map_err(Unreachable::Failed)?;
            drop(self.inner.inputs.send(Input::ClusterMet(reached.met.clone())));
            Ok(Arc::new(reached))
        };
        let found = Arc::clone(cell.get_or_try_init(reach).await?);
        match &cluster.uid {
            Some(expected) if *expected != found.met.uid => Err(Unreachable::Another(format!(
                "the cluster `{}` is another one than this run has met: expected {expected}, found {}",
                cluster.name, found.met.uid
            ))),
            _ => Ok(found),
        }
    }
}

impl Clusters {
    /// What came last from a cluster of this name instead of an answer.
    #[must_use]
    pub fn trouble(&self, name: &str) -> Option<String> {
        self.inner.troubles.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// A task that ends when nobody waits for it any more.
struct Abandoned<T>(tokio::task::JoinHandle<Result<T, String>>);

impl<T> Future for Abandoned<T> {
    type Output = Result<T, String>;
    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0)
            .poll(cx)
            .map(|done| done.unwrap_or_else(|error| Err(format!("the connection was given up: {error}"))))
    }
}

impl<T> Drop for Abandoned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Cluster {
    /// Who asks, for what is told of retries and counted.
    #[must_use]
    pub fn ask(self: &Arc<Self>, step: Option<&str>) -> Ask {
        Ask::new(Arc::clone(self), step.map(str::to_owned))
    }

    /// Requests to its API so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Tells the machine how often it was asked.
    pub(crate) fn tell_requests(&self) {
        let told = Input::ClusterAsked { cluster: self.name.clone(), requests: self.requests() };
        drop(self.inputs.send(told));
    }

    fn client(&self) -> kube::Client {
        self.connection.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for credentials anew: the old ones are not taken any more.
    async fn renew(&self) -> Result<(), String> {
        let source = self.source.clone();
        let made = self.handle.spawn(async move { source.client().await }).await;
        let (client, _) = made.map_err(|error| error.to_string())??;
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = client;
        Ok(())
    }

    fn trouble(&self, step: Option<&str>, request: &str, reason: &str, wait: Duration, failures: u32) {
        let mut troubles = self.troubles.write().unwrap_or_else(PoisonError::into_inner);
        troubles.insert(self.name.clone(), reason.to_owned());
        drop(troubles);
        drop(self.inputs.send(Input::ApiTrouble(ApiTrouble {
            cluster: self.name.clone(),
            step: step.map(str::to_owned),
            request: request.to_owned(),
            reason: reason.to_owned(),
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            failures,
        })));
    }
}
