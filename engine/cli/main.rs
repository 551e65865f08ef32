//! The `lifeboat` command.
//!
//! Duty: arguments to calls, results to text and exit codes. It must not decide anything about a run.
//!
//! - `args`: the command line
//! - `command`: one command a file
//! - `ui`: what a terminal shows, and what it asks

use std::process::ExitCode;

use clap::Parser as _;

mod args;
mod command;
mod ui;

fn main() -> ExitCode {
    let arguments = args::Cli::parse();
    let code = match command::dispatch(arguments.command) {
        Ok(code) => code,
        Err(failure) => {
            ui::report(&*failure.report);
            failure.code
        }
    };
    ExitCode::from(code)
}
