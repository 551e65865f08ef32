//! Classes of storage: without the one that a volume names, it stays pending for ever.

use std::collections::BTreeMap;

use lifeboat_core::{
    evidence::event::{Finding, Severity},
    kube::object,
    machine::needs::{By, Makes},
};
use serde_json::Value;

use super::site::{Lost, Site, users};

/// By this annotation a class is the default one.
const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

pub(super) async fn look(site: &Site<'_>) -> Result<Vec<Finding>, Lost> {
    let claims = claims(site);
    let restores: Vec<&By> = site
        .needs
        .restores
        .iter()
        .filter(|restore| restore.cluster == site.name)
        .filter(|restore| restore.spec.as_ref().is_none_or(|spec| spec.restore_volumes != Some(false)))
        .map(|restore| &restore.by)
        .collect();
    if claims.is_empty() && restores.is_empty() {
        return Ok(Vec::new());
    }
    let Some(classes) = site.list_if_allowed("StorageClass", None).await? else { return Ok(Vec::new()) };
    let names: Vec<&str> = classes.iter().map(object::name).collect();
    let default = classes.iter().find(|class| object::annotation(class, DEFAULT) == Some("true")).map(object::name);
    let there =
        if names.is_empty() { "no StorageClass at all".to_owned() } else { format!("only {}", names.join(", ")) };
    let mut findings = Vec::new();
    for (class, by) in claims {
        let found = match (&class, default) {
            (Some(class), _) if names.contains(&class.as_str()) => continue,
            (None, Some(_)) => continue,
            (Some(class), _) => (format!("the StorageClass {class}"), there.clone()),
            (None, None) => ("a default StorageClass".to_owned(), there.clone()),
        };
        let (requirement, found) = (format!("{}{}", found.0, users(&by)), found.1);
        let help = "make the class, or name another one; a volume without it stays pending";
        let finding = Finding::missing(requirement, found, help);
        let is_it = |object: &Value| {
            object::kind(object) == "StorageClass" && class.as_ref().is_none_or(|class| object::name(object) == class)
        };
        let brings = |object: &[Value]| object.iter().any(is_it);
        let own = site.applied.iter().flatten().any(|it| by.contains(&it.manifests.by) && brings(&it.objects));
        if own || site.excuse(&by, |maker| brings(site.applied_by(maker))).is_some() {
            continue;
        }
        let later = site.excuse(&by, |maker| maker.makes == Makes::Anything).is_some();
        findings.push(finding.severity(if later { Severity::Warning } else { Severity::Error }));
    }
    if !restores.is_empty() {
        findings.push(for_restores(&restores, &names, default));
    }
    Ok(findings)
}

/// Volumes that come out of a backup name the classes of the cluster that it was made of.
fn for_restores(restores: &[&By], names: &[&str], default: Option<&str>) -> Finding {
    let requirement = format!("StorageClasses for volumes out of the backup{}", users(restores.iter().copied()));
    if names.is_empty() {
        let help = "make them under the names that they have where the backup is from, or map them (Velero's \
                    change-storage-class); without volumes: `restoreVolumes: false`";
        return Finding::missing(requirement, "none at all", help).severity(Severity::Warning);
    }
    let default = default.map_or_else(|| "no default".to_owned(), |default| format!("default {default}"));
    Finding::met(requirement, format!("{} ({default})", names.join(", ")))
}

/// The classes that claims in the manifests name, and who applies them; `None`: the default one.
fn claims(site: &Site<'_>) -> BTreeMap<Option<String>, Vec<By>> {
    let mut claims: BTreeMap<Option<String>, Vec<By>> = BTreeMap::new();
    for applied in site.applied.iter().flatten().filter(|applied| applied.manifests.cluster == site.name) {
        for object in &applied.objects {
            let specs: Vec<&Value> = match object::kind(object) {
                "PersistentVolumeClaim" => vec![object],
                "StatefulSet" => object::list(object, "/spec/volumeClaimTemplates").iter().collect(),
                _ => continue,
            };
            for claim in specs {
                // A claim for a volume that is there needs no class; an empty one means exactly that.
                if !object::text(claim, "/spec/volumeName").is_empty() {
                    continue;
                }
                let class = match claim.pointer("/spec/storageClassName").and_then(Value::as_str) {
                    Some("") => continue,
                    class => class.map(str::to_owned),
                };
                let by = claims.entry(class).or_default();
                if !by.contains(&applied.manifests.by) {
                    by.push(applied.manifests.by.clone());
                }
            }
        }
    }
    claims
}
