//! A small client of the API that speaks JSON and blocks. For tests: it retries nothing and hides nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use reqwest::{Method, blocking::Client as Http};
use serde_json::Value;

use crate::{Error, identity::Identity};

/// Longest time that one answer may take.
const LIMIT: Duration = Duration::from_secs(30);

/// How often [`wait_until`] looks.
const LOOK: Duration = Duration::from_millis(50);

/// Who the fields that [`Client::apply`] sets belong to.
pub const FIELD_MANAGER: &str = "lifeboat-test";

/// A user of an API server.
#[derive(Debug)]
pub struct Client {
    http: Http,
    url: String,
    token: Option<String>,
    /// Plural name and whether it has namespaces, by API version and kind.
    kinds: Mutex<BTreeMap<(String, String), (String, bool)>>,
}

/// The path of an object or, without a name, of all of a kind: `path("apps/v1", "deployments", "shop", "web")`.
///
/// An empty `namespace` is for what has none, or for all namespaces.
#[must_use]
pub fn path(api_version: &str, plural: &str, namespace: &str, name: &str) -> String {
    let root = if api_version.contains('/') { "apis" } else { "api" };
    let mut path = format!("/{root}/{api_version}");
    if !namespace.is_empty() {
        path.push_str(&format!("/namespaces/{namespace}"));
    }
    path.push_str(&format!("/{plural}"));
    if !name.is_empty() {
        path.push_str(&format!("/{name}"));
    }
    path
}

/// Looks again and again until `look` returns something, and tells what was waited for, and the error that `look` has
/// returned last, when it does not.
///
/// # Errors
/// [`Error::TimedOut`] after `limit`.
pub fn wait_until<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let began = Instant::now();
    loop {
        let last = match look() {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => "not yet so".to_owned(),
            Err(error) => error.to_string(),
        };
        if began.elapsed() >= limit {
            return Err(Error::TimedOut { what: what.to_owned(), seconds: began.elapsed().as_secs_f64(), last });
        }
        thread::sleep(LOOK);
    }
}

