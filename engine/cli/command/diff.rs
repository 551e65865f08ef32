//! `diff`: what a change to a runbook changes, for its review.

use lifeboat_core::{
    diagnostic::{Diagnostic, Severity},
    diff,
};

use super::{Failure, Message, Outcome, prepare};
use crate::{
    args::{self, DiffFormat},
    ui,
};

/// Compares two runbooks. A difference is no failure.
pub(super) fn run(arguments: &args::Diff) -> Outcome {
    let (old, new) = (prepare::open(&arguments.old)?, prepare::open(&arguments.new)?);
    let (Some(was), Some(is)) = (readable(&old), readable(&new)) else {
        return Err(Failure::usage(
            Message::new("expected two runbooks that can be read, found mistakes")
                .help("mend them; `lifeboat lint` shows the same findings"),
        ));
    };
    let found = diff::diff((was, &old.parsed.source), (is, &new.parsed.source));
    ui::out(&match arguments.format {
        DiffFormat::Text => diff::text(&found),
        DiffFormat::Markdown => diff::markdown(&found),
        DiffFormat::Json => format!("{}\n", serde_json::to_string_pretty(&diff::json(&found)).unwrap_or_default()),
    });
    Ok(0)
}

/// The runbook, if it could be read as a whole. What `lint` has to say of it is no reason not to compare it.
fn readable(opened: &prepare::Opened) -> Option<&lifeboat_core::model::Runbook> {
    let errors: Vec<&Diagnostic> =
        opened.parsed.diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
    for error in &errors {
        ui::err(&ui::diagnostics::text(error));
    }
    opened.parsed.runbook.as_ref().filter(|_| errors.is_empty())
}
