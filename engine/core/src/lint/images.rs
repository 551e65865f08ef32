//! The container images that a runbook names.
//!
//! Duty: to find them, in Jobs and in manifests. It must not judge them.

use std::ops::Range;

use super::{Context, context::Text, facts::literal};
use crate::model::parse::Segment;

/// An image as it is written.
pub(crate) struct Image<'a> {
    /// The reference: `registry.example.org/shop:1.2`.
    pub(crate) name: &'a str,
    text: &'a Text<'a>,
    place: Range<usize>,
}

impl Image<'_> {
    /// Where it stands.
    pub(crate) fn span(&self, context: &Context<'_>) -> crate::source::Span {
        context.place(self.text, self.place.clone())
    }
}

impl Context<'_> {
    /// Every image that is written without a template.
    pub(crate) fn images(&self) -> Vec<Image<'_>> {
        let mut images = Vec::new();
        for text in self.texts.iter().filter(|text| text.kind().is_template()) {
            let segments = text.found.route.segments();
            let end = segments.get(segments.len().saturating_sub(2)..).unwrap_or_default();
            let [Segment::Key(room), Segment::Key(key)] = end else { continue };
            let places = match (room.as_str(), key.as_str()) {
                ("job", "image") => std::iter::once(0..text.found.text.len()).collect(),
                ("apply", "manifest") => in_manifest(&text.found.text),
                _ => continue,
            };
            for place in places {
                let name = text.found.text.get(place.clone()).and_then(literal);
                if let Some(name) = name.filter(|name| !name.trim().is_empty()) {
                    images.push(Image { name, text, place });
                }
            }
        }
        images
    }
}

/// Where the values of `image:` stand in a manifest.
fn in_manifest(manifest: &str) -> Vec<Range<usize>> {
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
