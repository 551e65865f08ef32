//! Values taken from what an action returned.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use super::Machine;
use crate::{
    action::{self, Kind},
    model::{Output, OutputFrom},
};

/// Texts in a record are cut to so many bytes; the whole of them is an artifact.
const RECORDED: usize = 2048;

/// A list of objects in a record has at most so many bytes.
const LARGEST: usize = 16 * 1024;

/// A result without long texts.
pub(crate) fn for_the_record(result: &Value) -> Value {
    let Value::Object(fields) = result else { return result.clone() };
    let mut record: serde_json::Map<String, Value> = fields
        .iter()
        // What `json` says is in `stdout` or `body` already.
        .filter(|(name, _)| *name != "json")
        .map(|(name, value)| (name.clone(), short(value)))
        .collect();
    // A thousand pods are no record; what is said of them is.
    if let Some(Value::Array(objects)) = record.get("objects")
        && serde_json::to_vec(objects).is_ok_and(|bytes| bytes.len() > LARGEST)
    {
        let told = format!("… ({} objects, too large for a record)", objects.len());
        record.insert("objects".to_owned(), told.into());
    }
    record.into()
}

/// The deepest value that is kept. JSON readers stop at about 128 levels, and a record that nobody can read again would
/// stop the run.
const DEEPEST: usize = 64;

/// A value whose texts and depth are cut, for a record.
pub(crate) fn short(value: &Value) -> Value {
    cut(value, DEEPEST)
}

fn cut(value: &Value, levels: usize) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => Value::from("… (deeper than 64 levels)"),
        Value::String(text) if text.len() > RECORDED => {
            let mut from = text.len() - RECORDED;
            while !text.is_char_boundary(from) {
                from += 1;
            }
            Value::String(format!("…{}", &text[from..]))
        }
        Value::Array(items) => items.iter().map(|item| cut(item, levels - 1)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), cut(value, levels - 1)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn is_deep(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(|item| is_deep(item, levels - 1)),
        Value::Object(fields) => levels == 0 || fields.values().any(|value| is_deep(value, levels - 1)),
        _ => false,
    }
}

impl Machine {
    /// The outputs of a step, and its recovery point.
    pub(crate) fn take_outputs(
        &self,
        node: usize,
        result: &Value,
    ) -> Result<(IndexMap<String, Value>, Option<Timestamp>), String> {
        let Some(step) = self.step(node) else { return Ok((IndexMap::new(), None)) };
        let mut outputs = IndexMap::new();
        for (name, output) in &step.spec.outputs {
            let value =
                self.take_output(node, output, result).map_err(|reason| format!("output `{name}`: {reason}"))?;
            if is_deep(&value, DEEPEST) {
                return Err(format!(
                    "output `{name}`: expected at most {DEEPEST} levels, found more; take a part of it"
                ));
            }
            outputs.insert(name.clone(), value);
        }
        let Some(expression) = &step.spec.recovery_point else {
            // A restore knows by itself to which point in time it restored.
            let own = result.get("recoveryPoint").filter(|_| action::of_step(&step.spec) == Some(Kind::VeleroRestore));
            return Ok((outputs, own.and_then(timestamp)));
        };
        let own = outputs.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let extra = [("result".to_owned(), result.clone()), ("outputs".to_owned(), Value::Object(own))];
        let value =
            self.evaluate(node, expression.as_str(), extra).map_err(|reason| format!("recoveryPoint: {reason}"))?;
        let at = timestamp(&value).ok_or_else(|| {
            format!("recoveryPoint: expected a timestamp, an RFC 3339 text or Unix seconds, found {value}")
        })?;
        if at > self.now.at {
            return Err(format!("recoveryPoint: expected a time that is not in the future, found {at}"));
        }
        Ok((outputs, Some(at)))
    }

