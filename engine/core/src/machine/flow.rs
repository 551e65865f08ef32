//! Which node is next: what happens when the predecessors of a node have ended.

use std::collections::BTreeSet;

use super::{Key, Machine, RunStatus, Stage, Status, state::GateState};
use crate::{
    evidence::{
        Event,
        event::{Gate, SkippedBy, Task},
    },
    plan::NodeKind,
};

/// What an action can wait for besides a slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Short {
    /// Another step has the lock.
    Lock(String),
    /// As many of the group run as may.
    Group(usize),
}

impl Machine {
    /// Sets up the counters of the graph from the state; the same for a new run and for a resumed one.
    pub(crate) fn load(&mut self) {
        let plan = std::sync::Arc::clone(&self.plan);
        for (at, node) in plan.nodes.iter().enumerate() {
            let ended = match node.kind {
                NodeKind::Step(_) => match self.state.steps[at].status {
                    Status::Succeeded => Some(true),
                    Status::Skipped(by) => Some(by == SkippedBy::Condition),
                    Status::Failed if !self.decision_is_open(at) => Some(false),
                    Status::Blocked | Status::Undoing | Status::Undone | Status::UndoFailed => Some(false),
                    _ => None,
                },
                // Nodes are in topological order, so what a barrier waits for is settled before it.
                NodeKind::Barrier => self.barrier(at),
            };
            self.settled[at] = ended;
            self.waiting[at] = node
                .needs
                .iter()
                .chain(node.after.iter().filter(|&after| node.needs.binary_search(after).is_err()))
                .filter(|&&before| self.settled[before].is_none())
                .count()
                .try_into()
                .unwrap_or(u32::MAX);
            if ended.is_none() {
                match node.step() {
                    Some(step) if step.cleanup => self.open_cleanup += 1,
                    Some(_) => self.open_steps += 1,
                    None => {}
                }
            }
            if node.step().is_some_and(|step| step.spec.restores && !step.cleanup) && ended != Some(true) {
                self.open_restores += 1;
            }
        }
        let points = self.state.steps.iter().enumerate().filter(|(_, step)| step.status == Status::Succeeded);
        self.oldest = points.filter_map(|(at, step)| Some((step.recovery_point?, at))).min();
        self.rpo_accepted =
            self.state.steps.iter().any(|step| step.own.gates.get(&Gate::Rpo).is_some_and(GateState::passed));
        self.recover_live();
        match self.state.run {
            RunStatus::Running => match self.state.abort_asked.clone() {
                Some(reason) => self.start_abort(&reason),
                None => self.enter_all(false),
            },
            RunStatus::CleaningUp => self.enter_all(true),
            RunStatus::Aborting => {
                self.begin_undo();
            }
            RunStatus::Created | RunStatus::Finished(_) => {}
        }
    }

    fn barrier(&self, at: usize) -> Option<bool> {
        let node = &self.plan.nodes[at];
        let mut well = true;
        for before in &node.needs {
            well &= self.settled[*before]?;
        }
        for before in &node.after {
            self.settled[*before]?;
        }
        Some(well)
    }

    /// Enters every node that waits for nothing and has not begun.
    pub(crate) fn enter_all(&mut self, cleanup: bool) {
        for node in 0..self.plan.nodes.len() {
            let fresh = self.settled[node].is_none() && self.waiting[node] == 0;
            if fresh && self.is_cleanup(node) == cleanup && !self.live.contains_key(&(node, Task::Do)) {
                self.ready(node);
            }
        }
        self.drain();
    }

    /// A node has ended; its dependents are looked at in `drain`.
    pub(crate) fn settle(&mut self, node: usize, well: bool) {
        if self.settled[node].is_some() {
            return;
        }
        self.settled[node] = Some(well);
        match self.step(node) {
            Some(step) if step.cleanup => self.open_cleanup -= 1,
            Some(_) => self.open_steps -= 1,
            None => {}
        }
        if well && self.step(node).is_some_and(|step| step.spec.restores && !step.cleanup) {
            self.open_restores -= 1;
            self.mark_restored();
        }
        self.release((node, Task::Do));
        self.stage((node, Task::Do), None);
        self.ended.push_back(node);
    }

