//! Manifests: the objects that an author wants in a cluster, from text.
//!
//! Duty: text to objects, with what is wrong told by document and line; the order to apply them in; and taking out
//! what a cluster has written into one. Templates are filled in before, and whether a cluster accepts an object is
//! the cluster's to say.

use std::collections::HashMap;

use serde_json::Value;
use serde_yaml::Spanned;

use super::object;

mod order;
mod portable;
#[cfg(test)]
mod tests;

pub use order::{Wave, order, waves};
pub use portable::portable;

/// The longest text, in bytes. The largest bundles of definitions that are shipped have about a tenth of it.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// What is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", self.place())]
pub struct Mistake {
    /// Which document, from 1; empty ones do not count.
    pub document: Option<usize>,
    /// Its line, or that of the document's first key, from 1.
    pub line: Option<u64>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Mistake {
    fn place(&self) -> String {
        match (self.document, self.line) {
            (Some(document), Some(line)) => format!("document {document}, line {line}: "),
            (None, Some(line)) => format!("line {line}: "),
            (Some(document), None) => format!("document {document}: "),
            (None, None) => String::new(),
        }
    }
}

/// Where an object stands.
struct Place {
    document: usize,
    line: u64,
}

impl Place {
    fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake { document: Some(self.document), line: Some(self.line), message: message.into() }
    }
}

/// Reads all objects of a text, YAML or JSON, in its order. Documents without anything in them are passed over, and
/// lists (`kind: List`, or of a kind, as `kubectl get -o yaml` writes them) become their items.
///
/// `y`, `no` and `on` are texts, and only `true` and `false` are not; `0644` is octal, as for kubectl, because the file
/// modes of volumes are written like that.
///
/// # Errors
///
/// The first thing that is wrong: no YAML, a key twice, an object without `apiVersion`, `kind` or `metadata.name`, a
/// label or annotation that is no text, the same object twice.
pub fn parse(text: &str) -> Result<Vec<Value>, Mistake> {
    if text.len() > MAX_BYTES {
        let message = format!("has {} bytes; at most {MAX_BYTES} are read", text.len());
        return Err(Mistake { document: None, line: None, message });
    }
    let options = serde_yaml::options! {
        strict_booleans: true,
        legacy_octal_numbers: true,
        with_snippet: false,
        // The defaults are for configuration files; one schema of a large definition has more.
        budget: serde_yaml::budget! { max_nodes: 2_000_000, max_events: 8_000_000, max_depth: 128 },
        // Aliases are for a few labels: what they stand for must not be many times the text.
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: 100_000 },
    };
    let documents =
        serde_yaml::from_multiple_with_options::<Spanned<Value>>(text, options).map_err(|error| unreadable(&error))?;
    let mut objects = Vec::new();
    let mut seen: HashMap<[String; 4], usize> = HashMap::new();
    for (index, document) in documents.into_iter().enumerate() {
        let place = Place { document: index + 1, line: document.referenced.line() };
        for object in flatten(document.value) {
            check(&object).map_err(|message| place.mistake(message))?;
            if let Some(first) = seen.insert(identity(&object), place.document) {
                return Err(place.mistake(format!("{} is in document {first} already", object::describe(&object))));
            }
            objects.push(object);
        }
    }
    Ok(objects)
}

fn unreadable(error: &serde_yaml::Error) -> Mistake {
    let text = error.to_string();
    // The place is told by us, and the names of options are of no use to an author.
    let text = text.split(" at line ").next().unwrap_or_default().split(", set ").next().unwrap_or_default();
    Mistake { document: None, line: error.location().map(|at| at.line()), message: format!("is not YAML: {text}") }
}

/// The items of a list; everything else is its own only item.
fn flatten(mut object: Value) -> Vec<Value> {
    let kind = object::kind(&object).to_owned();
    let is_list = kind.ends_with("List") && object::name(&object).is_empty();
    let Some(Value::Array(items)) = object.get_mut("items").filter(|_| is_list).map(Value::take) else {
        return vec![object];
    };
    let api_version = object::api_version(&object).to_owned();
    let kind = kind.trim_end_matches("List");
    let mut all = Vec::new();
    for mut item in items {
        // The items of a typed list leave out what the list says.
        if let (Some(fields), false) = (item.as_object_mut(), kind.is_empty()) {
            fields.entry("apiVersion").or_insert_with(|| api_version.clone().into());
            fields.entry("kind").or_insert_with(|| kind.into());
        }
        all.extend(flatten(item));
    }
    all
}

/// What every object must have.
fn check(object: &Value) -> Result<(), String> {
    if !object.is_object() {
        return Err("expected an object with `apiVersion`, `kind` and `metadata`, found something else".to_owned());
    }
    for field in ["apiVersion", "kind"] {
        match object.get(field) {
            Some(Value::String(text)) if !text.is_empty() => {}
            Some(Value::Null | Value::String(_)) | None => return Err(format!("has no `{field}`")),
            Some(_) => return Err(format!("`{field}` must be a text")),
        }
    }
    let kind = object::kind(object);
    match object.pointer("/metadata/name") {
        Some(Value::String(name)) if !name.is_empty() => {}
        Some(Value::Null | Value::String(_)) | None => {
            if object::text(object, "/metadata/generateName").is_empty() {
                return Err(format!("{kind} has no `metadata.name`"));
            }
            return Err(format!(
                "{kind} has `metadata.generateName` and no name: the cluster would choose one, and the object could not \
                 be found again; give it a name"
            ));
        }
        Some(other) => return Err(format!("the name of {kind} must be a text: put {other} in quotes")),
    }
    for part in ["labels", "annotations"] {
        for (key, value) in
            object.pointer(&format!("/metadata/{part}")).and_then(Value::as_object).into_iter().flatten()
        {
            if !value.is_string() {
                let object = object::describe(object);
                return Err(format!("`{key}` in the {part} of {object} must be a text: put {value} in quotes"));
            }
        }
    }
    Ok(())
}

/// What makes two objects the same one: the version does not.
fn identity(object: &Value) -> [String; 4] {
    let namespace = object::namespace(object).unwrap_or_default();
    [object::group(object), object::kind(object), namespace, object::name(object)].map(str::to_owned)
}
