//! `verify`: is the evidence of a run whole?

use lifeboat_runtime::store::{RunDir, Store, verify_run};

use super::{Failure, Outcome};
use crate::{args, ui};

/// Verifies a run: exit code 0 when it is whole, 7 when it is not.
pub fn run(arguments: &args::Verify) -> Outcome {
    let store = Store::new(&arguments.store.store);
    let found = store.find(&arguments.run).map_err(Failure::usage)?;
    let run = RunDir::open(found.path).map_err(Failure::usage)?;
    let report = verify_run(&run).map_err(Failure::evidence)?;
    for notice in &report.notices {
        ui::out(&format!("note: {notice}\n"));
    }
    for problem in &report.problems {
        ui::err(&format!("BROKEN  {problem}\n"));
    }
    if report.holds() {
        ui::out(&format!(
            "{}: {} records, {} artifacts, frozen runbook and plan: whole\n",
            run.id(),
            report.records,
            report.artifacts.len(),
        ));
        return Ok(0);
    }
    ui::err(&format!(
        "{}: {} problem{}: this is not the evidence that the engine wrote\n",
        run.id(),
        report.problems.len(),
        if report.problems.len() == 1 { "" } else { "s" },
    ));
    Ok(7)
}
