//! Everything that the world can tell the machine.

use serde_json::Value;

use super::command::Timer;
use crate::{
    action::Outcome,
    evidence::event::{ActName, Artifact, ClusterMet, Finding, Task},
};

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// This process took the run. The first input of every process, after `Machine::new` or `Machine::recover`.
    Started(Engine),
    /// Tools and environment were looked at.
    Preflight(Vec<Finding>),
    /// The process of an action is there.
    ProcessStarted {
        /// Node of the plan.
        node: usize,
        /// Which of its actions.
        task: Task,
        /// Attempt.
        attempt: u32,
        /// Process id.
        pid: u32,
        /// See `Event::ProcessStarted`.
        identity: String,
    },
    /// An action has found all that it needs and wants to change something: it waits for `Command::Proceed`.
    ActionPrepared {
        /// Node of the plan.
        node: usize,
        /// Which of its actions.
        task: Task,
        /// Attempt.
        attempt: u32,
        /// See `Event::ActionPrepared`.
        facts: Value,
        /// What it kept.
        artifacts: Vec<Artifact>,
    },
    /// A cluster was reached.
    ClusterMet(ClusterMet),
    /// How many requests were made to the API of a cluster so far.
    ClusterAsked {
        /// The cluster, by its name in the runbook.
        cluster: String,
        /// Since this process has met it.
        requests: u64,
    },
    /// A cluster's API has to be asked again.
    ApiTrouble(ApiTrouble),
    /// An action ended.
    ActionFinished {
        /// Node of the plan.
        node: usize,
        /// Which of its actions.
        task: Task,
        /// Attempt.
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// What expressions see as `result`; secrets already masked.
        result: Value,
        /// Why it failed, for people.
        error: Option<String>,
        /// What it wrote.
        artifacts: Vec<Artifact>,
        /// Requests that it made to the API of a cluster.
        requests: Option<u64>,
    },
    /// One try of a check ended: what was observed, or why nothing could be.
    CheckFinished {
        /// The number that `Command::RunCheck` gave it.
        run: u64,
        /// An object with the fields of the check's facts, or an error for people.
        observed: Result<Value, String>,
    },
    /// Whether the process that an earlier engine left behind still runs; the answer to `Command::FollowProcess`.
    ProcessGone {
        /// Node of the plan.
        node: usize,
        /// Which of its actions.
        task: Task,
    },
    /// A timer is over.
    Timer(Timer),
    /// A person acted.
    Act(Act),
    /// A signal came.
    Signal(Signal),
    /// The log cannot be written any more.
    EvidenceLost {
        /// Why.
        reason: String,
    },
}

/// A request that has to be made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiTrouble {
    /// The cluster, by its name in the runbook.
    pub cluster: String,
    /// The step that waits for it.
    pub step: Option<String>,
    /// What was asked for.
    pub request: String,
    /// What came instead of an answer.
    pub reason: String,
    /// For how long it waits before it asks again.
    pub wait_ms: u64,
    /// How many tries in a row have failed so.
    pub failures: u32,
}

/// The process that runs the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Process id.
    pub pid: u32,
    /// Host.
    pub host: String,
    /// System user.
    pub user: String,
    /// Engine version.
    pub version: String,
    /// Whether a person is at the terminal.
    pub attended: bool,
    /// How many actions may run at once; at least 1.
    pub parallel: u32,
    /// Ask before every step.
    pub step_by_step: bool,
    /// Bytes of a torn last line that were cut off.
    pub torn_bytes: u64,
}

/// What a person does to the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub act: ActName,
    /// On which step.
    pub step: Option<String>,
    /// Who.
    pub who: String,
    /// Why.
    pub reason: Option<String>,
    /// How we know who it was.
    pub proof: Proof,
    /// Its own name, when it came from elsewhere: one that is in the log already was done and is not done again.
    pub id: Option<String>,
    /// To whom command is passed, by `handover`.
    pub to: Option<String>,
    /// Files that come with it.
    pub artifacts: Vec<Artifact>,
}

/// How we know who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// They are at the engine's terminal.
    Terminal,
    /// They could write to the run's inbox, and said who they are.
    Unsigned,
    /// They signed it with a key that is theirs by the run's `allowed_signers`.
    Signed {
        /// Fingerprint: `SHA256:…`.
        key: String,
    },
    /// Somebody signed it, but not they.
    Forged {
        /// Why it is not theirs.
        why: String,
    },
}

impl Proof {
    /// As it is recorded: `terminal`, `inbox`, `ssh:SHA256:…`, `forged`.
    #[must_use]
    pub fn how(&self) -> String {
        match self {
            Self::Terminal => "terminal".to_owned(),
            Self::Unsigned => "inbox".to_owned(),
            Self::Signed { key } => format!("ssh:{key}"),
            Self::Forged { .. } => "forged".to_owned(),
        }
    }
}

impl Act {
    /// An act at the engine's own terminal.
    #[must_use]
    pub fn at_the_terminal(act: ActName, step: Option<String>, who: String, reason: Option<String>) -> Self {
        Self { act, step, who, reason, proof: Proof::Terminal, id: None, to: None, artifacts: Vec::new() }
    }
}

/// Signals that mean something to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// The terminal is gone.
    Hangup,
}
