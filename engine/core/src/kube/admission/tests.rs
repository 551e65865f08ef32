//! Configurations and what is found in them.

use serde_json::json;

use super::*;

fn bundle() -> String {
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t".repeat(10)
}

fn webhook(client: Value, changes: &[(&str, Value)]) -> Value {
    let mut webhook = json!({
        "name": "check.example.com", "clientConfig": client,
        "rules": [{"operations": ["CREATE", "UPDATE"], "apiGroups": ["apps"], "resources": ["deployments"]}]
    });
    for (key, value) in changes {
        webhook[*key] = value.clone();
    }
    webhook
}

fn service(name: &str, bundle: &str) -> Value {
    json!({"service": {"namespace": "policy", "name": name, "path": "/check"}, "caBundle": bundle})
}

fn found(webhook: Value) -> Vec<String> {
    let configuration =
        json!({"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "policy"}, "webhooks": [webhook]});
    texts(&[configuration])
}

fn texts(configurations: &[Value]) -> Vec<String> {
    let services = ["up", "down"].map(|name| json!({"metadata": {"namespace": "policy", "name": name}}));
    let slice = |name: &str, ready: bool| {
        json!({"metadata": {"namespace": "policy", "labels": {endpoints::SERVICE_NAME: name}},
               "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]})
    };
    let slices = [slice("up", true), slice("down", false)];
    findings(configurations, &services, &slices).iter().map(Finding::to_string).collect()
}

#[test]
fn webhooks() {
    let prefix = "ValidatingWebhookConfiguration policy, webhook check.example.com: ";
    let suffix = "; until it answers, CREATE, UPDATE of deployments.apps in every namespace fails";
    for (client, why) in [
        (service("up", &bundle()), None),
        (json!({"url": "https://hooks.example.com/check"}), None),
        (service("gone", &bundle()), Some("its Service policy/gone does not exist")),
        (service("down", &bundle()), Some("its Service policy/down has no ready endpoint")),
        (service("up", ""), Some("it has no caBundle, so its certificate is not trusted")),
        (service("up", "Cg=="), Some("its caBundle is no certificate (4 characters)")),
    ] {
        let wanted: Vec<String> = why.map(|why| format!("{prefix}{why}{suffix}")).into_iter().collect();
        assert_eq!(found(webhook(client, &[])), wanted);
    }
    assert_eq!(found(webhook(service("down", ""), &[("failurePolicy", json!("Ignore"))])), [""; 0]);
    assert_eq!(found(webhook(service("down", ""), &[("failurePolicy", json!("Fail"))])).len(), 1);
}

#[test]
fn what_they_are_asked_about() {
    let rule = |operations: Value, groups: Value, resources: Value| json!([{"operations": operations, "apiGroups": groups, "resources": resources}]);
    let down = "its Service policy/down has no ready endpoint";
    let own = ", and it decides about its own pods as well";
    for (rules, selector, why, affects) in [
        (
            rule(json!(["*"]), json!(["*"]), json!(["*"])),
            json!({}),
            own,
            "every write of everything in every namespace",
        ),
        (rule(json!(["CREATE"]), json!([""]), json!(["pods"])), json!({}), own, "CREATE of pods in every namespace"),
        (
            rule(json!(["CREATE"]), json!([""]), json!(["pods"])),
            json!({"matchLabels": {"inject": "yes"}}),
            "",
            "CREATE of pods in the namespaces that it selects",
        ),
        (
            rule(json!(["DELETE"]), json!(["", "apps"]), json!(["*/*", "pods"])),
            json!({"matchExpressions": []}),
            "",
            "DELETE of everything of the core group, everything of apps, pods, pods.apps in every namespace",
        ),
        (json!([]), json!(null), "", " of nothing in every namespace"),
    ] {
        let webhook = webhook(service("down", &bundle()), &[("rules", rules), ("namespaceSelector", selector)]);
        assert_eq!(
            found(webhook),
            [format!(
                "ValidatingWebhookConfiguration policy, webhook check.example.com: {down}{why}; until it answers, \
                 {affects} fails"
            )]
        );
    }
}

#[test]
fn conversions() {
    let definition = |strategy: &str| {
        json!({"kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
               "spec": {"conversion": {"strategy": strategy, "webhook": {"clientConfig": service("down", &bundle())}}}})
    };
    assert_eq!(
        texts(&[definition("Webhook")]),
        ["CustomResourceDefinition widgets.example.com: its Service policy/down has no ready endpoint; until it \
             answers, reading and writing of widgets.example.com fails"]
    );
    assert_eq!(texts(&[definition("None"), json!({}), json!({"webhooks": [{}, 3]})]), [""; 0]);
}
