//! Whether a restore has created an object, and in which order such objects go.
//!
//! Duty: decisions only. In doubt an object is not the restore's.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lifeboat_core::kube::object;
use serde_json::Value;

use super::super::results::{Names, Restored};
use crate::cluster::Kind;

/// What is known of how objects came to be.
pub(super) struct Birth<'a> {
    /// What Velero says that it did.
    pub list: Option<&'a Restored>,
    /// When the restore was asked for, by the cluster's clock.
    pub began: Option<Timestamp>,
    /// When it had ended, by Velero's clock.
    pub ended: Option<Timestamp>,
    /// Namespaces that were not there before it.
    pub absent: &'a [String],
    /// It also changes what is there.
    pub updates: bool,
}

impl Birth<'_> {
    /// Whether the restore has created an object that has its label, or a namespace.
    pub(super) fn made(&self, kind: &Kind, found: &Value) -> bool {
        let made = object::instant(found, "/metadata/creationTimestamp");
        if let (Some(began), Some(made)) = (self.began, made)
            && made < began
        {
            return false;
        }
        let name = object::name(found);
        let is_namespace = kind.group.is_empty() && kind.kind == "Namespace";
        if let Some(list) = self.list {
            let full = object::namespace(found).map_or(name.to_owned(), |namespace| format!("{namespace}/{name}"));
            return names(list, kind).any(|names| names.created.contains(&full));
        }
        if is_namespace {
            // Nothing but the time speaks for it: it was not there before, and came while Velero restored into it.
            let in_time = matches!((self.began, made, self.ended), (Some(_), Some(made), Some(ended)) if made <= ended);
            return in_time && self.absent.iter().any(|absent| absent == name);
        }
        // Nobody can tell an object that was changed from one that was created.
        let known = self.began.is_some() || !self.updates;
        // Merged ones have the label, too.
        let merged = kind.group.is_empty() && kind.kind == "ServiceAccount" && self.began.is_none();
        known && !merged
    }

    /// The namespaces that the restore may have created.
    pub(super) fn namespaces(&self) -> BTreeSet<String> {
        match self.list {
            Some(list) => {
                let namespaces =
                    list.kinds.iter().filter(|(kind, _)| kind.kind == "Namespace" && kind.api_version == "v1");
                namespaces.flat_map(|(_, names)| names.created.iter().cloned()).collect()
            }
            None => self.absent.iter().cloned().collect(),
        }
    }

    /// The namespaces in which it has created objects of a kind.
    pub(super) fn places(&self, kind: &Kind) -> BTreeSet<String> {
        let created = self.list.into_iter().flat_map(|list| names(list, kind)).flat_map(|names| &names.created);
        created.filter_map(|name| name.split_once('/')).map(|(namespace, _)| namespace.to_owned()).collect()
    }
}

/// Versions are left alone: an object is served in all of them.
fn names<'a>(list: &'a Restored, kind: &'a Kind) -> impl Iterator<Item = &'a Names> {
    let group = |api_version: &str| api_version.rsplit_once('/').map_or(String::new(), |(group, _)| group.to_owned());
    let same =
        move |of: &super::super::results::RestoredKind| of.kind == kind.kind && group(&of.api_version) == kind.group;
    list.kinds.iter().filter(move |(of, _)| same(of)).map(|(_, names)| names)
}

/// What goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// Custom resources, while the operators that finalize them still run.
    Custom,
    /// What makes pods.
    Workloads,
    /// Pods.
    Pods,
    /// What pods use.
    Used,
    /// Volumes in namespaces.
    Claims,
    /// What is in no namespace.
    Cluster,
    /// The places of all the others.
    Namespaces,
}

pub(super) fn tier(kind: &Kind) -> Tier {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => Tier::Namespaces,
        _ if !kind.namespaced => Tier::Cluster,
        ("", "Pod") => Tier::Pods,
        ("", "ReplicationController") | ("apps" | "batch", _) => Tier::Workloads,
        ("", "PersistentVolumeClaim") => Tier::Claims,
        (group, _) if group.is_empty() || !group.contains('.') || group.ends_with(".k8s.io") => Tier::Used,
        _ => Tier::Custom,
    }
}

/// Why an object is not deleted although the restore created it.
pub(super) fn must_stay(kind: &Kind) -> Option<&'static str> {
    (kind.group == "apiextensions.k8s.io" && kind.kind == "CustomResourceDefinition").then_some(
        "with a definition all objects of its kind would go, also those of others; delete it by hand if nobody uses it",
    )
}

