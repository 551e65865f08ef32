//! What happened in a run, as its records tell it.
//!
//! Duty: shapes, and the questions that every report asks of them. How they are filled is `fold`'s. A story must be
//! told of any sequence of records that has a `run-created`: a damaged or half-written log gives the story of what is
//! there.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    evidence::{
        Record,
        event::{ActName, Actuals, Finding, RunCreated, Stays, Verdict},
    },
    model::Level,
};

mod ask;
mod clusters;
mod decide;
mod fold;
mod notes;
mod sketch;
mod step;

pub use clusters::ClusterStory;
pub use step::{Attempt, Check, Control, Failure, GateStory, Retry, Skipped, Step, UndoStory, Unknown};

/// Where in the log, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The record's number.
    pub seq: u64,
    /// Wall clock.
    pub at: Timestamp,
    /// Milliseconds since the run was created.
    pub elapsed_ms: u64,
    /// Fencing token of the engine that wrote it.
    pub token: u64,
}

/// Where the run as a whole is. Whether an engine still runs is not in a log: a run that is `running` here may have
/// lost its engine after the last record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Nothing was touched yet.
    Created,
    /// Steps run.
    Running,
    /// Nothing new starts until somebody says so.
    Paused,
    /// Its engine left it because it waits for a person.
    Held,
    /// Its engine was told to stop; it can be resumed.
    Interrupted,
    /// What was done is being undone.
    Aborting,
    /// The clean-up runs.
    CleaningUp,
    /// It is over, and has a verdict.
    Finished,
}

/// A run, as its log tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// The first record: identity, runbook, inputs, objectives, the claimed level.
    pub created: RunCreated,
    /// When that was.
    pub began: Moment,
    /// The last record there is.
    pub last: Moment,
    /// How many records there are.
    pub records: usize,
    /// Whether they are numbered from 1 without gaps. That this is so proves nothing; that is `verify`'s.
    pub whole: bool,
    /// Whether the plan was there, for titles, phases and order.
    pub planned: bool,
    /// Where the run is.
    pub state: RunState,
    /// The end, when there is one.
    pub end: Option<End>,
    /// The processes that had the run, in order.
    pub engines: Vec<Engine>,
    /// When the clock of the outage started and stopped.
    pub marks: Marks,
    /// Objectives against actuals: those of the verdict, or as far as they are known now.
    pub objectives: Actuals,
    /// Every step by id, in plan order; those that the plan does not name come last.
    pub steps: IndexMap<String, Step>,
    /// What people did, accepted or refused, in order.
    pub acts: Vec<Act>,
    /// Who or what decided about the run, in order: acts of people, answers of policies, and what the engine decided
    /// by the runbook's rules.
    pub decisions: Vec<Decision>,
    /// The pre-flight.
    pub preflight: Option<Preflight>,
    /// When nothing new started, and why.
    pub pauses: Vec<Pause>,
    /// Who was told what, as far as it is known; it is no part of the log.
    pub deliveries: Vec<crate::notify::Delivery>,
    /// Clusters, in the order in which they were met.
    pub clusters: Vec<ClusterStory>,
    /// Guards that were bad, in the order in which that began.
    pub guards: Vec<BadGuard>,
    /// The abort.
    pub abort: Option<Abort>,
    /// When the clean-up began, and its steps.
    pub cleanup: Option<(Moment, Vec<String>)>,
    /// What was done and is still there, with the reason.
    pub left: Vec<Stays>,
    /// The points in time to which data was restored, by proven steps, in the order of the log.
    pub recovery_points: Vec<RecoveryPoint>,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: Moment,
    /// How it ended.
    pub verdict: Verdict,
    /// The process's exit code.
    pub exit_code: u8,
    /// Why.
    pub reason: String,
}

