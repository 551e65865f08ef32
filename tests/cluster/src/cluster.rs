//! A cluster: its parts, in the order in which they start and stop.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    Client, Crds, Error, S3,
    certificates::{self, Authority},
    client,
    directory::Directory,
    identity::{self, Identity},
    kwok, modules, ports, s3,
    server::{Program, Server},
    velero,
};

/// Longest time a part may take until it is ready. Generous: the machine may be busy.
const LIMIT: Duration = Duration::from_secs(180);

/// Where the controller manager puts the volumes that it makes.
const VOLUMES: &str = "/tmp/hostpath_pv/";

/// Users that every cluster has, which are also the contexts of its kubeconfig.
pub mod users {
    /// May do everything; proves who they are by a token.
    pub const ADMIN: &str = "admin";
    /// May do everything; proves who they are by a client certificate.
    pub const ADMIN_CERTIFICATE: &str = "admin-certificate";
    /// May read most things in all namespaces (the role `view`: no Secrets, nothing cluster-wide).
    pub const VIEWER: &str = "viewer";
    /// May change most things in all namespaces (the role `edit`: no roles, nothing cluster-wide).
    pub const EDITOR: &str = "editor";
    /// Is known, and may do nothing.
    pub const OUTSIDER: &str = "outsider";
    /// Has a token that the API server does not know, such as one that has expired.
    pub const EXPIRED: &str = "expired";
}

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

/// A service account with rights of its own.
#[derive(Debug)]
pub struct Account {
    /// Its token.
    pub token: String,
    /// A kubeconfig in which it is the only user.
    pub kubeconfig: PathBuf,
    /// Speaks as it.
    pub client: Client,
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
        let identities = known_users(&authority)?;
        directory.write("tokens.csv", token_file(&identities))?;
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

    fn start_controllers(&mut self) -> Result<(), Error> {
        let directory = self.directory.path().to_owned();
        let serve = |program: Program| -> Result<Program, Error> {
            Ok(program
                .flag("leader-elect", "false")
                .flag("bind-address", "127.0.0.1")
                .flag("secure-port", ports::free()?.to_string())
                .flag("tls-cert-file", directory.join("server.crt"))
                .flag("tls-private-key-file", directory.join("server.key")))
        };
        let kubeconfig = self.server_kubeconfig("system:kube-controller-manager")?;
        let program = Program::new("kube-controller-manager", control_plane("kube-controller-manager")?)
            .flag("kubeconfig", kubeconfig)
            .flag("root-ca-file", directory.join("ca.crt"))
            .flag("service-account-private-key-file", directory.join("service-accounts.key"))
            .flag("enable-hostpath-provisioner", "true")
            // Tests stop kwok to see what then happens: nodes shall not go before that has been seen.
            .flag("node-monitor-grace-period", "1h")
            .flag("kube-api-qps", "300")
            .flag("kube-api-burst", "600");
        let server = Server::start(serve(program)?, &directory)?;
        self.parts.insert(Part::ControllerManager, server);
        let program = Program::new("kube-scheduler", control_plane("kube-scheduler")?)
            .flag("kubeconfig", self.server_kubeconfig("system:kube-scheduler")?);
        let server = Server::start(serve(program)?, &directory)?;
        self.parts.insert(Part::Scheduler, server);
        Ok(())
    }

    fn start_kwok(&mut self, nodes: usize) -> Result<(), Error> {
        let directory = &self.directory;
        let log = directory.write("pod.log", kwok::log_file([kwok::DEFAULT_LOG]))?;
        let configuration = directory.write("kwok.yaml", kwok::configuration(&log.to_string_lossy()))?;
        let port = ports::free()?;
        let program = Program::new("kwok", modules::KWOK.program("kwok")?)
            .flag("kubeconfig", self.server_kubeconfig("system:kwok")?)
            .flag("config", configuration)
            .flag("manage-all-nodes", "true")
            .flag("enable-crds", "Logs")
            .flag("node-ip", "127.0.0.1")
            .flag("node-port", port.to_string())
            .flag("server-address", format!("127.0.0.1:{port}"))
            .flag("node-lease-duration-seconds", "40")
            .flag("tls-cert-file", directory.path().join("server.crt"))
            .flag("tls-private-key-file", directory.path().join("server.key"));
        let server = Server::start(program, directory.path())?;
        self.parts.insert(Part::Kwok, server);
        for index in 1..=nodes {
            self.admin.apply(&kwok::node(index))?;
        }
        Ok(())
    }