    fn take_output(&self, node: usize, output: &Output, result: &Value) -> Result<Value, String> {
        if let Some(expression) = &output.cel {
            return self.evaluate(node, expression.as_str(), [("result".to_owned(), result.clone())]);
        }
        let name = match output.from {
            Some(OutputFrom::Stderr) => "stderr",
            Some(OutputFrom::Stdout) | None => "stdout",
        };
        // An HTTP response has its text in `body`.
        let text = result.get(name).or_else(|| result.get("body")).and_then(Value::as_str);
        let text = text.ok_or_else(|| format!("expected the action to return `{name}`, found none"))?;
        if result.get("truncated") == Some(&Value::Bool(true)) {
            return Err(format!("expected at most 1 MiB on {name}, found more; let the step print less"));
        }
        if let Some(path) = &output.json {
            let document: Value = serde_json::from_str(text)
                .map_err(|error| format!("expected JSON on {name}, found something else ({error})"))?;
            return at_path(&document, path)
                .cloned()
                .ok_or_else(|| format!("expected a value at `{}` in the JSON on {name}, found none", **path));
        }
        if let Some(pattern) = &output.regex {
            let regex = regex::Regex::new(pattern).map_err(|error| error.to_string())?;
            let found = regex
                .captures(text)
                .ok_or_else(|| format!("expected {name} to match `{}`, found no match", **pattern))?;
            let group = found.get(1).or_else(|| found.get(0));
            return Ok(group.map_or("", |group| group.as_str()).into());
        }
        if output.lines == Some(true) {
            return Ok(text.lines().filter(|line| !line.trim().is_empty()).map(Value::from).collect());
        }
        Ok(text.trim().into())
    }
}

/// A value inside a JSON document: `.items[0].name`, or a JSON pointer.
pub(crate) fn at_path<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() || path == "." {
        return Some(document);
    }
    if path.starts_with('/') {
        return document.pointer(path);
    }
    let mut value = document;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('[') {
            let (inside, tail) = tail.split_once(']')?;
            value = match inside.strip_prefix('"').and_then(|key| key.strip_suffix('"')) {
                Some(key) => value.get(key)?,
                None => value.get(inside.parse::<usize>().ok()?)?,
            };
            rest = tail;
        } else {
            let tail = rest.strip_prefix('.').unwrap_or(rest);
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            let (key, tail) = tail.split_at(end);
            if !key.is_empty() {
                value = value.get(key)?;
            } else if !tail.starts_with('[') {
                return None;
            }
            rest = tail;
        }
    }
    Some(value)
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| seconds(text.parse().ok()?))
        }
        Value::Number(number) => seconds(number.as_f64()?),
        _ => None,
    }
}

fn seconds(seconds: f64) -> Option<Timestamp> {
    // Exact to the microsecond until the year 2255; evidence tells microseconds.
    let micros = seconds * 1e6;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (micros.abs() < 9e15).then(|| Timestamp::from_microsecond(micros.round() as i64).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths() {
        let document = json!({"a": {"b": [{"c d": 1}, 2]}, "": 3});
        assert_eq!(at_path(&document, ".a.b[0][\"c d\"]"), Some(&json!(1)));
        assert_eq!(at_path(&document, "a.b[1]"), Some(&json!(2)));
        assert_eq!(at_path(&document, "/a/b/1"), Some(&json!(2)));
        assert_eq!(at_path(&document, "."), Some(&document));
        for none in [".x", ".a.b[9]", ".a.b[x]", ".a.b[", "..", ".a..b"] {
            assert_eq!(at_path(&document, none), None, "{none}");
        }
    }

    #[test]
    fn instants() {
        let at = "2026-11-21T02:20:28Z".parse::<Timestamp>().ok();
        assert_eq!(timestamp(&json!("2026-11-21T02:20:28Z\n")), at);
        assert_eq!(timestamp(&json!(1_795_227_628)), at);
        assert_eq!(timestamp(&json!("1795227628")), at);
        for none in [json!("yesterday"), json!(null), json!(1e300), json!([1])] {
            assert_eq!(timestamp(&none), None, "{none}");
        }
    }

    #[test]
    fn deep_values_are_cut() {
        let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
        assert!(is_deep(&deep, DEEPEST));
        let record = for_the_record(&json!({ "answers": deep }));
        assert!(!is_deep(&record, DEEPEST + 1));
        let text = serde_json::to_string(&record).expect("it is JSON");
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let long = json!({"stdout": "ä".repeat(3000), "json": {"x": 1}, "exitCode": 0});
        let record = for_the_record(&long);
        assert!(record["stdout"].as_str().is_some_and(|text| text.len() <= RECORDED + 4 && text.starts_with('…')));
        assert_eq!(record.get("json"), None);
        assert_eq!(record["exitCode"], 0);
    }
}
