//! What can go wrong, in words that say what to do about it.

use std::{fmt, io, path::PathBuf};

/// Why there is no cluster, or why one of its servers does not do what was asked.
#[derive(thiserror::Error)]
pub enum Error {
    /// The servers of a Go module are not in the cache.
    #[error("`{module}` is not built (expected in {}); build it once with `cargo xtask cluster --build`", directory.display())]
    NotBuilt {
        /// Name of the module below `modules/`.
        module: &'static str,
        /// Where it would be.
        directory: PathBuf,
    },
    /// There is no Go that can build them.
    #[error("no Go to build the test servers with: {0}")]
    Go(String),
    /// A module could not be built.
    #[error("the test servers of `{module}` could not be built: {why}\n{tail}\nall of it is in {}", log.display())]
    Build {
        /// Name of the module below `modules/`.
        module: &'static str,
        /// How it ended.
        why: String,
        /// The last lines that the build printed.
        tail: String,
        /// Where all lines are.
        log: PathBuf,
    },
    /// A server has ended, or is not ready in time.
    #[error("{server}: {why}; the last lines of its log:\n{tail}")]
    Server {
        /// Which.
        server: String,
        /// What was expected, and what is.
        why: String,
        /// The end of its log.
        tail: String,
    },
    /// Something was waited for and did not happen.
    #[error("waited {seconds:.1} s for {what}: {last}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: f64,
        /// What was seen last.
        last: String,
    },
    /// The API server has refused a request.
    #[error("{request}: {status} {reason}: {message}")]
    Refused {
        /// Method and path.
        request: String,
        /// HTTP status.
        status: u16,
        /// Kubernetes' word for it, such as `NotFound`; empty when the answer was no `Status` object.
        reason: String,
        /// What it says.
        message: String,
    },
    /// There was no answer.
    #[error("{request}: {why}")]
    Unreachable {
        /// Method and path.
        request: String,
        /// Why.
        why: String,
    },
    /// A file or a process of the system.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// Certificates and keys.
    #[error("{0}")]
    Certificate(String),
    /// What was given cannot be used.
    #[error("{0}")]
    Input(String),
}

/// The text: a test that unwraps shall show the lines of a log as lines.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Error {
    /// Whether the API server said that there is no such object.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// For `map_err`: an error of the system while this was tried.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
