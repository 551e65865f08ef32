//! The command line. Its help is the reference page of the book.

use std::path::PathBuf;

use clap::{
    ArgGroup, Args, Parser, Subcommand, ValueEnum, ValueHint,
    builder::{PossibleValuesParser, TypedValueParser},
};
use lifeboat_core::{
    duration::Duration,
    model::{Disaster, Scope},
};

/// Executes disaster-recovery runbooks, and records evidence that they work.
#[derive(Debug, Parser)]
#[command(
    name = "lifeboat",
    version,
    about,
    propagate_version = false,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// The stable exit codes, as `--help` tells them.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
    0  succeeded, within the objectives
    1  failed
    2  wrong use, lint error or pre-flight error; nothing was touched
    3  aborted, and all of it rolled back
    4  aborted, and not all of it rolled back
    5  held: waits for a person; resume it
    6  succeeded, but an objective (RTO, RPO) was missed
    7  evidence could not be written, or does not verify
  130  interrupted; resume it
  143  terminated; resume it";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a runbook to begin with, for a class of disaster
    New(New),
    /// Find every mistake in runbooks, offline
    Lint(Lint),
    /// Tell why something that `lint` found is wrong, with a bad and a good example
    Explain(Explain),
    /// Show in which order a runbook would run, its critical path and its point of no return
    Plan(Plan),
    /// Look whether everything is there that a run would need; touches nothing and records nothing
    Check(Check),
    /// Show what a change to a runbook changes: steps, gates, order, critical path
    Diff(Diff),
    /// Run a runbook for a real incident
    Run(Run),
    /// Run a runbook as a drill: a rehearsal, cleaned up after
    Drill(Run),
    /// Go on with a run that was held, interrupted, or whose engine died
    Resume(Resume),
    /// Look on at a run that another process executes, and act on it
    Attach(Attach),
    /// Say yes to a gate
    Approve(StepAct),
    /// Say no to a gate, with a reason; the step fails
    Deny(StepAct),
    /// Leave a step out, with a reason; what needs it is blocked
    Skip(StepAct),
    /// Take a step as done, with a reason; what needs it goes on
    Accept(StepAct),
    /// Run a failed or unknown step again
    Retry(StepAct),
    /// Run the checks of a failed step again, without its action
    Recheck(StepAct),
    /// Say that a manual step is done
    Done(StepAct),
    /// Say that a manual step could not be done, with a reason
    Fail(StepAct),
    /// Start nothing new
    Pause(RunAct),
    /// Go on after a pause
    Continue(RunAct),
    /// Abort a run and undo what was done; or show what that would be
    Abort(Abort),
    /// Pass command of a run on to somebody else
    Handover(Handover),
    /// Put a file into the evidence of a run
    AttachFile(AttachFile),
    /// List the runs of a store
    Runs(Runs),
    /// Show what happened in a run
    Show(Show),
    /// Write the report of a run
    Report(Report),
    /// Check that the evidence of a run is whole
    Verify(Verify),
    /// Print a JSON Schema
    Schema(Schema),
    /// Print a script that completes the command line of a shell
    Completions(Completions),
    /// Print the version
    Version,
}

/// Where runs are kept.
#[derive(Debug, Clone, Args)]
pub(crate) struct Store {
    /// The directory that keeps runs and their evidence
    #[arg(long, value_name = "DIR", default_value = ".lifeboat", env = "LIFEBOAT_STORE", hide_env_values = true, value_hint = ValueHint::DirPath)]
    pub store: PathBuf,
}

