//! What Velero keeps of a backup or a restore in its bucket: errors and warnings, and what was restored.
//!
//! Duty: to ask Velero for an address, to fetch what is there, and to read it. The bucket may be out of reach from here, or
//! have nothing of it: then that is told, and nothing fails by it. An address is a permission, so it is never shown.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;
use k8s_openapi::ByteString;
use lifeboat_core::kube::{
    object,
    velero::{Message, Results, Scope},
    words,
};
use serde_json::{Value, json};

use super::Velero;
use crate::http::download;

/// How long Velero may take to give an address.
const ADDRESS: Duration = Duration::from_secs(20);
/// How much is fetched, in bytes.
const PACKED: usize = 32 << 20;
/// How much that may be unpacked.
const UNPACKED: usize = 128 << 20;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::action) enum Kept {
    /// Errors and warnings of a backup.
    BackupResults,
    /// Errors and warnings of a restore.
    RestoreResults,
    /// What a restore did with each object.
    RestoreResourceList,
}

impl Kept {
    /// As Velero calls it.
    const fn name(self) -> &'static str {
        match self {
            Self::BackupResults => "BackupResults",
            Self::RestoreResults => "RestoreResults",
            Self::RestoreResourceList => "RestoreResourceList",
        }
    }

    /// As the artifact is called.
    pub(in crate::action) const fn file(self) -> &'static str {
        match self {
            Self::BackupResults => "backup-results.json",
            Self::RestoreResults => "restore-results.json",
            Self::RestoreResourceList => "restore-resources.json",
        }
    }
}

impl Velero<'_> {
    /// Fetches what is kept of the backup or restore `of`, as text; `roots` are certificates that the bucket's server has.
    ///
    /// # Errors
    /// Why it cannot be had: `the RestoreResults cannot be had: …`.
    pub(in crate::action) async fn fetch(&self, what: Kept, of: &str, roots: &[u8]) -> Result<String, String> {
        let fetched = self.fetched(what, of, roots).await;
        fetched.map_err(|why| format!("the {} cannot be had: {}", what.name(), words::quote(&why)))
    }

    async fn fetched(&self, what: Kept, of: &str, roots: &[u8]) -> Result<String, String> {
        let kind = self.kind("DownloadRequest").await?;
        let name = format!("{of}-{}", what.name().to_lowercase());
        // One that an earlier engine has left has an address that may have run out.
        if let Some(left) = self.mine(&kind, &name).await? {
            self.forget(&kind, &left).await;
        }
        let spec = json!({"target": {"kind": what.name(), "name": of}});
        let made = self.submit(&kind, &name, spec).await?;
        let address = self.address(&kind, &name).await;
        let bytes = match address {
            Ok(address) => download(&address, roots, PACKED).await,
            Err(why) => Err(why),
        };
        self.forget(&kind, &made).await;
        unpack(&bytes?)
    }

    async fn address(&self, kind: &crate::cluster::Kind, name: &str) -> Result<String, String> {
        let asked = Instant::now();
        while asked.elapsed() < ADDRESS {
            let request = self.get(kind, name).await?.ok_or("its DownloadRequest is gone")?;
            let address = object::text(&request, "/status/downloadURL");
            if !address.is_empty() {
                return Ok(address.to_owned());
            }
            if object::text(&request, "/status/phase") == "Failed" {
                return Err(words::because("Velero has no address for it", object::text(&request, "/status/message")));
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        Err(format!("Velero gave no address for it within {} s; look at its server's log", ADDRESS.as_secs()))
    }

    /// Velero deletes requests itself after some minutes; that this one goes now is only tidier.
    async fn forget(&self, kind: &crate::cluster::Kind, request: &Value) {
        if let Ok(path) = kind.object(Some(self.namespace), object::name(request)) {
            let uid = json!({"preconditions": {"uid": object::uid(request)}});
            drop(self.cx.ask.delete(&path, &uid).await);
        }
    }

    /// The certificates that the location of a backup names, in PEM; none, when it names none.
    pub(in crate::action) async fn roots(&self, location: &str) -> Vec<u8> {
        let Ok(kind) = self.kind("BackupStorageLocation").await else { return Vec::new() };
        let found = self.get(&kind, location).await.ok().flatten().unwrap_or_default();
        let certificates = found.pointer("/spec/objectStorage/caCert").cloned().unwrap_or_default();
        serde_json::from_value::<ByteString>(certificates).map(|bytes| bytes.0).unwrap_or_default()
    }
}

/// Velero packs what it keeps; a proxy on the way may have unpacked it.
fn unpack(bytes: &[u8]) -> Result<String, String> {
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut text = Vec::new();
        let most = u64::try_from(UNPACKED).unwrap_or(u64::MAX);
        let read = GzDecoder::new(bytes).take(most.saturating_add(1)).read_to_end(&mut text);
        read.map_err(|error| format!("it cannot be unpacked: {error}"))?;
        if text.len() > UNPACKED {
            return Err(format!("it is larger than {UNPACKED} bytes"));
        }
        text
    } else {
        bytes.to_vec()
    };
    String::from_utf8(text).map_err(|_| "it is no text".to_owned())
}

