//! From what an author calls a kind to where its objects are.
//!
//! Duty: `Deployment`, `deployments.apps`, `Restore.velero.io` and the like, as the server itself serves them. What is not
//! served is looked for again, as it may have been installed meanwhile.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use super::{ApiError, Ask};

/// A kind that a server serves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kind {
    /// API group; empty for the core one.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Resource, in the plural.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Subresources: `status`, `scale`.
    pub subresources: Vec<String>,
}

impl Kind {
    /// `v1`, or `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `pods`, or `deployments.apps`.
    #[must_use]
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// Where its objects are: all of them, or those of a namespace.
    #[must_use]
    pub fn collection(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{}/{}", encoded(namespace), self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    /// Where one object is.
    ///
    /// # Errors
    /// When the kind is namespaced and no namespace is given.
    pub fn object(&self, namespace: Option<&str>, name: &str) -> Result<String, String> {
        if self.namespaced && namespace.is_none_or(str::is_empty) {
            return Err(format!(
                "expected a namespace for {} `{name}`, found none: {} are in namespaces",
                self.kind, self.plural
            ));
        }
        Ok(format!("{}/{}", self.collection(namespace), encoded(name)))
    }
}

/// A text as a part of a path.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What a server serves, as it was when it was asked last.
#[derive(Default)]
pub(super) struct Cache(RwLock<Option<Arc<Vec<Kind>>>>);

/// Asks for everything in two requests, where the server can; every one since 1.30 does.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

impl Ask {
    /// The kind of this name. `Kind`, `plural`, either with `.group` behind it, in any case; `api_version` chooses between
    /// versions and groups.
    ///
    /// # Errors
    /// When the server does not serve it, or serves several of this name.
    pub async fn kind(&self, name: &str, api_version: Option<&str>) -> Result<Kind, String> {
        let known = self.cluster.kinds.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known
            && let Ok(found) = find(&known, name, api_version)
        {
            return Ok(found);
        }
        let fresh = self.kinds().await.map_err(|error| error.to_string())?;
        find(&fresh, name, api_version).map_err(|why| format!("{why} in the cluster `{}`", self.cluster.name))
    }

