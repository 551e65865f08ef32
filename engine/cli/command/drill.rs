//! `drill`: the same as `run`, as a rehearsal.

use lifeboat_core::model::Mode;

use super::Outcome;
use crate::args;

/// Runs a drill.
pub fn run(arguments: &args::Run) -> Outcome {
    super::run::run(arguments, Mode::Drill)
}