/// Values for inputs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Inputs {
    /// Give an input; a list is separated by commas
    #[arg(long = "input", short = 'i', value_name = "NAME=VALUE")]
    pub input: Vec<String>,
    /// Read inputs from a YAML file: a mapping of names to values
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub inputs: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The file to write; nothing may be there yet. Without it: standard output
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// The class of disaster. Without it: a person is asked
    #[arg(long, value_name = "CLASS", value_parser = disaster())]
    pub disaster: Option<Disaster>,
    /// How much is lost. Without it: a person is asked, or the usual one for this disaster
    #[arg(long, value_name = "SCOPE", value_parser = scope())]
    pub scope: Option<Scope>,
    /// The runbook's name. Without it: made of the file's name, or the class of disaster
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Its title, one line for people
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// The accountable team
    #[arg(long, value_name = "TEAM")]
    pub owner: Option<String>,
    /// How much data may be lost, as a time: 15m
    #[arg(long, value_name = "TIME")]
    pub rpo: Option<Duration>,
    /// How long it may take: 60m. If the estimates say otherwise, that is told, and the file is written all the same
    #[arg(long, value_name = "TIME")]
    pub rto: Option<Duration>,
    /// Ask nobody. Also when standard input is no terminal
    #[arg(long)]
    pub no_input: bool,
    /// List what there is to begin with, and write nothing
    #[arg(
        long,
        conflicts_with_all = ["file", "disaster", "scope", "name", "title", "owner", "rpo", "rto", "no_input"]
    )]
    pub list: bool,
    /// How the list is printed
    #[arg(long, value_enum, default_value_t = ShowFormat::Text, requires = "list")]
    pub format: ShowFormat,
}

/// A word of the language, by its name.
fn disaster() -> impl TypedValueParser<Value = Disaster> {
    PossibleValuesParser::new(Disaster::ALL.map(Disaster::name))
        .try_map(|text| Disaster::ALL.into_iter().find(|it| it.name() == text).ok_or("no class of disaster"))
}

/// A word of the language, by its name.
fn scope() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(Scope::name))
        .try_map(|text| Scope::ALL.into_iter().find(|it| it.name() == text).ok_or("no scope"))
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("mend").args(["fix", "diff"]).multiple(true)))]
pub(crate) struct Lint {
    /// Files, or directories that are searched for runbooks
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Leave out files that do not say that they are runbooks, also when they are given by name
    #[arg(long)]
    pub only_runbooks: bool,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = LintFormat::Text)]
    pub format: LintFormat,
    /// Let warnings count as errors
    #[arg(long, value_name = "WHAT", value_parser = ["warnings"])]
    pub deny: Option<String>,
    /// Judge only by these rules (separated by commas), also when lifeboat.toml leaves them out
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Do not judge by these rules (separated by commas)
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Mend what has no other reading, and show what is left
    #[arg(long)]
    pub fix: bool,
    /// Mend by suggestions as well, which a person has to look at
    #[arg(long = "unsafe", requires = "mend")]
    pub suggestions: bool,
    /// Show what would be mended and write nothing; 2 is the exit code when there is something
    #[arg(long, conflicts_with_all = ["format", "deny"])]
    pub diff: bool,
    /// List the rules and judge nothing
    #[arg(long, conflicts_with_all = ["paths", "deny", "select", "ignore", "mend"])]
    pub rules: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code of a finding, such as unused-input
    #[arg(value_name = "CODE")]
    pub code: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintFormat {
    /// For people, with the lines in question
    Text,
    /// For machines
    Json,
    /// Annotations of a GitHub workflow, beside the lines of a pull request
    Github,
    /// SARIF 2.1.0, for code scanning and editors
    Sarif,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The runbook
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub inputs: Inputs,
    /// Plan for a drill and not for an incident
    #[arg(long)]
    pub drill: bool,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people
    Text,
    /// For machines
    Json,
    /// A Mermaid flowchart
    Mermaid,
    /// A Graphviz graph
    Dot,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The runbook as it was
    #[arg(value_name = "OLD", value_hint = ValueHint::FilePath)]
    pub old: PathBuf,
    /// The runbook as it is now
    #[arg(value_name = "NEW", value_hint = ValueHint::FilePath)]
    pub new: PathBuf,
    /// How the differences are printed
    #[arg(long, value_enum, default_value_t = DiffFormat::Text)]
    pub format: DiffFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For people
    Text,
    /// For a comment on a pull request
    Markdown,
    /// For machines
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The runbook
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub inputs: Inputs,
    /// Look for a drill and not for an incident
    #[arg(long)]
    pub drill: bool,
    /// Ask nobody for inputs. Also when standard input is no terminal
    #[arg(long)]
    pub no_input: bool,
    /// How the findings are printed
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    pub format: ShowFormat,
}

