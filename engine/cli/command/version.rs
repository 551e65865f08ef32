//! `version`: which engine this is, and what it can read.

use lifeboat_core::evidence::FORMAT;

use super::Outcome;
use crate::ui;

/// Prints the version.
pub fn run() -> Outcome {
    ui::out(&format!("lifeboat {} (evidence format {FORMAT}, runbooks lifeboat.dev/v1)\n", env!("CARGO_PKG_VERSION")));
    Ok(0)
}
