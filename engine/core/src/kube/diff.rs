//! What changed of an object, and who else wants to have a say in it.
//!
//! Duty: differences as lines that people read, without what the server keeps for itself and without what a Secret
//! holds. It must not decide whether a change is good.

use serde_json::Value;

use super::object;

mod conflict;

pub use conflict::{Conflict, conflicts, sentence};

/// How much of one value is shown, in characters.
const VALUE: usize = 80;

/// What the server counts and stamps, and the copy of the object that kubectl keeps in it. They change with everything
/// and say nothing.
const BOOKKEEPING: [&str; 7] = [
    "status",
    "metadata.managedFields",
    "metadata.resourceVersion",
    "metadata.generation",
    "metadata.uid",
    "metadata.creationTimestamp",
    "metadata.annotations[\"kubectl.kubernetes.io/last-applied-configuration\"]",
];

/// What is different between two states of an object, one line each, in the order of the fields:
/// `spec.replicas: 3 → 0`, `spec.template.spec.containers[app].image: "app:1" → "app:2"`,
/// `spec.paused: nothing → true`, `data.password: changed (hidden)`. At most `most` lines; then the last one says how
/// many there are besides. The status and the server's bookkeeping are left out. An object that is not there is null.
#[must_use]
pub fn diff(before: &Value, after: &Value, most: usize) -> Vec<String> {
    let secret = [before, after].iter().any(|side| object::kind(side) == "Secret");
    let mut walk = Walk { lines: Vec::new(), secret };
    walk.value("", before, after);
    let mut lines = walk.lines;
    if lines.len() > most {
        let kept = most.saturating_sub(1);
        let more = lines.len() - kept;
        lines.truncate(kept);
        lines.push(format!("and {more} more"));
        lines.truncate(most);
    }
    lines
}

struct Walk {
    lines: Vec<String>,
    /// Whether what stands under `data` and `stringData` must not be shown.
    secret: bool,
}

impl Walk {
    fn value(&mut self, path: &str, before: &Value, after: &Value) {
        if before == after || BOOKKEEPING.contains(&path) {
            return;
        }
        // What comes or goes as a whole is told field by field: an object of a dozen fields does not fit on a line.
        let empty = Value::Object(serde_json::Map::new());
        let (old, new) = match (before, after) {
            (Value::Null, Value::Object(_)) => (&empty, after),
            (Value::Object(_), Value::Null) => (before, &empty),
            sides => sides,
        };
        match (old, new) {
            (Value::Object(old), Value::Object(new)) if !(old.is_empty() && new.is_empty()) => {
                for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
                    let sides = (old.get(key).unwrap_or(&Value::Null), new.get(key).unwrap_or(&Value::Null));
                    self.value(&field(path, key), sides.0, sides.1);
                }
            }
            (Value::Array(old), Value::Array(new)) => self.items(path, old, new),
            _ => self.line(path, before, after),
        }
    }

    /// Containers, ports, volumes and the like are known by their names, wherever they stand; others by their place.
    fn items(&mut self, path: &str, old: &[Value], new: &[Value]) {
        let (Some(before), Some(after)) = (names(old), names(new)) else {
            for index in 0..old.len().max(new.len()) {
                let side = |items: &'_ [Value]| items.get(index).cloned().unwrap_or_default();
                self.value(&format!("{path}[{index}]"), &side(old), &side(new));
            }
            return;
        };
        for name in before.iter().chain(after.iter().filter(|name| !before.contains(name))) {
            let side = |names: &[&str], items: &[Value]| {
                let index = names.iter().position(|known| known == name);
                index.and_then(|index| items.get(index)).cloned().unwrap_or_default()
            };
            self.value(&format!("{path}[{name}]"), &side(&before, old), &side(&after, new));
        }
    }

    fn line(&mut self, path: &str, before: &Value, after: &Value) {
        let hidden = self.secret && ["data", "stringData"].iter().any(|part| is_under(path, part));
        let change = match (before, after) {
            (Value::Null, _) if hidden => "added (hidden)".to_owned(),
            (_, Value::Null) if hidden => "removed (hidden)".to_owned(),
            _ if hidden => "changed (hidden)".to_owned(),
            _ => format!("{} → {}", show(before), show(after)),
        };
        let path = if path.is_empty() { "object" } else { path };
        self.lines.push(format!("{path}: {change}"));
    }
}

fn is_under(path: &str, part: &str) -> bool {
    path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// `spec.replicas`; keys with dots and slashes, as annotations have, in brackets.
fn field(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    match (path.is_empty(), plain) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{}]", Value::from(key)),
    }
}

