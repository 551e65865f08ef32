//! What an organisation decided for all of its runbooks: values of `[organisation]` in `lifeboat.toml`.
//!
//! Duty: the values. What follows from them is the rules' business.

use crate::duration::Duration;

/// What an organisation decided. Empty: nothing, and the rules that need it are silent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organisation {
    /// Where images may come from: `registry.example.org`, `ghcr.io/example`.
    pub registries: Vec<String>,
    /// Labels of a runbook that name what has failed: a region, an account, a cluster.
    pub failed_domain_labels: Vec<String>,
    /// The longest time between two drills of a runbook that claims to restore something.
    pub drill_every: Option<Duration>,
}

impl Organisation {
    /// Whether nothing was decided of what a rule needs to find anything.
    pub(crate) fn lets_be(&self, rule: &str) -> bool {
        use super::rules::{drill_interval_too_long, image_from_foreign_registry, required_from_failed_domain};
        rule == image_from_foreign_registry::RULE.id && self.registries.is_empty()
            || rule == required_from_failed_domain::RULE.id && self.failed_domain_labels.is_empty()
            || rule == drill_interval_too_long::RULE.id && self.drill_every.is_none()
    }

    /// Whether an image comes from where images may come from.
    #[must_use]
    pub fn allows(&self, image: &str) -> bool {
        let image = full_name(image);
        self.registries.iter().any(|registry| {
            let rest = image.strip_prefix(registry.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

/// An image with its registry: what names none is on Docker Hub, and what names no owner there is Docker's own. (The rule
/// of the reference format: what is before the first `/` is a host if it has a dot or a port, or is `localhost`.)
fn full_name(image: &str) -> String {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_come_from_somewhere() {
        let organisation = Organisation {
            registries: vec![String::from("registry.example.org"), String::from("ghcr.io/example/")],
            ..Organisation::default()
        };
        for (image, allowed) in [
            ("registry.example.org/shop@sha256:00", true),
            ("registry.example.org.evil.net/shop", false),
            ("ghcr.io/example/shop:1", true),
            ("ghcr.io/examples/shop:1", false),
            ("shop", false),
            ("registry.example.org", false),
        ] {
            assert_eq!(organisation.allows(image), allowed, "{image}");
        }
        let hub = Organisation { registries: vec![String::from("docker.io/library")], ..Organisation::default() };
        assert!(hub.allows("postgres:16") && !hub.allows("bitnami/postgres") && !hub.allows("localhost/postgres"));
    }
}
