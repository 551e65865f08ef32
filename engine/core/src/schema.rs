//! The JSON Schemas of `schemas/`, made from the types.
//!
//! Duty: the text of the files. Writing them is `cargo xtask gen`.

use crate::{evidence::Record, model::Runbook};

fn text(schema: schemars::Schema, id: &str, title: &str) -> String {
    let mut schema = schema;
    schema.insert("$id".to_owned(), format!("https://lifeboat.dev/schemas/{id}").into());
    schema.insert("title".to_owned(), title.into());
    // A schema is made of strings and maps only, so this cannot fail; an empty file would be seen as drift.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// `schemas/runbook.json`: what a runbook may say.
#[must_use]
pub fn runbook() -> String {
    text(schemars::schema_for!(Runbook), "runbook.json", "Lifeboat runbook")
}

/// `schemas/evidence.json`: a record of the evidence log.
#[must_use]
pub fn evidence() -> String {
    text(schemars::schema_for!(Record), "evidence.json", "A record of a Lifeboat evidence log")
}
