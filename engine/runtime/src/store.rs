//! Where runs are kept: a directory for each, below `<store>/runs/`.
//!
//! Duty: to name runs, find them, and keep what they record such that it survives a crash and shows every change. What
//! is recorded is `lifeboat-core`'s. A run's directory:
//!
//! ```text
//! runbook/            frozen copy of the runbook and every file it includes
//! plan.json           the plan
//! evidence.jsonl      the log: one record a line, append-only, mode 0600
//! artifacts/<sha256>  outputs, by content
//! inbox/              acts of people from other terminals
//! head                number and hash of the last record when an engine left the run
//! torn-<offset>       what was cut off a torn log, if that ever happened
//! lock                who has the run, and its fencing token
//! ```

mod artifact;
mod error;
mod files;
mod lock;
mod log;
mod read;
mod run;
#[cfg(test)]
mod tests;
mod verify;

use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use self::{
    artifact::{Artifacts, Spool},
    error::{AppendError, LogDamage, OpenError, StoreError},
    lock::{Held, Holder},
    log::{Log, Opened},
    read::read_log,
    run::RunDir,
    verify::verify_run,
};

/// The store that is used when nobody says otherwise, in the working directory.
pub const DEFAULT: &str = ".lifeboat";

/// A store of runs on a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

/// A run in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummaryEntry {
    /// Its id.
    pub id: String,
    /// Its directory.
    pub path: PathBuf,
}

impl Store {
    /// The store in this directory; it is made when the first run is.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Its directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of its runs.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Every run, the oldest first. A store that is not there has none.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn list(&self) -> Result<Vec<RunSummaryEntry>, StoreError> {
        let mut runs = Vec::new();
        for (id, path) in files::children(&self.runs())? {
            // The log is made last: without it the directory is what is left of a creation that did not come to its end.
            if path.join(run::LOG).is_file() {
                runs.push(RunSummaryEntry { id, path });
            }
        }
        Ok(runs)
    }

    /// The run with this id, with an id that begins like this if there is only one, or the newest for `@latest`.
    ///
    /// # Errors
    /// When there is none, or more than one; both name the candidates.
    pub fn find(&self, name: &str) -> Result<RunSummaryEntry, StoreError> {
        let mut runs = self.list()?;
        let store = self.root.display().to_string();
        if name == "@latest" {
            return runs.pop().ok_or(StoreError::NoRuns { store });
        }
        if runs.is_empty() {
            return Err(StoreError::NoRuns { store });
        }
        if let Some(at) = runs.iter().position(|run| run.id == name) {
            return Ok(runs.swap_remove(at));
        }
        let ids = |runs: &[RunSummaryEntry]| runs.iter().rev().map(|run| run.id.clone()).collect();
        let mut matching: Vec<RunSummaryEntry> =
            runs.iter().filter(|run| !name.is_empty() && run.id.starts_with(name)).cloned().collect();
        match (matching.len(), matching.pop()) {
            (1, Some(run)) => Ok(run),
            (0, _) | (_, None) => Err(StoreError::NoSuchRun { name: name.to_owned(), store, candidates: ids(&runs) }),
            (_, Some(last)) => {
                matching.push(last);
                Err(StoreError::AmbiguousRun { name: name.to_owned(), candidates: ids(&matching) })
            }
        }
    }
}

/// An id for a run that begins now: `20261121t022028z-quickstart-7f3a`. Ids sort by time, to the second. When the id is
/// taken, try again with another random number, of which it has the last 16 bits.
#[must_use]
pub fn run_id(now: Timestamp, runbook: &str, random: u64) -> String {
    const LONGEST: usize = 32;
    let letter = |letter: char| match letter.to_ascii_lowercase() {
        letter @ ('a'..='z' | '0'..='9') => letter,
        _ => '-',
    };
    let name: String = runbook.chars().map(letter).take(LONGEST).collect();
    let name = match name.trim_matches('-') {
        "" => "run",
        name => name,
    };
    format!("{}-{name}-{:04x}", now.strftime("%Y%m%dt%H%M%Sz"), random & 0xffff)
}
