//! Abort, undo, clean-up. Abort is a state and not an exit: what was done is undone, past failures, and what stays is
//! told.

use std::collections::BTreeMap;

use super::{Command, Key, Machine, RunStatus, Stage, State, Status, state::Progress};
use crate::{
    evidence::{
        Event,
        event::{Stays, Task},
    },
    model::{Effect, Undo},
    plan::Plan,
    policy::effect,
};

/// What an abort would do now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AbortPreview {
    /// Nodes to undo, in order.
    pub undo: Vec<usize>,
    /// What was done and stays, with the reason.
    pub stays: Vec<Stays>,
}

/// What an abort would do now: undo in reverse topological order everything whose action started, except what cannot
/// be taken back and what that needs.
#[must_use]
pub fn preview(plan: &Plan, state: &State) -> AbortPreview {
    let touched = |at: usize| {
        let done = &state.steps[at];
        plan.nodes[at].step().filter(|step| {
            !step.cleanup
                && done.own.attempts > 0
                && done.undo.progress != Progress::Over
                && effect::of(&step.spec) == Effect::Mutates
        })
    };
    // What an irreversible step needs must stay with it: undoing the network under a database that was promoted for
    // good would be worse than leaving both.
    let mut kept: BTreeMap<usize, usize> = BTreeMap::new();
    for at in (0..plan.nodes.len()).rev() {
        let irreversible = touched(at).is_some_and(|step| step.spec.irreversible);
        let root = if irreversible { Some(at) } else { kept.get(&at).copied() };
        if let Some(root) = root {
            for &before in &plan.nodes[at].needs {
                kept.entry(before).or_insert(root);
            }
        }
    }
    let mut preview = AbortPreview::default();
    for at in (0..plan.nodes.len()).rev() {
        let Some(step) = touched(at) else { continue };
        let why = if step.spec.irreversible {
            "it cannot be taken back (irreversible)".to_owned()
        } else if let Some(root) = kept.get(&at) {
            format!("`{}` needs it, and that cannot be taken back", plan.nodes[*root].id)
        } else {
            match step.spec.undo.as_deref() {
                Some(Undo::Action(_) | Undo::Auto(_)) => {
                    preview.undo.push(at);
                    continue;
                }
                None => "it has no undo".to_owned(),
            }
        };
        preview.stays.push(Stays { step: plan.nodes[at].id.clone(), why });
    }
    preview
}

impl Machine {
    /// Stops starting, tells what runs to stop, and decides what will be undone.
    pub(crate) fn start_abort(&mut self, reason: &str) {
        if self.state.run != RunStatus::Running {
            return;
        }
        let preview = preview(&self.plan, &self.state);
        let undo = preview.undo.iter().map(|&node| self.id(node)).collect();
        self.emit(Event::AbortStarted { reason: reason.to_owned(), undo, stays: preview.stays });
        self.close_all();
        self.leave_guards();
        let keys: Vec<Key> = self.live.keys().copied().collect();
        for key in keys {
            self.abort_live(key);
        }
    }

    /// Brings one action that has begun to its end, because the run is aborted.
    pub(crate) fn abort_live(&mut self, key: Key) {
        let (node, task) = key;
        let Some(&stage) = self.live.get(&key) else { return };
        if task == Task::Undo {
            return;
        }
        match stage {
            Stage::Action => self.stop_action(key, false),
            Stage::Stopping => {}
            Stage::Follow => {
                let attempt = self.state.steps[node].own.attempts;
                let outcome = crate::action::Outcome::Stopped;
                self.push(Command::StopAction { node, task, attempt, outcome, now: false });
            }
            Stage::Verify | Stage::Resolve | Stage::Control | Stage::Delay | Stage::Manual | Stage::Decide => {
                self.drop_checks(key);
                if stage == Stage::Decide || (stage == Stage::Control && self.state.steps[node].own.attempts == 0) {
                    self.settle(node, false);
                } else {
                    self.break_off(key, "it was broken off because the run is aborted");
                }
            }
            // It was tried and would have been tried again.
            Stage::Gate | Stage::Asking | Stage::Startable if self.state.steps[node].own.attempts > 0 => {
                self.break_off(key, "it was broken off because the run is aborted");
            }
            // Its action never started, or nobody knows: nothing more to say about it.
            Stage::Gate | Stage::Asking | Stage::Startable | Stage::Unknown => {
                self.release(key);
                self.stage(key, None);
            }
        }
    }

