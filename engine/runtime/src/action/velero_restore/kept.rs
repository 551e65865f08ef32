//! What Velero kept of a restore, and what of it counts.
//!
//! Duty: to fetch it, to keep it with the evidence, and to leave out of the verdict what does not speak against the restore:
//! what Kubernetes itself puts into every namespace, and what an earlier attempt has restored. That something cannot be had
//! is told, and fails nothing.

use lifeboat_core::{
    evidence::event::Artifact,
    kube::{
        object,
        velero::{RESTORE_NAME, RestorePolicy, Results, read_results},
    },
};
use serde_json::{Map, Value};

use super::super::velero::{
    Velero,
    results::{Kept, Restored},
};

/// How many names of restored objects a result has; with more of them it has none, and the artifact has all.
const NAMES: usize = 2_000;
/// How many objects that were there before are looked at.
const LOOKS: usize = 200;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Errors and warnings, as far as they count.
    pub results: Results,
    /// Objects by resource, for `result.restored`.
    pub restored: Map<String, Value>,
    /// What could not be found out, and why.
    pub notes: Vec<String>,
    /// What was kept with the evidence.
    pub artifacts: Vec<Artifact>,
}

pub(super) async fn read(velero: &Velero<'_>, restore: &Value, location: &str, policy: &RestorePolicy) -> Reading {
    let (name, teller) = (object::name(restore), velero.cx.teller);
    let roots = velero.roots(location).await;
    let mut reading = Reading::default();
    // Side by side: Velero may let both wait.
    let (results, list) = tokio::join!(
        velero.fetch(Kept::RestoreResults, name, &roots),
        velero.fetch(Kept::RestoreResourceList, name, &roots)
    );
    match results {
        Ok(text) => {
            reading.artifacts.extend(teller.keep(Kept::RestoreResults.file(), &text).await);
            match serde_json::from_str(&text) {
                Ok(results) => reading.results = read_results(&results),
                Err(error) => reading.notes.push(format!("the RestoreResults are no JSON: {error}")),
            }
            leave_out(velero, &mut reading.results, policy).await;
        }
        Err(why) => {
            let warnings = object::number(restore, "/status/warnings").unwrap_or(0);
            let open = if warnings > 0 && !policy.allow_kept {
                format!(
                    "; whether one of its {warnings} warnings is about an object that was kept as it was is not known"
                )
            } else {
                String::new()
            };
            reading.notes.push(format!("{why}{open}"));
        }
    }
    match list {
        Ok(text) => {
            reading.artifacts.extend(teller.keep(Kept::RestoreResourceList.file(), &text).await);
            match Restored::read(&text) {
                Ok(restored) if restored.count() > NAMES => reading.notes.push(format!(
                    "`restored` is left out: {} objects are too many for it; the artifact {} has them",
                    restored.count(),
                    Kept::RestoreResourceList.file()
                )),
                Ok(restored) => reading.restored = by_resource(velero, &restored).await,
                Err(why) => reading.notes.push(why),
            }
        }
        Err(why) => reading.notes.push(why),
    }
    reading
}

async fn by_resource(velero: &Velero<'_>, restored: &Restored) -> Map<String, Value> {
    let mut map = Map::new();
    for (kind, names) in &restored.kinds {
        let resource = match velero.cx.ask.kind(&kind.kind, Some(&kind.api_version)).await {
            Ok(kind) => kind.resource(),
            // It is not served any more; its name is better than nothing.
            Err(_) => format!("{}/{}", kind.api_version, kind.kind),
        };
        let names = names.created.union(&names.updated).map(|name| Value::from(name.as_str()));
        map.insert(resource, names.collect());
    }
    map
}

/// What is in every namespace as soon as it is made: each cluster has its own.
fn made_by_the_cluster(kind: &str, name: &str) -> bool {
    kind == "ConfigMap" && matches!(name, "kube-root-ca.crt" | "openshift-service-ca.crt")
}

async fn leave_out(velero: &Velero<'_>, results: &mut Results, policy: &RestorePolicy) {
    results.kept.retain(|kept| !made_by_the_cluster(&kept.kind, &kept.name));
    let ours: Vec<&str> = velero.cx.earlier.iter().filter_map(|prepared| prepared.facts["restore"].as_str()).collect();
    if policy.allow_kept || ours.is_empty() || results.kept.len() > LOOKS {
        return;
    }
    let mut left = Vec::new();
    for kept in std::mem::take(&mut results.kept) {
        let of = label(velero, &kept.kind, kept.namespace.as_deref(), &kept.name).await;
        if !of.is_some_and(|of| ours.contains(&of.as_str())) {
            left.push(kept);
        }
    }
    results.kept = left;
}

/// Which restore has made an object, as far as that can be seen.
async fn label(velero: &Velero<'_>, kind: &str, namespace: Option<&str>, name: &str) -> Option<String> {
    let kind = velero.cx.ask.kind(kind, None).await.ok()?;
    let found = velero.cx.ask.get(&kind.object(namespace, name).ok()?).await.ok()?;
    object::label(&found, RESTORE_NAME).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_cluster_itself_makes_is_not_held_against_a_restore() {
        assert!(made_by_the_cluster("ConfigMap", "kube-root-ca.crt"));
        assert!(!made_by_the_cluster("Secret", "kube-root-ca.crt"));
        assert!(!made_by_the_cluster("ConfigMap", "app"));
    }
}
