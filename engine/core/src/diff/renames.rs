//! Which steps have another name, and are the same otherwise.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::Steps;

/// Steps that are gone, and are there again under another name: the only ones that look so, apart from their edges.
pub(super) fn renames(before: &Steps, after: &Steps) -> Vec<(String, String)> {
    let (gone, fresh) = (only_in(before, after), only_in(after, before));
    let (rivals, twins) = (by_look(&gone), by_look(&fresh));
    let pair = |(look, old): (&String, &Vec<&String>)| match (old.as_slice(), twins.get(look)?.as_slice()) {
        ([old], [new]) => Some(((*old).clone(), (*new).clone())),
        _ => None,
    };
    let mut pairs: Vec<_> = rivals.iter().filter_map(pair).collect();
    pairs.sort();
    pairs
}

type Named = (String, Map<String, Value>);

fn only_in<'a>(steps: &'a Steps, others: &Steps) -> Vec<&'a Named> {
    let names: HashSet<&String> = others.0.iter().map(|(id, _)| id).collect();
    steps.0.iter().filter(|(id, _)| !names.contains(id)).collect()
}

/// Each step is written down once, and then found: to compare each with each takes minutes when a thousand are renamed.
fn by_look<'a>(steps: &[&'a Named]) -> HashMap<String, Vec<&'a String>> {
    let mut found: HashMap<String, Vec<&String>> = HashMap::new();
    for (id, step) in steps {
        let mut look = String::from(if id.starts_with("cleanup/") { "cleanup" } else { "" });
        let own = step.iter().filter(|(key, _)| !["needs", "after"].contains(&key.as_str()));
        object(own, &mut look);
        found.entry(look).or_default().push(id);
    }
    found
}

/// As JSON whose keys are in order, as the order in which they are written is no difference.
fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => object(fields, text),
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

fn object<'a>(fields: impl IntoIterator<Item = (&'a String, &'a Value)>, text: &mut String) {
    let mut fields: Vec<_> = fields.into_iter().collect();
    fields.sort_by_key(|(key, _)| *key);
    text.push('{');
    for (key, value) in fields {
        text.push_str(&Value::from(key.as_str()).to_string());
        text.push(':');
        write(value, text);
        text.push(',');
    }
    text.push('}');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(all: impl IntoIterator<Item = (String, Value)>) -> Steps {
        Steps(all.into_iter().filter_map(|(id, step)| Some((id, step.as_object()?.clone()))).collect())
    }

    fn named(id: &str, step: Value) -> (String, Value) {
        (id.to_owned(), step)
    }

    #[test]
    fn the_only_one_that_looks_so() {
        let look = json!({"exec": ["a"], "env": {"A": "1", "B": "2"}});
        let turned = json!({"env": {"B": "2", "A": "1"}, "exec": ["a"], "needs": ["x"]});
        let old = steps([named("a", look.clone()), named("same", json!({}))]);
        let new =
            |all: &[&str]| steps(all.iter().map(|id| named(id, turned.clone())).chain([named("same", json!({}))]));
        assert_eq!(renames(&old, &new(&["b"])), [("a".to_owned(), "b".to_owned())]);
        assert_eq!(renames(&old, &new(&["b", "c"])), []);
        assert_eq!(renames(&old, &new(&["a"])), []);
        assert_eq!(renames(&old, &new(&["cleanup/b"])), []);
        assert_eq!(renames(&old, &new(&["b", "cleanup/b"])), [("a".to_owned(), "b".to_owned())]);
        let two = steps([named("a", look.clone()), named("b", look)]);
        assert_eq!(renames(&two, &new(&["c"])), []);
    }

    /// It took half a minute when each was compared with each.
    #[test]
    fn many_are_found_at_once() {
        let many = |word: &str| {
            steps((0..5_000).map(|at| (format!("{word}-{at}"), json!({"exec": ["a", at], "title": "x".repeat(500)}))))
        };
        let (old, new) = (many("old"), many("new"));
        let started = std::time::Instant::now();
        assert_eq!(renames(&old, &new).len(), 5_000);
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
