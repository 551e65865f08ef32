//! Which node is next: what happens when the predecessors of a node have ended.

use super::{Key, Machine, RunStatus, Stage, Status};
use crate::{
    evidence::{
        Event,
        event::{SkippedBy, Task},
    },
    plan::NodeKind,
};

impl Machine {
    /// Sets up the counters of the graph from the state; the same for a new run and for a resumed one.
    pub(crate) fn load(&mut self) {
        let plan = std::sync::Arc::clone(&self.plan);
        for (at, node) in plan.nodes.iter().enumerate() {
            let ended = match node.kind {
                NodeKind::Step(_) => match self.state.steps[at].status {
                    Status::Succeeded => Some(true),
                    Status::Skipped(by) => Some(by == SkippedBy::Condition),
                    Status::Blocked => Some(false),
                    Status::Failed if !self.decision_is_open(at) => Some(false),
                    Status::Undoing | Status::Undone | Status::UndoFailed => Some(false),
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
        }
        self.recover_live();
        match self.state.run {
            RunStatus::Running => self.enter_all(false),
            RunStatus::CleaningUp => self.enter_all(true),
            RunStatus::Aborting | RunStatus::Created | RunStatus::Finished(_) => {}
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
            if self.stop.is_none() && !self.state.paused && self.start_some() {
                continue;
            }
            if !self.end_of_stage() {
                return;
            }
        }
    }

    /// Starts every startable action that finds a slot and its locks; whether there was one.
    fn start_some(&mut self) -> bool {
        let mut started = false;
        let waiting: Vec<Key> = if self.slots.len() >= self.engine.parallel as usize {
            Vec::new()
        } else {
            self.startable.iter().map(|&(_, key)| key).take(self.scan_limit()).collect()
        };
        for key in waiting {
            if self.slots.len() >= self.engine.parallel as usize || self.state.paused {
                break;
            }
            if self.live.get(&key) == Some(&Stage::Startable) && self.take(key) {
                started = true;
                self.begin(key);
            }
        }
        started
    }

    /// How far to look for something that is not locked. Without locks the first ones will do, and a wide layer must
    /// not cost its width for each of its steps.
    fn scan_limit(&self) -> usize {
        if self.holds.is_empty() { self.engine.parallel as usize } else { usize::MAX }
    }

    /// Takes a slot, the locks and a place in the group, or nothing.
    fn take(&mut self, key: Key) -> bool {
        if !self.holds.contains_key(&key) {
            let Some(step) = self.step(key.0) else { return false };
            let group = step.group;
            let locks = step.spec.locks.clone();
            if locks.iter().any(|lock| self.locks.contains(lock)) {
                return false;
            }
            if let Some((group, most)) = group
                && key.1 == Task::Do
                && self.groups.get(&group).is_some_and(|&now| now >= most)
            {
                return false;
            }
            if key.1 == Task::Do
                && let Some((group, _)) = group
            {
                *self.groups.entry(group).or_default() += 1;
            }
            self.locks.extend(locks.iter().cloned());
            if !locks.is_empty() || group.is_some() {
                self.holds.insert(key, locks);
            }
        }
        self.slots.insert(key);
        true
    }

    /// Gives locks, slot and place in the group back.
    pub(crate) fn release(&mut self, key: Key) {
        self.slots.remove(&key);
        if let Some(locks) = self.holds.remove(&key) {
            for lock in &locks {
                self.locks.remove(lock);
            }
            if key.1 == Task::Do
                && let Some((group, _)) = self.step(key.0).and_then(|step| step.group)
                && let Some(now) = self.groups.get_mut(&group)
            {
                *now = now.saturating_sub(1);
            }
        }
    }
}
