//! Does a log hold? Everything that can be said about a run's evidence from its bytes alone.
//!
//! Duty: to find the first record at which a log stops being what an engine wrote, and to name it; and to list what else
//! has to be compared (artifacts, frozen files). It must not read files: the caller brings the lines, in order, and may
//! stream them. What is legal in which order is `order`'s; how a line hangs on the one before it is `links`'s.

mod fault;
mod links;
mod order;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

pub use self::{
    fault::{Fault, Notice, Place, Problem},
    links::Links,
    order::Order,
};
use super::{Event, Record, event::Artifact};

/// What seals a log: its last record when an engine left it, by number and hash. One line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The record's number.
    pub seq: u64,
    /// SHA-256 of its line, line end included, in hex: what the next record would have as `prev`.
    pub hash: String,
}

impl Head {
    /// The bytes of the file `head`.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        // By hand, because this cannot fail and `serde_json::to_vec` says that it can.
        format!("{{\"seq\":{},\"hash\":\"{}\"}}\n", self.seq, self.hash).into_bytes()
    }

    /// Reads the file `head`. Only the bytes that `to_line` writes are accepted, so that no byte of it can change
    /// without being seen.
    ///
    /// # Errors
    /// `Fault::HeadUnreadable`, with the reason.
    pub fn from_line(bytes: &[u8]) -> Result<Self, Fault> {
        let head: Self = serde_json::from_slice(bytes)
            .map_err(|error| Fault::HeadUnreadable { reason: format!("it cannot be read: {error}") })?;
        if head.to_line() == bytes {
            Ok(head)
        } else {
            Err(Fault::HeadUnreadable { reason: "its bytes are not those that an engine writes".to_owned() })
        }
    }
}

/// A file of the evidence that a record names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// What is named.
    pub artifact: Artifact,
    /// By which record.
    pub at: Place,
}

/// What was found.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The run's id, as its first record has it.
    pub run: Option<String>,
    /// How many records hold.
    pub records: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// The last record that holds.
    pub last: Option<Head>,
    /// Whether the last record is `run-finished`.
    pub finished: bool,
    /// What is wrong. Of the log only the first problem is told: behind it nothing can be relied on.
    pub problems: Vec<Problem>,
    /// What is not wrong, but limits what was proven.
    pub notices: Vec<Notice>,
    /// The digest of `allowed_signers`, when people are bound to keys.
    pub signers: Option<String>,
    /// The artifacts that the records name, in order.
    pub artifacts: Vec<Reference>,
    /// SHA-256 of every frozen file of the runbook, by frozen path.
    pub frozen: IndexMap<String, String>,
    /// SHA-256 of the plan.
    pub plan_digest: Option<String>,
    /// The first record.
    pub first: Option<Place>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Verifies the bytes of `evidence.jsonl`, against the file `head` where there is one.
#[must_use]
pub fn verify_log(bytes: &[u8], head: Option<&Head>) -> Report {
    let mut verifier = Verifier::new(head.cloned());
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        verifier.line(line);
    }
    verifier.finish()
}

/// The same, line by line, for logs that should not be in memory as a whole.
#[derive(Debug, Clone)]
pub struct Verifier {
    links: Links,
    order: Order,
    clocks: Clocks,
    head: Option<Head>,
    /// The record that the head names, and whether its hash is the one it has.
    sealed: Option<(Place, String)>,
    report: Report,
}

impl Verifier {
    /// Begins at the first line. `head` is what the file of that name says, where there is one.
    #[must_use]
    pub fn new(head: Option<Head>) -> Self {
        Self {
            links: Links::new(),
            order: Order::new(),
            clocks: Clocks::default(),
            head,
            sealed: None,
            report: Report::default(),
        }
    }

    /// Takes the next line, its line end included. After the first problem nothing is looked at any more.
    pub fn line(&mut self, line: &[u8]) {
        if !self.report.problems.is_empty() {
            return;
        }
        let byte = self.links.offset();
        let record = match self.links.follow(line) {
            Ok(record) => record,
            Err(problem) => return self.report.problems.push(*problem),
        };
        let seq = record.stamp.seq;
        if let Err(why) = self.order.follow(&record) {
            let at = Some(Place::of(&record, byte));
            return self.report.problems.push(Problem { at, fault: Fault::Order { why } });
        }
        if self.head.as_ref().is_some_and(|head| head.seq == seq) {
            self.sealed = Some((Place::of(&record, byte), self.links.hash().to_owned()));
        }
        self.clocks.follow(&record);
        self.collect(record, byte);
    }