/// The names of a list's items, when all have one and no two have the same.
fn names(items: &[Value]) -> Option<Vec<&str>> {
    let names: Vec<&str> = items.iter().filter_map(|item| item.get("name")?.as_str()).collect();
    let distinct: std::collections::BTreeSet<&&str> = names.iter().collect();
    (names.len() == items.len() && distinct.len() == names.len()).then_some(names)
}

fn show(value: &Value) -> String {
    let text = if value.is_null() { "nothing".to_owned() } else { value.to_string() };
    if text.chars().count() <= VALUE {
        return text;
    }
    let kept: String = text.chars().take(VALUE - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(replicas: i64, image: &str) -> Value {
        json!({
            "kind": "Deployment",
            "metadata": {"name": "api", "resourceVersion": image, "generation": replicas, "managedFields": [replicas],
                         "annotations": {"example.com/owner": image}},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": [
                {"name": "log", "image": "log:1"}, {"name": "app", "image": image, "args": ["a", image]}
            ]}}},
            "status": {"replicas": replicas}
        })
    }

    #[test]
    fn what_changed() {
        let before = deployment(3, "app:1");
        let mut after = deployment(0, "app:2");
        after["spec"]["paused"] = true.into();
        // Where a container stands does not matter, and who is new is told.
        let containers = after.pointer_mut("/spec/template/spec/containers").and_then(Value::as_array_mut).unwrap();
        containers.reverse();
        containers.push(json!({"name": "proxy", "image": "proxy:1"}));
        let all = [
            "metadata.annotations[\"example.com/owner\"]: \"app:1\" → \"app:2\"",
            "spec.replicas: 3 → 0",
            "spec.template.spec.containers[app].image: \"app:1\" → \"app:2\"",
            "spec.template.spec.containers[app].args[1]: \"app:1\" → \"app:2\"",
            "spec.template.spec.containers[proxy].name: nothing → \"proxy\"",
            "spec.template.spec.containers[proxy].image: nothing → \"proxy:1\"",
            "spec.paused: nothing → true",
        ];
        assert_eq!(diff(&before, &after, 10), all);
        assert_eq!(diff(&before, &after, 3), [all[0], all[1], "and 5 more"]);
        assert_eq!(diff(&before, &after, 0), [""; 0]);
        assert_eq!(diff(&before, &before, 9), [""; 0]);
    }

    #[test]
    fn what_came_and_went() {
        let map = json!({"kind": "ConfigMap", "data": {"a": "b"}});
        assert_eq!(diff(&Value::Null, &map, 9), ["kind: nothing → \"ConfigMap\"", "data.a: nothing → \"b\""]);
        assert_eq!(diff(&map, &Value::Null, 9), ["kind: \"ConfigMap\" → nothing", "data.a: \"b\" → nothing"]);
        assert_eq!(diff(&json!({"a": {}}), &json!({}), 9), ["a: {} → nothing"]);
        assert_eq!(diff(&json!(1), &json!(2), 9), ["object: 1 → 2"]);
        let long = diff(&json!({"a": "x".repeat(500)}), &json!({}), 9);
        assert_eq!(long[0].chars().count(), 3 + 80 + " → nothing".chars().count());
    }

    #[test]
    fn what_a_secret_holds_is_hidden() {
        let secret =
            |data: Value| json!({"kind": "Secret", "type": "Opaque", "data": data, "stringData": {"t": "hunter2"}});
        let lines = diff(&secret(json!({"a": "b", "c": "d"})), &secret(json!({"a": "x", "e": "f"})), 9);
        assert_eq!(lines, ["data.a: changed (hidden)", "data.c: removed (hidden)", "data.e: added (hidden)"]);
        for (before, after) in [(json!(null), secret(json!({"k": "hunter2"}))), (secret(json!("hunter2")), json!(null))]
        {
            let text = diff(&before, &after, 99).join("\n");
            assert!(!text.contains("hunter2") && text.contains("hidden"), "{text}");
        }
        let odd = diff(&secret(json!({"a": ["hunter2"]})), &secret(json!({"a": {"b": "hunter2"}})), 99).join("\n");
        assert!(!odd.contains("hunter2"), "{odd}");
        let key = diff(&secret(json!({"a.b": "hunter2"})), &secret(json!({})), 99).join("\n");
        assert_eq!(key, "data[\"a.b\"]: removed (hidden)");
    }
}