    /// Everything that the server serves now; it is remembered.
    ///
    /// # Errors
    /// What the server said.
    pub async fn kinds(&self) -> Result<Arc<Vec<Kind>>, ApiError> {
        let fresh = Arc::new(self.discover().await?);
        *self.cluster.kinds.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// Everything that the server serves, preferred versions first.
    ///
    /// # Errors
    /// What the server said.
    pub async fn discover(&self) -> Result<Vec<Kind>, ApiError> {
        let mut kinds = Vec::new();
        for root in ["/api", "/apis"] {
            let found = self.get_as(root, AGGREGATED).await?;
            match found["kind"].as_str() {
                Some("APIGroupDiscoveryList") => kinds.extend(aggregated(&found)),
                Some("APIGroupList") => kinds.extend(self.one_by_one(&found).await),
                _ => kinds.extend(served("", "v1", &self.get("/api/v1").await?)),
            }
        }
        Ok(kinds)
    }

    /// As servers before 1.30 have it.
    async fn one_by_one(&self, groups: &Value) -> Vec<Kind> {
        let mut kinds = Vec::new();
        for group in groups["groups"].as_array().into_iter().flatten() {
            let name = group["name"].as_str().unwrap_or_default();
            let preferred = group.pointer("/preferredVersion/version").and_then(Value::as_str).unwrap_or_default();
            let others = group["versions"].as_array().into_iter().flatten().filter_map(|it| it["version"].as_str());
            let versions = std::iter::once(preferred).chain(others.filter(|version| *version != preferred));
            for version in versions.filter(|version| !version.is_empty()) {
                // An aggregated API that is down must not hide everything else, nor be waited for.
                let path = format!("/apis/{name}/{version}");
                let list = tokio::time::timeout(std::time::Duration::from_secs(5), self.get(&path));
                if let Ok(Ok(list)) = list.await {
                    kinds.extend(served(name, version, &list));
                }
            }
        }
        kinds
    }
}

/// All groups at once, as servers since 1.30 tell them; those of an aggregated API that is down are marked stale and have
/// what was known last.
fn aggregated(list: &Value) -> Vec<Kind> {
    let texts = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut kinds = Vec::new();
    for group in list["items"].as_array().into_iter().flatten() {
        let name = group.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        for version in group["versions"].as_array().into_iter().flatten() {
            for resource in version["resources"].as_array().into_iter().flatten() {
                let below = resource["subresources"].as_array().into_iter().flatten();
                kinds.push(Kind {
                    group: name.to_owned(),
                    version: texts(version, "version"),
                    kind: texts(&resource["responseKind"], "kind"),
                    plural: texts(resource, "resource"),
                    namespaced: resource["scope"] == "Namespaced",
                    subresources: below.map(|it| texts(it, "subresource")).collect(),
                });
            }
        }
    }
    kinds
}

fn served(group: &str, version: &str, list: &Value) -> Vec<Kind> {
    let resources: Vec<&Value> = list["resources"].as_array().into_iter().flatten().collect();
    let name = |resource: &&Value| resource["name"].as_str().unwrap_or_default().to_owned();
    let all: Vec<String> = resources.iter().map(name).collect();
    resources
        .iter()
        .filter(|resource| !name(resource).contains('/'))
        .map(|resource| {
            let plural = name(resource);
            let below = format!("{plural}/");
            Kind {
                group: group.to_owned(),
                version: version.to_owned(),
                kind: resource["kind"].as_str().unwrap_or_default().to_owned(),
                namespaced: resource["namespaced"].as_bool().unwrap_or_default(),
                subresources: all.iter().filter_map(|it| it.strip_prefix(&below).map(str::to_owned)).collect(),
                plural,
            }
        })
        .collect()
}

/// The kind of this name among those that are served.
///
/// # Errors
/// When none is, or several of this name are.
pub fn find(kinds: &[Kind], name: &str, api_version: Option<&str>) -> Result<Kind, String> {
    let wanted = name.to_lowercase();
    let (word, group) = match wanted.split_once('.') {
        Some((word, group)) => (word, Some(group)),
        None => (wanted.as_str(), None),
    };
    let fits = |kind: &&Kind| {
        (kind.kind.to_lowercase() == word || kind.plural == word)
            && group.is_none_or(|group| kind.group == group)
            && api_version.is_none_or(|version| kind.api_version() == version)
    };
    let found: Vec<&Kind> = kinds.iter().filter(fits).collect();
    let mut groups: Vec<&str> = found.iter().map(|kind| kind.group.as_str()).collect();
    groups.dedup();
    match (found.first(), groups.as_slice()) {
        // Events are served twice, and Kubernetes' own kinds win over others that borrow their names.
        (Some(first), [_] | ["" | "apps", ..]) => Ok((*first).clone()),
        (Some(_), several) => Err(format!(
            "expected one kind, found `{name}` in the groups {}; write `{word}.<group>`",
            several.join(", ")
        )),
        (None, _) => {
            let version = api_version.map_or(String::new(), |version| format!(" of {version}"));
            Err(format!("expected the kind `{name}`{version}, found nothing of that name served"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(group: &str, version: &str, kind: &str, plural: &str) -> Kind {
        Kind {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced: true,
            subresources: Vec::new(),
        }
    }

    #[test]
    fn kinds_are_found_by_what_people_call_them() {
        let kinds = [
            kind("", "v1", "Event", "events"),
            kind("apps", "v1", "Deployment", "deployments"),
            kind("velero.io", "v1", "Backup", "backups"),
            kind("postgresql.cnpg.io", "v1", "Backup", "backups"),
            kind("events.k8s.io", "v1", "Event", "events"),
            kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
            kind("autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
        ];
        let found = |name: &str, version: Option<&str>| find(&kinds, name, version).map(|kind| kind.api_version());
        assert_eq!(found("Deployment", None).as_deref(), Ok("apps/v1"));
        assert_eq!(found("deployments.apps", None).as_deref(), Ok("apps/v1"));
        assert_eq!(found("Event", None).as_deref(), Ok("v1"));
        assert_eq!(found("Backup.velero.io", None).as_deref(), Ok("velero.io/v1"));
        assert_eq!(found("Backup", Some("velero.io/v1")).as_deref(), Ok("velero.io/v1"));
        assert_eq!(found("HorizontalPodAutoscaler", None).as_deref(), Ok("autoscaling/v2"));
        assert_eq!(found("HorizontalPodAutoscaler", Some("autoscaling/v1")).as_deref(), Ok("autoscaling/v1"));
        let several = found("Backup", None).expect_err("two groups have it");
        assert!(several.contains("velero.io, postgresql.cnpg.io") && several.contains("backup.<group>"), "{several}");
        assert!(found("Kustomization", None).is_err_and(|why| why.contains("found nothing of that name served")));
    }

    #[test]
    fn paths() {
        let deployment = kind("apps", "v1", "Deployment", "deployments");
        assert_eq!(deployment.collection(None), "/apis/apps/v1/deployments");
        assert_eq!(
            deployment.object(Some("shop"), "api").as_deref(),
            Ok("/apis/apps/v1/namespaces/shop/deployments/api")
        );
        assert!(deployment.object(None, "api").is_err_and(|why| why.starts_with("expected a namespace")));
        // Nothing that an author writes leads out of its place.
        assert_eq!(encoded("../secrets?x#y"), "..%2Fsecrets%3Fx%23y");
        let namespace = Kind { namespaced: false, ..kind("", "v1", "Namespace", "namespaces") };
        assert_eq!(namespace.object(Some("x"), "shop").as_deref(), Ok("/api/v1/namespaces/shop"));
    }
}
