//! `show`: what happened in a run.

use lifeboat_core::{evidence::Record, report};
use lifeboat_runtime::{
    notify::deliveries,
    store::{RunDir, read_log},
};
use serde_json::Value;

use super::{Failure, Outcome, recorded};
use crate::{
    args::{self, ShowFormat},
    ui,
};

/// The frozen plan of a run, when it can be read.
pub(super) fn plan_json(run: &RunDir) -> Option<Value> {
    serde_json::from_slice(&run.plan().ok()?).ok()
}

/// A run and its story.
pub(super) fn story(store: &args::Store, name: &str) -> Result<(RunDir, report::Story), Failure> {
    let run = recorded::open(store, name)?;
    let records = read_log(&run.log_path()).map_err(Failure::evidence)?;
    match report::Story::of(&records, plan_json(&run).as_ref()) {
        Some(mut story) => {
            story.deliveries = deliveries(&run);
            Ok((run, story))
        }
        None => Err(recorded::without_records(&run)),
    }
}

/// Prints what happened, as text.
pub(super) fn print_text(run: &RunDir, records: &[Record]) {
    if let Some(story) = report::Story::of(records, plan_json(run).as_ref()) {
        ui::out(&report::text::text(&story));
    }
}

/// Shows a run.
pub(super) fn run(arguments: &args::Show) -> Outcome {
    let (_, story) = story(&arguments.store, &arguments.run)?;
    match arguments.format {
        ShowFormat::Text => ui::out(&report::text::text(&story)),
        ShowFormat::Json => {
            let text = serde_json::to_string_pretty(&report::json::show(&story)).unwrap_or_default();
            ui::out(&format!("{text}\n"));
        }
    }
    Ok(0)
}
