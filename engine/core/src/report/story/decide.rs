//! Who decided what, when and why, as one list.
//!
//! Duty: to turn acts, answers at gates and the engine's own decisions into sentences' parts, and to say which of them
//! make the run prove less than its plan. It must not judge whether a decision was right.

use super::{Act, Decision, Moment, fold::Fold};
use crate::{
    evidence::{
        Event,
        event::{ActName, Gate, Task},
    },
    machine::state::{Progress, State},
};

/// Who decided, when the runbook's own rules did.
const ENGINE: &str = "engine";

impl Fold {
    /// What an event tells about decisions; `state` is the one before the event.
    pub(super) fn decide(&mut self, event: &Event, at: Moment, state: &State) {
        match event {
            Event::Act { act, step, who, reason, how, accepted, refusal, to, artifacts, .. } => {
                let act = Act {
                    at,
                    act: *act,
                    step: step.clone(),
                    who: who.clone(),
                    reason: reason.clone().filter(|reason| !reason.trim().is_empty()),
                    how: how.clone(),
                    accepted: *accepted,
                    refusal: refusal.clone(),
                };
                let mut decision = of_act(&act, state);
                let files = artifacts.iter().map(|file| format!("{} (SHA-256 {:.12}…)", file.name, file.sha256));
                let files = files.collect::<Vec<_>>().join(", ");
                decision.note = to.as_ref().map(|to| format!("to {to}")).or((!files.is_empty()).then_some(files));
                self.story.decisions.push(decision);
                self.story.acts.push(act);
            }
            Event::ApprovalGiven { step, task, gate, who, given } => {
                let count = state
                    .node(step)
                    .and_then(|node| state.steps.get(node))
                    .and_then(|step| step.task(*task).gates.get(gate))
                    .map(|gate| gate.count);
                let note = gate_note(*task, *gate, count.filter(|&count| count > 1).map(|count| (*given, count)));
                let overrides = match gate {
                    _ if who.starts_with("policy:") => Some("no person approved it"),
                    Gate::Rpo => Some("the restored data is older than the objective allows"),
                    Gate::Approval => None,
                };
                self.answered(at, who, step, "approved", None, note, overrides);
            }
            Event::ApprovalDenied { step, task, gate, who, reason } => {
                let note = gate_note(*task, *gate, None);
                self.answered(at, who, step, "denied", Some(reason.clone()), note, None);
            }
            Event::ApprovalExpired { step, task, gate } => {
                let note = gate_note(*task, *gate, None);
                let reason = Some("nobody answered in time".to_owned());
                self.answered(at, ENGINE, step, "denied", reason, note, None);
            }
            Event::RunPaused { reason } if !self.just_did(ActName::Pause, at) => {
                let guards = &self.story.guards;
                let by_guard =
                    guards.iter().filter_map(|guard| guard.tripped).any(|(tripped, _)| tripped.seq + 1 == at.seq);
                let who = if by_guard { ENGINE.to_owned() } else { self.terminal() };
                self.push(at, &who, "paused the run", Some(reason.clone()));
            }
            Event::TerminalLost {} => {
                let reason = "the terminal was lost: from here on the rules of an unattended run apply";
                self.push(at, ENGINE, "went on unattended", Some(reason.to_owned()));
            }
            Event::AbortStarted { reason, .. } if !self.just_did(ActName::Abort, at) => {
                // A person's second Ctrl-C is no act in the log; everything else is a rule of the runbook.
                let who = if reason.starts_with("Ctrl-C") { self.terminal() } else { ENGINE.to_owned() };
                self.push(at, &who, "aborted the run", Some(reason.clone()));
            }
            _ => {}
        }
    }

    /// Who sits at the terminal: nobody said a name, so it is the system user.
    fn terminal(&self) -> String {
        let engine = self.story.engines.last();
        engine.map_or_else(|| "terminal".to_owned(), |engine| format!("{}@{} (terminal)", engine.user, engine.host))
    }

    fn push(&mut self, at: Moment, who: &str, did: &'static str, reason: Option<String>) {
        self.story.decisions.push(Decision {
            at,
            who: who.to_owned(),
            did,
            step: None,
            note: None,
            reason,
            how: None,
            refused: None,
            overrides: None,
        });
    }

