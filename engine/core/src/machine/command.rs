//! Everything that the machine can ask for.
//!
//! The order of commands is a promise: **an effect must not begin before every `Append` in front of it is durable**.
//! Several appends in a row may share one sync.

use super::{Now, needs::Needs};
use crate::{
    action::{
        self,
        kube::{ClusterRef, Prepared},
    },
    check,
    duration::Duration,
    evidence::{
        Event,
        event::{ActName, Task},
    },
};

/// Something that is to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Write this to the log, with this time.
    Append(Event, Now),
    /// Look at the tools, the environment and the clusters that the plan requires; answer with `Input::Preflight`, and with
    /// `Input::ClusterMet` for each cluster before that.
    Preflight {
        /// The plan's clusters.
        clusters: Vec<ClusterRef>,
        /// What the plan will need of them; its manifests have secrets in the clear.
        needs: Box<Needs>,
    },
    /// Reach the plan's clusters, without waiting for it: `Input::ClusterMet` for each that answers.
    MeetClusters(Vec<ClusterRef>),
    /// Start an action.
    StartAction {
        /// Node of the plan.
        node: usize,
        /// Which of its actions.
        task: Task,
        /// Attempt.
        attempt: u32,
        /// What to do, with secrets in the clear.
        order: action::Order,
        /// What the attempts on a cluster found before they changed anything. If this attempt is among them, an earlier
        /// engine had begun it: it is gone on with and not begun anew.
        prepared: Vec<Prepared>,
    },
    /// What the action found is durable: it may change something now.
    Proceed {
        /// Node of the plan.
        node: usize,
        /// Which of its actions.
        task: Task,
        /// Attempt.
        attempt: u32,
    },
    /// Stop an action: TERM, grace, KILL, all of it gone; `Input::ActionFinished` follows with the given outcome.
    StopAction {
        /// Node of the plan.
        node: usize,
        /// Which of its actions.
        task: Task,
        /// Attempt.
        attempt: u32,
        /// `TimedOut` or `Stopped`.
        outcome: action::Outcome,
        /// Do not wait: KILL.
        now: bool,
    },
    /// An earlier engine left this process; tell when it is gone (at once, when it is or never was).
    FollowProcess {
        /// Node of the plan.
        node: usize,
        /// Which of its actions.
        task: Task,
        /// Process id.
        pid: u32,
        /// See `Event::ProcessStarted`.
        identity: String,
    },
    /// Observe once.
    RunCheck {
        /// Number of this try, unique in the process.
        run: u64,
        /// Node of the plan; `None` in the pre-flight.
        node: Option<usize>,
        /// What to observe.
        order: check::Order,
        /// Longest time.
        timeout: Duration,
    },
    /// Forget a check that runs; no answer is wanted.
    CancelCheck {
        /// Its number.
        run: u64,
    },
    /// Tell when so much time has passed.
    Arm {
        /// Which timer.
        timer: Timer,
        /// When, from now, in milliseconds.
        after_ms: u64,
    },
    /// Put a question to whoever is there. It stays open until an act answers it or `CloseQuestion` withdraws it.
    Ask(Question),
    /// A question has been answered, or does not matter any more.
    CloseQuestion {
        /// Its step; empty for the run.
        step: String,
    },
    /// This process is done with the run, as soon as every `StopAction` in front of this is carried out: nothing it
    /// started may outlive it. No answer is wanted any more.
    Exit {
        /// Exit code.
        code: u8,
        /// Why, one line for people.
        reason: String,
    },
}

/// Timers. One that has lost its meaning is ignored when it fires.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// An action's time is over.
    Action {
        /// Node of the plan.
        node: usize,
        /// Which of its actions.
        task: Task,
        /// Attempt.
        attempt: u32,
    },
    /// The next attempt is due.
    Retry {
        /// Node of the plan.
        node: usize,
        /// Which of its actions.
        task: Task,
        /// Attempt.
        attempt: u32,
    },
    /// The next try of a check is due.
    Poll {
        /// Number of the check series it belongs to.
        series: u64,
    },
    /// A gate's time is over.
    Approval {
        /// Node of the plan.
        node: usize,
        /// Which of its actions.
        task: Task,
    },
    /// The next look at a guard is due.
    Guard {
        /// Number of the guard.
        guard: usize,
    },
    /// The grace after SIGTERM is over.
    Grace,
}

/// A question for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Step; empty for the run.
    pub step: String,
    /// What is asked.
    pub kind: QuestionKind,
    /// What to tell first, a few lines.
    pub text: String,
    /// Everything there is to know about it, for whoever asks.
    pub details: String,
    /// The acts that answer it.
    pub choices: Vec<ActName>,
}

/// The kinds of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuestionKind {
    /// May this step start?
    Approval,
    /// `--step`: go on with this step?
    Step,
    /// It failed: what now?
    Failure,
    /// Nobody knows whether it was done: what now?
    Unknown,
    /// Do this, and say so.
    Manual,
    /// Yes or no?
    Check,
    /// The run is paused: what now?
    Paused,
}
