//! An API server with faults: an HTTPS reverse proxy in front of the real one.
//!
//! ```no_run
//! # use lifeboat_test_cluster::{Cluster, Error, proxy::{Fault, Proxy, Rule}};
//! # fn main() -> Result<(), Error> {
//! let proxy = Proxy::start(Cluster::shared()?)?;
//! let throttled = proxy.inject(Rule::new(Fault::throttle(1)).verb("create").path("/deployments").times(3));
//! // … somebody works with `proxy.kubeconfig()` …
//! assert_eq!(proxy.applied(throttled), 3);
//! # Ok(())
//! # }
//! ```
//!
//! Faults can be switched on and off while it runs. Whoever they hit cannot tell them from the real thing: answers are
//! `Status` objects as the API server makes them, connections are refused or cut by closing sockets. Users prove who they
//! are by tokens, which pass; client certificates cannot pass, and `exec` and `port-forward` do not.

mod counts;
mod fault;
mod serve;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::watch;

pub use self::{
    counts::Counts,
    fault::{Fault, Injected, Rule},
};
use crate::{
    Client, Cluster, Error,
    identity::{self, Identity},
    ports,
};

/// Longest time that switching on or off may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    ca_pem: String,
    users: Vec<(&'static str, Identity)>,
    kubeconfig: PathBuf,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Whether it listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Up,
    Down,
    Over,
}

/// What tests change and requests read.
#[derive(Debug)]
struct Shared {
    rules: Mutex<fault::Rules>,
    counts: Mutex<Counts>,
    /// Changes when all open watches shall be cut.
    cut: watch::Sender<u64>,
    wanted: watch::Sender<Wanted>,
    listens: AtomicBool,
    /// Why it has ended by itself.
    why_not: Mutex<Option<String>>,
}

impl Shared {
    fn rules(&self) -> MutexGuard<'_, fault::Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// Starts a proxy in front of a cluster, without faults.
    ///
    /// # Errors
    /// When this is somebody else's cluster, whose authority cannot sign for the proxy; or there is no port.
    pub fn start(cluster: &Cluster) -> Result<Self, Error> {
        // For names of files: there may be several proxies in front of one cluster.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let authority = cluster
            .authority
            .as_ref()
            .ok_or_else(|| Error::Input("a proxy needs a cluster that the tests have started themselves".into()))?;
        let signed = authority.server("fault proxy")?;
        let port = ports::free()?;
        let url = format!("https://127.0.0.1:{port}");
        let users = cluster.token_users();
        let text = identity::kubeconfig("lifeboat-test-proxy", &url, cluster.ca_pem(), &users);
        let kubeconfig =
            cluster.directory().join(format!("proxy-{}.kubeconfig", COUNT.fetch_add(1, Ordering::Relaxed)));
        std::fs::write(&kubeconfig, text).map_err(Error::io(format!("writing {}", kubeconfig.display())))?;
        let shared = Arc::new(Shared {
            rules: Mutex::default(),
            counts: Mutex::default(),
            cut: watch::Sender::new(0),
            wanted: watch::Sender::new(Wanted::Up),
            listens: AtomicBool::new(false),
            why_not: Mutex::new(None),
        });
        let upstream = Identity::Token(String::new()).tls(cluster.ca_pem())?;
        let front = serve::Front::new(port, &signed, upstream, cluster.api_url().to_owned(), Arc::clone(&shared))?;
        let thread = thread::Builder::new()
            .name("fault-proxy".into())
            .spawn(move || front.run())
            .map_err(Error::io("starting a thread"))?;
        let ca_pem = cluster.ca_pem().to_owned();
        let proxy = Self { url, ca_pem, users, kubeconfig, shared, thread: Some(thread) };
        proxy.wait(true)?;
        Ok(proxy)
    }

    /// Its address, as `https://127.0.0.1:<port>`. Its certificate is signed by the cluster's authority.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A kubeconfig like the cluster's, with this proxy as the server, and only users with tokens.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Speaks through it, as a user in [`users`](crate::users).
    ///
    /// # Errors
    /// When the cluster has no such user with a token.
    pub fn client(&self, user: &str) -> Result<Client, Error> {
        let found = self.users.iter().find(|(name, _)| *name == user);
        let (_, identity) = found.ok_or_else(|| Error::Input(format!("the proxy knows no user `{user}`")))?;
        Client::new(&self.url, &self.ca_pem, identity)
    }

    /// What has come by since the start or [`Proxy::reset_counts`].
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counts().clone()
    }

    /// Begins to count anew. Watches that are open stay counted as open.
    pub fn reset_counts(&self) {
        self.shared.counts().reset();
    }

    /// Cuts all open watches: their connections break off, without an end. Returns how many there were.
    #[expect(clippy::must_use_candidate, reason = "most tests know how many there are")]
    pub fn cut_watches(&self) -> usize {
        let open = self.shared.counts().open_watches;
        self.shared.cut.send_modify(|generation| *generation += 1);
        open
    }

    /// Closes all connections, and refuses new ones until [`Proxy::come_up`].
    ///
    /// # Errors
    /// When the proxy does not do so in time.
    pub fn go_down(&self) -> Result<(), Error> {
        self.shared.wanted.send_replace(Wanted::Down);
        self.cut_watches();
        self.wait(false)
    }

    /// Accepts connections again, at the same address.
    ///
    /// # Errors
    /// When somebody else has taken the port.
    pub fn come_up(&self) -> Result<(), Error> {
        self.shared.wanted.send_replace(Wanted::Up);
        self.wait(true)
    }

    /// From now on there is this fault, for the requests that the rule is about.
    #[expect(clippy::must_use_candidate, reason = "most faults are never asked about again")]
    pub fn inject(&self, rule: Rule) -> Injected {
        self.shared.rules().add(rule)
    }

    /// How often a fault has hit.
    #[must_use]
    pub fn applied(&self, injected: Injected) -> usize {
        self.shared.rules().applied(injected)
    }

    /// Ends one fault. A request that it holds already is not let go.
    pub fn remove(&self, injected: Injected) {
        self.shared.rules().remove(injected);
    }

    /// Ends all faults; expired tokens are good again.
    pub fn clear(&self) {
        self.shared.rules().clear();
    }

    /// From now on, a request with this token is answered with 401.
    pub fn expire_token(&self, token: &str) {
        self.shared.rules().expire(token);
    }

    fn wait(&self, listens: bool) -> Result<(), Error> {
        let began = Instant::now();
        while self.shared.listens.load(Ordering::SeqCst) != listens {
            let why = self.shared.why_not.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if began.elapsed() > LIMIT || why.is_some() {
                let why = why.unwrap_or_else(|| format!("not so after {LIMIT:?}"));
                let what = if listens { "listen" } else { "refuse connections" };
                return Err(Error::Input(format!("the proxy at {} was to {what}: {why}", self.url)));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.wanted.send_replace(Wanted::Over);
        self.cut_watches();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