    /// Whether the last act, in the record before this one, was this.
    fn just_did(&self, act: ActName, at: Moment) -> bool {
        self.story.acts.last().is_some_and(|last| last.accepted && last.act == act && last.at.seq + 1 >= at.seq)
    }

    /// An answer at a gate. A person's answer follows on the person's act, and is one decision with it.
    #[expect(clippy::too_many_arguments, reason = "they are the fields of one record")]
    fn answered(
        &mut self,
        at: Moment,
        who: &str,
        step: &str,
        did: &'static str,
        reason: Option<String>,
        note: Option<String>,
        overrides: Option<&'static str>,
    ) {
        let act = self.story.decisions.last_mut().filter(|last| {
            last.who == who && last.did == did && last.step.as_deref() == Some(step) && last.refused.is_none()
        });
        match act {
            Some(act) if act.note.is_none() => {
                act.note = note;
                act.overrides = overrides;
            }
            _ => self.story.decisions.push(Decision {
                at,
                who: who.to_owned(),
                did,
                step: Some(step.to_owned()),
                note,
                reason,
                how: None,
                refused: None,
                overrides,
            }),
        }
    }
}

fn of_act(act: &Act, state: &State) -> Decision {
    let unknown =
        act.step.as_ref().and_then(|step| state.node(step)).and_then(|node| state.steps.get(node)).is_some_and(
            |step| [Task::Do, Task::Undo].into_iter().any(|task| step.task(task).progress == Progress::Unknown),
        );
    let overrides = match act.act {
        _ if !act.accepted => None,
        ActName::Skip => Some("a part of the plan was left out"),
        ActName::Accept => Some("it was taken as done without its proof"),
        ActName::Retry if unknown => Some("it was run again although nobody knew what the first run did"),
        _ => None,
    };
    Decision {
        at: act.at,
        who: act.who.clone(),
        did: verb(act.act, act.step.is_some(), act.accepted),
        step: act.step.clone(),
        note: None,
        reason: act.reason.clone(),
        how: Some(act.how.clone()),
        refused: (!act.accepted).then(|| act.refusal.clone().unwrap_or_else(|| "no reason is recorded".to_owned())),
        overrides,
    }
}

/// An act as a verb, in the past or after `tried to`; a step's name may follow.
const fn verb(act: ActName, step: bool, accepted: bool) -> &'static str {
    let (did, tried) = match (act, step) {
        (ActName::Approve, _) => ("approved", "tried to approve"),
        (ActName::Deny, _) => ("denied", "tried to deny"),
        (ActName::Skip, _) => ("skipped", "tried to skip"),
        (ActName::Accept, _) => ("took as done", "tried to take as done"),
        (ActName::Retry, _) => ("retried", "tried to retry"),
        (ActName::Recheck, _) => ("ran the checks again of", "tried to run the checks again of"),
        (ActName::Pause, _) => ("paused the run", "tried to pause the run"),
        (ActName::Continue, false) => ("continued the run", "tried to continue the run"),
        (ActName::Continue, true) => ("let begin", "tried to let begin"),
        (ActName::Abort, false) => ("aborted the run", "tried to abort the run"),
        (ActName::Abort, true) => ("aborted the run at", "tried to abort the run at"),
        (ActName::Done, _) => ("said it is done:", "tried to say it is done:"),
        (ActName::Fail, _) => ("said it could not be done:", "tried to say it could not be done:"),
        (ActName::Yes, _) => ("answered yes to the check of", "tried to answer yes to the check of"),
        (ActName::No, _) => ("answered no to the check of", "tried to answer no to the check of"),
        (ActName::Detach, _) => ("left the run", "tried to leave the run"),
        (ActName::AttachFile, false) => ("attached a file", "tried to attach a file"),
        (ActName::AttachFile, true) => ("attached a file to", "tried to attach a file to"),
        (ActName::Handover, _) => ("passed command on", "tried to pass command on"),
    };
    if accepted { did } else { tried }
}

fn gate_note(task: Task, gate: Gate, progress: Option<(u32, u32)>) -> Option<String> {
    let mut parts = Vec::new();
    if let Some((given, count)) = progress {
        parts.push(format!("{given} of {count}"));
    }
    if gate == Gate::Rpo {
        parts.push("RPO gate".to_owned());
    }
    if task == Task::Undo {
        parts.push("its undo".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
