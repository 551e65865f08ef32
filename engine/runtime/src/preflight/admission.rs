//! Webhooks that nobody answers for: they refuse every write that they are asked about.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use lifeboat_core::{
    evidence::event::{Finding, Severity},
    kube::{admission, object},
    machine::needs::{By, Makes, Need},
};
use serde_json::Value;

use super::site::{Lost, Site, users};
use crate::cluster::Kind;

const VALIDATING: &str = "ValidatingWebhookConfiguration";
const MUTATING: &str = "MutatingWebhookConfiguration";
const DEFINITION: &str = "CustomResourceDefinition";

pub(super) async fn look(site: &Site<'_>) -> Result<Vec<Finding>, Lost> {
    let restores = site.needs.restores.iter().any(|restore| restore.cluster == site.name);
    let writes: Vec<(Kind, &Need)> = site
        .rights
        .iter()
        .filter(|need| need.verbs.iter().any(|verb| operation(verb).is_some()))
        .filter_map(|need| Some((site.find(&need.what)?.ok()?, need)))
        .collect();
    if writes.is_empty() && !restores {
        return Ok(Vec::new());
    }
    let (validating, mutating, definitions) = tokio::join!(
        site.list_if_allowed(VALIDATING, None),
        site.list_if_allowed(MUTATING, None),
        definitions(site, &writes),
    );
    let (validating, mutating) = (validating?, mutating?);
    let all_seen = validating.is_some() && mutating.is_some();
    let mut configurations: Vec<Value> = [validating, mutating].into_iter().flatten().flatten().collect();
    configurations.extend(definitions?);
    let (services, slices) = behind(site, &configurations).await?;
    let (Some(services), Some(slices)) = (services, slices) else { return Ok(Vec::new()) };
    let silent = admission::findings(&configurations, &services, &slices);
    if silent.is_empty() && !all_seen {
        return Ok(Vec::new());
    }
    if silent.is_empty() {
        let found = match configurations.len() {
            0 => "there are none".to_owned(),
            number => format!("somebody answers for each of {number} configurations"),
        };
        return Ok(vec![Finding::met("webhooks that answer", found)]);
    }
    Ok(silent.iter().map(|silent| judge(site, silent, &configurations, &writes, restores)).collect())
}

/// Definitions whose objects are written: their conversion may go by a webhook. Whoever may not read them is told by the
/// write itself.
async fn definitions(site: &Site<'_>, writes: &[(Kind, &Need)]) -> Result<Vec<Value>, Lost> {
    let names: BTreeSet<String> =
        writes.iter().map(|(kind, _)| kind).filter(|kind| kind.group.contains('.')).map(Kind::resource).collect();
    let found = join_all(names.iter().map(|name| async move {
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        site.get(&path).await
    }));
    let mut definitions = Vec::new();
    for found in found.await {
        if let Ok(mut definition) = found? {
            definition["kind"] = DEFINITION.into();
            definitions.push(definition);
        }
    }
    Ok(definitions)
}

type Seen = Option<Vec<Value>>;

/// The services of the namespaces where webhooks run, and their endpoints; nothing when there are none.
async fn behind(site: &Site<'_>, configurations: &[Value]) -> Result<(Seen, Seen), Lost> {
    let of_webhooks = configurations
        .iter()
        .flat_map(|it| object::list(it, "/webhooks"))
        .map(|webhook| object::text(webhook, "/clientConfig/service/namespace"));
    let of_definitions =
        configurations.iter().map(|it| object::text(it, "/spec/conversion/webhook/clientConfig/service/namespace"));
    let namespaces: BTreeSet<&str> = of_webhooks.chain(of_definitions).filter(|name| !name.is_empty()).collect();
    let (mut services, mut slices) = (Some(Vec::new()), Some(Vec::new()));
    let found = join_all(namespaces.iter().map(|namespace| async move {
        tokio::join!(
            site.list_if_allowed("services", Some(namespace)),
            site.list_if_allowed("EndpointSlice", Some(namespace))
        )
    }));
    for (more_services, more_slices) in found.await {
        add(&mut services, more_services?);
        add(&mut slices, more_slices?);
    }
    Ok((services, slices))
}

fn add(all: &mut Seen, more: Seen) {
    match (all.as_mut(), more) {
        (Some(all), Some(more)) => all.extend(more),
        _ => *all = None,
    }
}

/// What a webhook calls a verb; `None` for those that only read.
fn operation(verb: &str) -> Option<&'static str> {
    match verb {
        "create" => Some("CREATE"),
        "patch" | "update" => Some("UPDATE"),
        "delete" | "deletecollection" => Some("DELETE"),
        _ => None,
    }
}

