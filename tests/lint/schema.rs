//! The schema for editors: as strict as the engine, and true in what it shows.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Place, repository};

fn schema() -> Value {
    serde_json::from_str(&Place::new().lifeboat(&["schema", "runbook"]).code(0).out).expect("JSON")
}

/// A part of the schema, for its own sake.
fn part(schema: &Value, property: &Value) -> jsonschema::Validator {
    let mut whole = property.clone();
    whole["$defs"] = schema["$defs"].clone();
    jsonschema::validator_for(&whole).expect("a schema")
}

/// What an editor offers to write is right.
#[test]
fn its_defaults_and_examples_are_valid() {
    let schema = schema();
    let named = schema["$defs"].as_object().expect("types").iter().map(|(name, object)| (name.as_str(), object));
    let mut looked_at = 0;
    for (name, object) in named.chain([("", &schema)]) {
        for (key, property) in object["properties"].as_object().into_iter().flatten() {
            let examples = property["examples"].as_array().into_iter().flatten();
            let mut values = examples.chain(property.get("default")).peekable();
            if values.peek().is_none() {
                continue;
            }
            let validator = part(&schema, property);
            for value in values {
                let wrong: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
                assert!(wrong.is_empty(), "{name}.{key}: {value}: {wrong:?}");
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 80, "{looked_at}");
}

/// Every runbook that is shipped is valid, and what the engine refuses is not.
#[test]
fn it_takes_what_the_engine_takes() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut seen = 0;
    for entry in fs::read_dir(repository().join("runbooks")).expect("runbooks").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        let first = text.lines().next().unwrap_or_default();
        assert_eq!(first, "# yaml-language-server: $schema=../schemas/runbook.json", "{}", path.display());
        let value = lifeboat_core::kube::text::value(&text).expect("YAML");
        let wrong: Vec<String> =
            validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
        for (pointer, bad) in [
            ("/recovery/level", json!("L6")),
            ("/recovery/objectives/rto", json!("ten minutes")),
            ("/recovery/drillEvery", Value::Null),
            ("/metadata/nmae", json!("a")),
            ("/steps", json!([])),
        ] {
            let mut value = value.clone();
            let (parent, key) = pointer.rsplit_once('/').expect("a key");
            value.pointer_mut(parent).expect("it is there")[key] = bad;
            assert!(!validator.is_valid(&value), "{}: {pointer}", path.display());
        }
        seen += 1;
    }
    assert!(seen >= 7, "{seen}");
}

/// Editors look names of files up in it.
#[test]
fn the_catalogue_leads_to_the_schema() {
    let catalog: Value =
        serde_json::from_str(&fs::read_to_string(repository().join("schemas/catalog.json")).expect("a catalogue"))
            .expect("JSON");
    let entry = &catalog["schemas"][0];
    assert_eq!(entry["url"], schema()["$id"]);
    for name in ["name", "description"] {
        assert!(entry[name].is_string(), "{entry}");
    }
    assert!(entry["fileMatch"].as_array().is_some_and(|names| names.contains(&json!("*.runbook.yaml"))));
}