    /// The verdict, after the last line.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let (records, finished) = (self.links.seq(), self.links.finished());
        self.report.records = records;
        self.report.bytes = self.links.offset();
        self.report.finished = finished;
        self.report.last = (records > 0).then(|| Head { seq: records, hash: self.links.hash().to_owned() });
        let broken = !self.report.problems.is_empty();
        if records == 0 && !broken {
            self.problem(None, Fault::Empty);
        }
        match (self.head.take(), self.sealed.take()) {
            (Some(head), Some((place, found))) if found != head.hash => {
                self.problem(Some(place), Fault::HeadHash { expected: head.hash, found });
            }
            // Behind a problem the rest was not read, so nothing can be said about what the head names there.
            (Some(_), None) if broken => {}
            (Some(head), None) => self.problem(None, Fault::HeadPast { head: head.seq, last: records }),
            (Some(head), Some((place, _))) if head.seq < records && finished => {
                self.problem(Some(place), Fault::HeadNotLast { head: head.seq, last: records });
            }
            (Some(head), Some(_)) if head.seq < records => {
                self.report.notices.push(Notice::Unsealed { from: head.seq + 1, to: records });
            }
            (None, _) if finished => self.problem(None, Fault::HeadMissing { last: records }),
            (None, _) if records > 0 => self.report.notices.push(Notice::Unsealed { from: 1, to: records }),
            (Some(_), Some(_)) | (None, _) => {}
        }
        self.clocks.tell(&mut self.report.notices);
        self.report.notices.push(Notice::Unsigned);
        self.report
    }

    fn problem(&mut self, at: Option<Place>, fault: Fault) {
        self.report.problems.push(Problem { at, fault });
    }

    /// Notes what the caller has to compare with files.
    fn collect(&mut self, record: Record, byte: u64) {
        match &record.event {
            Event::RunCreated(_) => self.report.first = Some(Place::of(&record, byte)),
            Event::Act { artifacts, .. } if !artifacts.is_empty() => {
                let at = Place::of(&record, byte);
                let named = artifacts.iter().cloned();
                self.report.artifacts.extend(named.map(|artifact| Reference { artifact, at: at.clone() }));
            }
            Event::ActionFinished(finished) if !finished.artifacts.is_empty() => {
                let at = Place::of(&record, byte);
                let named = finished.artifacts.iter().cloned();
                self.report.artifacts.extend(named.map(|artifact| Reference { artifact, at: at.clone() }));
            }
            _ => {}
        }
        if let Event::RunCreated(created) = record.event {
            self.report.signers = created.signers;
            self.report.run = Some(created.run);
            self.report.plan_digest = Some(created.plan_digest);
            self.report.frozen = created.runbook.digests;
        }
    }
}

/// Clocks step, so a time that goes backwards is told and not held against the log.
#[derive(Debug, Clone, Default)]
struct Clocks {
    last: Option<super::Stamp>,
    /// How often, the first record of them, and the largest step in milliseconds.
    back: Option<(u64, u64, i64)>,
    /// The same for `elapsedMs` within one engine, which has it from a clock that cannot step.
    elapsed: Option<(u64, u64)>,
}

impl Clocks {
    fn follow(&mut self, record: &Record) {
        let stamp = &record.stamp;
        if let Some(last) = &self.last {
            let step = last.at.as_millisecond().saturating_sub(stamp.at.as_millisecond());
            if stamp.at < last.at {
                let (times, first, largest) = self.back.unwrap_or((0, stamp.seq, 0));
                self.back = Some((times + 1, first, largest.max(step)));
            }
            if stamp.token == last.token && stamp.elapsed_ms < last.elapsed_ms {
                let (times, first) = self.elapsed.unwrap_or((0, stamp.seq));
                self.elapsed = Some((times + 1, first));
            }
        }
        self.last = Some(stamp.clone());
    }

    fn tell(&self, notices: &mut Vec<Notice>) {
        if let Some((times, seq, millis)) = self.back {
            notices.push(Notice::WallClockBack { times, seq, millis });
        }
        if let Some((times, seq)) = self.elapsed {
            notices.push(Notice::ElapsedBack { times, seq });
        }
    }
}
