//! What can go wrong in a store, in words for people: what was expected, what was found, what to do.

use std::{io, path::PathBuf, sync::Arc};

use lifeboat_core::evidence::verify::Problem;

use super::lock::Held;

/// A store, or a run in it, is not as it should be.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
pub enum StoreError {
    /// The system said no.
    #[error("cannot {doing} `{path}`: {source}")]
    #[diagnostic(code(store::io))]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// The id is taken.
    #[error("there is a run `{id}` already")]
    #[diagnostic(code(store::run_exists), help("ids have random digits; try again"))]
    RunExists {
        /// The id.
        id: String,
    },
    /// An id that is no file name.
    #[error("expected an id of lower-case letters, digits and `-`, found `{id}`")]
    #[diagnostic(code(store::bad_id))]
    BadId {
        /// What was given.
        id: String,
    },
    /// The store is empty.
    #[error("expected a run in the store `{store}`, but there is none")]
    #[diagnostic(
        code(store::no_runs),
        help("begin one with `lifeboat drill FILE`, or name another store with `--store`")
    )]
    NoRuns {
        /// The store.
        store: String,
    },
    /// No run has such a name.
    #[error("no run in the store `{store}` has the id `{name}`, or one that begins so")]
    #[diagnostic(code(store::no_such_run), help("the newest runs are:{}", list(candidates)))]
    NoSuchRun {
        /// What was asked for.
        name: String,
        /// The store.
        store: String,
        /// The runs that there are, the newest first.
        candidates: Vec<String>,
    },
    /// Several runs have such a name.
    #[error("expected one run, but the ids of {} begin with `{name}`", candidates.len())]
    #[diagnostic(
        code(store::ambiguous_run),
        help("say more of the id, or `@latest`; it could be:{}", list(candidates))
    )]
    AmbiguousRun {
        /// What was asked for.
        name: String,
        /// The runs that match, the newest first.
        candidates: Vec<String>,
    },
    /// The directory is not a run's.
    #[error("expected the directory of a run, with `evidence.jsonl` in it, found `{path}`")]
    #[diagnostic(code(store::not_a_run), help("`lifeboat runs` shows the runs of a store"))]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// A name that would leave the directory.
    #[error("expected a relative path without `..`, found `{name}`")]
    #[diagnostic(code(store::bad_file_name))]
    BadFileName {
        /// The name.
        name: String,
    },
}

impl StoreError {
    /// For `map_err`.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source: Arc::new(source) }
    }
}

/// The first ten, one a line.
fn list(candidates: &[String]) -> String {
    let older = candidates.len().saturating_sub(10);
    let more = (older > 0).then(|| format!("and {older} older"));
    let lines: Vec<&str> = candidates.iter().take(10).chain(&more).map(String::as_str).collect();
    format!("\n  {}", lines.join("\n  "))
}

/// A log cannot be read as what an engine wrote.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
pub enum LogDamage {
    /// A record is not what an engine wrote, or is not where an engine wrote it.
    #[error("`{path}` is damaged: {problem}")]
    #[diagnostic(
        code(store::damaged),
        help(
            "everything before this record holds. An engine does not go on with a damaged log: keep the directory as it \
             is, look into it with `lifeboat verify`, and begin a new run"
        )
    )]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        problem: Box<Problem>,
    },
    /// It cannot be read at all.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

/// A run cannot be taken.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
pub enum OpenError {
    /// Another engine has it.
    #[error("another engine has this run: {}", who(holder.as_ref()))]
    #[diagnostic(
        code(store::held),
        help(
            "look on with `lifeboat attach`, act on it with `lifeboat approve`, `pause`, `abort` …, or stop that process"
        )
    )]
    Held {
        /// Who, as far as the lock says.
        holder: Option<Held>,
    },
    /// Its log is damaged.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Damage(#[from] LogDamage),
    /// Something else.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

/// Records could not be made durable. Nothing may be done that they announce.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
pub enum AppendError {
    /// The system said no, or something else in the store.
    #[error("the evidence cannot be written: {0}")]
    #[diagnostic(code(evidence::lost), help("nothing new was started; when there is room again: `lifeboat resume`"))]
    Store(#[from] StoreError),
    /// The log is not the file that this engine wrote.
    #[error(
        "`{path}` was changed by somebody else: expected the {expected} bytes that this engine knows, found {found}"
    )]
    #[diagnostic(
        code(evidence::foreign),
        help("an engine must be the only writer: see with `lifeboat verify` what it is")
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its length as it should be.
        expected: u64,
        /// What is there instead.
        found: String,
    },
    /// Another engine took the run.
    #[error("this engine has token {ours} and lost the run: {}", who(holder.as_ref()))]
    #[diagnostic(code(evidence::fenced), help("the run goes on there: `lifeboat attach`"))]
    Fenced {
        /// This engine's token.
        ours: u64,
        /// Who has it now, as far as the lock says.
        holder: Option<Held>,
    },
    /// The record would not be readable.
    #[error("an event cannot be recorded, because what is written could not be read again: {problem}")]
    #[diagnostic(code(evidence::unreadable), help("this is a bug in Lifeboat; please report it"))]
    Unreadable {
        /// What is wrong with it.
        problem: Box<Problem>,
    },
    /// It has no form as JSON.
    #[error("an event cannot be recorded, because it has no form as JSON: {reason}")]
    #[diagnostic(code(evidence::unwritable), help("this is a bug in Lifeboat; please report it"))]
    Unwritable {
        /// Why.
        reason: String,
    },
}

fn who(holder: Option<&Held>) -> String {
    holder.map_or_else(|| "its lock does not say who has it".to_owned(), ToString::to_string)
}
