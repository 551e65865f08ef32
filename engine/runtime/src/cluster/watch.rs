//! One watch a cluster, kind and namespace, shared by all that wait on it.
//!
//! Duty: to know the objects of a kind as the server tells them, without asking again and again; to go on over everything
//! that ends a watch (a cut connection, a server that is down, a resource version that is too old, expired credentials); and
//! never to pass off what may be old: a look can ask for nothing older than what it has seen itself, and a watch that has
//! lost its server says so.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
    time::{Duration, Instant},
};

use futures_util::TryStreamExt as _;
use kube::core::WatchEvent;
use lifeboat_core::kube::object;
use serde_json::Value;
use tokio::sync::watch;

use super::{ApiError, Ask, Cluster, Kind, api, kinds::encoded};

/// The server ends a watch after so many seconds, and it is begun anew: so a connection that is dead without having been
/// closed is found out.
const TURN: u64 = 60;
/// How much later than that we end it ourselves.
const LATE: Duration = Duration::from_secs(15);
/// How many objects a list gives at a time.
const PAGE: usize = 500;
/// A watch that nobody has looked at for so long ends.
const IDLE: Duration = Duration::from_secs(90);
/// A watch that has been without its server for so long is not to be trusted any more.
const BLIND: Duration = Duration::from_secs(5);

/// How often those look who may not watch.
const DIRECTLY: Duration = Duration::from_secs(2);
/// A server that ends a watch as it was asked to is never earlier than this.
const EARLY: Duration = Duration::from_secs(5);
/// A turn that has lasted so long went well until it broke.
const LASTED: Duration = Duration::from_secs(10);
/// After so many broken turns everything is listed again: a server that was restored from a backup counts from an earlier
/// version than the one that was watched from.
const BROKEN: u32 = 3;

/// Which objects.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Their kind.
    pub kind: Kind,
    /// Their namespace; `None`: all.
    pub namespace: Option<String>,
    /// A label selector; empty: all. Those who look at single objects by name share the watch without one.
    pub selector: String,
}

/// The watches of a cluster.
#[derive(Default)]
pub(super) struct Registry(Mutex<HashMap<Key, Arc<Watch>>>);

/// A watch.
pub(super) struct Watch {
    key: Key,
    store: RwLock<Store>,
    /// Tells of every change of the store.
    changed: watch::Sender<()>,
}

struct Store {
    objects: BTreeMap<(String, String), Arc<Value>>,
    /// How far it is, as a resource version. They are compared as numbers, which Kubernetes promises since 1.35 and etcd has
    /// always kept.
    version: u64,
    /// Nothing older than this may be told; and since when.
    floor: u64,
    floor_since: Instant,
    synced: bool,
    /// Since when, and why, the server is not heard.
    blind: Option<(Instant, String)>,
    /// It may not be watched.
    denied: Option<String>,
    looked: Instant,
}

impl Store {
    /// Nothing older than this is to be told from now on.
    fn ask_for(&mut self, version: u64) {
        if version > self.floor {
            self.floor = version;
            self.floor_since = Instant::now();
        }
    }

    /// Everything was listed anew, by a list that began at `began`.
    fn listed(&mut self, objects: Vec<Arc<Value>>, version: u64, began: Instant) {
        self.objects = objects.into_iter().map(|object| (place(&object), object)).collect();
        self.version = version;
        self.synced = true;
        self.blind = None;
        if self.floor > version && self.floor_since < began {
            // The server counts from an earlier version than before: it was restored from a backup.
            self.floor = version;
        }
    }
}

/// A look at objects.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The objects, without `managedFields` and without the values of Secrets, by namespace and name.
    pub objects: Vec<Arc<Value>>,
}

impl Ask {
    /// Looks at objects: `again` when that is done repeatedly, so that a watch is worth it; `fresh` when what is told must
    /// not be older than this very moment.
    ///
    /// # Errors
    /// Why nothing can be seen.
    pub async fn look(&self, key: &Key, name: Option<&str>, again: bool, fresh: bool) -> Result<Found, String> {
        if !again {
            return self.look_once(key, name).await.map(|(found, _)| found).map_err(|error| error.to_string());
        }
        let watch = self.watch(key);
        let denied = watch.read(|store| store.denied.is_some());
        if fresh || denied {
            let (found, version) = self.look_once(key, name).await.map_err(|error| error.to_string())?;
            watch.write(|store| store.ask_for(version));
            return Ok(found);
        }
        watch.wait_for(name).await
    }

