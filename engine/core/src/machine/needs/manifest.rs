//! What `apply` does to the objects of its manifests.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::Value;

use super::{Manifests, Need, Place, What};
use crate::{action::kube::Texts, kube::object, model::SecretTemplate};

/// What stands in a text where a part of it is not known yet.
pub(super) const UNKNOWN: &str = "unknown-yet";

/// Manifests whose objects have been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied<'a> {
    /// What they are.
    pub manifests: &'a Manifests,
    /// Their objects. Those of a manifest of which a part is not known yet have `unknown-yet` in its place.
    pub objects: Vec<Value>,
}

/// What a step that applies manifests does to their objects.
#[must_use]
pub fn of_objects(applied: &Applied<'_>) -> Vec<Need> {
    let Applied { manifests, objects } = applied;
    let mut needs = Vec::new();
    for object in objects {
        let (kind, api_version) = (object::kind(object), object::text(object, "/apiVersion"));
        if kind.is_empty() || kind.contains(UNKNOWN) || api_version.contains(UNKNOWN) {
            continue;
        }
        let place = match object::namespace(object) {
            Some(namespace) if namespace.contains(UNKNOWN) => Place::Unknown,
            Some(namespace) => Place::Namespace(namespace.to_owned()),
            None => manifests.namespace.clone(),
        };
        let name = Some(object::name(object)).filter(|name| !name.is_empty() && !name.contains(UNKNOWN));
        let need = |verbs: &[&str]| Need {
            cluster: manifests.cluster.clone(),
            what: What::Kind { kind: kind.to_owned(), api_version: Some(api_version.to_owned()) },
            subresource: None,
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
            place: place.clone(),
            names: name.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(),
            single: true,
            optional: false,
            may_be_absent: false,
            by: vec![manifests.by.clone()],
        };
        needs.push(need(&["get", "patch", "create"]));
        if manifests.undo {
            // What it made goes, what it changed is put back.
            needs.push(need(&["update", "delete"]));
        }
    }
    needs
}

/// A text with a placeholder for every value that is not known yet. What stands in it under a condition is there in any
/// case: it is enough to see which kinds of objects there may be.
pub(super) fn without_unknown(texts: &dyn Texts, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut unknown = 0_usize;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((inside, behind)) = after.split_once("}}") else { return out };
        let tag = inside.trim_matches(|sign: char| sign == '{' || sign == '~' || sign.is_whitespace());
        if !(tag.starts_with(['#', '/', '!', '^']) || tag == "else" || tag.starts_with("else ")) {
            if let Ok(known) = texts.secret(&SecretTemplate(format!("{{{{{tag}}}}}"))) {
                out.push_str(known.as_str());
            } else {
                // Each is another one: two objects of one name would be a mistake.
                unknown += 1;
                _ = write!(out, "{UNKNOWN}-{unknown}");
            }
        }
        // A third brace is the tag's only if it began with three.
        rest = behind.strip_prefix('}').filter(|_| inside.starts_with('{')).unwrap_or(behind);
    }
    out.push_str(rest);
    out
}