    /// Everything that is an object, at the same time where it can be.
    fn prepare(&self, options: &Options) -> Result<(), Error> {
        let mut sets = options.crds.clone();
        if options.nodes > 0 {
            sets.insert(Crds::Kwok);
        }
        if options.velero {
            sets.insert(Crds::Velero);
        }
        let definitions: Vec<Value> =
            sets.into_iter().map(Crds::read).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        self.define(&definitions)?;
        for (user, role) in [(users::VIEWER, "view"), (users::EDITOR, "edit")] {
            self.admin.apply(&json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": { "name": format!("lifeboat-test-{user}") },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
                "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user }],
            }))?;
        }
        for (name, mode, default) in
            [("immediate", "Immediate", "true"), ("wait-for-first-consumer", "WaitForFirstConsumer", "false")]
        {
            self.admin.apply(&json!({
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": { "name": name, "annotations": { "storageclass.kubernetes.io/is-default-class": default } },
                "provisioner": "kubernetes.io/host-path",
                "volumeBindingMode": mode,
            }))?;
        }
        Ok(())
    }

    /// Creates definitions of custom resources, and returns when objects of them can be made.
    ///
    /// # Errors
    /// When the API server refuses one, or does not serve it in time.
    pub fn define(&self, definitions: &[Value]) -> Result<(), Error> {
        let create = |definition: &Value| match self.admin.create(definition) {
            Err(Error::Refused { status: 409, .. }) => Ok(()),
            other => other.map(drop),
        };
        thread::scope(|scope| {
            // The API server works on them one after the other anyway, but not on their way.
            let chunks = definitions.chunks(definitions.len().div_ceil(4).max(1));
            let threads: Vec<_> = chunks.map(|chunk| scope.spawn(move || chunk.iter().try_for_each(create))).collect();
            let ended =
                threads.into_iter().map(|thread| thread.join().map_err(|_| Error::Input("a thread died".into())));
            ended.collect::<Result<Vec<_>, _>>()?.into_iter().collect::<Result<(), _>>()
        })?;
        let mut waiting: BTreeSet<&str> =
            definitions.iter().filter_map(|one| one["metadata"]["name"].as_str()).collect();
        client::wait_until("definitions of custom resources to be served", LIMIT, || {
            if !waiting.is_empty() {
                let path = client::path("apiextensions.k8s.io/v1", "customresourcedefinitions", "", "");
                for one in self.admin.list(&path)? {
                    let conditions = one["status"]["conditions"].as_array().into_iter().flatten();
                    let established = conditions
                        .into_iter()
                        .any(|condition| condition["type"] == "Established" && condition["status"] == "True");
                    if established && let Some(name) = one["metadata"]["name"].as_str() {
                        waiting.remove(name);
                    }
                }
            }
            Ok(waiting.is_empty().then_some(()))
        })?;
        // Discovery lags behind by a moment.
        let versions: BTreeSet<String> = definitions
            .iter()
            .flat_map(|one| {
                let group = one["spec"]["group"].as_str().unwrap_or_default();
                let versions = one["spec"]["versions"].as_array().into_iter().flatten();
                versions
                    .filter(|version| version["served"] == true)
                    .filter_map(|version| version["name"].as_str())
                    .map(move |version| format!("{group}/{version}"))
            })
            .collect();
        for version in versions {
            client::wait_until(&format!("{version} to be served"), LIMIT, || {
                self.admin.find(&format!("/apis/{version}")).map(|found| found.map(drop))
            })?;
        }
        Ok(())
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

    /// A new service account that may do exactly what these rules say, in its namespace: a list of `PolicyRule`s such as
    /// `[{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}]`.
    ///
    /// # Errors
    /// When the API server refuses.
    pub fn account(&self, namespace: &str, name: &str, rules: &Value) -> Result<Account, Error> {
        self.bind(namespace, name, "Role", rules)
    }

    /// The same, in all namespaces and for what has none.
    ///
    /// # Errors
    /// When the API server refuses.
    pub fn cluster_account(&self, namespace: &str, name: &str, rules: &Value) -> Result<Account, Error> {
        self.bind(namespace, name, "ClusterRole", rules)
    }

    fn bind(&self, namespace: &str, name: &str, kind: &str, rules: &Value) -> Result<Account, Error> {
        let api = "rbac.authorization.k8s.io";
        // A cluster-wide role has no namespace to keep it apart from another test's.
        let role = format!("{namespace}-{name}");
        let metadata = json!({ "name": role, "namespace": namespace });
        self.admin.apply(&json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name, "namespace": namespace },
        }))?;
        let object = |kind: &str| json!({ "apiVersion": format!("{api}/v1"), "kind": kind, "metadata": metadata });
        let mut of_role = object(kind);
        of_role["rules"] = rules.clone();
        let mut binding = object(&format!("{kind}Binding"));
        binding["roleRef"] = json!({ "apiGroup": api, "kind": kind, "name": role });
        binding["subjects"] = json!([{ "kind": "ServiceAccount", "name": name, "namespace": namespace }]);
        for mut object in [of_role, binding] {
            if kind == "ClusterRole"
                && let Some(metadata) = object["metadata"].as_object_mut()
            {
                metadata.remove("namespace");
            }
            self.admin.apply(&object)?;
        }
        let path = format!("{}/token", client::path("v1", "serviceaccounts", namespace, name));
        let answer = self.admin.post(
            &path,
            &json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": { "expirationSeconds": 3600 } }),
        )?;
        let token = answer["status"]["token"].as_str().unwrap_or_default().to_owned();
        let identity = Identity::Token(token.clone());
        let text = identity::kubeconfig("lifeboat-test", &self.url, &self.ca_pem, &[(name, identity.clone())]);
        let kubeconfig = self.directory.write(&format!("{role}.kubeconfig"), text)?;
        // Rights are seen by the API server a moment after they are given.
        let client = Client::new(&self.url, &self.ca_pem, &identity)?;
        wait_for_rights(&client, namespace, rules)?;
        Ok(Account { token, kubeconfig, client })
    }

    /// Says what the containers of a pod have printed; without it, all have printed [`kwok::DEFAULT_LOG`].
    ///
    /// # Errors
    /// When this cluster has no kwok, or the API server refuses.
    pub fn pod_logs(&self, namespace: &str, pod: &str, lines: &[&str]) -> Result<(), Error> {
        self.server(Part::Kwok)?;
        let name = format!("{namespace}-{pod}.log");
        let file = self.directory.write(&name, kwok::log_file(lines.iter().copied()))?;
        self.admin.apply(&json!({
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "Logs",
            "metadata": { "name": pod, "namespace": namespace },
            "spec": { "logs": [{ "logsFile": file, "follow": true }] },
        }))?;
        // kwok has to see the object, and says the default until then.
        let container = self.admin.get(&client::path("v1", "pods", namespace, pod))?;
        let container = container["spec"]["containers"][0]["name"].as_str().unwrap_or_default().to_owned();
        let path = format!("{}/log?container={container}", client::path("v1", "pods", namespace, pod));
        client::wait_until(&format!("the log of {namespace}/{pod}"), LIMIT, || {
            let text = self.admin.text(&path)?;
            Ok(text.lines().eq(lines.iter().copied()).then_some(()))
        })
    }

    /// Adds a line to what [`Cluster::pod_logs`] has said, for those who follow it.
    ///
    /// # Errors
    /// When nothing was said of this pod.
    pub fn pod_prints(&self, namespace: &str, pod: &str, line: &str) -> Result<(), Error> {
        let path = self.directory.path().join(format!("{namespace}-{pod}.log"));
        let what = format!("appending to {}", path.display());
        fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(kwok::log_file([line]).as_bytes()))
            .map_err(Error::io(what))
    }

    /// Kills a server, as a lost machine would; see [`Cluster::start_part`].
    ///
    /// # Errors
    /// When the cluster has no such part.
    pub fn stop(&self, part: Part) -> Result<(), Error> {
        self.server(part)?.stop();
        self.paused().remove(&part);
        Ok(())
    }

    /// Asks a server to end (SIGTERM), and waits until it has.
    ///
    /// # Errors
    /// When the cluster has no such part, or it does not run.
    pub fn terminate(&self, part: Part) -> Result<(), Error> {
        self.resume(part)?;
        self.server(part)?.terminate()
    }

    /// Starts a server again that was stopped, with the same data and at the same address; returns at once, or, for the
    /// API server, when it is ready.
    ///
    /// # Errors
    /// When the cluster has no such part, or it cannot be started.
    pub fn start_part(&self, part: Part) -> Result<(), Error> {
        self.server(part)?.restart()?;
        if part == Part::ApiServer {
            self.wait_for_part(part, |client| client.text("/readyz").map(Some))?;
        }
        Ok(())
    }

    /// Stops a server's clock (SIGSTOP): connections to it stay open, and nothing comes over them.
    ///
    /// # Errors
    /// When the cluster has no such part, or it does not run.
    pub fn pause(&self, part: Part) -> Result<(), Error> {
        self.server(part)?.signal(Signal::STOP)?;
        self.paused().insert(part);
        Ok(())
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// When the cluster has no such part, or it does not run.
    pub fn resume(&self, part: Part) -> Result<(), Error> {
        self.server(part)?.signal(Signal::CONT)?;
        self.paused().remove(&part);
        Ok(())
    }

    fn paused(&self) -> std::sync::MutexGuard<'_, BTreeSet<Part>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a server runs, paused or not.
    #[must_use]
    pub fn is_running(&self, part: Part) -> bool {
        self.pid(part).is_some()
    }

    /// The process id of a server that runs.
    #[must_use]
    pub fn pid(&self, part: Part) -> Option<u32> {
        self.parts.get(&part)?.pid()
    }

    /// The last lines of a server's log.
    ///
    /// # Errors
    /// When the cluster has no such part.
    pub fn log_tail(&self, part: Part, lines: usize) -> Result<String, Error> {
        Ok(self.server(part)?.tail(lines))
    }

    /// Everything that a server has printed.
    ///
    /// # Errors
    /// When the cluster has no such part.
    pub fn log(&self, part: Part) -> Result<String, Error> {
        Ok(self.server(part)?.log())
    }

    /// Notes the directories of volumes, which are not in the cluster's own, to be removed with it.
    fn note_volumes(&self) {
        let answers = |part| self.is_running(part) && !self.paused().contains(&part);
        if !self.parts.contains_key(&Part::ControllerManager) || !answers(Part::Etcd) || !answers(Part::ApiServer) {
            return;
        }
        let volumes = self.admin.list("/api/v1/persistentvolumes").unwrap_or_default();
        let paths = volumes.iter().filter_map(|volume| volume["spec"]["hostPath"]["path"].as_str());
        let ours = paths.filter(|path| path.starts_with(VOLUMES) && !path.contains(".."));
        let text = ours.map(|path| format!("{path}\n")).collect::<Vec<_>>().concat();
        drop(self.directory.write("volumes", text));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.note_volumes();
        // Those that ask go before those that answer.
        let order =
            [Part::Velero, Part::Kwok, Part::Scheduler, Part::ControllerManager, Part::ApiServer, Part::Etcd, Part::S3];
        for server in order.iter().filter_map(|part| self.parts.get(part)) {
            server.stop();
        }
    }
}

