//! How records hang together: one JSON object a line, each with the SHA-256 of the line before it.
//!
//! Duty: a record's bytes, and whether a line follows another. The hash is over the stored bytes of a line, its line
//! end included, so that `sed -n 7p evidence.jsonl | sha256sum` gives what line 8 has as `prev`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Event;

/// `prev` of the first record.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// When, by whom and where in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stamp {
    /// From 1, without gaps.
    pub seq: u64,
    /// Wall clock, UTC.
    pub at: Timestamp,
    /// Since the run was created. Within one engine by the monotonic clock; across engines by the wall clock.
    pub elapsed_ms: u64,
    /// Fencing token of the engine that wrote it.
    pub token: u64,
    /// SHA-256 of the previous line's bytes, line end included, in hex.
    pub prev: String,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Record {
    /// When, by whom and where in the log.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Record {
    /// The line as it is stored, with its line end.
    ///
    /// # Errors
    /// When a value in the event cannot be JSON; no event of ours has one.
    pub fn to_line(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}

/// SHA-256 in lower-case hex.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}
