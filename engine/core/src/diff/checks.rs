//! What is different between two lists of checks.
//!
//! Duty: which check of the new list is which of the old one, and how the two differ.

use std::collections::HashMap;

use serde_json::Value;

use super::{Change, Part, changes};

/// What is different. `list` is where they stand: `verify`, `undo.verify`.
pub(super) fn compare(list: &str, old: &[Value], new: &[Value]) -> Vec<Change> {
    let (was, is) = (named(old), named(new));
    let mut found = Vec::new();
    for (name, old) in &was {
        let what = format!("{list} {name}");
        match is.iter().find(|(other, _)| other == name) {
            Some((_, new)) => found.extend(inside(&what, old, new)),
            None => found.push(Change { what, old: Some((*old).clone()), new: None, part: Part::Check }),
        }
    }
    for (name, new) in is.iter().filter(|(name, _)| !was.iter().any(|(other, _)| other == name)) {
        found.push(Change { what: format!("{list} {name}"), old: None, new: Some((*new).clone()), part: Part::Check });
    }
    found
}

fn inside(check: &str, old: &Value, new: &Value) -> Vec<Change> {
    let inside = |change: Change| Change {
        what: format!("{check} {}", change.what),
        part: Part::Inside { check: check.to_owned(), value: change.what },
        ..change
    };
    changes(old, new).into_iter().map(inside).collect()
}

/// Each with a name of its own: of several with one name each is another one.
fn named(checks: &[Value]) -> Vec<(String, &Value)> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let all = checks.iter().enumerate().map(|(at, check)| {
        let given = check["name"].as_str().map(|name| format!("{name:?}"));
        let name = given.unwrap_or_else(|| format!("#{}", at + 1));
        let times = seen.entry(name.clone()).or_default();
        *times += 1;
        (if *times > 1 { format!("{name} ({times})") } else { name }, check)
    });
    all.collect()
}
