//! `completions`: a script for a shell.

use clap::CommandFactory as _;

use super::Outcome;
use crate::{args, ui};

/// Prints the script.
pub fn run(arguments: &args::Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut args::Cli::command(), "lifeboat", &mut script);
    ui::out(&String::from_utf8_lossy(&script));
    Ok(0)
}
