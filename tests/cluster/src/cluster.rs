//! A cluster: its parts, in the order in which they start and stop.

mod accounts;
mod objects;
mod parts;
mod programs;
pub mod users;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

pub use self::accounts::Account;
use self::programs::{start_api_server, start_etcd};
use crate::{
    Client, Crds, Error, S3,
    certificates::{self, Authority},
    client,
    directory::Directory,
    identity::{self, Identity},
    ports, s3,
    server::Server,
    velero,
};

/// Longest time a part may take until it is ready. Generous: the machine may be busy.
const LIMIT: Duration = Duration::from_secs(180);

/// A server of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The store.
    Etcd,
    /// The API server.
    ApiServer,
    /// The controllers: without it, a Deployment gets no pods and a claim no volume.
    ControllerManager,
    /// Without it, pods get no nodes.
    Scheduler,
    /// Nodes and what happens to pods: without it, pods stay as they are.
    Kwok,
    /// Where Velero keeps backups.
    S3,
    /// Backups and restores.
    Velero,
}

/// What a cluster shall have.
#[derive(Debug, Clone)]
pub struct Options {
    nodes: usize,
    velero: bool,
    crds: BTreeSet<Crds>,
}

impl Options {
    /// etcd and the API server: objects are kept, and nothing happens to them. The cheapest.
    #[must_use]
    pub fn api_only() -> Self {
        Self { nodes: 0, velero: false, crds: BTreeSet::new() }
    }

    /// Also controllers, a scheduler and three nodes: Deployments get ready, Jobs complete, claims bind.
    #[must_use]
    pub fn workloads() -> Self {
        Self { nodes: 3, ..Self::api_only() }
    }

    /// Also Velero with an S3 server, and all definitions of custom resources.
    #[must_use]
    pub fn full() -> Self {
        Self { velero: true, crds: Crds::ALL.into(), ..Self::workloads() }
    }

    /// With these custom resources, too.
    #[must_use]
    pub fn crds(mut self, sets: impl IntoIterator<Item = Crds>) -> Self {
        self.crds.extend(sets);
        self
    }

    /// With Velero and an S3 server, too.
    #[must_use]
    pub fn velero(mut self) -> Self {
        self.velero = true;
        self
    }

    /// With so many nodes. Without any, there are no controllers and no scheduler either.
    #[must_use]
    pub fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }
}

/// Servers that run. They end, and their files are gone, when this is dropped or this process ends, however it does.
#[derive(Debug)]
pub struct Cluster {
    parts: BTreeMap<Part, Server>,
    paused: Mutex<BTreeSet<Part>>,
    url: String,
    ca_pem: String,
    pub(crate) authority: Option<Authority>,
    admin: Client,
    identities: Vec<(&'static str, Identity)>,
    kubeconfig: PathBuf,
    s3: Option<S3>,
    // Last: it is removed when nobody writes to it anymore.
    directory: Directory,
}

impl Cluster {
    /// Starts the servers, and returns when all of them are ready.
    ///
    /// # Errors
    /// When servers are not built ([`Error::NotBuilt`]), or one ends or does not get ready: with the end of its log.
    pub fn start(options: Options) -> Result<Self, Error> {
        let directory = Directory::new()?;
        let authority = Authority::new("lifeboat-test-cluster")?;
        directory.write("ca.crt", authority.pem())?;
        authority.server("kube-apiserver")?.write(directory.path(), "server")?;
        let (private, public) = certificates::signing_key()?;
        directory.write("service-accounts.key", private)?;
        directory.write("service-accounts.pub", public)?;
        let identities = users::known_users(&authority)?;
        directory.write("tokens.csv", users::token_file(&identities))?;
        let mut parts = BTreeMap::new();
        let etcd_port = ports::free()?;
        parts.insert(Part::Etcd, start_etcd(&directory, etcd_port)?);
        let port = ports::free()?;
        let url = format!("https://127.0.0.1:{port}");
        parts.insert(Part::ApiServer, start_api_server(&directory, port, etcd_port)?);
        let s3 = if options.velero {
            let (server, s3) = s3::start(&directory)?;
            parts.insert(Part::S3, server);
            Some(s3)
        } else {
            None
        };
        let contexts: Vec<(&str, Identity)> =
            identities.iter().filter(|(name, _)| !name.starts_with("system:")).cloned().collect();
        let kubeconfig =
            directory.write("kubeconfig", identity::kubeconfig("lifeboat-test", &url, authority.pem(), &contexts))?;
        let identity = &identities.first().ok_or_else(|| Error::Input("no users".into()))?.1;
        let mut cluster = Self {
            parts,
            paused: Mutex::default(),
            admin: Client::new(&url, authority.pem(), identity)?,
            url,
            ca_pem: authority.pem().to_owned(),
            authority: Some(authority),
            identities,
            kubeconfig,
            s3,
            directory,
        };
        cluster.wait_for_part(Part::ApiServer, |client| client.text("/readyz").map(Some))?;
        if options.nodes > 0 {
            cluster.start_controllers()?;
        }
        cluster.prepare(&options)?;
        if options.nodes > 0 {
            cluster.start_kwok(options.nodes)?;
        }
        if let Some(s3) = cluster.s3.clone() {
            velero::prepare(&cluster.admin, &s3)?;
            let kubeconfig = cluster.server_kubeconfig(users::ADMIN)?;
            let server = velero::start(&cluster.directory, &kubeconfig, &s3)?;
            cluster.parts.insert(Part::Velero, server);
        }
        cluster.wait_for_all(&options)?;
        Ok(cluster)
    }

