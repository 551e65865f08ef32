//! The commands, one a file.

use crate::args::Command;

mod completions;
mod drill;
mod engine;
mod lint;
mod plan;
mod prepare;
mod report;
mod resume;
mod run;
mod runs;
mod schema;
mod show;
mod verify;
mod version;

/// A command that could not do what it was asked: what to tell, and the exit code.
pub struct Failure {
    pub report: Box<dyn miette::Diagnostic + Send + Sync>,
    pub code: u8,
}

impl Failure {
    /// Wrong use: nothing was touched.
    pub fn usage(report: impl miette::Diagnostic + Send + Sync + 'static) -> Self {
        Self { report: Box::new(report), code: 2 }
    }

    /// Evidence cannot be read or written.
    pub fn evidence(report: impl miette::Diagnostic + Send + Sync + 'static) -> Self {
        Self { report: Box::new(report), code: 7 }
    }
}

/// The exit code, or why there is nothing to exit with.
pub type Outcome = Result<u8, Failure>;

/// A plain message for people, with what to do next.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{message}")]
pub struct Message {
    pub message: String,
    #[help]
    pub help: Option<String>,
}

impl Message {
    /// What was expected and what was found.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// Adds what to do next.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Runs a command.
pub fn dispatch(command: Command) -> Outcome {
    match command {
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Run(arguments) => run::run(&arguments, lifeboat_core::model::Mode::Incident),
        Command::Drill(arguments) => drill::run(&arguments),
        Command::Resume(arguments) => resume::run(&arguments),
        Command::Runs(arguments) => runs::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Version => version::run(),
    }
}
