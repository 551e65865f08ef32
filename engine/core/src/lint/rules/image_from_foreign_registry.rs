//! `image-from-foreign-registry`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// An image comes from a registry that is not one of the organisation's.
///
/// In a disaster an image has to be there: in a registry that is mirrored into the recovery region, that nobody rates-limits, and
/// whose owner is not in trouble at the same time. `registries` under `[organisation]` in `lifeboat.toml` says which ones are;
/// without it this rule is silent. An image without a host is on Docker Hub (`docker.io`).
///
/// With `registries = ["registry.example.org"]`:
///
/// Bad:
///
/// ```yaml
/// job: {cluster: dr, namespace: shop, image: "busybox@sha256:…"}
/// ```
///
/// Good:
///
/// ```yaml
/// job: {cluster: dr, namespace: shop, image: "registry.example.org/tools/busybox@sha256:…"}
/// ```
///
/// To fix it, mirror the image and name the mirror, or add its registry to `lifeboat.toml`.
pub const RULE: Rule = Rule {
    id: "image-from-foreign-registry",
    severity: Severity::Warning,
    summary: "an image comes from a registry that `lifeboat.toml` does not allow",
    check,
    source: include_str!("image_from_foreign_registry.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let registries = &context.organisation.registries;
    if registries.is_empty() {
        return;
    }
    for image in context.images() {
        if !context.organisation.allows(image.name.trim()) {
            let allowed: Vec<String> = registries.iter().map(|registry| format!("`{registry}`")).collect();
            let name = image.name;
            findings.push(
                context
                    .finding(
                        &RULE,
                        image.span(context),
                        format!("expected an image from {}, found `{name}`", crate::words::list(&allowed, 5)),
                    )
                    .label("may not be there when it is needed")
                    .help("mirror it and name the mirror, or allow its registry in `lifeboat.toml`"),
            );
        }
    }
}
