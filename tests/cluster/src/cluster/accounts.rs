//! Service accounts with rights of a test's own choice.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Cluster, LIMIT};
use crate::{
    Client, Error, client,
    identity::{self, Identity},
};

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
