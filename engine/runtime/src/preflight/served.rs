//! What the cluster serves: kinds, versions, definitions.

use std::collections::BTreeMap;

use lifeboat_core::{
    evidence::event::{Finding, Severity},
    kube::{
        object,
        readiness::{self, Around},
    },
    machine::needs::{By, Makes, Need, Place, WantedCrd, What},
};
use serde_json::Value;

use super::site::{Lost, Site, users};
use crate::cluster::kinds::{self, encoded};

/// The definitions of custom resources.
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

pub(super) async fn look(site: &Site<'_>) -> Result<Vec<Finding>, Lost> {
    let mut findings = kinds_served(site);
    findings.extend(without_namespace(site));
    for crd in site.needs.crds.iter().filter(|crd| crd.cluster == site.name) {
        findings.push(definition(site, crd).await?);
    }
    Ok(findings)
}

/// The kinds that are needed, each once.
fn kinds_served(site: &Site<'_>) -> Vec<Finding> {
    let mut wanted: BTreeMap<&What, Vec<&Need>> = BTreeMap::new();
    for need in site.rights.iter().filter(|need| !need.may_be_absent) {
        wanted.entry(&need.what).or_default().push(need);
    }
    let (mut findings, mut served) = (Vec::new(), 0);
    for (what, needs) in wanted {
        let What::Kind { kind, api_version } = what else { continue };
        let by: Vec<By> = needs.iter().flat_map(|need| need.by.clone()).collect();
        match kinds::find(&site.kinds, kind, api_version.as_deref()) {
            Ok(found) => {
                served += 1;
                let mut missing: Vec<&str> = needs.iter().filter_map(|need| need.subresource.as_deref()).collect();
                missing.retain(|below| !found.subresources.iter().any(|known| known == below));
                missing.dedup();
                for below in missing {
                    let requirement = format!("the subresource `{below}` of {}{}", found.kind, users(&by));
                    let has =
                        if found.subresources.is_empty() { "none".to_owned() } else { found.subresources.join(", ") };
                    findings.push(Finding::missing(requirement, has, "use another action, or another kind"));
                }
            }
            Err(why) => findings.push(not_served(site, kind, api_version.as_deref(), &by, &why)),
        }
    }
    if served > 0 {
        findings.insert(0, Finding::met("the kinds that its steps use", format!("all {served} of them are served")));
    }
    if findings.iter().any(|finding| !finding.passed)
        && let Some(first) = findings.first_mut().filter(|finding| finding.passed)
    {
        first.found = format!("{served} of them are served");
    }
    findings
}

fn not_served(site: &Site<'_>, kind: &str, api_version: Option<&str>, by: &[By], why: &str) -> Finding {
    let version = api_version.map_or(String::new(), |version| format!(" of {version}"));
    let requirement = format!("the kind {kind}{version}{}", users(by));
    let why = what_was_found(why);
    // Another version of it may be there.
    if let (Some(_), Ok(other)) = (api_version, kinds::find(&site.kinds, kind, None)) {
        let found = format!("{} of {} only", other.kind, other.api_version());
        return Finding::missing(requirement, found, format!("write `apiVersion: {}`", other.api_version()));
    }
    let word = kind.split('.').next().unwrap_or(kind).to_lowercase();
    let defines = |object: &Value| {
        let name = |pointer: &str| object::text(object, pointer).to_lowercase();
        object::kind(object) == "CustomResourceDefinition"
            && [name("/spec/names/kind"), name("/spec/names/plural")].contains(&word)
    };
    let mut applied = site.applied.iter().flatten();
    if applied.any(|it| by.iter().all(|by| it.manifests.by == *by) && it.objects.iter().any(defines)) {
        return Finding::met(requirement, "nothing yet; its definition is in the same manifests, and is applied first");
    }
    if let Some(steps) = site.excuse(by, |maker| site.applied_by(maker).iter().any(defines)) {
        return Finding::met(requirement, format!("nothing yet; its definition is applied before, by {steps}"));
    }
    let help = match kind.split_once('.') {
        Some((_, group)) => format!("install what brings the kinds of {group}"),
        None => "correct the kind in the runbook, or install what brings it".to_owned(),
    };
    let finding = Finding::missing(requirement, why, help);
    match site.excuse(by, |maker| maker.makes == Makes::Anything) {
        Some(steps) => {
            let found = format!("{why}; {steps} before may install it");
            Finding { found, ..finding }.severity(Severity::Warning)
        }
        None => finding,
    }
}

/// What was expected is in the requirement already.
fn what_was_found(why: &str) -> &str {
    why.rsplit_once("found ").map_or(why, |(_, found)| found)
}

/// Single objects of namespaced kinds without a namespace: nobody could find them.
fn without_namespace(site: &Site<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for need in site.rights.iter().filter(|need| need.single && need.place == Place::All) {
        let Some(Ok(kind)) = site.find(&need.what) else { continue };
        if !kind.namespaced {
            continue;
        }
        let requirement = format!("a namespace for {}{}", kind.kind, users(&need.by));
        if !findings.iter().any(|finding| finding.requirement == requirement) {
            let help = format!("write `namespace:`: {} are in namespaces", kind.plural);
            findings.push(Finding::missing(requirement, "none", help));
        }
    }
    findings
}

async fn definition(site: &Site<'_>, crd: &WantedCrd) -> Result<Finding, Lost> {
    let name = &crd.name;
    let version = crd.version.as_ref().map_or(String::new(), |version| format!(" with version {version}"));
    let requirement = format!("the definition {name}{version} (requires.crds)");
    let object = match site.get(&format!("{DEFINITIONS}/{}", encoded(name))).await? {
        Ok(object) => object,
        Err(error) if error.is_missing() => {
            let group = name.split_once('.').map_or("", |(_, group)| group);
            let help = format!("install what brings the kinds of {group}");
            return Ok(Finding::missing(requirement, "no such definition", help));
        }
        // Without the right to read definitions, what is served has to do.
        Err(error) if error.is_denied() => {
            let version = crd
                .version
                .as_ref()
                .and_then(|version| name.split_once('.').map(|(_, group)| format!("{group}/{version}")));
            return Ok(match kinds::find(&site.kinds, name, version.as_deref()) {
                Ok(kind) => Finding::met(
                    requirement,
                    format!("{} is served; its definition may not be read", kind.api_version()),
                ),
                Err(why) => {
                    let help = "install it, or allow the engine to read definitions";
                    Finding::missing(requirement, what_was_found(&why), help)
                }
            });
        }
        Err(error) => {
            let help = "see that its API server is well";
            return Ok(Finding::missing(requirement, error.message, help).severity(Severity::Warning));
        }
    };
    let mut object = object;
    object["kind"] = "CustomResourceDefinition".into();
    object["apiVersion"] = "apiextensions.k8s.io/v1".into();
    if let Some(why) = readiness::readiness(&object, &Around::alone(site.now)).why() {
        let help = "look at the conditions of the definition";
        return Ok(Finding::missing(requirement, format!("one that {why}"), help));
    }
    Ok(match crd.version.as_ref().map(|version| readiness::serves(&object, version)) {
        Some(Err(why)) => Finding::missing(requirement, format!("one that {why}"), "install a newer one"),
        Some(Ok(())) | None => Finding::met(requirement, "it is established"),
    })
}