    /// Looks at objects whenever they change, until `done` gives something; the first look is a fresh one. It waits for as
    /// long as it takes: whoever asks has a time of its own.
    ///
    /// # Errors
    /// Why nothing can be seen, if waiting cannot help.
    pub async fn until<T>(
        &self,
        key: &Key,
        name: Option<&str>,
        mut done: impl FnMut(&[Arc<Value>]) -> Option<T>,
    ) -> Result<T, String> {
        let mut fresh = true;
        loop {
            let watch = self.watch(key);
            let mut changed = watch.changed.subscribe();
            let direct = fresh || watch.read(|store| store.denied.is_some());
            let found = if direct {
                let (found, version) = self.look_once(key, name).await.map_err(|error| error.to_string())?;
                watch.write(|store| store.ask_for(version));
                Some(found)
            } else {
                // Without its server it cannot tell; that may pass.
                watch.wait_for(name).await.ok()
            };
            fresh = false;
            if let Some(done) = found.and_then(|found| done(&found.objects)) {
                return Ok(done);
            }
            // Now and then even if nothing changes: what is waited for may depend on the time.
            let nap = if direct { DIRECTLY } else { Duration::from_secs(5) };
            drop(tokio::time::timeout(nap, changed.changed()).await);
        }
    }

    /// One list, or one object where lists are not allowed; and how new it is.
    async fn look_once(&self, key: &Key, name: Option<&str>) -> Result<(Found, u64), ApiError> {
        match self.list(key, name).await {
            Err(error) if error.is_denied() && name.is_some() => {
                let path = key.kind.object(key.namespace.as_deref(), name.unwrap_or_default());
                let path = path.map_err(|message| ApiError { message, ..error.clone() })?;
                match self.get(&path).await {
                    Ok(mut object) => {
                        tidy(&key.kind, &mut object);
                        let version = version_of(&object);
                        Ok((Found { objects: vec![Arc::new(object)] }, version))
                    }
                    Err(error) if error.is_missing() => Ok((Found::default(), 0)),
                    Err(error) => Err(error),
                }
            }
            listed => listed.map(|(objects, version)| (Found { objects }, version)),
        }
    }

    async fn list(&self, key: &Key, name: Option<&str>) -> Result<(Vec<Arc<Value>>, u64), ApiError> {
        let mut objects = Vec::new();
        let mut onward = String::new();
        let mut begun_anew = false;
        loop {
            let mut path = format!("{}?limit={PAGE}", key.kind.collection(key.namespace.as_deref()));
            if !key.selector.is_empty() {
                path.push_str(&format!("&labelSelector={}", encoded(&key.selector)));
            }
            if let Some(name) = name {
                path.push_str(&format!("&fieldSelector={}", encoded(&format!("metadata.name={name}"))));
            }
            if !onward.is_empty() {
                path.push_str(&format!("&continue={}", encoded(&onward)));
            }
            let mut page = match self.get(&path).await {
                // The list took longer than the server keeps its pages.
                Err(error) if error.status == 410 && !begun_anew => {
                    begun_anew = true;
                    objects.clear();
                    onward.clear();
                    continue;
                }
                page => page?,
            };
            let version = version_of(&page);
            page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default().clone_into(&mut onward);
            if let Some(items) = page.get_mut("items").and_then(Value::as_array_mut) {
                for mut item in std::mem::take(items) {
                    tidy(&key.kind, &mut item);
                    objects.push(Arc::new(item));
                }
            }
            if onward.is_empty() {
                return Ok((objects, version));
            }
        }
    }

    /// The watch for these objects, begun if there is none.
    fn watch(&self, key: &Key) -> Arc<Watch> {
        let mut watches = self.cluster.watches.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = watches.get(key) {
            watch.write(|store| store.looked = Instant::now());
            return Arc::clone(watch);
        }
        let watch = Arc::new(Watch {
            key: key.clone(),
            store: RwLock::new(Store {
                objects: BTreeMap::new(),
                version: 0,
                floor: 0,
                floor_since: Instant::now(),
                synced: false,
                blind: None,
                denied: None,
                looked: Instant::now(),
            }),
            changed: watch::channel(()).0,
        });
        watches.insert(key.clone(), Arc::clone(&watch));
        let task = follow(Arc::downgrade(&self.cluster), Arc::clone(&watch));
        drop(self.cluster.handle.spawn(task));
        watch
    }
}