    /// Begins the undo when the last action of the run has ended. Whether it did.
    pub(crate) fn begin_undo(&mut self) -> bool {
        if !self.undo_waiting.is_empty() || self.live.keys().any(|&(_, task)| task == Task::Do) {
            return false;
        }
        let plan = std::sync::Arc::clone(&self.plan);
        // Never empty, so that it also says that the undo has begun.
        self.undo_waiting = plan
            .nodes
            .iter()
            .map(|node| u32::try_from(node.dependents.len()).unwrap_or(u32::MAX))
            .chain(std::iter::once(0))
            .collect();
        self.undo_wanted = vec![false; plan.nodes.len()];
        for &node in &self.state.undo_list {
            self.undo_wanted[node] = true;
        }
        self.undo_open =
            self.state.undo_list.iter().filter(|&&node| self.state.steps[node].undo.progress != Progress::Over).count();
        let leaves: Vec<usize> = (0..plan.nodes.len()).filter(|&node| self.undo_waiting[node] == 0).collect();
        self.undo_reached(leaves);
        true
    }

    /// Nodes all of whose dependents are undone, or had nothing to undo.
    fn undo_reached(&mut self, mut nodes: Vec<usize>) {
        let plan = std::sync::Arc::clone(&self.plan);
        while let Some(node) = nodes.pop() {
            if self.undo_wanted[node] && self.state.steps[node].undo.progress != Progress::Over {
                self.enter_undo(node);
                continue;
            }
            self.undo_passes(&plan, node, &mut nodes);
        }
    }

    fn undo_passes(&mut self, plan: &Plan, node: usize, reached: &mut Vec<usize>) {
        let edges = &plan.nodes[node];
        for &before in edges.needs.iter().chain(edges.after.iter().filter(|&at| edges.needs.binary_search(at).is_err()))
        {
            self.undo_waiting[before] = self.undo_waiting[before].saturating_sub(1);
            if self.undo_waiting[before] == 0 {
                reached.push(before);
            }
        }
    }

    fn enter_undo(&mut self, node: usize) {
        let key = (node, Task::Undo);
        if self.live.contains_key(&key) {
            return;
        }
        let progress = self.state.steps[node].undo.progress;
        if progress == Progress::Idle {
            if self.state.steps[node].status != Status::Undoing {
                let step = self.id(node);
                self.emit(Event::UndoStarted { step });
            }
            return self.queue(key);
        }
        self.recover_task(key);
    }

    /// A step is undone, and that is proven where it can be.
    pub(crate) fn undone(&mut self, node: usize) {
        let step = self.id(node);
        let began = self.state.steps[node].undo.began.unwrap_or(self.now);
        let duration_ms = self.now.elapsed_ms.saturating_sub(began.elapsed_ms);
        self.emit(Event::UndoFinished { step, duration_ms });
        self.undo_ended(node);
    }

    /// A step could not be undone; the rest goes on.
    pub(crate) fn undo_failed(&mut self, node: usize, reason: &str) {
        let step = self.id(node);
        self.emit(Event::UndoFailed { step, reason: reason.to_owned() });
        self.undo_ended(node);
    }

    fn undo_ended(&mut self, node: usize) {
        let key = (node, Task::Undo);
        self.drop_checks(key);
        self.release(key);
        self.stage(key, None);
        self.close_question(node);
        self.undo_open = self.undo_open.saturating_sub(1);
        self.undo_ended.push_back(node);
    }

    /// Looks at the predecessors of everything whose undo has ended. A queue and no recursion: an undo may end the
    /// moment it is reached (its gate is denied), and chains are as long as plans.
    pub(crate) fn drain_undo(&mut self) {
        let plan = std::sync::Arc::clone(&self.plan);
        while let Some(node) = self.undo_ended.pop_front() {
            let mut reached = Vec::new();
            self.undo_passes(&plan, node, &mut reached);
            self.undo_reached(reached);
        }
    }

    /// Begins the clean-up, or ends the run when there is nothing to clean up.
    pub(crate) fn begin_cleanup(&mut self) {
        let steps: Vec<String> =
            (0..self.plan.nodes.len()).filter(|&node| self.is_cleanup(node)).map(|node| self.id(node)).collect();
        if steps.is_empty() {
            return self.finish();
        }
        self.emit(Event::CleanupStarted { steps });
        self.enter_all(true);
    }
}