/// Waits until the first of the rules is in force; without one there is nothing to wait for.
fn wait_for_rights(client: &Client, namespace: &str, rules: &Value) -> Result<(), Error> {
    let first = |name: &str| rules.pointer(&format!("/0/{name}/0")).and_then(Value::as_str).map(str::to_owned);
    let (Some(verb), Some(resource)) = (first("verbs"), first("resources")) else { return Ok(()) };
    let mut attributes = json!({
        "namespace": namespace,
        "verb": verb,
        "group": first("apiGroups").unwrap_or_default(),
        "resource": resource.split('/').next(),
        "subresource": resource.split_once('/').map(|(_, below)| below.to_owned()),
    });
    if let Some(name) = first("resourceNames") {
        attributes["name"] = name.into();
    }
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": attributes },
    });
    client::wait_until("rights to be in force", LIMIT, || {
        let answer = client.create(&review)?;
        Ok((answer["status"]["allowed"] == true).then_some(()))
    })
}

/// All users, the admin first; those of servers begin with `system:`.
fn known_users(authority: &Authority) -> Result<Vec<(&'static str, Identity)>, Error> {
    let signed = authority.client(users::ADMIN_CERTIFICATE, "system:masters")?;
    let mut all = Vec::new();
    let certificate = Identity::Certificate { certificate: signed.certificate, key: signed.key };
    for user in [
        users::ADMIN,
        users::VIEWER,
        users::EDITOR,
        users::OUTSIDER,
        users::EXPIRED,
        "system:kube-controller-manager",
        "system:kube-scheduler",
        "system:kwok",
    ] {
        all.push((user, Identity::Token(random()?)));
    }
    all.insert(1, (users::ADMIN_CERTIFICATE, certificate));
    Ok(all)
}

