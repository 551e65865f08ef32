//! Requests to Velero: each is an object, made once and found again.
//!
//! Duty: to make one under the name that only this attempt has, to find it when it was made before (by an engine that is
//! gone, or by a request whose answer was lost), and never to take another's for it.

use std::time::Duration;

use lifeboat_core::{
    action::kube::Order,
    kube::{name::label_value, object},
};
use serde_json::{Value, json};

use super::{API, Velero};
use crate::cluster::{ApiError, Kind};

/// The annotation that says which run made an object.
pub(in crate::action) const RUN: &str = "lifeboat.dev/run";
/// The annotation that says which step of it.
pub(in crate::action) const STEP: &str = "lifeboat.dev/step";

/// A request of this kind and name, with who makes it. The labels are for people who look for it; as they cannot have
/// every text, the annotations tell whose it is.
pub(in crate::action) fn request(order: &Order, namespace: &str, kind: &Kind, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": API,
        "kind": kind.kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/managed-by": "lifeboat",
                RUN: label_value(&order.run),
                STEP: label_value(&order.step),
            },
            "annotations": {RUN: order.run, STEP: order.step},
        },
        "spec": spec,
    })
}

/// Whether it is of this run and step; else whose it is.
pub(in crate::action) fn ours(order: &Order, found: &Value) -> Result<(), String> {
    let (run, step) = (object::annotation(found, RUN), object::annotation(found, STEP));
    if (run, step) == (Some(&order.run), Some(&order.step)) {
        return Ok(());
    }
    let whose = match (run, step) {
        (Some(run), Some(step)) => format!("one of the step `{step}` of the run {run}"),
        _ => "one that Lifeboat did not make".to_owned(),
    };
    Err(format!("expected {} to be of this step, found {whose}", object::describe(found)))
}

impl Velero<'_> {
    /// Makes an object, or finds the one that was made before.
    pub(in crate::action) async fn submit(&self, kind: &Kind, name: &str, spec: Value) -> Result<Value, String> {
        let wanted = request(self.cx.order, self.namespace, kind, name, spec);
        let path = kind.collection(Some(self.namespace));
        loop {
            match self.cx.ask.create(&path, &wanted).await {
                Ok(made) => return Ok(named(kind, made)),
                Err(error) if error.exists() => {
                    if let Some(found) = self.mine(kind, name).await? {
                        return Ok(found);
                    }
                    // It went in this very moment.
                }
                Err(error) if error.in_doubt => {
                    if let Some(found) = self.mine(kind, name).await? {
                        return Ok(found);
                    }
                    // If it is made after all, the next try finds that out by its name.
                }
                Err(error) => return Err(self.refused(kind, name, &error)),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    fn refused(&self, kind: &Kind, name: &str, error: &ApiError) -> String {
        let shown = self.shown(kind, name);
        if error.is_missing() {
            return format!("{shown} cannot be made: is `{}` Velero's namespace? ({})", self.namespace, error.message);
        }
        format!("{shown} cannot be made: {error}")
    }

    /// The object of this name, if it is there. Another's is an error.
    pub(in crate::action) async fn mine(&self, kind: &Kind, name: &str) -> Result<Option<Value>, String> {
        let found = self.get(kind, name).await?.map(|found| named(kind, found));
        if let Some(found) = &found {
            ours(self.cx.order, found)?;
        }
        Ok(found)
    }

    /// What earlier attempts have made and is still there, by the names under `field` of what they found; the newest first.
    pub(in crate::action) async fn earlier(&self, kind: &Kind, field: &str) -> Result<Vec<Value>, String> {
        let mut found = Vec::new();
        let mut seen = Vec::new();
        for prepared in self.cx.earlier.iter().rev() {
            let Some(name) = prepared.facts[field].as_str().filter(|name| !seen.contains(name)) else { continue };
            seen.push(name);
            found.extend(self.mine(kind, name).await?);
        }
        Ok(found)
    }

    /// Deletes an object that Velero has not taken up: whether it was, the server tells, so that nothing is deleted that
    /// Velero works at. `false`: it was taken up.
    pub(in crate::action) async fn withdraw(&self, kind: &Kind, found: &Value) -> Result<bool, String> {
        let path = kind.object(Some(self.namespace), object::name(found))?;
        let as_seen = json!({"uid": object::uid(found), "resourceVersion": object::resource_version(found)});
        match self.cx.ask.delete(&path, &json!({"preconditions": as_seen})).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_missing() => Ok(true),
            Err(error) if error.conflicts() => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Whatever server answers: objects are told by their kind.
fn named(kind: &Kind, mut object: Value) -> Value {
    object["kind"] = kind.kind.clone().into();
    object["apiVersion"] = API.into();
    object
}

#[cfg(test)]
mod tests {
    use lifeboat_core::action::{
        kube::{ClusterRef, Request},
        velero_backup::VeleroBackup,
    };

    use super::*;

    fn order(run: &str, step: &str) -> Order {
        let cluster =
            ClusterRef { name: "c".to_owned(), context: None, kubeconfig: None, in_cluster: false, uid: None };
        let spec: VeleroBackup =
            serde_json::from_value(json!({"cluster": {"$start": 0, "$end": 1, "$value": "c"}})).unwrap();
        Order {
            cluster,
            object: "x".to_owned(),
            run: run.to_owned(),
            step: step.to_owned(),
            capture: false,
            request: Request::VeleroBackup(spec),
        }
    }

    #[test]
    fn it_says_who_made_it_and_another_is_not_taken_for_it() {
        let kind = Kind {
            group: "velero.io".to_owned(),
            version: "v1".to_owned(),
            kind: "Backup".to_owned(),
            plural: "backups".to_owned(),
            namespaced: true,
            subresources: Vec::new(),
        };
        let mine = order("20261121t022028z-shop-7f3a", "db/save[shop]");
        let made = request(&mine, "velero", &kind, "x", json!({}));
        assert_eq!(made["metadata"]["annotations"][STEP], "db/save[shop]");
        let label = made["metadata"]["labels"][STEP].as_str().unwrap();
        assert!(label.starts_with("db-save-shop-") && label.len() <= 63, "{label}");
        assert_eq!(ours(&mine, &made), Ok(()));
        assert_eq!(
            ours(&order("20261121t022028z-shop-7f3a", "other"), &made).unwrap_err(),
            "expected Backup velero/x to be of this step, found one of the step `db/save[shop]` of the run \
             20261121t022028z-shop-7f3a"
        );
        let foreign = json!({"kind": "Backup", "metadata": {"name": "x", "namespace": "velero"}});
        assert!(ours(&mine, &foreign).is_err_and(|why| why.ends_with("found one that Lifeboat did not make")));
    }
}
