//! What is wanted of a backup, and what Velero is asked for.
//!
//! Duty: from what authors write to the words of core and of Velero. Nothing here asks a cluster.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use lifeboat_core::{
    action::velero_restore::{Existing, VeleroRestore},
    duration::Duration,
    kube::{
        object,
        velero::{Refused, Wanted, contains_namespace},
        words,
    },
    model::Template,
};
use serde_json::{Value, json};

use super::super::{or, velero::selector::label_selector};

/// A backup that expires earlier is not taken: Velero would delete it, and the restore with it, while it goes on. It is short
/// because in a disaster a backup that is about to expire may be the only one.
const MARGIN: SignedDuration = SignedDuration::from_mins(15);

/// What is wanted of a backup, in texts of its own.
pub(super) struct Wishes {
    name: Option<String>,
    schedule: Option<String>,
    namespaces: Vec<String>,
    max_age: Option<Duration>,
    allow_partial: bool,
}

impl Wishes {
    pub(super) fn of(spec: &VeleroRestore) -> Self {
        let text = |text: Option<&Template>| Some(or(text, "").to_owned()).filter(|text| !text.is_empty());
        Self {
            name: text(spec.backup.as_ref()).filter(|name| name != "latest"),
            schedule: text(spec.schedule.as_ref()),
            namespaces: sources(spec).into_iter().collect(),
            max_age: spec.max_age,
            allow_partial: spec.allow_partial,
        }
    }

    /// The backups among which is chosen. Those of other namespaces are none of them, unless there is nothing else: then
    /// they tell what is wrong.
    pub(super) fn candidates(&self, backups: Vec<Value>) -> Vec<Value> {
        let holds_all = |backup: &Value| self.namespaces.iter().all(|name| contains_namespace(backup, name));
        if self.name.is_some() || !backups.iter().any(holds_all) {
            return backups;
        }
        backups.into_iter().filter(holds_all).collect()
    }

    pub(super) fn wanted(&self, now: Timestamp) -> Wanted<'_> {
        Wanted {
            name: self.name.as_deref(),
            schedule: self.schedule.as_deref(),
            namespaces: &self.namespaces,
            max_age: self.max_age,
            allow_partial: self.allow_partial,
            now,
            expires_after: now.saturating_add(MARGIN).unwrap_or(now),
        }
    }

    /// This one, if it still is what is wanted.
    pub(super) fn this<'a>(&'a self, name: &'a str, now: Timestamp) -> Wanted<'a> {
        Wanted { name: Some(name), ..self.wanted(now) }
    }
}

/// Why there is no backup to take, for the commander.
pub(super) fn refusal(refused: &Refused) -> String {
    let Refused { message, passed_over } = refused;
    // Where they are the reason, they are in the message already.
    let untold = passed_over.iter().filter(|(name, _)| !message.contains(name.as_str()));
    let untold: Vec<String> = untold.map(|(name, why)| format!("{name} {why}")).collect();
    if untold.is_empty() { message.clone() } else { format!("{message}; passed over: {}", words::list(&untold, 3)) }
}

/// The namespaces that must be in the backup.
fn sources(spec: &VeleroRestore) -> BTreeSet<String> {
    let listed = spec.namespaces.iter().map(|name| name.as_str().to_owned());
    if spec.namespaces.is_empty() {
        spec.namespace_mapping.keys().map(|name| name.as_str().to_owned()).collect()
    } else {
        listed.collect()
    }
}

/// The namespaces that are known to be restored into.
pub(super) fn targets(spec: &VeleroRestore) -> BTreeSet<String> {
    let mapped =
        |name: String| spec.namespace_mapping.get(&Template(name.clone())).map_or(name, |to| to.as_str().to_owned());
    sources(spec).into_iter().map(mapped).filter(|name| !name.contains(['*', '?', '['])).collect()
}

/// Whether what a restore has restored can still be there: nobody has deleted a namespace of it since.
pub(super) fn still_there(restore: &Value, targets: &[Value], absent: &[String]) -> bool {
    let ended = object::instant(restore, "/status/completionTimestamp");
    let older = |namespace: &Value| match (object::instant(namespace, "/metadata/creationTimestamp"), ended) {
        (Some(made), Some(ended)) => made <= ended,
        _ => true,
    };
    absent.is_empty() && targets.iter().all(older)
}

