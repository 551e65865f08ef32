//! What can be wrong with evidence, in words for an auditor, and where.
//!
//! Duty: names and texts. A text says what was expected, what was found and what that means.

use std::fmt;

use serde::Serialize;

use crate::evidence::{Event, Record};

/// A record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its number; for a line that is no record, the number it should have.
    pub seq: u64,
    /// Its line, from 1. The same as `seq` for as long as the log holds.
    pub line: u64,
    /// Offset of its first byte in the file, from 0.
    pub byte: u64,
    /// What it is, such as `action-finished restore`; empty when that cannot be said.
    pub what: String,
}

impl Place {
    /// A record that holds, and begins at this offset.
    #[must_use]
    pub fn of(record: &Record, byte: u64) -> Self {
        Self { seq: record.stamp.seq, line: record.stamp.seq, byte, what: what(&record.event) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, line, byte, what } = self;
        let comma = if what.is_empty() { "" } else { ", " };
        write!(f, "record {seq} ({what}{comma}line {line}, byte {byte})")
    }
}

/// The event's name, and its step where it has one.
fn what(event: &Event) -> String {
    // The names are serde's, so they are taken from there: a list of our own would be one more thing to forget.
    let value = serde_json::to_value(event).unwrap_or_default();
    let text = |key: &str| value.get(key).and_then(|value| value.as_str()).unwrap_or_default();
    [text("event"), text("step")].join(" ").trim_end().to_owned()
}

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The record; `None` when it is not about one.
    pub at: Option<Place>,
    /// What is wrong.
    #[serde(flatten)]
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(place) => write!(f, "{place}: {}", self.fault),
            None => self.fault.fmt(f),
        }
    }
}

impl std::error::Error for Problem {}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Fault {
    /// The log has no records.
    #[error("the log is empty: expected `run-created` as its first record")]
    Empty,
    /// The last line has no end.
    #[error(
        "the last line is torn: it has {bytes} bytes and no line end, so it was not written to its end; an engine cuts \
         it off, and says so, when it takes the run again"
    )]
    Torn {
        /// Length of the line.
        bytes: u64,
    },
    /// It is not UTF-8.
    #[error("the line is not UTF-8 from its byte {column} on")]
    NotUtf8 {
        /// Offset in the line.
        column: usize,
    },
    /// It is not JSON.
    #[error("the line is not JSON: {reason}")]
    NotJson {
        /// Why not.
        reason: String,
    },
    /// It is JSON, but not a record.
    #[error("the line is JSON, but no record of format {format}: {reason}", format = crate::evidence::FORMAT)]
    NotARecord {
        /// Why not.
        reason: String,
    },
    /// The log is of a newer version.
    #[error(
        "the log has format {found} (written by Lifeboat {engine}), and this Lifeboat ({version}) reads formats 1 to \
         {known}: use Lifeboat {engine} or newer",
        known = crate::evidence::FORMAT,
        version = env!("CARGO_PKG_VERSION")
    )]
    NewerFormat {
        /// Its version.
        found: u64,
        /// The engine that wrote it, as far as it can be read.
        engine: String,
    },
    /// There is no such format.
    #[error("there is no format {found}: the first is 1")]
    NoSuchFormat {
        /// What it says.
        found: u64,
    },
    /// The bytes are not those that an engine writes for this record.
    #[error(
        "the line says the same as a record, but not in the bytes that an engine writes: it differs from byte {column} \
         of the line on"
    )]
    NotCanonical {
        /// Offset in the line.
        column: usize,
    },
    /// A gap, or a wrong order.
    #[error("expected seq {expected}, found seq {found}: records were removed, inserted, or changed places")]
    Seq {
        /// What should be there.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// It does not follow the line before it.
    #[error(
        "its `prev` is {found}, but the line before it hashes to {expected}: that line was changed after this one was \
         written, or this one was"
    )]
    Prev {
        /// Hash of the line before.
        expected: String,
        /// What the record has.
        found: String,
    },
    /// A token went down.
    #[error(
        "its fencing token is {found}, after {before}: an engine wrote after another one had taken the run from it"
    )]
    Token {
        /// The token of the record before.
        before: u64,
        /// This record's.
        found: u64,
    },
    /// Something follows `run-finished`.
    #[error("it follows `run-finished`, which is always the last record")]
    AfterFinish,
    /// It cannot happen at this point of a run.
    #[error("{why}")]
    Order {
        /// Which rule it breaks.
        why: String,
    },
    /// The head is not what an engine writes.
    #[error("the file `head` is damaged: {reason}")]
    HeadUnreadable {
        /// Why.
        reason: String,
    },
    /// A finished run has no head.
    #[error("the run is finished (record {last}), but the file `head` that seals it is missing")]
    HeadMissing {
        /// The last record.
        last: u64,
    },
    /// The head names a record that is not there.
    #[error(
        "`head` seals record {head}, but the log ends with record {last}: the log was truncated, or `head` changed"
    )]
    HeadPast {
        /// What the head names.
        head: u64,
        /// The last record.
        last: u64,
    },
    /// The head names another record of this number.
    #[error(
        "`head` has the hash {expected} for this record, but it hashes to {found}: the record or `head` was changed"
    )]
    HeadHash {
        /// What the head has.
        expected: String,
        /// The record's hash.
        found: String,
    },
    /// The run is finished, and its head is an older one.
    #[error(
        "`head` seals record {head}, but the run is finished with record {last}: `head` was not written at its end"
    )]
    HeadNotLast {
        /// What the head names.
        head: u64,
        /// The last record.
        last: u64,
    },
    /// A digest is none.
    #[error("`{digest}`, the digest of `{name}`, is not a SHA-256 in lower-case hex")]
    NotADigest {
        /// Of what.
        name: String,
        /// What it says.
        digest: String,
    },
    /// A file that a record names is not there.
    #[error("`{path}` ({name}) is missing")]
    FileMissing {
        /// What it is.
        name: String,
        /// Below the run's directory.
        path: String,
    },
    /// A file that a record names has other bytes.
    #[error("`{path}` ({name}) was changed: expected {bytes} with SHA-256 {expected}, found {found_bytes} bytes with {found}",
        bytes = bytes.map_or_else(|| "bytes".to_owned(), |bytes| format!("{bytes} bytes")))]
    FileChanged {
        /// What it is.
        name: String,
        /// Below the run's directory.
        path: String,
        /// Its length as recorded, where it is recorded.
        bytes: Option<u64>,
        /// Its digest as recorded.
        expected: String,
        /// Its length.
        found_bytes: u64,
        /// Its digest.
        found: String,
    },
    /// A file that a record names cannot be read.
    #[error("`{path}` ({name}) cannot be read: {reason}")]
    FileUnreadable {
        /// What it is.
        name: String,
        /// Below the run's directory.
        path: String,
        /// Why.
        reason: String,
    },
    /// There is a file among the frozen ones that no record names.
    #[error("`{path}` is not among the frozen files that `run-created` names: it was added later")]
    FileAdded {
        /// Below the run's directory.
        path: String,
    },
}

