//! `runs`: the runs of a store.

use lifeboat_core::report;
use lifeboat_runtime::store::{RunDir, Store, read_log};
use serde_json::{Value, json};

use super::{Failure, Outcome, show};
use crate::{
    args::{self, ShowFormat},
    ui,
};

/// Lists the runs, oldest first.
pub(super) fn run(arguments: &args::Runs) -> Outcome {
    let store = Store::new(&arguments.store.store);
    let mut rows: Vec<Value> = Vec::new();
    let mut lines = String::new();
    for entry in store.list().map_err(Failure::usage)? {
        let story = RunDir::open(&entry.path).ok().and_then(|run| {
            let records = read_log(&run.log_path()).ok()?;
            report::Story::of(&records, show::plan_json(&run).as_ref())
        });
        let row = match &story {
            Some(story) => report::json::show(story)["run"].clone(),
            // A log that cannot be read is still a run that somebody has to know about.
            None => json!({"id": entry.id, "status": "unreadable"}),
        };
        let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
        lines.push_str(&format!(
            "{:<44} {:<9} {:<17} {}\n",
            text("id"),
            text("mode"),
            if row.get("verdict").is_some_and(Value::is_string) { text("verdict") } else { text("status") },
            text("runbook"),
        ));
        rows.push(row);
    }
    match arguments.format {
        ShowFormat::Text if rows.is_empty() => {
            ui::err(&format!("no runs in {}\n", store.root().display()));
        }
        ShowFormat::Text => ui::out(&ui::plain(&lines)),
        ShowFormat::Json => {
            let text = serde_json::to_string_pretty(&json!({"version": 1, "runs": rows})).unwrap_or_default();
            ui::out(&format!("{text}\n"));
        }
    }
    Ok(0)
}
