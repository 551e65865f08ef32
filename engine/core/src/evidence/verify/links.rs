//! One line after the other: is it a record, in an engine's own bytes, and does it follow the line before it?
//!
//! Duty: the chain, which holds for any log whatever happened in its run. Writers, readers and auditors use this same
//! code, so a line that an engine has written is a line that can be read.

use serde_json::Value;

use super::{Fault, Place, Problem};
use crate::evidence::{
    Event, FORMAT, Record,
    chain::{GENESIS, digest},
};

/// The end of a chain: what the next line must be.
#[derive(Debug, Clone)]
pub struct Links {
    seq: u64,
    prev: String,
    token: u64,
    offset: u64,
    finished: bool,
}

impl Default for Links {
    fn default() -> Self {
        Self::new()
    }
}

impl Links {
    /// Before the first line.
    #[must_use]
    pub fn new() -> Self {
        Self { seq: 0, prev: GENESIS.to_owned(), token: 0, offset: 0, finished: false }
    }

    /// The number of the last record; 0 before the first.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The hash of the last line: `prev` of the next.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.prev
    }

    /// The fencing token of the last record; 0 before the first.
    #[must_use]
    pub const fn token(&self) -> u64 {
        self.token
    }

    /// The length of all lines so far, in bytes.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the last record was `run-finished`.
    #[must_use]
    pub const fn finished(&self) -> bool {
        self.finished
    }

    /// Takes the next line, its line end included. After an error nothing has changed.
    ///
    /// # Errors
    /// What is wrong with the line, or with its place.
    pub fn follow(&mut self, line: &[u8]) -> Result<Record, Box<Problem>> {
        let seq = self.seq + 1;
        let unread = || Some(Place { seq, line: seq, byte: self.offset, what: String::new() });
        let record = read(line, seq == 1).map_err(|fault| Box::new(Problem { at: unread(), fault }))?;
        if let Err(fault) = self.fits(&record) {
            let at = Place { seq, line: seq, ..Place::of(&record, self.offset) };
            return Err(Box::new(Problem { at: Some(at), fault }));
        }
        self.seq = seq;
        self.prev = digest(line);
        self.token = record.stamp.token;
        self.offset += line.len() as u64;
        self.finished = matches!(record.event, Event::RunFinished(_));
        Ok(record)
    }

    fn fits(&self, record: &Record) -> Result<(), Fault> {
        let stamp = &record.stamp;
        if stamp.seq != self.seq + 1 {
            return Err(Fault::Seq { expected: self.seq + 1, found: stamp.seq });
        }
        if stamp.prev != self.prev {
            return Err(Fault::Prev { expected: self.prev.clone(), found: stamp.prev.clone() });
        }
        if stamp.token < self.token.max(1) {
            return Err(Fault::Token { before: self.token, found: stamp.token });
        }
        if self.finished {
            return Err(Fault::AfterFinish);
        }
        Ok(())
    }
}

/// A line alone: whole, UTF-8, JSON, a record, of a format that is known, and in an engine's own bytes.
fn read(line: &[u8], first: bool) -> Result<Record, Fault> {
    if line.last() != Some(&b'\n') {
        return Err(Fault::Torn { bytes: line.len() as u64 });
    }
    let text = std::str::from_utf8(line).map_err(|error| Fault::NotUtf8 { column: error.valid_up_to() })?;
    let record: Record = match serde_json::from_str(text) {
        Ok(record) => record,
        Err(reason) => return Err(why_no_record(text, first, &reason)),
    };
    if first {
        known_format(&record)?;
    }
    // Whatever parses to the same record but has other bytes (a space, another order of keys, an escape, a key that we
    // do not know) was not written by an engine. Without this it would be found only at the next record, or at the
    // last one not at all.
    let canonical = record.to_line().map_err(|error| Fault::NotARecord { reason: error.to_string() })?;
    if canonical != line {
        let same = canonical.iter().zip(line).take_while(|(ours, theirs)| ours == theirs).count();
        return Err(Fault::NotCanonical { column: same });
    }
    Ok(record)
}

fn known_format(record: &Record) -> Result<(), Fault> {
    let Event::RunCreated(created) = &record.event else {
        return Err(Fault::Order { why: "expected `run-created` as the first record of the log".to_owned() });
    };
    match created.format {
        0 => Err(Fault::NoSuchFormat { found: 0 }),
        1..=FORMAT => Ok(()),
        newer => Err(Fault::NewerFormat { found: u64::from(newer), engine: created.engine.clone() }),
    }
}

/// A newer format may have a first record that we cannot read, and must still be refused by its name.
fn why_no_record(text: &str, first: bool, reason: &serde_json::Error) -> Fault {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return Fault::NotJson { reason: reason.to_string() };
    };
    let format = value.get("format").and_then(Value::as_u64).unwrap_or_default();
    if first && value.get("event").and_then(Value::as_str) == Some("run-created") && format > u64::from(FORMAT) {
        let engine = value.get("engine").and_then(Value::as_str).unwrap_or("of an unknown version").to_owned();
        return Fault::NewerFormat { found: format, engine };
    }
    Fault::NotARecord { reason: reason.to_string() }
}