    /// Looks at the dependents of everything that has ended. A queue and no recursion: chains are as long as plans.
    pub(crate) fn drain(&mut self) {
        let plan = std::sync::Arc::clone(&self.plan);
        while let Some(node) = self.ended.pop_front() {
            for &next in &plan.nodes[node].dependents {
                self.waiting[next] = self.waiting[next].saturating_sub(1);
                if self.waiting[next] == 0 && self.settled[next].is_none() {
                    self.ready(next);
                }
            }
        }
        self.drain_undo();
    }

    /// All predecessors of a node have ended.
    pub(crate) fn ready(&mut self, node: usize) {
        let stage = if self.is_cleanup(node) { RunStatus::CleaningUp } else { RunStatus::Running };
        if self.state.run != stage {
            return;
        }
        let because: Vec<String> = self.plan.nodes[node]
            .needs
            .iter()
            .filter(|&&before| self.settled[before] == Some(false))
            .map(|&before| self.id(before))
            .collect();
        match &self.plan.nodes[node].kind {
            NodeKind::Barrier => self.settle(node, because.is_empty()),
            NodeKind::Step(_) if because.is_empty() => self.enter(node),
            NodeKind::Step(_) => {
                let step = self.id(node);
                self.emit(Event::StepBlocked { step, because });
                self.settle(node, false);
            }
        }
    }

    /// A step may begin: its condition, its gates, then the queue for a slot.
    fn enter(&mut self, node: usize) {
        // A person asked for another try, or an earlier engine got this far: the condition was true then.
        let own = &self.state.steps[node].own;
        if own.attempts == 0 && own.gates.is_empty() {
            match self.condition(node) {
                Ok(None) => {}
                Ok(Some((reason, values))) => {
                    let step = self.id(node);
                    self.emit(Event::StepSkipped { step, by: SkippedBy::Condition, reason, values });
                    return self.settle(node, true);
                }
                Err(reason) => {
                    return self.fail((node, Task::Do), &format!("its condition cannot be evaluated: {reason}"));
                }
            }
        }
        self.queue((node, Task::Do));
    }

    /// Through the gates, and into the queue.
    pub(crate) fn queue(&mut self, key: Key) {
        if !self.gates(key) {
            return;
        }
        if self.engine.step_by_step && self.state.attended && key.1 == Task::Do && !self.is_cleanup(key.0) {
            self.stage(key, Some(Stage::Asking));
            return self.ask_step(key.0);
        }
        self.stage(key, Some(Stage::Startable));
    }

    /// Starts what can be started, and ends what has ended.
    pub(crate) fn advance(&mut self) {
        loop {
            self.drain();
            if self.exited {
                return;
            }
            if let Some(series) = self.due.pop_front() {
                self.try_check(series);
                continue;
            }
            if self.state.run == RunStatus::Created {
                if !self.finish_preflight() {
                    return self.leave_if_asked();
                }
                continue;
            }
            if self.watch_guards() {
                continue;
            }
            if self.stop.is_none() && !self.state.paused && self.start_some() {
                continue;
            }
            if !self.end_of_stage() {
                return;
            }
        }
    }

    /// Starts the first startable action that finds a slot and its locks; whether there was one. One at a time: it may
    /// end at once, and what it makes ready may stand before the others.
    fn start_some(&mut self) -> bool {
        while self.slots.len() < self.engine.parallel as usize {
            let Some(&(_, key)) = self.startable.first() else { return false };
            match self.short_of(key) {
                None => {
                    self.retake(key);
                    self.slots.insert(key);
                    self.begin(key);
                    return true;
                }
                Some(short) => self.park(key, short),
            }
        }
        false
    }

