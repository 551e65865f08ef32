//! Could a run have gone like this? The order of events that the engine promises, checked against what was recorded.
//!
//! Duty: rules that hold for every run of every engine of this format, and that an auditor relies on: nothing ran
//! without its approval, nothing ran twice, nothing counts as proven while its proof failed, nothing was undone before
//! an abort. It is written from the meaning of the events and not from the machine, so that it is a second opinion. Where
//! the meaning leaves room, so does this.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{
    action::Outcome,
    evidence::{
        Event, Record,
        event::{ActName, Gate, Resolved, RunFinished, Task, Verdict},
    },
    model::Then,
};

/// Where a run stands, as far as the rules need it.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own; no two of them exclude each other")]
pub struct Order {
    begun: bool,
    /// The token of the engine that has the run.
    engine: Option<u64>,
    stopped: bool,
    paused: bool,
    aborting: bool,
    acted: bool,
    /// The outcome of the last pre-flight.
    preflight: Option<bool>,
    /// The steps of the clean-up, once it began.
    cleanup: Option<HashSet<String>>,
    restored: HashSet<String>,
    /// Guards that are bad, and whether they have tripped.
    guards: HashMap<String, bool>,
    /// Steps whose undo began, and whether it ended well.
    undos: HashMap<String, bool>,
    steps: HashMap<String, Progress>,
    undo_actions: HashMap<String, Progress>,
}