    /// One full cluster for all tests of this process, started when it is first asked for. Tests use namespaces of their
    /// own, and leave its servers alone.
    ///
    /// With `LIFEBOAT_TEST_KUBECONFIG`, the cluster that it names, of which only the admin is known.
    ///
    /// # Errors
    /// As [`Cluster::start`]; the same for every later caller.
    pub fn shared() -> Result<&'static Self, Error> {
        static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
        let start = || match env::var_os("LIFEBOAT_TEST_KUBECONFIG").filter(|path| !path.is_empty()) {
            Some(path) => Self::existing(Path::new(&path)),
            None => Self::start(Options::full()),
        };
        let shared = SHARED.get_or_init(|| start().map_err(|error| error.to_string()));
        shared.as_ref().map_err(|error| Error::Input(format!("the shared cluster: {error}")))
    }

    /// A cluster that somebody else runs: none of its servers can be stopped from here.
    ///
    /// # Errors
    /// When the kubeconfig has no current context with a token or a client certificate.
    pub fn existing(kubeconfig: &Path) -> Result<Self, Error> {
        let (url, ca_pem, identity) = identity::current(kubeconfig)?;
        Ok(Self {
            parts: BTreeMap::new(),
            paused: Mutex::default(),
            admin: Client::new(&url, &ca_pem, &identity)?,
            url,
            ca_pem,
            authority: None,
            identities: vec![(users::ADMIN, identity)],
            kubeconfig: kubeconfig.to_owned(),
            s3: None,
            directory: Directory::new()?,
        })
    }

    /// Waits until the answers of a part say that it is ready, or until it has ended.
    fn wait_for_part<T>(
        &self,
        part: Part,
        mut look: impl FnMut(&Client) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let began = Instant::now();
        let server = self.server(part)?;
        loop {
            let last = match look(&self.admin) {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => "not yet".to_owned(),
                Err(error) => error.to_string(),
            };
            if server.pid().is_none() {
                // What it could not reach may be the one that is to blame.
                if let Some(etcd) = self.parts.get(&Part::Etcd).filter(|etcd| etcd.pid().is_none()) {
                    return Err(etcd.error("has ended"));
                }
                return Err(server.error("has ended instead of getting ready"));
            }
            if began.elapsed() > LIMIT {
                return Err(server.error(format!("is not ready after {} s ({last})", began.elapsed().as_secs())));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn wait_for_all(&self, options: &Options) -> Result<(), Error> {
        if options.nodes > 0 {
            self.wait_for_part(Part::ControllerManager, |client| {
                client.find(&client::path("v1", "serviceaccounts", "default", "default"))
            })?;
            self.wait_for_part(Part::Kwok, |client| {
                let nodes = client.list("/api/v1/nodes")?;
                let ready = |node: &Value| {
                    let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
                    let mut ready =
                        conditions.filter(|condition| condition["type"] == "Ready" && condition["status"] == "True");
                    let tainted = node["spec"]["taints"].as_array().is_some_and(|taints| !taints.is_empty());
                    ready.next().is_some() && !tainted
                };
                Ok((nodes.len() == options.nodes && nodes.iter().all(ready)).then_some(()))
            })?;
        }
        if options.velero {
            self.wait_for_part(Part::Velero, velero::is_ready)?;
        }
        Ok(())
    }

    fn server(&self, part: Part) -> Result<&Server, Error> {
        self.parts.get(&part).ok_or_else(|| Error::Input(format!("this cluster has no {part:?}")))
    }

    fn identity(&self, user: &str) -> Result<&Identity, Error> {
        let found = self.identities.iter().find(|(name, _)| *name == user);
        found.map(|(_, identity)| identity).ok_or_else(|| Error::Input(format!("this cluster has no user `{user}`")))
    }

    /// A kubeconfig of one of the servers.
    fn server_kubeconfig(&self, user: &str) -> Result<PathBuf, Error> {
        let users = [(user, self.identity(user)?.clone())];
        let text = identity::kubeconfig("lifeboat-test", &self.url, &self.ca_pem, &users);
        self.directory.write(&format!("{}.kubeconfig", user.replace(':', "-")), text)
    }

    /// Address of the API server, as `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn api_url(&self) -> &str {
        &self.url
    }

    /// The certificate of the authority that signed the API server's, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A kubeconfig with a context for every user in [`users`]; the current one is the admin's.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A token that may do everything.
    ///
    /// # Errors
    /// When this is somebody else's cluster, and its kubeconfig has no token.
    pub fn admin_token(&self) -> Result<&str, Error> {
        self.token(users::ADMIN)
    }

    /// The token of a user in [`users`].
    ///
    /// # Errors
    /// When the cluster has no such user, or one without a token.
    pub fn token(&self, user: &str) -> Result<&str, Error> {
        self.identity(user)?.token().ok_or_else(|| Error::Input(format!("`{user}` has no token")))
    }

    /// The users in [`users`] that have tokens.
    pub(crate) fn token_users(&self) -> Vec<(&'static str, Identity)> {
        let users = self.identities.iter();
        users.filter(|(name, identity)| !name.starts_with("system:") && identity.token().is_some()).cloned().collect()
    }

    /// Speaks as the admin.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.admin
    }

    /// Speaks as a user in [`users`].
    ///
    /// # Errors
    /// When the cluster has no such user.
    pub fn client_as(&self, user: &str) -> Result<Client, Error> {
        Client::new(&self.url, &self.ca_pem, self.identity(user)?)
    }

    /// The S3 server, when there is one.
    #[must_use]
    pub fn s3(&self) -> Option<&S3> {
        self.s3.as_ref()
    }

    /// A directory of the cluster's, for files of a test that shall go with it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}
