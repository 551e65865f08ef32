//! Text to model, with every mistake of the file told in one go, each at its place.
//!
//! Duty: what the shapes in `model` cannot say by themselves: keys that must be there, one action a step, names, ranges.
//! It must not look at graphs, references, templates or expressions (that is `lint`), nor read files.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{
    ApiVersion, Cluster, Defaults, Guard, Input, InputType, Kind, Metadata, Notify, Recovery, Requires, Runbook, Step,
    TextKind, yaml,
};
use crate::{
    diagnostic::{Diagnostic, Severity},
    source::{Source, Span, Spanned},
};

mod deserializer;
mod error;
mod fixes;
mod guards;
mod inputs;
mod kube;
mod locate;
mod meant;
mod names;
mod not_yet;
mod route;
mod spelling;
mod steps;
#[cfg(test)]
mod tests;
mod tolerant;

pub use locate::locate;
pub use names::is_id;
pub use route::{Damaged, Route, Segment};
use tolerant::Decoder;
use yaml::{Mapping, Node, NodeKind};

/// Every key at the top of a runbook. A test compares them with the schema.
const KEYS: [&str; 14] = [
    "apiVersion",
    "kind",
    "metadata",
    "recovery",
    "inputs",
    "clusters",
    "requires",
    "files",
    "roles",
    "notify",
    "guards",
    "defaults",
    "steps",
    "cleanup",
];

/// A template or an expression, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is, and so which names it can see.
    pub kind: TextKind,
    /// The text, after quotes and folding.
    pub text: String,
    /// The way to it. Indices count what is written in the file, also when the model lacks a damaged element.
    pub route: Route,
    /// Where the whole scalar stands; [`locate`] finds a part of it.
    pub span: Span,
}

/// What became of a text.
#[derive(Debug)]
pub struct Parsed {
    /// The file.
    pub source: Arc<Source>,
    /// The model; what could not be read is missing in it, or is a placeholder where the model must have something,
    /// and `damaged` says where. It is there whenever the document is a mapping.
    pub runbook: Option<Runbook>,
    /// All mistakes, in the order of [`Diagnostic::sort_key`].
    pub diagnostics: Vec<Diagnostic>,
    /// Every template and expression that could be read, in the order of the file.
    pub found: Vec<Found>,
    /// What could not be read.
    pub damaged: Damaged,
    /// The document as it was written.
    pub root: Option<Node>,
}

impl Parsed {
    /// Where the value at a route stands.
    #[must_use]
    pub fn span(&self, route: &Route) -> Option<Span> {
        tolerant::find(self.root.as_ref()?, route.segments()).map(|node| node.span)
    }

    /// Where the key at the end of a route stands; `None` for elements of lists.
    #[must_use]
    pub fn key_span(&self, route: &Route) -> Option<Span> {
        tolerant::key_span(self.root.as_ref()?, route)
    }

