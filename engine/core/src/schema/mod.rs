//! The JSON Schemas of `schemas/`, made from the types.
//!
//! Duty: the text of the files. Writing them is `cargo xtask gen`.

use schemars::{Schema, schema_for};
use serde::Serialize;

use crate::{evidence::Record, model::Runbook};

mod editor;
mod examples;

/// Where the schemas are published.
const HOME: &str = "https://lifeboat.dev/schemas";

fn named(mut schema: Schema, id: &str, title: &str) -> Schema {
    schema.insert("$id".to_owned(), format!("{HOME}/{id}").into());
    schema.insert("title".to_owned(), title.into());
    schema
}

fn text(schema: &impl Serialize) -> String {
    // A schema is made of strings and maps only, so this cannot fail; an empty file would be seen as drift.
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}

/// `schemas/runbook.json`: what a runbook may say, and what an editor shows of it.
#[must_use]
pub fn runbook() -> String {
    let mut schema = named(schema_for!(Runbook), "runbook.json", "Lifeboat runbook").to_value();
    editor::teach(&mut schema);
    // As a schema again, as that writes its keys in the usual order.
    Schema::try_from(schema).map(|schema| text(&schema)).unwrap_or_default()
}

/// `schemas/evidence.json`: a record of the evidence log.
#[must_use]
pub fn evidence() -> String {
    text(&named(schema_for!(Record), "evidence.json", "A record of a Lifeboat evidence log"))
}

/// `schemas/catalog.json`: for editors that look schemas up by the names of files, in the form of `schemastore.org`.
#[must_use]
pub fn catalog() -> String {
    text(&serde_json::json!({
        "$schema": "https://json.schemastore.org/schema-catalog.json",
        "version": 1,
        "schemas": [{
            "name": "Lifeboat runbook",
            "description": "Disaster-recovery runbook for Kubernetes platforms, executed by Lifeboat",
            "fileMatch": ["*.runbook.yaml", "*.runbook.yml"],
            "url": format!("{HOME}/runbook.json"),
        }],
    }))
}
