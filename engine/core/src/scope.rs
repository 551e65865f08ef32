//! What templates and expressions can see.
//!
//! Duty: names to values. Which names a text may use is checked by lint; the machine fills a scope with what the text
//! refers to, and with nothing else, so that evaluating one text does not cost as much as the whole run is large.

use serde_json::{Map, Value};

/// The names that a text sees when it is rendered or evaluated.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// `inputs`, `steps`, `run`, `each`, `result`, `outputs` and the fields of a check's result, by top-level name.
    pub names: Map<String, Value>,
    /// The run's clocks; expressions see them as CEL durations, templates as text such as `1h30m`.
    pub clock: Clock,
}

/// The run's clocks, in milliseconds; `None` is CEL's `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clock {
    /// Since the outage.
    pub since_outage: Option<u64>,
    /// Since it was declared.
    pub since_declared: Option<u64>,
    /// Since the run began.
    pub elapsed: Option<u64>,
}

/// A name that a text refers to, and where in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The path, for example `["steps", "count", "outputs", "n"]`. It ends where it stops being literal.
    pub path: Vec<String>,
    /// Whether the path goes on with something that is not a literal: `steps[x]`.
    pub dynamic: bool,
    /// Where in the text, in bytes.
    pub range: std::ops::Range<usize>,
}

/// Why a text cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What was expected and what was found.
    pub message: String,
    /// Where in the text, in bytes; never past its end.
    pub range: std::ops::Range<usize>,
    /// What to do.
    pub help: Option<String>,
}
