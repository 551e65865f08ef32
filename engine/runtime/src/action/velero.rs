//! What backups and restores by Velero have in common.
//!
//! Duty: where Velero's objects are, who made them, following them, and reading what it keeps in its bucket. What phases and
//! results mean is in core's room `kube::velero`.
//!
//! - `submit`: made once, and found again
//! - `follow`: until it has ended
//! - `results`: what Velero keeps in the bucket
//! - `remains`: what a restore made, and taking that back
//! - `selector`: labels as authors write them

use lifeboat_core::{kube::words, model::Template};
use serde_json::Value;

use super::{Context, or};
use crate::cluster::{Kind, watch::Key};

pub(super) mod follow;
pub(super) mod remains;
pub(super) mod results;
pub(super) mod selector;
pub(super) mod submit;

/// The API version of Velero's kinds.
pub(super) const API: &str = "velero.io/v1";

/// The Velero of a cluster.
pub(super) struct Velero<'a> {
    /// In whose name it is asked.
    pub cx: &'a Context<'a>,
    /// Where its objects are.
    pub namespace: &'a str,
}

impl<'a> Velero<'a> {
    pub(super) fn of(cx: &'a Context<'a>, namespace: Option<&'a Template>) -> Self {
        Self { cx, namespace: or(namespace, "velero") }
    }

    /// One of its kinds.
    pub(super) async fn kind(&self, name: &str) -> Result<Kind, String> {
        self.cx.ask.kind(name, Some(API)).await.map_err(|why| format!("Velero is not there: {why}"))
    }

    /// An object of its own, if it is there.
    pub(super) async fn get(&self, kind: &Kind, name: &str) -> Result<Option<Value>, String> {
        match self.cx.ask.get(&kind.object(Some(self.namespace), name)?).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// All objects of one of its kinds, as they are now.
    pub(super) async fn list(&self, kind: &str) -> Result<Vec<Value>, String> {
        let kind = self.kind(kind).await?;
        let key = Key { kind, namespace: Some(self.namespace.to_owned()), selector: String::new() };
        let found = self.cx.ask.look(&key, None, false, true).await?;
        Ok(found.objects.iter().map(|object| (**object).clone()).collect())
    }

    /// For people: `Restore velero/x`.
    pub(super) fn shown(&self, kind: &Kind, name: &str) -> String {
        format!("{} {}/{name}", kind.kind, self.namespace)
    }

    /// What to look at when nothing goes on.
    pub(super) async fn server(&self) -> String {
        let Ok(kind) = self.cx.ask.kind("Deployment", Some("apps/v1")).await else { return String::new() };
        let key = Key { kind, namespace: Some(self.namespace.to_owned()), selector: String::new() };
        match self.cx.ask.look(&key, None, false, true).await {
            Ok(found) => server(&found.objects.iter().map(|object| (**object).clone()).collect::<Vec<_>>()),
            Err(why) => format!("is Velero's server running? ({why})"),
        }
    }
}

/// Of the Deployments in Velero's namespace: whether the server runs.
fn server(deployments: &[Value]) -> String {
    use lifeboat_core::kube::{object, readiness};
    // Charts and operators name it as they like; the server is the one that is told so.
    let is_server = |deployment: &&Value| {
        let containers = object::list(deployment, "/spec/template/spec/containers");
        object::name(deployment) == "velero"
            || containers.iter().any(|container| object::texts(container, "/args").any(|arg| arg == "server"))
    };
    let Some(deployment) = deployments.iter().find(is_server) else {
        return "is Velero's server running? There is no Deployment of it in its namespace".to_owned();
    };
    let shown = object::describe(deployment);
    match readiness::readiness(deployment, &readiness::Around::alone(jiff::Timestamp::now())).why() {
        Some(why) => format!("is Velero's server running? {shown} {}", words::quote(why)),
        None => format!("{shown} is ready; look at its log"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_to_look_at_when_nothing_goes_on() {
        let deployment = |available: u32| {
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "backup", "namespace": "velero", "generation": 1},
                "spec": {"replicas": 1, "template": {"spec": {"containers": [{"args": ["server"]}]}}},
                "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": available,
                           "readyReplicas": available},
            })
        };
        assert_eq!(server(&[deployment(1)]), "Deployment velero/backup is ready; look at its log");
        let down = server(&[deployment(0)]);
        assert!(down.starts_with("is Velero's server running? Deployment velero/backup 0 of 1"), "{down}");
        assert!(server(&[json!({"metadata": {"name": "minio"}})]).contains("There is no Deployment of it"));
    }
}
