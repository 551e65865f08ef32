//! What must hold inside of what is written about Kubernetes clusters and what its type cannot say.
//!
//! Duty: keys that exclude one another, and those of which one must be there. It must not look at names: whether there is
//! such a cluster is for `lint`.

use super::{
    Mapping, Node, Route, steps,
    tolerant::{Decoder, heading},
};
use crate::{diagnostic::Diagnostic, model::yaml::Core};

/// What chooses the objects of a `delete`.
const CHOICES: [&str; 2] = ["name", "selector"];
/// The kinds of `patch`.
const PATCHES: [&str; 3] = ["merge", "strategic", "json"];
/// Where an `apply` takes its manifests from.
const MANIFESTS: [&str; 2] = ["files", "manifest"];
/// What a `kube` check can want of objects.
const WANTED: [&str; 4] = ["ready", "condition", "absent", "count"];

/// The clusters of a runbook.
pub(super) fn clusters(decoder: &mut Decoder<'_>, top: &Mapping) {
    let clusters = top.get("clusters").and_then(|entry| entry.value.as_mapping());
    for mapping in clusters.into_iter().flatten().filter_map(|(_, entry)| entry.value.as_mapping()) {
        let Some(inside) = mapping.get("inCluster").filter(|entry| is_true(&entry.value)) else { continue };
        for key in ["context", "kubeconfig"] {
            let Some(entry) = mapping.get(key) else { continue };
            let message =
                format!("expected the service account of the engine's pod by itself, found `{key}` besides it");
            let diagnostic = Diagnostic::error("two-ways", decoder.source, entry.key, message)
                .label("one too many")
                .related(decoder.source, inside.key, "the engine's own pod says which cluster it is")
                .help(format!("remove `inCluster` to go by the kubeconfig, or `{key}` to go by the pod"));
            decoder.diagnostics.push(diagnostic);
        }
    }
}

/// The actions of a step or of an undo.
pub(super) fn action(decoder: &mut Decoder<'_>, mapping: &Mapping, route: &Route) {
    let of = |action: &str| mapping.get(action).and_then(|entry| entry.value.as_mapping());
    if let Some(delete) = of("delete") {
        let number = steps::at_most_one(decoder, delete, &CHOICES, "two-ways", "choice of objects");
        one_of(decoder, number, &route.key("delete"), &CHOICES);
    }
    if let Some(patch) = of("patch") {
        let number = steps::at_most_one(decoder, patch, &PATCHES, "two-ways", "kind of patch");
        one_of(decoder, number, &route.key("patch"), &PATCHES);
    }
    if let Some(apply) = of("apply") {
        let number = MANIFESTS.iter().filter(|key| apply.get(key).is_some()).count();
        one_of(decoder, number, &route.key("apply"), &MANIFESTS);
        let files = apply.get("files").filter(|entry| entry.value.as_sequence().is_some_and(<[_]>::is_empty));
        if let Some(files) = files {
            let (message, help) = ("expected a file or a directory, found an empty list", "remove `files`");
            decoder.error("invalid-value", files.value.span, message, help);
        }
    }
}

/// A check.
pub(super) fn check(decoder: &mut Decoder<'_>, mapping: &Mapping) {
    let Some(kube) = mapping.get("kube").and_then(|entry| entry.value.as_mapping()) else { return };
    // `absent: false` wants nothing.
    let absent = kube.get("absent").is_some_and(|entry| is_true(&entry.value));
    let wanted: Vec<&str> = WANTED.into_iter().filter(|key| *key != "absent" || absent).collect();
    steps::at_most_one(decoder, kube, &wanted, "two-ways", "thing that is wanted of objects");
}

fn one_of(decoder: &mut Decoder<'_>, number: usize, route: &Route, keys: &[&str]) {
    // A key that is not known may be one of these, misspelt.
    if number > 0 || decoder.is_odd(route) {
        return;
    }
    let place = heading(decoder.source, decoder.root, route);
    let shown: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    let found = if keys.len() == 2 { "neither" } else { "none" };
    let message = format!("expected {} in `{route}`, found {found}", shown.join(" or "));
    decoder.error("missing-key", place, message, format!("add one of {}", keys.join(", ")));
}

fn is_true(node: &Node) -> bool {
    node.core() == Some(Core::Bool(true))
}