/// Where a step, or its undo, stands.
#[derive(Debug, Clone, Default)]
struct Progress {
    attempt: u32,
    /// The last attempt that told what it found before it changed anything.
    prepared: u32,
    action: Action,
    end: Option<End>,
    gates: BTreeMap<Gate, Approval>,
    /// Checks whose last result was a failure, and negative controls that did not fail.
    unproven: BTreeSet<(bool, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Action {
    #[default]
    None,
    Running,
    /// A person was asked to do it. That nobody did is no event of its own, so it is not held against what follows.
    Asked,
    Unknown,
    Ended(Outcome),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Succeeded,
    Skipped,
}

#[derive(Debug, Clone)]
enum Approval {
    Open { count: usize, given: BTreeSet<String> },
    Granted,
    Denied,
}

type Legal = Result<(), String>;

/// `Err(why)` unless it holds.
macro_rules! rule {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}

impl Order {
    /// Before the first record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// The rule that it breaks, in words.
    pub fn follow(&mut self, record: &Record) -> Legal {
        self.run(record)?;
        let token = record.stamp.token;
        match &record.event {
            Event::EngineStarted { .. } => {
                self.engine = Some(token);
                self.stopped = false;
            }
            Event::PreflightFinished { passed, .. } => self.preflight = Some(*passed),
            // The record of a pause itself may have been lost with its engine; the next one is paused all the same.
            Event::RunPaused { .. } | Event::Act { act: ActName::Pause, accepted: true, .. } => self.paused = true,
            Event::RunContinued {} => {
                rule!(self.paused, "the run was continued, but it was not paused");
                self.paused = false;
            }
            Event::GuardFailing { guard, .. } => {
                let before = self.guards.insert(guard.clone(), false);
                rule!(before.is_none(), "the guard `{guard}` turned bad a second time, but it had not recovered");
            }
            Event::GuardRecovered { guard, .. } => {
                let before = self.guards.remove(guard);
                rule!(before.is_some(), "the guard `{guard}` recovered, but it was not bad");
            }
            Event::GuardTripped { guard, then, .. } => {
                rule!(!self.aborting, "the guard `{guard}` tripped after the abort had started");
                let before = self.guards.insert(guard.clone(), true);
                rule!(before.is_some(), "the guard `{guard}` tripped, but it was not bad");
                rule!(before != Some(true), "the guard `{guard}` tripped a second time, but it had not recovered");
                // As above: its pause may have no record of its own.
                if *then == Then::Pause {
                    self.paused = true;
                }
            }
            Event::AbortStarted { .. } => {
                rule!(!self.aborting, "the abort started a second time");
                self.aborting = true;
            }
            Event::UndoStarted { step } => {
                rule!(self.aborting, "an undo started, but no abort had started");
                let done = self.undos.insert(step.clone(), false);
                rule!(done != Some(true), "the undo of `{step}` started again after it had finished");
            }
            Event::UndoFinished { step, .. } => {
                let running = self.progress(step, Task::Undo).action == Action::Running;
                rule!(!running, "the undo of `{step}` is said to be finished while its action still ran");
                let before = self.undos.insert(step.clone(), true);
                rule!(before.is_some(), "the undo of `{step}` finished, but it had not started");
                rule!(before != Some(true), "the undo of `{step}` finished a second time");
            }
            Event::UndoFailed { step, .. } => {
                rule!(self.aborting, "the undo of `{step}` failed, but no abort had started");
                let done = self.undos.get(step) == Some(&true);
                rule!(!done, "the undo of `{step}` failed after it had finished");
            }
            Event::CleanupStarted { steps } => {
                rule!(self.cleanup.is_none(), "the clean-up started a second time");
                self.cleanup = Some(steps.iter().cloned().collect());
            }
            Event::CapabilityRestored { step, .. } => {
                rule!(self.restored.insert(step.clone()), "`{step}` restored the capability a second time");
            }
            Event::EngineStopped { .. } => self.stopped = true,
            Event::RunFinished(finished) => self.finished(finished)?,
            Event::ActionStarted { step, task, attempt, order, .. } => {
                self.action_started(step, *task, *attempt)?;
                if order.get("kind").and_then(|kind| kind.as_str()) == Some("manual") {
                    self.progress(step, *task).action = Action::Asked;
                }
            }
            event => self.step(event)?,
        }
        Ok(())
    }

    /// What holds for every event: who may write, and when.
    fn run(&mut self, record: &Record) -> Legal {
        let token = record.stamp.token;
        match &record.event {
            Event::RunCreated(_) => {
                rule!(!self.begun, "the run was created a second time");
                self.begun = true;
            }
            Event::EngineStarted { .. } => {
                rule!(self.begun, "an engine started before the run was created");
                let higher = self.engine.is_none_or(|before| token > before);
                rule!(higher, "an engine took the run with token {token}, which an earlier engine had");
            }
            _ => {
                let Some(engine) = self.engine else {
                    return Err(
                        "expected `engine-started` as the second record: nothing happens without an engine".into()
                    );
                };
                rule!(token == engine, "the token is {token}, but the engine that had the run then has {engine}");
                rule!(!self.stopped, "expected `engine-started`: the last engine had left the run");
            }
        }
        Ok(())
    }

    fn action_started(&mut self, step: &str, task: Task, attempt: u32) -> Legal {
        rule!(self.preflight != Some(false), "an action started after the pre-flight had failed");
        let cleaning = self.cleanup.as_ref().is_some_and(|steps| steps.contains(step));
        if task == Task::Undo {
            rule!(self.undos.contains_key(step), "the action of an undo started before `undo-started`");
        } else if !cleaning {
            rule!(!self.aborting, "`{step}` started after the abort had: nothing new starts then");
            rule!(!self.paused || attempt > 1, "`{step}` started while the run was paused");
        }
        self.acted = true;
        let progress = self.progress(step, task);
        rule!(progress.action != Action::Running, "`{step}` started again while it still ran");
        rule!(progress.action != Action::Unknown, "`{step}` started again before its unknown outcome was resolved");
        rule!(attempt >= 1, "attempt 0 of `{step}`: attempts count from 1");
        rule!(attempt > progress.attempt, "attempt {attempt} of `{step}` started, after attempt {}", progress.attempt);
        rule!(progress.end != Some(End::Succeeded), "`{step}` started again after it had succeeded");
        rule!(progress.end != Some(End::Skipped), "`{step}` started after it had been skipped");
        for approval in progress.gates.values() {
            match approval {
                Approval::Granted => {}
                Approval::Denied => return Err(format!("`{step}` started although its approval was denied")),
                Approval::Open { count, given } => {
                    return Err(format!("`{step}` started with {} of {count} approvals", given.len()));
                }
            }
        }
        progress.attempt = attempt;
        progress.action = Action::Running;
        // What was observed before belongs to the attempt before. A negative control is run ahead of the action.
        progress.unproven.retain(|(control, _)| *control);
        Ok(())
    }

    fn progress(&mut self, step: &str, task: Task) -> &mut Progress {
        let all = if task == Task::Do { &mut self.steps } else { &mut self.undo_actions };
        all.entry(step.to_owned()).or_default()
    }

    /// What concerns one step, or its undo, alone.
    fn step(&mut self, event: &Event) -> Legal {
        match event {
            Event::ApprovalRequested { step, task, gate, count, .. } => {
                let count = usize::try_from(*count).unwrap_or(usize::MAX);
                let open = Approval::Open { count, given: BTreeSet::new() };
                self.progress(step, *task).gates.insert(*gate, open);
            }
            Event::ApprovalGiven { step, task, gate, who, .. } => {
                self.progress(step, *task).approve(step, *gate, who)?;
            }
            Event::ApprovalDenied { step, task, gate, .. } | Event::ApprovalExpired { step, task, gate } => {
                self.progress(step, *task).deny(step, *gate)?;
            }
            Event::StepSkipped { step, .. } => self.progress(step, Task::Do).end(step, End::Skipped)?,
            Event::StepSucceeded { step, accepted_by, .. } => {
                let progress = self.progress(step, Task::Do);
                progress.end(step, End::Succeeded)?;
                if accepted_by.is_none() {
                    progress.proven(step)?;
                }
            }
            Event::StepFailed { step, .. } => {
                let running = self.progress(step, Task::Do).action == Action::Running;
                rule!(!running, "`{step}` is said to have failed while its action still ran");
            }
            Event::NegativeControl { step, check, failed_as_it_must, .. } => {
                let progress = self.progress(step, Task::Do);
                let running = progress.action == Action::Running;
                rule!(!running, "a negative control of `{step}` was run while its action ran, not before it");
                progress.note((true, *check), *failed_as_it_must);
            }
            Event::CheckPassed { step, task, check, .. } => self.progress(step, *task).note((false, *check), true),
            Event::CheckFailed { step, task, check, .. } => self.progress(step, *task).note((false, *check), false),
            Event::ProcessStarted { step, task, attempt, .. } => {
                self.progress(step, *task).runs(step, *attempt, "its process is there")?;
            }
            Event::ActionPrepared { step, task, attempt, .. } => {
                let progress = self.progress(step, *task);
                progress.runs(step, *attempt, "it has prepared")?;
                rule!(progress.prepared < *attempt, "attempt {attempt} of `{step}` prepared a second time");
                progress.prepared = *attempt;
            }
            Event::ActionFinished(finished) => {
                let progress = self.progress(&finished.step, finished.task);
                progress.runs(&finished.step, finished.attempt, "it finished")?;
                progress.action = Action::Ended(finished.outcome);
            }
            Event::StepUnknown { step, task, attempt } => {
                let progress = self.progress(step, *task);
                // An action that was told to stop has ended, but nobody knows how far it came.
                if progress.action != Action::Ended(Outcome::Stopped) || progress.attempt != *attempt {
                    progress.runs(step, *attempt, "its outcome is unknown")?;
                }
                progress.action = Action::Unknown;
            }
            Event::UnknownResolved { step, task, outcome, .. } => {
                let progress = self.progress(step, *task);
                rule!(
                    progress.action == Action::Unknown,
                    "the outcome of `{step}` was resolved, but it was not unknown"
                );
                progress.action = match outcome {
                    Resolved::Done => Action::Ended(Outcome::Succeeded),
                    Resolved::Failed | Resolved::RunAgain => Action::Ended(Outcome::Failed),
                    Resolved::Followed => Action::Running,
                };
            }
            Event::RetryScheduled { step, task, attempt, .. } => {
                let progress = self.progress(step, *task);
                rule!(progress.action != Action::Running, "a retry of `{step}` was scheduled while it still ran");
                let before = progress.attempt;
                rule!(*attempt > before, "attempt {attempt} of `{step}` was scheduled, after attempt {before}");
            }
            // Whoever has a step's proof repeated has looked, and stands for it by name: what counts is the new proof.
            Event::Act { act: ActName::Recheck, step: Some(step), accepted: true, .. } => {
                let progress = self.progress(step, Task::Do);
                progress.unproven.clear();
                progress.action = Action::None;
            }
            // These say something about a step at a moment that depends on more than the order of events.
            _ => {}
        }
        Ok(())
    }

    fn finished(&self, finished: &RunFinished) -> Legal {
        let running = |all: &HashMap<String, Progress>| {
            let mut steps: Vec<&String> =
                all.iter().filter(|(_, progress)| progress.action == Action::Running).map(|(step, _)| step).collect();
            steps.sort();
            steps.first().map(|step| (*step).clone())
        };
        if let Some(step) = running(&self.steps).or_else(|| running(&self.undo_actions)) {
            return Err(format!("the run finished while the action of `{step}` still ran"));
        }
        let (name, code) = match finished.verdict {
            Verdict::Succeeded => ("succeeded", 0),
            Verdict::ObjectiveMissed => ("objective-missed", 6),
            Verdict::Failed => ("failed", 1),
            Verdict::PreflightFailed => ("preflight-failed", 2),
            Verdict::Aborted => ("aborted", 3),
            Verdict::AbortIncomplete => ("abort-incomplete", 4),
        };
        let found = finished.exit_code;
        rule!(found == code, "the verdict `{name}` has exit code {code}, but {found} is recorded");
        match finished.verdict {
            Verdict::Succeeded | Verdict::ObjectiveMissed => {
                rule!(!self.aborting, "the verdict is `{name}`, but the run was aborted");
            }
            Verdict::Aborted | Verdict::AbortIncomplete => {
                rule!(self.aborting, "the verdict is `{name}`, but no abort had started");
            }
            Verdict::PreflightFailed => rule!(!self.acted, "the verdict is `{name}`, but an action had started"),
            Verdict::Failed => {}
        }
        Ok(())
    }
}

impl Progress {
    /// This attempt has started and has not ended; `what` is said of it.
    fn runs(&self, step: &str, attempt: u32, what: &str) -> Legal {
        let runs = matches!(self.action, Action::Running | Action::Asked | Action::Unknown);
        rule!(runs, "of attempt {attempt} of `{step}` it is said that {what}, but no action of it ran");
        let found = self.attempt;
        rule!(attempt == found, "of attempt {attempt} of `{step}` it is said that {what}, but attempt {found} ran");
        Ok(())
    }

    fn end(&mut self, step: &str, end: End) -> Legal {
        rule!(self.action != Action::Running, "`{step}` ended while its action still ran");
        match self.end {
            Some(End::Succeeded) => return Err(format!("`{step}` ended again after it had succeeded")),
            Some(End::Skipped) => return Err(format!("`{step}` ended again after it had been skipped")),
            None => {}
        }
        self.end = Some(end);
        Ok(())
    }

    /// Nothing that was observed speaks against the step's success.
    fn proven(&self, step: &str) -> Legal {
        rule!(self.action != Action::Unknown, "`{step}` succeeded while its outcome was unknown");
        rule!(
            matches!(self.action, Action::None | Action::Ended(Outcome::Succeeded)),
            "`{step}` succeeded although its action had not, and nobody took it as done"
        );
        match self.unproven.first() {
            Some((false, check)) => {
                Err(format!("`{step}` succeeded although its check {check} had failed, and nobody took it as done"))
            }
            Some((true, check)) => Err(format!(
                "`{step}` succeeded although its check {check} had passed before the action, and nobody took it as done"
            )),
            None => Ok(()),
        }
    }

    fn note(&mut self, check: (bool, u32), good: bool) {
        if good {
            self.unproven.remove(&check);
        } else {
            self.unproven.insert(check);
        }
    }

    fn approve(&mut self, step: &str, gate: Gate, who: &str) -> Legal {
        let Some(Approval::Open { count, given }) = self.gates.get_mut(&gate) else {
            return Err(format!("`{step}` was approved by {who}, but no approval was asked for"));
        };
        rule!(given.insert(who.to_owned()), "`{step}` was approved twice by {who}");
        // A policy stands for as many people as are asked for.
        if given.len() >= *count || who.starts_with("policy:") {
            self.gates.insert(gate, Approval::Granted);
        }
        Ok(())
    }

    fn deny(&mut self, step: &str, gate: Gate) -> Legal {
        let open = matches!(self.gates.get(&gate), Some(Approval::Open { .. }));
        rule!(open, "the approval of `{step}` was denied, but no approval was asked for");
        self.gates.insert(gate, Approval::Denied);
        Ok(())
    }
}