impl Client {
    pub(crate) fn new(url: &str, ca_pem: &str, identity: &Identity) -> Result<Self, Error> {
        let config = identity.tls(ca_pem)?;
        let http = Http::builder()
            .tls_backend_preconfigured(config)
            .no_proxy()
            .timeout(LIMIT)
            .build()
            .map_err(|error| Error::Certificate(format!("no client: {}", chain(&error))))?;
        let token = identity.token().map(str::to_owned);
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), token, kinds: Mutex::default() })
    }

    fn send(&self, method: Method, path: &str, body: Option<(&str, &Value)>) -> Result<String, Error> {
        let request = format!("{method} {path}");
        let mut builder = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        if let Some((kind, body)) = body {
            builder = builder.header("Content-Type", kind).body(body.to_string());
        }
        let unreachable = |error: reqwest::Error| Error::Unreachable { request: request.clone(), why: chain(&error) };
        let answer = builder.send().map_err(unreachable)?;
        let status = answer.status();
        let text = answer.text().map_err(unreachable)?;
        if status.is_success() {
            return Ok(text);
        }
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        let field = |name: &str| told.get(name).and_then(Value::as_str).map(str::to_owned);
        Err(Error::Refused {
            request,
            status: status.as_u16(),
            reason: field("reason").unwrap_or_default(),
            message: field("message").unwrap_or(text),
        })
    }

    fn json(&self, method: Method, path: &str, body: Option<(&str, &Value)>) -> Result<Value, Error> {
        let request = format!("{method} {path}");
        let text = self.send(method, path, body)?;
        serde_json::from_str(&text)
            .map_err(|error| Error::Unreachable { request, why: format!("the answer is not JSON: {error}") })
    }

    /// An answer that is no JSON, such as the log of a pod.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`], like all of these.
    pub fn text(&self, path: &str) -> Result<String, Error> {
        self.send(Method::GET, path, None)
    }

    /// An object.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`].
    pub fn get(&self, path: &str) -> Result<Value, Error> {
        self.json(Method::GET, path, None)
    }

    /// An object, or `None` when there is no such.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`].
    pub fn find(&self, path: &str) -> Result<Option<Value>, Error> {
        match self.get(path) {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All objects at a path; a selector may follow it, as `?labelSelector=…`.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`].
    pub fn list(&self, path: &str) -> Result<Vec<Value>, Error> {
        match self.get(path)?.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => Ok(items),
            _ => Err(Error::Input(format!("{path} is no list"))),
        }
    }

    /// The path of an object, from its API version, kind, namespace and name; the API server is asked for the plural.
    ///
    /// # Errors
    /// When the API server does not know the kind.
    pub fn path_of(&self, object: &Value) -> Result<String, Error> {
        self.path_below(object, true)
    }

    fn path_below(&self, object: &Value, with_name: bool) -> Result<String, Error> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (version, kind) = (text("/apiVersion"), text("/kind"));
        let (plural, namespaced) = self.kind(version, kind)?;
        let namespace = match text("/metadata/namespace") {
            _ if !namespaced => "",
            "" => "default",
            given => given,
        };
        Ok(path(version, &plural, namespace, if with_name { text("/metadata/name") } else { "" }))
    }

    fn kind(&self, version: &str, kind: &str) -> Result<(String, bool), Error> {
        let key = (version.to_owned(), kind.to_owned());
        if let Some(known) = self.kinds.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let root = if version.contains('/') { "apis" } else { "api" };
        let resources = self.get(&format!("/{root}/{version}"))?;
        let found = resources["resources"]
            .as_array()
            .into_iter()
            .flatten()
            // Sub-resources, such as `deployments/scale`, have kinds of their own.
            .find(|one| one["kind"] == kind && !one["name"].as_str().unwrap_or_default().contains('/'))
            .map(|one| (one["name"].as_str().unwrap_or_default().to_owned(), one["namespaced"] == true))
            .ok_or_else(|| Error::Input(format!("the API server knows no {kind} in {version}")))?;
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found.clone());
        Ok(found)
    }

    /// Creates an object.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`].
    pub fn create(&self, object: &Value) -> Result<Value, Error> {
        self.json(Method::POST, &self.path_below(object, false)?, Some(("application/json", object)))
    }

    /// Posts to a path: a sub-resource, such as an eviction or a token request.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`].
    pub fn post(&self, path: &str, object: &Value) -> Result<Value, Error> {
        self.json(Method::POST, path, Some(("application/json", object)))
    }

    /// Makes an object as this one says, whether it is there or not: a server-side apply that takes fields over.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`].
    pub fn apply(&self, object: &Value) -> Result<Value, Error> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}&force=true", self.path_of(object)?);
        self.json(Method::PATCH, &path, Some(("application/apply-patch+yaml", object)))
    }

    /// A merge patch.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`].
    pub fn patch(&self, path: &str, patch: &Value) -> Result<Value, Error> {
        self.json(Method::PATCH, path, Some(("application/merge-patch+json", patch)))
    }

    /// A merge patch of the status, as a controller makes it: `patch` has only what is below `status`.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`].
    pub fn patch_status(&self, path: &str, status: &Value) -> Result<Value, Error> {
        self.patch(&format!("{path}/status"), &serde_json::json!({ "status": status }))
    }

    /// Replaces an object; its `resourceVersion` has to be the current one.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`].
    pub fn replace(&self, path: &str, object: &Value) -> Result<Value, Error> {
        self.json(Method::PUT, path, Some(("application/json", object)))
    }

    /// Deletes an object; does not wait until it is gone.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`].
    pub fn delete(&self, path: &str) -> Result<(), Error> {
        self.json(Method::DELETE, path, None).map(drop)
    }

    /// Makes a namespace whose name begins so and that no other test has.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Unreachable`].
    pub fn new_namespace(&self, prefix: &str) -> Result<String, Error> {
        let made = self.create(&serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "generateName": format!("{prefix}-") },
        }))?;
        Ok(made["metadata"]["name"].as_str().unwrap_or_default().to_owned())
    }
}

/// An error with all its causes: reqwest's own text names only the outermost.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn paths_are_those_of_the_api() {
        assert_eq!(path("v1", "pods", "a", "b"), "/api/v1/namespaces/a/pods/b");
        assert_eq!(path("v1", "nodes", "", ""), "/api/v1/nodes");
        assert_eq!(path("apps/v1", "deployments", "a", ""), "/apis/apps/v1/namespaces/a/deployments");
    }
}