/// Objects as the API tells them in a list have no kind of their own; and nobody needs who owns which field.
fn tidy(kind: &Kind, object: &mut Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.entry("apiVersion").or_insert_with(|| kind.api_version().into());
        fields.entry("kind").or_insert_with(|| kind.kind.clone().into());
    }
    object::redact(object);
}

fn version_of(object: &Value) -> u64 {
    let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

fn place(object: &Value) -> (String, String) {
    (object::namespace(object).unwrap_or_default().to_owned(), object::name(object).to_owned())
}

impl Watch {
    fn read<T>(&self, read: impl FnOnce(&Store) -> T) -> T {
        read(&self.store.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut Store) -> T) -> T {
        write(&mut self.store.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn told(&self, write: impl FnOnce(&mut Store)) {
        self.write(write);
        self.changed.send_replace(());
    }

    /// What it knows, as soon as that is new enough.
    async fn wait_for(&self, name: Option<&str>) -> Result<Found, String> {
        let mut changed = self.changed.subscribe();
        loop {
            let known = self.read(|store| {
                if let Some(why) = &store.denied {
                    return Some(Err(why.clone()));
                }
                if let Some((since, why)) = store.blind.as_ref().filter(|(since, _)| since.elapsed() > BLIND) {
                    let seconds = since.elapsed().as_secs();
                    return Some(Err(format!("the API server has not been heard for {seconds} s: {why}")));
                }
                (store.synced && store.version >= store.floor).then(|| {
                    let fits = |at: &str| name.is_none_or(|name| name == at);
                    let objects = store.objects.iter().filter(|((_, at), _)| fits(at));
                    Ok(Found { objects: objects.map(|(_, object)| Arc::clone(object)).collect() })
                })
            });
            if let Some(known) = known {
                return known;
            }
            // Whoever looks has a time for it; that a watch is blind is told by time alone.
            drop(tokio::time::timeout(Duration::from_secs(1), changed.changed()).await);
        }
    }
}

/// Keeps a watch going until nobody looks at it any more.
async fn follow(cluster: Weak<Cluster>, watch: Arc<Watch>) {
    let mut failures = 0;
    let mut relist = true;
    loop {
        let Some(cluster) = cluster.upgrade() else { return };
        {
            // By the registry's lock, so that nobody takes it up in the moment in which it ends.
            let mut watches = cluster.watches.0.lock().unwrap_or_else(PoisonError::into_inner);
            if watch.read(|store| store.looked.elapsed() > IDLE) {
                watches.remove(&watch.key);
                return;
            }
        }
        if relist {
            let began = Instant::now();
            match cluster.ask(None).list(&watch.key, None).await {
                Ok((objects, version)) => {
                    relist = false;
                    watch.told(|store| store.listed(objects, version, began));
                }
                Err(error) => {
                    let why = error.to_string();
                    let denied = error.is_denied();
                    watch.told(|store| {
                        if denied {
                            store.denied = Some(why.clone());
                        } else {
                            store.blind.get_or_insert_with(|| (Instant::now(), why.clone()));
                        }
                    });
                    if denied {
                        // Rights may be given meanwhile, but whoever looks then asks directly.
                        return;
                    }
                    failures += 1;
                    let wait = api::pause(failures, None);
                    cluster.trouble(None, &error.request, &error.message, wait, failures);
                    tokio::time::sleep(wait).await;
                    continue;
                }
            }
        }
        let began = Instant::now();
        let mut end = turn(&cluster, &watch).await;
        // A connection that was cut looks like one that was closed; only the time tells them apart.
        if matches!(end, End::Over) && began.elapsed() + EARLY < Duration::from_secs(TURN) {
            let lasted = began.elapsed().as_millis();
            end =
                End::Broken(format!("the connection was closed after {lasted} ms, and {TURN} s were asked for"), None);
        }
        match end {
            End::Over => failures = 0,
            End::Gone(why) => {
                failures += 1;
                relist = true;
                // Once that is how it is meant; a server that says so each time is not to be asked without a break.
                let wait = if failures > 1 { api::pause(failures - 1, None) } else { Duration::ZERO };
                cluster.trouble(None, &request(&watch.key), &why, wait, failures);
                drop(cluster);
                tokio::time::sleep(wait).await;
            }
            End::Broken(why, wish) => {
                // A connection that is cut now and then is no server that has been down ever since.
                failures = if began.elapsed() > LASTED { 1 } else { failures + 1 };
                relist = failures % BROKEN == 0;
                watch.told(|store| {
                    store.blind.get_or_insert_with(|| (Instant::now(), why.clone()));
                });
                let wait = api::pause(failures, wish);
                cluster.trouble(None, &request(&watch.key), &why, wait, failures);
                drop(cluster);
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// How a turn of a watch has ended.
enum End {
    /// As it was meant to.
    Over,
    /// The resource version is too old: everything has to be listed again.
    Gone(String),
    /// It broke, and goes on from where it was.
    Broken(String, Option<Duration>),
}

fn request(key: &Key) -> String {
    match &key.namespace {
        Some(namespace) => format!("WATCH {} in {namespace}", key.kind.resource()),
        None => format!("WATCH {}", key.kind.resource()),
    }
}

async fn turn(cluster: &Cluster, watch: &Watch) -> End {
    let key = &watch.key;
    let version = watch.read(|store| store.version);
    let mut path = format!(
        "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={TURN}&resourceVersion={version}",
        key.kind.collection(key.namespace.as_deref())
    );
    if !key.selector.is_empty() {
        path.push_str(&format!("&labelSelector={}", encoded(&key.selector)));
    }
    cluster.requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let Ok(request) = http::Request::get(path).body(Vec::new()) else {
        return End::Broken("its path is none".to_owned(), None);
    };
    let client = cluster.client();
    let answered = tokio::time::timeout(Duration::from_secs(30), client.request_events::<Value>(request)).await;
    let events = match answered {
        Err(_) => return End::Broken("no answer within 30 s".to_owned(), None),
        Ok(Err(kube::Error::Api(status))) if status.code == 410 => return End::Gone(status.message.clone()),
        Ok(Err(kube::Error::Api(status))) if status.code == 401 => {
            let why = match cluster.renew().await {
                Ok(()) => "the credentials are not taken any more; new ones were had".to_owned(),
                Err(why) => format!("the credentials are not taken any more, and new ones cannot be had: {why}"),
            };
            return End::Broken(why, None);
        }
        Ok(Err(kube::Error::Api(status))) => {
            let wish = status.details.as_ref().map(|details| details.retry_after_seconds).filter(|wish| *wish > 0);
            let message = if status.message.is_empty() { status.reason.clone() } else { status.message.clone() };
            return End::Broken(message, wish.map(|seconds| Duration::from_secs(u64::from(seconds))));
        }
        Ok(Err(error)) => return End::Broken(super::connect::causes(&error), None),
        Ok(Ok(events)) => events,
    };
    // It is heard again from here on, even if nothing changes for a long time.
    watch.told(|store| store.blind = None);
    tokio::pin!(events);
    let until = tokio::time::Instant::now() + Duration::from_secs(TURN) + LATE;
    loop {
        match tokio::time::timeout_at(until, events.try_next()).await {
            Err(_) => return End::Broken(format!("silent for more than {TURN} s"), None),
            Ok(Ok(None)) => return End::Over,
            Ok(Err(error)) => return End::Broken(super::connect::causes(&error), None),
            Ok(Ok(Some(event))) => match event {
                WatchEvent::Added(mut object) | WatchEvent::Modified(mut object) => {
                    tidy(&key.kind, &mut object);
                    watch.told(|store| {
                        store.version = store.version.max(version_of(&object));
                        store.objects.insert(place(&object), Arc::new(object));
                    });
                }
                WatchEvent::Deleted(object) => watch.told(|store| {
                    store.version = store.version.max(version_of(&object));
                    store.objects.remove(&place(&object));
                }),
                WatchEvent::Bookmark(mark) => {
                    let version = mark.metadata.resource_version.parse().unwrap_or_default();
                    watch.told(|store| store.version = store.version.max(version));
                }
                WatchEvent::Error(status) if status.code == 410 => return End::Gone(status.message.clone()),
                WatchEvent::Error(status) => return End::Broken(status.message.clone(), None),
            },
        }
    }
}