    /// Where an action stands among those that can start: steps in starting order, undos in the order that the abort
    /// has announced, last node first.
    pub(crate) fn place(&self, key: Key) -> (usize, Key) {
        let (node, task) = key;
        let place = match task {
            Task::Do => self.plan.nodes[node].rank,
            Task::Undo => self.plan.nodes.len() - node,
        };
        (place, key)
    }

    fn locks_of(&self, node: usize) -> &[String] {
        self.step(node).map_or(&[], |step| &step.spec.locks)
    }

    fn group_of(&self, key: Key) -> Option<(usize, u32)> {
        self.step(key.0).and_then(|step| step.group).filter(|_| key.1 == Task::Do)
    }

    fn is_free(&self, key: Key, short: &Short) -> bool {
        match short {
            Short::Lock(lock) => !self.locks.contains_key(lock),
            Short::Group(group) => {
                let most = self.group_of(key).map_or(u32::MAX, |(_, most)| most.max(1));
                self.groups.get(group).is_none_or(|&now| now < most)
            }
        }
    }

    fn wants(&self, key: Key) -> Vec<Short> {
        let group = self.group_of(key).map(|(group, _)| Short::Group(group));
        self.locks_of(key.0).iter().cloned().map(Short::Lock).chain(group).collect()
    }

    /// What an action that could start lacks. What it has kept from an earlier attempt it does not lack.
    fn short_of(&self, key: Key) -> Option<Short> {
        if self.holds.contains_key(&key) {
            return None;
        }
        self.wants(key).into_iter().find(|short| !self.is_free(key, short))
    }

    fn park(&mut self, key: Key, short: Short) {
        let place = self.place(key);
        self.startable.remove(&place);
        // It may have been woken for something that is free and that it has no use for now: the next one may.
        for other in self.wants(key) {
            if other != short && self.is_free(key, &other) {
                self.wake(&other);
            }
        }
        self.parked.entry(short.clone()).or_default().insert(place);
        self.parked_at.insert(key, short);
    }

    pub(crate) fn unpark(&mut self, key: Key) {
        let Some(short) = self.parked_at.remove(&key) else { return };
        let place = self.place(key);
        if let Some(waiting) = self.parked.get_mut(&short) {
            waiting.remove(&place);
        }
    }

    /// The first one that waits for this may try again.
    fn wake(&mut self, short: &Short) {
        let Some(place) = self.parked.get_mut(short).and_then(BTreeSet::pop_first) else { return };
        self.parked_at.remove(&place.1);
        self.startable.insert(place);
    }

    /// Takes the locks and the place in the group, without asking: what an earlier engine began has them already.
    pub(crate) fn retake(&mut self, key: Key) {
        if self.holds.contains_key(&key) {
            return;
        }
        let locks = self.locks_of(key.0).to_vec();
        let group = self.group_of(key);
        if locks.is_empty() && group.is_none() {
            return;
        }
        for lock in &locks {
            *self.locks.entry(lock.clone()).or_default() += 1;
        }
        if let Some((group, _)) = group {
            *self.groups.entry(group).or_default() += 1;
        }
        self.holds.insert(key, locks);
    }

    /// Gives locks, slot and place in the group back.
    pub(crate) fn release(&mut self, key: Key) {
        self.slots.remove(&key);
        let Some(locks) = self.holds.remove(&key) else { return };
        for lock in locks {
            if let Some(others) = self.locks.get_mut(&lock) {
                *others = others.saturating_sub(1);
                if *others > 0 {
                    continue;
                }
            }
            self.locks.remove(&lock);
            self.wake(&Short::Lock(lock));
        }
        if let Some((group, _)) = self.group_of(key) {
            if let Some(now) = self.groups.get_mut(&group) {
                *now = now.saturating_sub(1);
            }
            self.wake(&Short::Group(group));
        }
    }
}
