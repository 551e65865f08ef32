//! Webhooks that will refuse every write because nobody answers.
//!
//! Duty: finding them before a restore does. What a webhook decides when it answers is not known here; a dry run of a
//! real write is the honest probe for that.

use std::fmt;

use serde_json::Value;

use super::{endpoints, object, words};

mod rules;
#[cfg(test)]
mod tests;

/// A webhook that the API server cannot do without and that does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is part of: `ValidatingWebhookConfiguration cert-manager`.
    pub configuration: String,
    /// Its name; empty for the conversion webhook of a definition.
    pub webhook: String,
    /// What is wrong with it, as the end of a sentence.
    pub why: String,
    /// What cannot be done until it answers: `CREATE, UPDATE of pods in every namespace`.
    pub affects: String,
}

impl fmt::Display for Finding {
    /// `ValidatingWebhookConfiguration policy, webhook check.example.com: its Service policy/hook has no ready endpoint;
    /// until it answers, CREATE of pods in every namespace fails`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { configuration, webhook, why, affects } = self;
        let webhook = if webhook.is_empty() { String::new() } else { format!(", webhook {webhook}") };
        write!(f, "{configuration}{webhook}: {why}; until it answers, {affects} fails")
    }
}

/// Looks at every `ValidatingWebhookConfiguration`, `MutatingWebhookConfiguration` and, for their conversion webhooks,
/// `CustomResourceDefinition` among `configurations`; `services` and `slices` are all of the cluster, or at least those
/// of the namespaces where webhooks run. Webhooks with `failurePolicy: Ignore` are no findings, and those that are
/// called by URL are not judged by their endpoints.
#[must_use]
pub fn findings(configurations: &[Value], services: &[Value], slices: &[Value]) -> Vec<Finding> {
    let mut found = Vec::new();
    for configuration in configurations {
        let described = object::describe(configuration);
        if object::kind(configuration) == "CustomResourceDefinition" {
            if object::text(configuration, "/spec/conversion/strategy") == "Webhook"
                && let Some(client) = configuration.pointer("/spec/conversion/webhook/clientConfig")
                && let Some(why) = trouble(client, services, slices)
            {
                let affects = format!("reading and writing of {}", object::name(configuration));
                found.push(Finding { configuration: described, webhook: String::new(), why, affects });
            }
            continue;
        }
        for webhook in object::list(configuration, "/webhooks") {
            // `Fail` is the default.
            if object::text(webhook, "/failurePolicy") == "Ignore" {
                continue;
            }
            if let Some(why) = webhook.get("clientConfig").and_then(|client| trouble(client, services, slices)) {
                let why = if rules::covers_its_own_pods(webhook) {
                    format!("{why}, and it decides about its own pods as well")
                } else {
                    why
                };
                found.push(Finding {
                    configuration: described.clone(),
                    webhook: object::text(webhook, "/name").to_owned(),
                    why,
                    affects: rules::affects(webhook),
                });
            }
        }
    }
    found
}

/// Why a webhook cannot be called.
fn trouble(client: &Value, services: &[Value], slices: &[Value]) -> Option<String> {
    let service = client.get("service").filter(|service| service.is_object())?;
    let (namespace, name) = (object::text(service, "/namespace"), object::text(service, "/name"));
    let exists =
        services.iter().any(|service| object::namespace(service) == Some(namespace) && object::name(service) == name);
    if !exists {
        return Some(format!("its Service {namespace}/{name} does not exist"));
    }
    if endpoints::ready(slices, namespace, name) == 0 {
        return Some(format!("its Service {namespace}/{name} has no ready endpoint"));
    }
    let bundle = object::text(client, "/caBundle");
    if bundle.is_empty() {
        return Some("it has no caBundle, so its certificate is not trusted".to_owned());
    }
    // Scaffolds put a line feed there (`Cg==`) for something else to fill in; a certificate is longer than this.
    if bundle.len() < 100 {
        return Some(format!("its caBundle is no certificate ({})", words::count(len(bundle), "character")));
    }
    None
}

fn len(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}