/// How this process takes part in a run.
#[derive(Debug, Clone, Args)]
pub(crate) struct Engine {
    /// Ask nobody: the rules of an unattended run apply. Also when standard input is no terminal
    #[arg(long)]
    pub no_input: bool,
    /// Ask before every step
    #[arg(long, conflicts_with = "no_input")]
    pub step: bool,
    /// How many actions may run at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub parallel: u32,
    /// Who commands the run. Without it: the system user
    #[arg(long = "as", value_name = "PERSON", env = "LIFEBOAT_AS", hide_env_values = true)]
    pub who: Option<String>,
    /// Show what actions print
    #[arg(long, short = 'v')]
    pub verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The runbook
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub inputs: Inputs,
    #[command(flatten)]
    pub engine: Engine,
    #[command(flatten)]
    pub store: Store,
    /// When the outage began: a time (RFC 3339), or so long ago: -25m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub outage_at: Option<String>,
    /// When it was detected
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub detected_at: Option<String>,
    /// When the disaster was declared
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub declared_at: Option<String>,
    /// Bind people to SSH keys: from then on an act from elsewhere counts only when it is signed
    #[arg(long, value_name = "FILE", env = "LIFEBOAT_ALLOWED_SIGNERS", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub allowed_signers: Option<PathBuf>,
}

/// Who acts on a run, and why.
#[derive(Debug, Clone, Args)]
pub(crate) struct Person {
    #[command(flatten)]
    pub actor: Actor,
    /// Why; needed where the plan is overridden
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Somebody, and the run.
#[derive(Debug, Clone, Args)]
pub(crate) struct Actor {
    /// A run: its id, a unique beginning of it, or @latest
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Who acts. Without it: the system user
    #[arg(long = "as", value_name = "PERSON", env = "LIFEBOAT_AS", hide_env_values = true)]
    pub who: Option<String>,
    /// Sign it with this SSH key: a private one, or a public one whose private half an agent has
    #[arg(long, value_name = "FILE", env = "LIFEBOAT_SIGN_KEY", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub sign_key: Option<PathBuf>,
    #[command(flatten)]
    pub store: Store,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct StepAct {
    #[command(flatten)]
    pub person: Person,
    /// The step
    #[arg(value_name = "STEP")]
    pub step: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RunAct {
    #[command(flatten)]
    pub person: Person,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Abort {
    #[command(flatten)]
    pub person: Person,
    /// Only show what would be undone, in order, and what would stay
    #[arg(long, conflicts_with = "reason")]
    pub preview: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Handover {
    #[command(flatten)]
    pub person: Person,
    /// To whom
    #[arg(long, value_name = "PERSON")]
    pub to: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct AttachFile {
    #[command(flatten)]
    pub person: Person,
    /// The file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The step that it belongs to
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
    /// Its name in the evidence. Without it: the file's own
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Attach {
    #[command(flatten)]
    pub actor: Actor,
    /// Only look on, until the engine leaves the run
    #[arg(long)]
    pub no_input: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// A run: its id, a unique beginning of it, or @latest
    #[arg(value_name = "RUN")]
    pub run: String,
    #[command(flatten)]
    pub engine: Engine,
    #[command(flatten)]
    pub store: Store,
}

#[derive(Debug, Args)]
pub(crate) struct Runs {
    #[command(flatten)]
    pub store: Store,
    /// How the list is printed
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    pub format: ShowFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// For people
    Text,
    /// For machines
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A run: its id, a unique beginning of it, or @latest
    #[arg(value_name = "RUN")]
    pub run: String,
    #[command(flatten)]
    pub store: Store,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    pub format: ShowFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// A run: its id, a unique beginning of it, or @latest
    #[arg(value_name = "RUN")]
    pub run: String,
    #[command(flatten)]
    pub store: Store,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For a terminal
    Text,
    /// For a page or a ticket
    Markdown,
    /// For machines
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A run: its id, a unique beginning of it, or @latest
    #[arg(value_name = "RUN")]
    pub run: String,
    #[command(flatten)]
    pub store: Store,
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Which one
    #[arg(value_enum)]
    pub which: WhichSchema,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhichSchema {
    /// What a runbook may say
    Runbook,
    /// A record of the evidence log
    Evidence,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
