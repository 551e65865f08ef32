//! `schema`: the JSON Schemas, as they are in `schemas/`.

use super::Outcome;
use crate::{
    args::{self, WhichSchema},
    ui,
};

/// Prints a schema.
pub fn run(arguments: &args::Schema) -> Outcome {
    let schema = match arguments.which {
        WhichSchema::Runbook => lifeboat_core::schema::runbook(),
        WhichSchema::Evidence => lifeboat_core::schema::evidence(),
    };
    ui::out(&schema);
    Ok(0)
}
