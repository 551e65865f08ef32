//! What a webhook is asked about.
//!
//! Duty: its rules and selectors in a few words. It must not evaluate selectors: which namespaces there will be after
//! a restore is not known before it.

use serde_json::Value;

use crate::kube::{object, words};

/// `CREATE, UPDATE of pods, deployments.apps in every namespace`.
pub(super) fn affects(webhook: &Value) -> String {
    let rules = object::list(webhook, "/rules");
    let mut operations: Vec<&str> = Vec::new();
    let mut resources: Vec<String> = Vec::new();
    for rule in rules {
        for operation in object::texts(rule, "/operations") {
            if !operations.contains(&operation) {
                operations.push(operation);
            }
        }
        for resource in object::texts(rule, "/resources") {
            for group in object::texts(rule, "/apiGroups") {
                let name = match (resource, group) {
                    ("*" | "*/*", "*") => "everything".to_owned(),
                    ("*" | "*/*", "") => "everything of the core group".to_owned(),
                    ("*" | "*/*", group) => format!("everything of {group}"),
                    (resource, "" | "*") => resource.to_owned(),
                    (resource, group) => format!("{resource}.{group}"),
                };
                if !resources.contains(&name) {
                    resources.push(name);
                }
            }
        }
    }
    let operations = if operations.contains(&"*") { "every write".to_owned() } else { operations.join(", ") };
    let resources = if resources.is_empty() { "nothing".to_owned() } else { words::list(&resources, 4) };
    let place = if is_selective(webhook) { "in the namespaces that it selects" } else { "in every namespace" };
    format!("{operations} of {resources} {place}")
}

/// Whether it looks at the labels of a namespace or of an object at all.
fn is_selective(webhook: &Value) -> bool {
    ["/namespaceSelector", "/objectSelector"].iter().any(|selector| {
        webhook.pointer(selector).and_then(Value::as_object).is_some_and(|selector| {
            selector.values().any(|part| match part {
                Value::Object(labels) => !labels.is_empty(),
                Value::Array(expressions) => !expressions.is_empty(),
                _ => false,
            })
        })
    })
}

/// Whether it is asked about every new pod, its own as well: then it cannot come back by itself.
pub(super) fn covers_its_own_pods(webhook: &Value) -> bool {
    let has = |rule: &Value, field: &str, any: &[&str]| object::texts(rule, field).any(|text| any.contains(&text));
    !is_selective(webhook)
        && object::list(webhook, "/rules").iter().any(|rule| {
            has(rule, "/operations", &["*", "CREATE"])
                && has(rule, "/apiGroups", &["*", ""])
                && has(rule, "/resources", &["*", "*/*", "pods"])
        })
}
