//! `mutable-image-reference`.

use std::ops::Range;

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::literal},
    model::parse::Segment,
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
    for text in context.texts.iter().filter(|text| text.kind().is_template()) {
        let segments = text.found.route.segments();
        let end = segments.get(segments.len().saturating_sub(2)..).unwrap_or_default();
        let [Segment::Key(room), Segment::Key(key)] = end else { continue };
        let mut places = Vec::new();
        match (room.as_str(), key.as_str()) {
            ("job", "image") => places.push(0..text.found.text.len()),
            ("apply", "manifest") => places = images(&text.found.text),
            _ => continue,
        }
        for place in places {
            let Some(image) = text.found.text.get(place.clone()).and_then(literal) else { continue };
            if image.trim().is_empty() || image.contains("@sha256:") || image.contains("@sha512:") {
                continue;
            }
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.place(text, place),
                        format!("expected an image by its digest, found `{image}`"),
                    )
                    .label("may be another image tomorrow")
                    .help("add `@sha256:…`, or take the image in by an input"),
            );
        }
    }
}

/// Where the values of `image:` stand in a manifest.
fn images(manifest: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in manifest.split_inclusive('\n') {
        let trimmed = line.trim_start().trim_start_matches("- ").trim_start();
        if let Some(value) = trimmed.strip_prefix("image:").filter(|value| value.starts_with(' ')) {
            let value = value.trim();
            let value = value.split(" #").next().unwrap_or(value).trim().trim_matches(['"', '\'']);
            let at = line.find(value).filter(|_| !value.is_empty());
            // What is no plain text is no image by itself: a mapping of some other kind of object.
            if let Some(at) = at.filter(|_| !value.starts_with(['{', '[', '&', '*', '|', '>'])) {
                found.push(start + at..start + at + value.len());
            }
        }
        start += line.len();
    }
    found
}
