//! Everything that a run records, in one place.
//!
//! Duty: names and shapes. An event never changes its meaning; new ones are added. Texts are already masked.

use indexmap::IndexMap;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

mod finding;
mod run;
mod step;

pub use finding::{Finding, Severity};
pub use run::{Actuals, InputRecord, Rpo, Rto, RunCreated, RunFinished, RunbookIdentity, Stays, Verdict};
pub use step::{ActionFinished, AfterFailure, Artifact, Gate, Resolution, Resolved, SkippedBy, Task};

/// One thing that happened. `step` names a step instance, `attempt` counts from 1, times end in `Ms` and are
/// milliseconds, instants are RFC 3339.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// Always the first record: what is about to be run, by whom, with what.
    RunCreated(Box<RunCreated>),
    /// A process took the run; each one has a higher token.
    EngineStarted {
        /// Process id.
        pid: u32,
        /// The host's name.
        host: String,
        /// The system user.
        user: String,
        /// Engine version.
        engine: String,
        /// Whether a person is at the terminal.
        attended: bool,
        /// How many actions may run at once.
        parallel: u32,
        /// Bytes of an unfinished last line that were cut off when the log was opened; 0 in the normal case.
        #[serde(default)]
        torn_bytes: u64,
    },
    /// What must be true before anything is touched was checked.
    PreflightFinished {
        /// Whether the run may begin: all of it is true but for what does not keep it from beginning.
        passed: bool,
        /// Each requirement.
        findings: Vec<Finding>,
    },
    /// Nothing new starts until `run-continued`.
    RunPaused {
        /// Why.
        reason: String,
    },
    /// The run goes on.
    RunContinued {},
    /// A gate opened: the step waits for people.
    ApprovalRequested {
        /// Step.
        step: String,
        /// What waits: the step, or its undo.
        task: Task,
        /// Which gate.
        gate: Gate,
        /// The role that may approve.
        by: Option<String>,
        /// How many distinct people.
        count: u32,
        /// When it is denied by itself.
        expires_at: Option<Timestamp>,
    },
    /// Somebody, or a policy in a drill, said yes.
    ApprovalGiven {
        /// Step.
        step: String,
        /// What was approved.
        task: Task,
        /// Which gate.
        gate: Gate,
        /// Who; `policy:drill-only` for a policy.
        who: String,
        /// How many of the needed approvals there are now.
        given: u32,
    },
    /// Somebody, or a policy, said no.
    ApprovalDenied {
        /// Step.
        step: String,
        /// What was denied.
        task: Task,
        /// Which gate.
        gate: Gate,
        /// Who; `policy:deny` for a policy.
        who: String,
        /// Why.
        reason: String,
    },
    /// Nobody answered in time: denied.
    ApprovalExpired {
        /// Step.
        step: String,
        /// What was denied.
        task: Task,
        /// Which gate.
        gate: Gate,
    },
    /// The step does not run.
    StepSkipped {
        /// Step.
        step: String,
        /// Why: `condition` or `person`.
        by: SkippedBy,
        /// The false condition, or the person's reason.
        reason: String,
        /// The values that the condition saw, by name.
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        values: IndexMap<String, Value>,
    },
    /// The step cannot run because others did not succeed.
    StepBlocked {
        /// Step.
        step: String,
        /// The steps it needs that did not succeed.
        because: Vec<String>,
    },
    /// A negative control was run before the action.
    NegativeControl {
        /// Step.
        step: String,
        /// The check's number in `verify`, from 0.
        check: u32,
        /// The check's name.
        name: String,
        /// `true` when it failed, as it must.
        failed_as_it_must: bool,
        /// What was observed, or why nothing could be.
        observed: Value,
    },
    /// Durable before the action starts.
    ActionStarted {
        /// Step.
        step: String,
        /// The step's action, or its undo.
        task: Task,
        /// From 1.
        attempt: u32,
        /// What is asked for, rendered, secrets masked.
        order: Value,
        /// Time-out.
        timeout_ms: u64,
    },
    /// What the action found, and settled, before it changes anything: which backup it took, what was there before. Durable
    /// before the first change; an engine that takes over goes on with it.
    ActionPrepared {
        /// Step.
        step: String,
        /// The step's action, or its undo.
        task: Task,
        /// From 1.
        attempt: u32,
        /// What it found; its fields depend on the action.
        facts: Value,
        /// What it kept, for example objects as they were before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        artifacts: Vec<Artifact>,
    },
    /// The process of an action, so that a later engine can see whether it still runs.
    ProcessStarted {
        /// Step.
        step: String,
        /// The step's action, or its undo.
        task: Task,
        /// From 1.
        attempt: u32,
        /// Process id, and id of its group.
        pid: u32,
        /// What tells this process from a later one with the same id: boot id and start time in clock ticks.
        identity: String,
    },
    /// The action ended.
    ActionFinished(Box<ActionFinished>),
    /// It will be tried again.
    RetryScheduled {
        /// Step.
        step: String,
        /// The step's action, or its undo.
        task: Task,
        /// The number of the attempt to come.
        attempt: u32,
        /// How long to wait.
        delay_ms: u64,
        /// Why.
        reason: String,
    },
    /// The checks of a step begin. Without an action, this is the step's start.
    VerificationStarted {
        /// Step.
        step: String,
        /// What is verified.
        task: Task,
    },
    /// A check passed (and held, where it had to).
    CheckPassed {
        /// Step.
        step: String,
        /// What it verifies.
        task: Task,
        /// The check's number in `verify`, from 0.
        check: u32,
        /// The check's name.
        name: String,
        /// How often it was tried.
        tries: u32,
        /// From its first try.
        duration_ms: u64,
        /// What was observed at last.
        observed: Value,
    },
    /// A check did not pass in time.
    CheckFailed {
        /// Step.
        step: String,
        /// What it verifies.
        task: Task,
        /// The check's number in `verify`, from 0.
        check: u32,
        /// The check's name.
        name: String,
        /// How often it was tried.
        tries: u32,
        /// From its first try.
        duration_ms: u64,
        /// The expression that had to be true.
        expected: String,
        /// What was observed at last, or null when nothing could be.
        observed: Value,
        /// Why it failed, for people.
        reason: String,
    },
    /// The point in time to which data was restored.
    RecoveryPoint {
        /// Step.
        step: String,
        /// The instant.
        #[serde(rename = "recoveryPoint")]
        at: Timestamp,
    },
    /// The step did what it had to, and that is proven.
    StepSucceeded {
        /// Step.
        step: String,
        /// From its first start to now.
        duration_ms: u64,
        /// Who took it as done, when its proof was overridden.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accepted_by: Option<String>,
    },
    /// The step failed, after all its attempts.
    StepFailed {
        /// Step.
        step: String,
        /// Why, for people.
        reason: String,
        /// What happens now.
        then: AfterFailure,
    },
    /// The engine died in the middle of the action: nobody knows what it did.
    StepUnknown {
        /// Step.
        step: String,
        /// The step's action, or its undo.
        task: Task,
        /// The attempt in question.
        attempt: u32,
    },
    /// It is known now, and how.
    UnknownResolved {
        /// Step.
        step: String,
        /// The step's action, or its undo.
        task: Task,
        /// How it was found out.
        way: Resolution,
        /// What it was.
        outcome: Resolved,
    },
    /// The engine reached a cluster; once an engine and cluster, and again when what it says of itself has changed.
    ClusterMet(ClusterMet),
    /// Under the name of a cluster another one was met: nothing more is done, and the engine leaves the run.
    ClusterRefused {
        /// The cluster, by its name in the runbook.
        cluster: String,
        /// The identity that this run has met.
        expected: String,
        /// The identity that answers now.
        found: String,
    },
    /// How often this engine asked the API of a cluster, watches included; when it leaves the run or ends it.
    ClusterAsked {
        /// The cluster, by its name in the runbook.
        cluster: String,
        /// Requests since the engine took the run, as far as it waited for their answers.
        requests: u64,
    },
    /// A cluster's API did not answer as it should, and it is asked again.
    ApiRetried {
        /// The cluster, by its name in the runbook.
        cluster: String,
        /// The step that waits for it; `None`: a watch that several share, or a guard.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
        /// What was asked for: `GET namespaces/shop`, `WATCH deployments.apps in shop`.
        request: String,
        /// What came instead of an answer.
        reason: String,
        /// For how long it waits before it asks again.
        wait_ms: u64,
        /// How many tries in a row have failed so.
        failures: u32,
    },
    /// The outage, from now on the start of the RTO clock.
    OutageMarked {
        /// The step that caused it.
        step: String,
        /// When.
        #[serde(rename = "outageAt")]
        at: Timestamp,
    },
    /// The capability is back: the RTO clock stops.
    CapabilityRestored {
        /// The step that proved it.
        step: String,
        /// When it was proven.
        #[serde(rename = "restoredAt")]
        at: Timestamp,
    },
    /// The terminal is gone: from here on the rules of an unattended run apply.
    TerminalLost {},
    /// A person acted on the run.
    Act {
        /// What was done.
        act: ActName,
        /// On which step, if on one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
        /// Who.
        who: String,
        /// Why; always there where the act overrides the plan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// How we know who it was: `terminal`, `inbox` (they said so), `ssh:SHA256:…` (they signed it), `forged`.
        how: String,
        /// The act's own name, when it came from another terminal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// To whom command was passed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// Files that came with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        artifacts: Vec<Artifact>,
        /// `false`: it was refused, and `refusal` says why.
        accepted: bool,
        /// Why it was refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refusal: Option<String>,
    },
    /// A guard is bad, for the first time or again after it was good. It has not tripped yet.
    GuardFailing {
        /// The guard; one of an included runbook with its prefix.
        guard: String,
        /// Why, for people.
        reason: String,
        /// `false`: it could not be evaluated, which counts as bad.
        evaluated: bool,
        /// What its check observed, or null.
        observed: Value,
    },
    /// A guard is good again.
    GuardRecovered {
        /// The guard.
        guard: String,
        /// How long it was bad.
        duration_ms: u64,
    },
    /// A guard was bad for long enough.
    GuardTripped {
        /// The guard.
        guard: String,
        /// What happens now.
        then: crate::model::Then,
        /// Why, for people.
        reason: String,
        /// `false`: at last it could not be evaluated.
        evaluated: bool,
        /// How many looks in a row were bad.
        failures: u32,
        /// How long it was bad.
        duration_ms: u64,
    },
    /// From here on nothing new starts, and what was done is undone.
    AbortStarted {
        /// Why.
        reason: String,
        /// What will be undone, in order.
        undo: Vec<String>,
        /// What was done and stays, with the reason.
        stays: Vec<Stays>,
    },
    /// A step's undo is about to start.
    UndoStarted {
        /// Step.
        step: String,
    },
    /// The step is undone, and that is proven where it can be.
    UndoFinished {
        /// Step.
        step: String,
        /// From the undo's start.
        duration_ms: u64,
    },
    /// The step could not be undone.
    UndoFailed {
        /// Step.
        step: String,
        /// Why.
        reason: String,
    },
    /// The clean-up begins.
    CleanupStarted {
        /// Its steps, in order.
        steps: Vec<String>,
    },
    /// This process leaves the run; the run is not over and can be resumed.
    EngineStopped {
        /// Why, for people.
        reason: String,
        /// What the run waits for, one line each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        waits_for: Vec<String>,
        /// The process's exit code.
        exit_code: u8,
    },
    /// Always the last record.
    RunFinished(Box<RunFinished>),
}

/// A cluster, as it says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterMet {
    /// Its name in the runbook.
    pub cluster: String,
    /// The context by which it was reached; `None` in a pod of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The address of its API.
    pub server: String,
    /// Its identity: the UID of its namespace `kube-system`, or why that cannot be known, in brackets.
    pub uid: String,
    /// The version of its API server: `v1.36.3`.
    pub version: String,
}

/// What people can do to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActName {
    /// Say yes to a gate.
    Approve,
    /// Say no to a gate.
    Deny,
    /// Leave a step out; needs a reason; its dependents are blocked.
    Skip,
    /// Take a step as done; needs a reason; its dependents go on.
    Accept,
    /// Try a failed or unknown step again.
    Retry,
    /// Run a step's checks again, without its action.
    Recheck,
    /// Start nothing new.
    Pause,
    /// Go on.
    Continue,
    /// Abort the run.
    Abort,
    /// Say that a manual step is done.
    Done,
    /// Say that a manual step could not be done.
    Fail,
    /// Answer a check's question with yes.
    Yes,
    /// Answer a check's question with no.
    No,
    /// Leave the run as it is, to be resumed.
    Detach,
    /// Put a file into the evidence.
    AttachFile,
    /// Pass command on to somebody else.
    Handover,
}