/// What the API server knows of tokens: all but the expired one.
fn token_file(identities: &[(&str, Identity)]) -> String {
    let known = identities.iter().filter(|(user, _)| *user != users::EXPIRED);
    known
        .filter_map(|(user, identity)| {
            let groups = match *user {
                users::ADMIN => ",system:masters",
                // Their own roles would need service accounts for each controller, which takes longer to start.
                server if server.starts_with("system:") => ",system:masters",
                _ => "",
            };
            Some(format!("{},{user},{user}{groups}\n", identity.token()?))
        })
        .collect()
}

/// A token that nobody guesses.
fn random() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(Error::io("reading /dev/urandom"))?;
    Ok(bytes.map(|byte| format!("{byte:02x}")).concat())
}

/// A program out of `KUBEBUILDER_ASSETS`, when that is set and has it.
fn asset(name: &str) -> Option<PathBuf> {
    let directory = env::var_os("KUBEBUILDER_ASSETS").filter(|path| !path.is_empty())?;
    Some(PathBuf::from(directory).join(name)).filter(|path| path.is_file())
}

fn control_plane(name: &str) -> Result<PathBuf, Error> {
    asset(name).map_or_else(|| modules::KUBERNETES.program(name), Ok)
}

fn start_etcd(directory: &Directory, port: u16) -> Result<Server, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    let program = asset("etcd")
        .or_else(|| {
            let places = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
            places.map(|place| place.join("etcd")).find(|program| program.is_file())
        })
        .ok_or_else(|| {
            Error::Input("expected etcd on PATH, found none (on Debian: apt-get install etcd-server)".into())
        })?;
    let url = format!("http://127.0.0.1:{port}");
    let peer = format!("http://127.0.0.1:{}", ports::free()?);
    let program = Program::new("etcd", program)
        .flag("name", "default")
        .flag("data-dir", directory.path().join("etcd"))
        .flag("listen-client-urls", &url)
        .flag("advertise-client-urls", &url)
        .flag("listen-peer-urls", &peer)
        .flag("initial-advertise-peer-urls", &peer)
        .flag("initial-cluster", format!("default={peer}"));
    Server::start(program, directory.path())
}