/// Whether what the plan writes depends on it.
fn judge(
    site: &Site<'_>,
    silent: &admission::Finding,
    configurations: &[Value],
    writes: &[(Kind, &Need)],
    restores: bool,
) -> Finding {
    let mut by: Vec<By> = Vec::new();
    let mut selective = false;
    let configuration = configurations.iter().find(|it| object::describe(it) == silent.configuration);
    let webhook = configuration
        .into_iter()
        .flat_map(|it| object::list(it, "/webhooks"))
        .find(|webhook| object::text(webhook, "/name") == silent.webhook);
    if let Some(webhook) = webhook {
        selective = is_selective(webhook);
        for (kind, need) in writes {
            let asked = need
                .verbs
                .iter()
                .filter_map(|verb| operation(verb))
                .any(|operation| asks(webhook, operation, &kind.group, &kind.plural, need.subresource.as_deref()));
            by.extend(need.by.iter().filter(|_| asked).cloned());
        }
        if restores && object::list(webhook, "/rules").iter().any(|rule| has(rule, "/operations", "CREATE")) {
            let restores = site.needs.restores.iter().filter(|restore| restore.cluster == site.name);
            by.extend(restores.map(|restore| restore.by.clone()));
        }
    } else if let Some(definition) = configuration {
        // Its objects can neither be read nor written.
        let of_it = |(kind, _): &&(Kind, &Need)| kind.resource() == object::name(definition);
        by.extend(writes.iter().filter(of_it).flat_map(|(_, need)| need.by.clone()));
    }
    let requirement = format!("a webhook that answers{}", users(&by));
    let help = "bring its pods back, or have it taken out of the way by those whose it is; nothing that it is asked about \
                can be written before";
    let finding = Finding::missing(requirement, silent.to_string(), help);
    if by.is_empty() {
        let found = format!("{}; no step is known to write such objects", finding.found);
        return Finding { found, ..finding }.severity(Severity::Warning);
    }
    if selective {
        // Which labels there will be then nobody knows; the dry run of what is applied tells.
        return finding.severity(Severity::Warning);
    }
    match site.excuse(&by, |maker| matches!(maker.makes, Makes::Anything | Makes::Manifests(_))) {
        Some(steps) => {
            let found = format!("{}; {steps} before may bring it back", finding.found);
            Finding { found, ..finding }.severity(Severity::Warning)
        }
        None => finding,
    }
}

fn has(rule: &Value, field: &str, wanted: &str) -> bool {
    object::texts(rule, field).any(|text| text == "*" || text == wanted)
}

/// Whether a webhook is asked about a write, going by its rules alone.
fn asks(webhook: &Value, operation: &str, group: &str, plural: &str, subresource: Option<&str>) -> bool {
    object::list(webhook, "/rules").iter().any(|rule| {
        let resource = object::texts(rule, "/resources").any(|text| {
            let (wanted, below) = text.split_once('/').map_or((text, None), |(wanted, below)| (wanted, Some(below)));
            // `*` means all resources without what is below them, `*/*` all of it.
            (wanted == "*" || wanted == plural)
                && match (below, subresource) {
                    (None, None) | (Some("*"), _) => true,
                    (Some(below), Some(subresource)) => below == subresource,
                    _ => false,
                }
        });
        resource && has(rule, "/operations", operation) && has(rule, "/apiGroups", group)
    })
}

/// Whether it looks at labels or at conditions.
fn is_selective(webhook: &Value) -> bool {
    let selects = |selector: &str| {
        webhook.pointer(selector).and_then(Value::as_object).is_some_and(|selector| {
            selector.values().any(|part| match part {
                Value::Object(labels) => !labels.is_empty(),
                Value::Array(expressions) => !expressions.is_empty(),
                _ => false,
            })
        })
    };
    selects("/namespaceSelector") || selects("/objectSelector") || !object::list(webhook, "/matchConditions").is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules() {
        let asked = |resources: Value, operations: Value, groups: Value, below: Option<&str>| {
            let rule = json!({"operations": operations, "apiGroups": groups, "resources": resources});
            asks(&json!({"rules": [rule]}), "CREATE", "apps", "deployments", below)
        };
        for (resources, below, wanted) in [
            (json!(["deployments"]), None, true),
            (json!(["deployments"]), Some("scale"), false),
            (json!(["deployments/scale"]), Some("scale"), true),
            (json!(["deployments/*"]), None, true),
            (json!(["*"]), None, true),
            (json!(["*"]), Some("scale"), false),
            (json!(["*/*"]), Some("scale"), true),
            (json!(["*/scale"]), Some("scale"), true),
            (json!(["pods"]), None, false),
        ] {
            assert_eq!(asked(resources.clone(), json!(["*"]), json!(["*"]), below), wanted, "{resources} {below:?}");
        }
        assert!(asked(json!(["*"]), json!(["CREATE", "UPDATE"]), json!(["apps"]), None));
        assert!(!asked(json!(["*"]), json!(["UPDATE"]), json!(["apps"]), None));
        assert!(!asked(json!(["*"]), json!(["CREATE"]), json!([""]), None));
        assert!(!is_selective(&json!({"namespaceSelector": {}, "objectSelector": {"matchExpressions": []}})));
        assert!(is_selective(&json!({"namespaceSelector": {"matchLabels": {"a": "b"}}})));
        assert!(is_selective(&json!({"matchConditions": [{"name": "x", "expression": "true"}]})));
    }
}