/// What is not wrong, but limits what was proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "notice", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Notice {
    /// There is no signature.
    #[error(
        "unsigned: whoever can write to the run's directory can have replaced or truncated the log together with its \
         head; truncation below the head cannot be excluded"
    )]
    Unsigned,
    /// There is a signature, and it was not looked at.
    #[error(
        "`head.sig` was not checked here: `ssh-keygen -Y verify -n lifeboat-evidence -f ALLOWED_SIGNERS -I SIGNER \
         -s head.sig < head` does it"
    )]
    SignatureNotChecked,
    /// No head stands behind these records.
    #[error("records {from} to {to} are not sealed: no engine has left the run in order since it wrote them")]
    Unsealed {
        /// First of them.
        from: u64,
        /// Last of them.
        to: u64,
    },
    /// The wall clock was set back.
    #[error(
        "the wall clock went backwards {times} time(s), first before record {seq}, by at most {millis} ms; durations are \
         measured by another clock"
    )]
    WallClockBack {
        /// How often.
        times: u64,
        /// First at this record.
        seq: u64,
        /// Largest step.
        millis: i64,
    },
    /// The monotonic clock was not.
    #[error("`elapsedMs` went backwards {times} time(s) within one engine, first at record {seq}")]
    ElapsedBack {
        /// How often.
        times: u64,
        /// First at this record.
        seq: u64,
    },
    /// An artifact without a record.
    #[error(
        "`{path}` is named by no record: an engine died between writing it and recording it, or it was added later"
    )]
    Unreferenced {
        /// Below the run's directory.
        path: String,
    },
    /// What was cut off.
    #[error("`{path}` holds what was cut off a torn log")]
    TornSide {
        /// Below the run's directory.
        path: String,
    },
    /// The directory has another name than the run.
    #[error("the log is the one of run `{recorded}`, and it is in a directory named `{directory}`")]
    OtherName {
        /// As `run-created` has it.
        recorded: String,
        /// The directory's name.
        directory: String,
    },
}