    /// Whether there is a mistake, so that the runbook must not be run.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads a runbook.
#[must_use]
pub fn parse(source: Arc<Source>) -> Parsed {
    let (root, mut diagnostics) = yaml::parse(&source);
    let mut runbook = None;
    let mut found = Vec::new();
    let mut damaged = Damaged::default();
    if let Some(root) = &root {
        let mut decoder = Decoder::new(&source, root);
        match &root.kind {
            NodeKind::Mapping(top) => {
                name_duplicate_steps(&mut diagnostics, top);
                runbook = decode(&mut decoder, top);
            }
            // That the document is a mapping is all that is asked of it here; the diagnostic says what it is instead.
            _ => drop(decoder.decode::<IndexMap<String, IgnoredAny>>(Some(root), &Route::new())),
        }
        diagnostics.append(&mut decoder.diagnostics);
        found = decoder.notes.found.take();
        damaged = decoder.damaged;
    }
    found.sort_by_key(|found| found.span);
    diagnostics.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
    // What is wrong behind an anchor is met again at each of its aliases.
    diagnostics.dedup_by(|one, other| one.sort_key() == other.sort_key());
    Parsed { source, runbook, diagnostics, found, damaged, root }
}

fn decode(decoder: &mut Decoder<'_>, top: &Mapping) -> Option<Runbook> {
    for (key, entry) in top {
        if !KEYS.contains(&key.as_str()) {
            decoder.unknown_key(&Route::new(), key, entry, &KEYS);
        }
    }
    let api_version: Option<ApiVersion> = required(decoder, top, "apiVersion");
    let kind: Option<Kind> = required(decoder, top, "kind");
    let metadata: Option<Metadata> = required(decoder, top, "metadata");
    let recovery: Option<Recovery> = required(decoder, top, "recovery");
    let clusters: IndexMap<String, Spanned<Cluster>> = optional(decoder, top, "clusters");
    let requires: Requires = optional(decoder, top, "requires");
    let files: Vec<Spanned<String>> = optional(decoder, top, "files");
    let roles: IndexMap<String, Vec<String>> = optional(decoder, top, "roles");
    let notify: Vec<Notify> = optional(decoder, top, "notify");
    let guards: Vec<Spanned<Guard>> = optional(decoder, top, "guards");
    let defaults: Defaults = optional(decoder, top, "defaults");
    if let Some(metadata) = &metadata {
        names::runbook(decoder, &metadata.name);
    }
    kube::clusters(decoder, top);
    steps::requires(decoder, top);
    guards::check(decoder, top);
    steps::notify(decoder, &notify);
    steps::defaults(decoder, &defaults);

    let inputs = members(decoder, top, "inputs", |decoder, route, node| {
        let input: Spanned<Input> =
            decoder.decode(Some(node), route).unwrap_or_else(|| Spanned::new(placeholder(), node.span));
        inputs::check(decoder, route, node, input)
    });
    if top.get("steps").is_none() {
        decoder.missing_key(&Route::new(), "steps");
        decoder.damaged.add(&Route::new().key("steps"));
    }
    let mut step = |room| {
        members(decoder, top, room, |decoder, route, node| {
            let step: Spanned<Step> =
                decoder.decode(Some(node), route).unwrap_or_else(|| Spanned::new(Step::default(), node.span));
            steps::check(decoder, room == "cleanup", route, node, &step);
            step
        })
    };
    let steps = step("steps");
    let cleanup = step("cleanup");

    Some(Runbook {
        api_version: api_version?,
        kind: kind?,
        metadata: metadata?,
        recovery: recovery?,
        inputs,
        clusters,
        requires,
        files,
        roles,
        notify,
        guards,
        defaults,
        steps,
        cleanup,
    })
}

/// An input of which nothing could be read: texts that refer to it are not to be blamed.
fn placeholder() -> Input {
    Input { kind: InputType::String, description: None, default: None, pattern: None, allowed: None, from: None }
}

fn required<T: DeserializeOwned>(decoder: &mut Decoder<'_>, top: &Mapping, key: &str) -> Option<T> {
    let route = Route::new().key(key);
    let node = top.get(key).map(|entry| &entry.value);
    if node.is_none() {
        decoder.missing_key(&Route::new(), key);
        decoder.damaged.add(&route);
    }
    decoder.decode(node, &route)
}

fn optional<T: DeserializeOwned + Default>(decoder: &mut Decoder<'_>, top: &Mapping, key: &str) -> T {
    let node = top.get(key).map(|entry| &entry.value);
    node.and_then(|node| decoder.decode(Some(node), &Route::new().key(key))).unwrap_or_default()
}

/// The entries of a mapping, each decoded on its own so that a mistake in one costs only that one's second try.
fn members<T>(
    decoder: &mut Decoder<'_>,
    top: &Mapping,
    key: &str,
    mut member: impl FnMut(&mut Decoder<'_>, &Route, &Node) -> T,
) -> IndexMap<String, T> {
    let Some(entry) = top.get(key) else { return IndexMap::new() };
    let route = Route::new().key(key);
    let Some(mapping) = entry.value.as_mapping() else {
        // The one who knows how to say it.
        drop(decoder.decode::<IndexMap<String, IgnoredAny>>(Some(&entry.value), &route));
        return IndexMap::new();
    };
    mapping.iter().map(|(name, entry)| (name.clone(), member(decoder, &route.key(name), &entry.value))).collect()
}

/// Two steps of one name are more than a key twice: say so.
fn name_duplicate_steps(diagnostics: &mut [Diagnostic], top: &Mapping) {
    let firsts: std::collections::HashMap<Span, &str> = ["steps", "cleanup"]
        .iter()
        .filter_map(|room| top.get(room)?.value.as_mapping())
        .flat_map(|steps| steps.iter().map(|(id, entry)| (entry.key, id.as_str())))
        .collect();
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.code == "duplicate-key") {
        let first = diagnostic.related.first().and_then(|first| firsts.get(&first.span));
        if let Some(id) = first {
            diagnostic.message = format!("expected every step id once, found `{id}` as the id of a second step");
            diagnostic.help = Some("give one of the two another id".to_owned());
        }
    }
}