/// What Velero is asked for. The backup is pinned: left to itself, Velero takes the newest one at the time at which it
/// begins.
pub(super) fn restore(spec: &VeleroRestore, backup: &str) -> Result<Value, String> {
    let mut request = json!({"backupName": backup});
    for (field, list) in [
        ("includedNamespaces", &spec.namespaces),
        ("includedResources", &spec.included_resources),
        ("excludedResources", &spec.excluded_resources),
    ] {
        if !list.is_empty() {
            request[field] = list.iter().map(Template::as_str).collect();
        }
    }
    if !spec.namespace_mapping.is_empty() {
        let mapping = spec.namespace_mapping.iter().map(|(from, to)| (from.as_str().to_owned(), to.as_str().into()));
        request["namespaceMapping"] = Value::Object(mapping.collect());
    }
    if let Some(selector) = spec.selector.as_ref().map(Template::as_str).filter(|text| !text.is_empty()) {
        request["labelSelector"] = label_selector(selector)?;
    }
    for (field, flag) in
        [("includeClusterResources", spec.include_cluster_resources), ("restorePVs", spec.restore_volumes)]
    {
        if let Some(flag) = flag {
            request[field] = flag.into();
        }
    }
    let update = spec.existing == Some(Existing::Update);
    request["existingResourcePolicy"] = if update { "update" } else { "none" }.into();
    if let Some(name) = spec.resource_modifier.as_ref().map(Template::as_str).filter(|name| !name.is_empty()) {
        request["resourceModifier"] = json!({"kind": "ConfigMap", "name": name});
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(mut spec: Value) -> VeleroRestore {
        spec["cluster"] = json!({"$start": 0, "$end": 1, "$value": "c"});
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn what_velero_is_asked_for() {
        assert_eq!(
            restore(&spec(json!({})), "nightly-1"),
            Ok(json!({"backupName": "nightly-1", "existingResourcePolicy": "none"}))
        );
        let all = spec(json!({
            "namespaces": ["shop"], "namespaceMapping": {"shop": "shop-drill"}, "includedResources": ["secrets"],
            "excludedResources": ["ingresses.networking.k8s.io"], "selector": "!legacy", "includeClusterResources": false,
            "restoreVolumes": true, "existing": "update", "resourceModifier": "quiet"
        }));
        assert_eq!(
            restore(&all, "nightly-1"),
            Ok(json!({
                "backupName": "nightly-1", "includedNamespaces": ["shop"], "includedResources": ["secrets"],
                "excludedResources": ["ingresses.networking.k8s.io"], "namespaceMapping": {"shop": "shop-drill"},
                "labelSelector": {"matchExpressions": [{"key": "legacy", "operator": "DoesNotExist"}]},
                "includeClusterResources": false, "restorePVs": true, "existingResourcePolicy": "update",
                "resourceModifier": {"kind": "ConfigMap", "name": "quiet"}
            }))
        );
        assert!(restore(&spec(json!({"selector": "a b"})), "b").is_err());
    }

    #[test]
    fn what_is_wanted_of_a_backup() {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let wishes = Wishes::of(&spec(json!({"backup": "latest", "schedule": "", "maxAge": "1h"})));
        let wanted = wishes.wanted(now);
        assert_eq!((wanted.name, wanted.schedule, wanted.namespaces), (None, None, &[][..]));
        assert_eq!(wanted.max_age, Some(Duration::from_secs(3_600)));
        assert_eq!(wanted.expires_after.to_string(), "2026-11-21T12:15:00Z");
        assert_eq!(wishes.this("a", now).name, Some("a"));
        let wishes = Wishes::of(&spec(json!({"backup": "b", "namespaceMapping": {"shop": "drill", "auth": "a"}})));
        assert_eq!(
            (wishes.wanted(now).name, wishes.wanted(now).namespaces),
            (Some("b"), &["auth".into(), "shop".into()][..])
        );
    }

    #[test]
    fn backups_of_other_namespaces_are_not_even_looked_at() {
        let backup = |name: &str, of: &str| json!({"metadata": {"name": name}, "spec": {"includedNamespaces": [of]}});
        let backups = || vec![backup("a", "shop"), backup("b", "auth"), backup("c", "*")];
        let names = |wishes: Value, backups: Vec<Value>| -> Vec<String> {
            Wishes::of(&spec(wishes)).candidates(backups).iter().map(|it| object::name(it).to_owned()).collect()
        };
        assert_eq!(names(json!({"namespaces": ["shop"]}), backups()), ["a", "c"]);
        assert_eq!(names(json!({"namespaces": ["shop", "auth"]}), backups()), ["c"]);
        assert_eq!(names(json!({}), backups()), ["a", "b", "c"]);
        assert_eq!(names(json!({"namespaces": ["shop"], "backup": "b"}), backups()), ["a", "b", "c"]);
        assert_eq!(names(json!({"namespaces": ["shop"]}), vec![backup("b", "auth")]), ["b"]);
    }

    #[test]
    fn where_it_is_restored_to() {
        let targets = |spec: Value| -> Vec<String> { targets(&self::spec(spec)).into_iter().collect() };
        assert_eq!(targets(json!({})), [""; 0]);
        assert_eq!(
            targets(json!({"namespaces": ["shop", "auth"], "namespaceMapping": {"shop": "drill"}})),
            ["auth", "drill"]
        );
        assert_eq!(targets(json!({"namespaces": ["shop-*"]})), [""; 0]);
    }

    #[test]
    fn what_is_still_there() {
        let restore = json!({"status": {"completionTimestamp": "2026-11-21T12:00:00Z"}});
        let namespace = |at: &str| json!({"metadata": {"name": "shop", "creationTimestamp": at}});
        assert!(still_there(&restore, &[namespace("2026-11-21T11:59:00Z")], &[]));
        assert!(!still_there(&restore, &[namespace("2026-11-21T12:01:00Z")], &[]), "somebody has made it anew");
        assert!(!still_there(&restore, &[], &["shop".to_owned()]));
    }

    #[test]
    fn a_refusal_tells_what_was_passed_over() {
        let refused = |message: &str| Refused {
            message: message.to_owned(),
            passed_over: vec![("n-2".to_owned(), "ended as Failed".to_owned())],
        };
        assert_eq!(refusal(&refused("n-1 is too old")), "n-1 is too old; passed over: n-2 ended as Failed");
        assert_eq!(refusal(&refused("none: n-2 ended as Failed")), "none: n-2 ended as Failed");
    }
}