/// The kinds that are looked through when it is not known what was restored, each once, in its preferred version.
pub(super) fn candidates(kinds: Vec<Kind>) -> Vec<Kind> {
    let mut seen = BTreeSet::new();
    kinds
        .into_iter()
        .filter(|kind| match kind.group.as_str() {
            // Made by controllers from others, which they follow.
            "" => !matches!(kind.kind.as_str(), "Event" | "Endpoints" | "Binding" | "ComponentStatus"),
            "events.k8s.io" | "discovery.k8s.io" | "metrics.k8s.io" => false,
            // They belong to the Restore, and go with it.
            "velero.io" => false,
            // Questions, of which nothing is kept.
            "authorization.k8s.io" | "authentication.k8s.io" => false,
            _ => true,
        })
        .filter(|kind| seen.insert((kind.group.clone(), kind.kind.clone())))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(group: &str, name: &str, namespaced: bool) -> Kind {
        Kind {
            group: group.to_owned(),
            version: "v1".to_owned(),
            kind: name.to_owned(),
            plural: format!("{}s", name.to_lowercase()),
            namespaced,
            subresources: Vec::new(),
        }
    }

    fn found(namespace: Option<&str>, name: &str, made: &str) -> Value {
        json!({"metadata": {"namespace": namespace, "name": name, "creationTimestamp": made}})
    }

    const BEFORE: &str = "2026-11-21T11:59:59Z";
    const SINCE: &str = "2026-11-21T12:00:00Z";
    const AFTER: &str = "2026-11-21T12:09:00Z";

    fn birth<'a>(list: Option<&'a Restored>, absent: &'a [String], updates: bool) -> Birth<'a> {
        Birth { list, began: SINCE.parse().ok(), ended: "2026-11-21T12:05:00Z".parse().ok(), absent, updates }
    }

    #[test]
    fn by_the_list() {
        let list = r#"{"apps/v1/Deployment": ["shop/api(created)", "shop/web(updated)"], "v1/Namespace": ["shop(created)"],
                       "v1/PersistentVolume": ["data(created)"]}"#;
        let list = Restored::read(list).unwrap();
        let birth = birth(Some(&list), &[], true);
        let deployment = kind("apps", "Deployment", true);
        assert!(birth.made(&deployment, &found(Some("shop"), "api", SINCE)));
        assert!(!birth.made(&deployment, &found(Some("shop"), "api", BEFORE)), "it was made before");
        assert!(!birth.made(&deployment, &found(Some("shop"), "web", SINCE)), "it was changed");
        assert!(!birth.made(&deployment, &found(Some("shop"), "copy", SINCE)), "a controller has copied the label");
        assert!(!birth.made(&kind("extensions", "Deployment", true), &found(Some("shop"), "api", SINCE)));
        assert!(birth.made(&kind("", "PersistentVolume", false), &found(None, "data", SINCE)));
        assert!(birth.made(&kind("", "Namespace", false), &found(None, "shop", SINCE)));
        assert_eq!(birth.namespaces().into_iter().collect::<Vec<_>>(), ["shop"]);
        assert_eq!(birth.places(&deployment).into_iter().collect::<Vec<_>>(), ["shop"]);
    }

    #[test]
    fn by_label_and_time() {
        let absent = ["shop".to_owned()];
        let deployment = kind("apps", "Deployment", true);
        let namespace = kind("", "Namespace", false);
        let account = kind("", "ServiceAccount", true);
        for updates in [false, true] {
            let birth = birth(None, &absent, updates);
            assert!(birth.made(&deployment, &found(Some("shop"), "api", AFTER)));
            assert!(!birth.made(&deployment, &found(Some("shop"), "api", BEFORE)));
            assert!(birth.made(&account, &found(Some("shop"), "app", SINCE)));
            assert!(!birth.made(&account, &found(Some("shop"), "default", BEFORE)), "it was merged");
            assert!(birth.made(&namespace, &found(None, "shop", SINCE)));
            assert!(!birth.made(&namespace, &found(None, "shop", AFTER)), "it came when Velero was done");
            assert!(!birth.made(&namespace, &found(None, "auth", SINCE)), "it was there before");
        }
        // The Restore itself is gone, and with it the time.
        let gone = |updates| Birth { list: None, began: None, ended: None, absent: &absent, updates };
        assert!(gone(false).made(&deployment, &found(Some("shop"), "api", BEFORE)));
        assert!(!gone(true).made(&deployment, &found(Some("shop"), "api", BEFORE)));
        assert!(!gone(false).made(&account, &found(Some("shop"), "default", BEFORE)));
        assert!(!gone(false).made(&namespace, &found(None, "shop", SINCE)));
    }

    #[test]
    fn dependents_first() {
        let kinds = [
            kind("", "Namespace", false),
            kind("", "PersistentVolume", false),
            kind("", "PersistentVolumeClaim", true),
            kind("networking.k8s.io", "Ingress", true),
            kind("policy", "PodDisruptionBudget", true),
            kind("", "Pod", true),
            kind("batch", "CronJob", true),
            kind("postgresql.cnpg.io", "Cluster", true),
        ];
        let mut tiers: Vec<Tier> = kinds.iter().map(tier).collect();
        tiers.reverse();
        assert!(tiers.is_sorted(), "{tiers:?}");
        assert!(must_stay(&kind("apiextensions.k8s.io", "CustomResourceDefinition", false)).is_some());
    }

    #[test]
    fn what_is_looked_through() {
        let kinds = vec![
            kind("", "Event", true),
            kind("velero.io", "PodVolumeRestore", true),
            kind("autoscaling", "HorizontalPodAutoscaler", true),
            Kind { version: "v2".to_owned(), ..kind("autoscaling", "HorizontalPodAutoscaler", true) },
            kind("", "ConfigMap", true),
        ];
        let names: Vec<String> =
            candidates(kinds).into_iter().map(|kind| format!("{} {}", kind.version, kind.kind)).collect();
        assert_eq!(names, ["v1 HorizontalPodAutoscaler", "v1 ConfigMap"]);
    }
}