fn start_api_server(directory: &Directory, port: u16, etcd: u16) -> Result<Server, Error> {
    let file = |name: &str| directory.path().join(name);
    let program = Program::new("kube-apiserver", control_plane("kube-apiserver")?)
        .flag("etcd-servers", format!("http://127.0.0.1:{etcd}"))
        .flag("bind-address", "127.0.0.1")
        .flag("advertise-address", "127.0.0.1")
        .flag("secure-port", port.to_string())
        .flag("tls-cert-file", file("server.crt"))
        .flag("tls-private-key-file", file("server.key"))
        .flag("client-ca-file", file("ca.crt"))
        .flag("token-auth-file", file("tokens.csv"))
        .flag("anonymous-auth", "false")
        .flag("authorization-mode", "RBAC")
        .flag("service-account-issuer", "https://kubernetes.default.svc")
        .flag("service-account-key-file", file("service-accounts.pub"))
        .flag("service-account-signing-key-file", file("service-accounts.key"))
        .flag("service-cluster-ip-range", "10.96.0.0/16")
        // There is no network in which anybody could reach the service `kubernetes`.
        .flag("endpoint-reconciler-type", "none")
        .flag("kubelet-certificate-authority", file("ca.crt"))
        .flag("kubelet-preferred-address-types", "InternalIP")
        .flag("allow-privileged", "true");
    Server::start(program, directory.path())
}
