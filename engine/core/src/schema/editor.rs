//! What an editor shows while a runbook is written: names, values with their meaning, defaults, examples.
//!
//! Duty: to turn what is right for a validator into what also teaches. What is valid stays the same, but for `null`, which
//! our own reader refuses: a key without a value was forgotten.

use serde_json::{Map, Value, json};

use super::examples;

/// Rewrites a schema.
pub(super) fn teach(schema: &mut Value) {
    rewrite(schema);
    if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        for (name, definition) in definitions.iter_mut() {
            if let Some(definition) = definition.as_object_mut() {
                definition.entry("title").or_insert_with(|| words(name).into());
            }
        }
    }
    for (of, key, example) in examples::all() {
        add(schema, of, key, example);
    }
}

fn rewrite(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            no_null(fields);
            values(fields);
            fields.values_mut().for_each(rewrite);
            if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
                for (key, property) in properties.iter_mut() {
                    if let Some(property) = property.as_object_mut() {
                        default(property);
                        // Above what it shows of a key, an editor writes the title.
                        property.entry("title").or_insert_with(|| key.as_str().into());
                    }
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(rewrite),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An optional key may be left out; it may not be empty.
fn no_null(fields: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            fields["type"] = only.clone();
        }
    }
    if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
        choices.retain(|choice| *choice != json!({"type": "null"}));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            fields.remove("anyOf");
            for (key, value) in only {
                fields.entry(key).or_insert(value);
            }
        }
    }
}

/// A choice of words is shown with the meaning of each, and not with that of the one that stands there only.
fn values(fields: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = fields.get("oneOf") else { return };
    let read = |choice: &Value| Some((choice.get("const")?.clone(), choice.get("description")?.clone()));
    let Some(pairs) = choices.iter().map(read).collect::<Option<Vec<_>>>() else { return };
    let (names, meanings): (Vec<Value>, Vec<Value>) = pairs.into_iter().unzip();
    fields.remove("oneOf");
    fields.insert("type".to_owned(), "string".into());
    fields.insert("enum".to_owned(), names.into());
    // The second is what editors for YAML read, the first what others do.
    fields.insert("enumDescriptions".to_owned(), meanings.clone().into());
    fields.insert("markdownEnumDescriptions".to_owned(), meanings.into());
}

/// The description says it already: ``Without it: `30s`.``
fn default(property: &mut Map<String, Value>) {
    let Some(about) = property.get("description").and_then(Value::as_str) else { return };
    let said = about.split_once("Without it: `").and_then(|(_, rest)| rest.split_once("`."));
    let Some((value, _)) = said.filter(|(value, _)| !value.contains('`')) else { return };
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    property.entry("default").or_insert(value);
}

fn add(schema: &mut Value, of: &str, key: &str, example: Value) {
    let path = if of.is_empty() { format!("/properties/{key}") } else { format!("/$defs/{of}/properties/{key}") };
    let Some(property) = schema.pointer_mut(&path).and_then(Value::as_object_mut) else { return };
    if let Value::Array(all) = property.entry("examples").or_insert_with(|| json!([])) {
        all.push(example);
    }
}

/// A name of a type, for people: `VeleroRestore` is `Velero restore`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_uppercase() {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// Every object of the schema that has properties, with its name.
    fn objects(schema: &Value) -> Vec<(String, Value)> {
        let definitions = schema["$defs"].as_object().into_iter().flatten();
        let mut all: Vec<(String, Value)> = definitions.map(|(name, it)| (name.clone(), it.clone())).collect();
        all.push((String::new(), schema.clone()));
        all
    }

    #[test]
    fn every_key_says_what_it_is() {
        let schema: Value = serde_json::from_str(&crate::schema::runbook()).unwrap();
        for (name, object) in objects(&schema) {
            assert!(object["title"].is_string() && object["description"].is_string(), "{name}: {object:#}");
            for (key, property) in object["properties"].as_object().into_iter().flatten() {
                assert!(property["title"] == key.as_str() && property["description"].is_string(), "{name}.{key}");
            }
            if let Some(values) = object["enum"].as_array() {
                let meanings = object["enumDescriptions"].as_array().unwrap();
                assert_eq!(values.len(), meanings.len(), "{name}");
            }
        }
        let text = schema.to_string();
        assert!(!text.contains(r#""null""#), "a key without a value is refused");
    }

    #[test]
    fn what_is_written_in_an_example_has_a_place() {
        let schema: Value = serde_json::from_str(&crate::schema::runbook()).unwrap();
        for (of, key, value) in super::examples::all() {
            let object = if of.is_empty() { &schema } else { &schema["$defs"][of] };
            let examples = object["properties"][key]["examples"].as_array();
            assert!(examples.is_some_and(|examples| examples.contains(&value)), "{of}.{key}");
        }
    }

    #[test]
    fn defaults_are_what_the_text_says() {
        let schema: Value = serde_json::from_str(&crate::schema::runbook()).unwrap();
        for (of, key, wanted) in [
            ("Check", "timeout", Value::from("30s")),
            ("Retry", "factor", 2.into()),
            ("VeleroRestore", "veleroNamespace", "velero".into()),
            ("Guard", "every", Value::Null),
            ("Step", "onFailure", Value::Null),
        ] {
            assert_eq!(schema["$defs"][of]["properties"][key]["default"], wanted, "{of}.{key}");
        }
    }
}
