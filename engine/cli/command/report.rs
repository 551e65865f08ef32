//! `report`: a run for people who were not there.

use lifeboat_core::report;

use super::{Outcome, show};
use crate::{
    args::{self, ReportFormat},
    ui,
};

/// Writes the report of a run.
pub fn run(arguments: &args::Report) -> Outcome {
    let (_, story) = show::story(&arguments.store, &arguments.run)?;
    ui::out(&match arguments.format {
        ReportFormat::Text => report::text::text(&story),
        ReportFormat::Markdown => report::markdown::markdown(&story, None),
        ReportFormat::Json => {
            format!("{}\n", serde_json::to_string_pretty(&report::json::full(&story)).unwrap_or_default())
        }
    });
    Ok(0)
}
