//! `mutable-image-reference`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// An image that is named by a tag, and not by its digest.
///
/// A tag is whatever was pushed last under it. What was proven in the drill is not what runs at two in the morning, and after
/// an attack on a supply chain the tag is what the attacker has moved. A digest is the image itself, and a mirror has it under
/// the same one. Looked at are the images of `job`, and those in manifests that stand in the runbook.
///
/// Bad:
///
/// ```yaml
/// job: {cluster: dr, namespace: shop, image: "registry.example.org/check:1.4"}
/// ```
///
/// Good:
///
/// ```yaml
/// job:
///   cluster: dr
///   namespace: shop
///   image: registry.example.org/check:1.4@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
/// ```
///
/// To fix it, add the digest (`crane digest IMAGE`), or take the image in by an input.
pub const RULE: Rule = Rule {
    id: "mutable-image-reference",
    severity: Severity::Warning,
    summary: "an image is named by a tag, and not by its digest",
    check,
    source: include_str!("mutable_image_reference.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for image in context.images() {
        if image.name.contains("@sha256:") || image.name.contains("@sha512:") {
            continue;
        }
        let name = image.name;
        findings.push(
            context
                .finding(&RULE, image.span(context), format!("expected an image by its digest, found `{name}`"))
                .label("may be another image tomorrow")
                .help("add `@sha256:…`, or take the image in by an input"),
        );
    }
}