/// The first errors, or else warnings, counted: `2 errors: (shop) error restoring pods/a: denied; …`.
pub(in crate::action) fn summary(results: &Results, most: usize) -> String {
    let told = |what: &str, messages: &[Message]| {
        let line = |message: &Message| match &message.scope {
            Scope::Velero => words::quote(&message.text),
            Scope::Cluster => format!("(cluster) {}", words::quote(&message.text)),
            Scope::Namespace(name) => format!("({name}) {}", words::quote(&message.text)),
        };
        let lines: Vec<String> = messages.iter().take(most).map(line).collect();
        let more = messages.len() - lines.len();
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        format!("{}: {}{more}", words::count(i64::try_from(messages.len()).unwrap_or(i64::MAX), what), lines.join("; "))
    };
    match (results.errors.as_slice(), results.warnings.as_slice()) {
        ([], []) => String::new(),
        ([], warnings) => told("warning", warnings),
        (errors, _) => told("error", errors),
    }
}

/// What a restore did with each object, as its `RestoreResourceList` tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::action) struct Restored {
    /// By kind.
    pub kinds: BTreeMap<RestoredKind, Names>,
}

/// A kind, as Velero names it: `apps/v1/Deployment`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::action) struct RestoredKind {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
}

/// Objects, each as `shop/api`, or `data` when it is in no namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::action) struct Names {
    /// They were not there before.
    pub created: BTreeSet<String>,
    /// They were there, and were changed.
    pub updated: BTreeSet<String>,
}

impl Restored {
    /// Reads `{"apps/v1/Deployment": ["shop/api(created)", …]}`.
    pub(in crate::action) fn read(text: &str) -> Result<Self, String> {
        let lists: BTreeMap<String, Vec<String>> = serde_json::from_str(text)
            .map_err(|error| format!("the RestoreResourceList is of another form: {error}"))?;
        let mut restored = Self::default();
        for (of, entries) in lists {
            let Some((api_version, kind)) = of.rsplit_once('/') else { continue };
            let kind = RestoredKind { api_version: api_version.to_owned(), kind: kind.to_owned() };
            let names = restored.kinds.entry(kind).or_default();
            for entry in entries {
                // Velero before 1.12 did not tell what it did.
                let (name, action) =
                    entry.strip_suffix(')').and_then(|entry| entry.rsplit_once('(')).unwrap_or((&entry, "created"));
                match action {
                    "created" => names.created.insert(name.to_owned()),
                    "updated" => names.updated.insert(name.to_owned()),
                    _ => false,
                };
            }
        }
        restored.kinds.retain(|_, names| !names.created.is_empty() || !names.updated.is_empty());
        Ok(restored)
    }

    /// How many objects.
    pub(in crate::action) fn count(&self) -> usize {
        self.kinds.values().map(|names| names.created.len() + names.updated.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn packed_or_not() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(b"{\"errors\":{}}").unwrap();
        assert_eq!(unpack(&packer.finish().unwrap()).as_deref(), Ok("{\"errors\":{}}"));
        assert_eq!(unpack(b"{}").as_deref(), Ok("{}"));
        assert!(unpack(&[0x1f, 0x8b, 0, 0]).is_err_and(|why| why.starts_with("it cannot be unpacked")));
    }

    #[test]
    fn a_bomb_is_not_unpacked_whole() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let zeros = vec![b'0'; 1 << 20];
        for _ in 0..=(UNPACKED >> 20) {
            packer.write_all(&zeros).unwrap();
        }
        assert!(unpack(&packer.finish().unwrap()).is_err_and(|why| why.starts_with("it is larger than")));
    }

    #[test]
    fn what_was_restored() {
        let list = r#"{"apps/v1/Deployment": ["shop/api(created)", "shop/web(skipped)", "shop/db(failed)"],
                       "v1/ServiceAccount": ["shop/default(updated)"], "v1/PersistentVolume": ["data"],
                       "v1/Secret": ["shop/a(skipped)"], "v1/ConfigMap": ["shop/odd(name)(created)"]}"#;
        let restored = Restored::read(list).unwrap();
        let told: Vec<String> = restored
            .kinds
            .iter()
            .map(|(kind, names)| format!("{} {}: {:?} {:?}", kind.api_version, kind.kind, names.created, names.updated))
            .collect();
        assert_eq!(
            told,
            [
                r#"apps/v1 Deployment: {"shop/api"} {}"#,
                r#"v1 ConfigMap: {"shop/odd(name)"} {}"#,
                r#"v1 PersistentVolume: {"data"} {}"#,
                r#"v1 ServiceAccount: {} {"shop/default"}"#,
            ]
        );
        assert_eq!(restored.count(), 4);
        assert!(Restored::read("[]").is_err());
    }

    #[test]
    fn the_first_messages_counted() {
        let message = |scope: Scope, text: &str| Message { scope, text: text.to_owned() };
        let mut results =
            Results { errors: Vec::new(), warnings: vec![message(Scope::Cluster, "odd")], kept: Vec::new() };
        assert_eq!(summary(&results, 2), "1 warning: (cluster) odd");
        results.errors = vec![
            message(Scope::Velero, "no bucket"),
            message(Scope::Namespace("shop".to_owned()), "error restoring\npods/a"),
            message(Scope::Velero, "third"),
        ];
        assert_eq!(summary(&results, 2), "3 errors: no bucket; (shop) error restoring pods/a; and 1 more");
        assert_eq!(summary(&Results::default(), 2), "");
    }
}