/// A process that had the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// When it took the run; `token` tells it from the others.
    pub began: Moment,
    /// The last record that it wrote.
    pub last: Moment,
    /// Process id.
    pub pid: u32,
    /// Host.
    pub host: String,
    /// System user.
    pub user: String,
    /// Engine version.
    pub version: String,
    /// Whether a person was at the terminal when it began.
    pub attended: bool,
    /// How many actions may run at once.
    pub parallel: u32,
    /// Bytes of an unfinished record that it cut off when it opened the log.
    pub torn_bytes: u64,
    /// When the terminal was lost.
    pub terminal_lost: Option<Moment>,
    /// Its farewell; none when it wrote the verdict, still runs, or died.
    pub left: Option<Farewell>,
}

/// A process leaves a run that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// When.
    pub at: Moment,
    /// Why.
    pub reason: String,
    /// What the run waits for.
    pub waits_for: Vec<String>,
    /// The process's exit code.
    pub exit_code: u8,
}

/// What started the clock of the outage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockStart {
    /// Somebody said when the outage began.
    Given,
    /// A step of a drill caused it.
    Step(String),
    /// Nobody said anything: the start of the run.
    RunStart,
}

/// When the clock of the outage started and stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// When the outage began.
    pub outage: Timestamp,
    /// By what rule.
    pub outage_from: ClockStart,
    /// When it was detected.
    pub detected: Option<Timestamp>,
    /// When the disaster was declared.
    pub declared: Option<Timestamp>,
    /// When the capability was back, and the step that proved it.
    pub restored: Option<(Timestamp, String)>,
}

/// A point in time to which data was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryPoint {
    /// The step that told it.
    pub step: String,
    /// The instant.
    pub at: Timestamp,
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Moment,
    /// What.
    pub act: ActName,
    /// On which step.
    pub step: Option<String>,
    /// Who.
    pub who: String,
    /// Why.
    pub reason: Option<String>,
    /// How we know who it was.
    pub how: String,
    /// Whether it was accepted.
    pub accepted: bool,
    /// Why it was refused.
    pub refusal: Option<String>,
}

/// Something that was decided about the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub at: Moment,
    /// Who: a person, `policy:…`, or `engine` for what the runbook's own rules decided.
    pub who: String,
    /// What, as a verb in the past: `approved`, `skipped`.
    pub did: &'static str,
    /// On which step.
    pub step: Option<String>,
    /// What else there is to say: how many approvals there are now, which gate it was.
    pub note: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// How we know who it was.
    pub how: Option<String>,
    /// Why it was refused, when it was.
    pub refused: Option<String>,
    /// In which way the run proves less than its plan because of this, when it does.
    pub overrides: Option<&'static str>,
}

/// The pre-flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preflight {
    /// When it was over.
    pub at: Moment,
    /// Whether everything that is required is there.
    pub passed: bool,
    /// Each requirement.
    pub findings: Vec<Finding>,
}

/// Nothing new started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// From when.
    pub from: Moment,
    /// Until when.
    pub until: Option<Moment>,
    /// Why.
    pub reason: String,
}

/// A guard was bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadGuard {
    /// Its name.
    pub guard: String,
    /// From when.
    pub from: Moment,
    /// Until when.
    pub until: Option<Moment>,
    /// Why, at first; when it tripped, at that time.
    pub reason: String,
    /// `false`: it could not be evaluated.
    pub evaluated: bool,
    /// When it tripped, and what followed.
    pub tripped: Option<(Moment, crate::model::Then)>,
}

/// The abort of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abort {
    /// When.
    pub at: Moment,
    /// Why.
    pub reason: String,
    /// What is undone, in order.
    pub undo: Vec<String>,
    /// What was done and stays.
    pub stays: Vec<Stays>,
}

impl Story {
    /// The story of a log. `plan` is the frozen `plan.json`, for titles, phases and order; any part of it may be
    /// missing. `None` when no record is a `run-created`.
    #[must_use]
    pub fn of(records: &[Record], plan: Option<&Value>) -> Option<Self> {
        fold::fold(records, plan)
    }

    /// The level that this run claimed to prove if it passed.
    #[must_use]
    pub fn claimed(&self) -> Level {
        self.created.level
    }
}
