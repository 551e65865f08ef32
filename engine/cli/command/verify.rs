//! `verify`: is the evidence of a run whole?

use lifeboat_runtime::store::verify_run;

use super::{Failure, Outcome, recorded};
use crate::{args, ui};

/// Verifies a run: exit code 0 when it is whole, 7 when it is not.
pub(super) fn run(arguments: &args::Verify) -> Outcome {
    let run = recorded::open(&arguments.store, &arguments.run)?;
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
