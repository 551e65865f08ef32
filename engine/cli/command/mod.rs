//! The commands, one a file.

use lifeboat_core::evidence::event::ActName;

use crate::{args::Command, ui};

mod abort;
mod act;
mod attach;
mod check;
mod completions;
mod created;
mod diff;
mod drill;
mod engine;
mod explain;
mod inputs;
mod lint;
mod lint_config;
mod new;
mod plan;
mod prepare;
mod recorded;
mod report;
mod resume;
mod run;
mod runs;
mod schema;
mod show;
mod verify;
mod version;

/// A command that could not do what it was asked: what to tell, and the exit code.
pub(crate) struct Failure {
    pub report: Box<dyn miette::Diagnostic + Send + Sync>,
    pub code: u8,
}

impl Failure {
    /// Wrong use: nothing was touched.
    pub(crate) fn usage(report: impl miette::Diagnostic + Send + Sync + 'static) -> Self {
        Self { report: Box::new(report), code: 2 }
    }

    /// Evidence cannot be read or written.
    pub(crate) fn evidence(report: impl miette::Diagnostic + Send + Sync + 'static) -> Self {
        Self { report: Box::new(report), code: 7 }
    }
}

/// The exit code, or why there is nothing to exit with.
pub(crate) type Outcome = Result<u8, Failure>;

/// A plain message for people, with what to do next.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{message}")]
pub(crate) struct Message {
    pub message: String,
    #[help]
    pub help: Option<String>,
}

impl Message {
    /// What was expected and what was found. It may have words of others in it, and those are shown and not obeyed.
    pub(crate) fn new(message: impl AsRef<str>) -> Self {
        Self { message: ui::plain(message.as_ref()), help: None }
    }

    /// Adds what to do next.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Runs a command.
pub(crate) fn dispatch(command: Command) -> Outcome {
    match command {
        Command::New(arguments) => new::run(&arguments),
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Run(arguments) => run::run(&arguments, lifeboat_core::model::Mode::Incident),
        Command::Drill(arguments) => drill::run(&arguments),
        Command::Resume(arguments) => resume::run(&arguments),
        Command::Attach(arguments) => attach::run(&arguments),
        Command::Approve(arguments) => act::on_step(ActName::Approve, arguments),
        Command::Deny(arguments) => act::on_step(ActName::Deny, arguments),
        Command::Skip(arguments) => act::on_step(ActName::Skip, arguments),
        Command::Accept(arguments) => act::on_step(ActName::Accept, arguments),
        Command::Retry(arguments) => act::on_step(ActName::Retry, arguments),
        Command::Recheck(arguments) => act::on_step(ActName::Recheck, arguments),
        Command::Done(arguments) => act::on_step(ActName::Done, arguments),
        Command::Fail(arguments) => act::on_step(ActName::Fail, arguments),
        Command::Pause(arguments) => act::on_run(ActName::Pause, &arguments.person),
        Command::Continue(arguments) => act::on_run(ActName::Continue, &arguments.person),
        Command::Abort(arguments) => abort::run(&arguments),
        Command::Handover(arguments) => act::handover(arguments),
        Command::AttachFile(arguments) => act::attach_file(&arguments),
        Command::Runs(arguments) => runs::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Version => version::run(),
    }
}
