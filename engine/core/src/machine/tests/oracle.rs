//! A naive model of who may do what and when. It reads nothing but the plan and the records, looks everything up anew
//! each time, and knows nothing of how the machine counts.

use std::collections::BTreeSet;

use crate::{
    evidence::{
        Event,
        event::{ActName, AfterFailure, Resolved, SkippedBy, Stays, Task, Verdict},
    },
    machine::Now,
    model::{Effect, Mode, Step, Undo},
    plan::{NodeKind, Plan},
    policy::effect,
};

/// What the records have told about a step.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "facts, each on its own")]
struct Known {
    /// It has ended, and well.
    end: Option<bool>,
    succeeded: bool,
    /// By a person.
    left_out: bool,
    attempts: [u32; 2],
    /// Announced, not ended.
    flying: [bool; 2],
    /// Its checks run for themselves.
    rechecked: bool,
    /// The next attempt was asked for.
    again: [bool; 2],
    /// Has its locks.
    holds: [bool; 2],
    undo_began: bool,
    undo_ended: Option<bool>,
}

#[expect(clippy::struct_excessive_bools, reason = "facts, each on its own")]
pub(super) struct Oracle<'a> {
    plan: &'a Plan,
    parallel: usize,
    steps: Vec<Known>,
    aborting: bool,
    announced: BTreeSet<usize>,
    stays: usize,
    cleaning: bool,
    restored: bool,
    over: bool,
}

fn at(task: Task) -> usize {
    usize::from(task == Task::Undo)
}

impl<'a> Oracle<'a> {
    /// Reads a whole log and says what in it must not be.
    pub(super) fn judge(plan: &'a Plan, parallel: u32, log: &[(Event, Now)]) -> Result<(), String> {
        let mut oracle = Self {
            plan,
            parallel: parallel as usize,
            steps: vec![Known::default(); plan.nodes.len()],
            aborting: false,
            announced: BTreeSet::new(),
            stays: 0,
            cleaning: false,
            restored: false,
            over: false,
        };
        for (number, (event, _)) in log.iter().enumerate() {
            oracle.read(event).map_err(|why| format!("record {number}: {why}: {event:?}"))?;
        }
        if oracle.over { Ok(()) } else { Err("it is not over".to_owned()) }
    }

    fn spec(&self, node: usize) -> Option<&Step> {
        self.plan.nodes[node].step().map(|step| &*step.spec)
    }

    fn cleanup(&self, node: usize) -> bool {
        self.plan.nodes[node].step().is_some_and(|step| step.cleanup)
    }

    fn find(&self, id: &str) -> Result<usize, String> {
        self.plan.nodes.iter().position(|node| node.id == id).ok_or_else(|| format!("no step {id}"))
    }

    /// Whether a node has ended, and well. A barrier is what it waits for.
    fn end(&self, node: usize) -> Option<bool> {
        let node_ = &self.plan.nodes[node];
        if !matches!(node_.kind, NodeKind::Barrier) {
            return self.steps[node].end;
        }
        let mut well = true;
        for &before in &node_.needs {
            well &= self.end(before)?;
        }
        for &before in &node_.after {
            self.end(before)?;
        }
        Some(well)
    }

    fn may_begin(&self, node: usize) -> Result<(), String> {
        if let Some(before) = self.plan.nodes[node].needs.iter().find(|&&before| self.end(before) != Some(true)) {
            return Err(format!("begins before `{}` has succeeded", self.plan.nodes[*before].id));
        }
        if let Some(before) = self.plan.nodes[node].after.iter().find(|&&before| self.end(before).is_none()) {
            return Err(format!("begins before `{}` has ended", self.plan.nodes[*before].id));
        }
        match (self.cleanup(node), self.aborting, self.cleaning) {
            (true, _, false) => Err("a clean-up step begins before the clean-up".to_owned()),
            (false, true, _) => Err("begins in an abort".to_owned()),
            (false, _, true) => Err("begins in the clean-up".to_owned()),
            _ if self.steps[node].end.is_some() => Err("begins after it has ended".to_owned()),
            _ => Ok(()),
        }
    }

    fn take_locks(&mut self, node: usize, task: Task) -> Result<(), String> {
        let mine: Vec<String> = self.spec(node).map(|spec| spec.locks.clone()).unwrap_or_default();
        for (other, known) in self.steps.iter().enumerate() {
            let theirs = self.spec(other).map(|spec| &spec.locks);
            let shared = theirs.is_some_and(|locks| locks.iter().any(|lock| mine.contains(lock)));
            if other != node && shared && known.holds.contains(&true) {
                return Err(format!("`{}` has its lock", self.plan.nodes[other].id));
            }
        }
        let group = |node: usize| self.plan.nodes[node].step().and_then(|step| step.group);
        if let (Some((number, most)), Task::Do) = (group(node), task) {
            let others = (0..self.steps.len())
                .filter(|&other| other != node && self.steps[other].holds[0])
                .filter(|&other| group(other).is_some_and(|(other, _)| other == number));
            if others.count() >= most as usize {
                return Err("its group is full".to_owned());
            }
        }
        self.steps[node].holds[at(task)] = true;
        Ok(())
    }

    fn ends(&mut self, step: &str, well: bool) -> Result<(), String> {
        let node = self.find(step)?;
        let known = &mut self.steps[node];
        if known.end.is_some() {
            return Err("it ends twice".to_owned());
        }
        known.end = Some(well);
        known.holds[0] = false;
        Ok(())
    }

    fn read(&mut self, event: &Event) -> Result<(), String> {
        if self.over {
            return Err("a record after the last one".to_owned());
        }
        match event {
            Event::ActionStarted { step, task, attempt, order, .. } => {
                let node = self.find(step)?;
                match task {
                    Task::Do => self.may_begin(node)?,
                    Task::Undo => self.undoes(node)?,
                }
                let busy = self.steps.iter().flat_map(|known| known.flying).filter(|&flying| flying).count();
                let process = order["kind"] == "process";
                if process && busy >= self.parallel {
                    return Err("too many at once".to_owned());
                }
                self.take_locks(node, *task)?;
                let known = &mut self.steps[node];
                let (before, again) = (known.attempts[at(*task)], known.again[at(*task)]);
                if *attempt != before + 1 || (before > 0 && !again) || known.flying[at(*task)] {
                    return Err(format!("attempt {attempt} after {before}, asked for: {again}"));
                }
                known.attempts[at(*task)] = *attempt;
                known.again[at(*task)] = false;
                known.rechecked = false;
                known.flying[at(*task)] = process;
            }
            Event::ActionFinished(end) => {
                let node = self.find(&end.step)?;
                self.steps[node].flying[at(end.task)] = false;
            }
            Event::StepUnknown { step, task, .. } => {
                let node = self.find(step)?;
                self.steps[node].flying[at(*task)] = false;
            }
            Event::RetryScheduled { step, task, .. }
            | Event::UnknownResolved { step, task, outcome: Resolved::RunAgain, .. } => {
                let node = self.find(step)?;
                self.steps[node].again[at(*task)] = true;
            }
            Event::Act { act: ActName::Retry, step: Some(step), accepted: true, .. } => {
                let node = self.find(step)?;
                self.steps[node].again = [true; 2];
                self.steps[node].holds[0] = false;
            }
            Event::ApprovalRequested { step, task: Task::Do, .. } => self.may_begin(self.find(step)?)?,
            Event::VerificationStarted { step, task } => {
                let node = self.find(step)?;
                match task {
                    Task::Do => self.may_begin(node)?,
                    Task::Undo => self.undoes(node)?,
                }
                // A check that somebody wants again needs no lock: it only looks.
                if !self.steps[node].rechecked {
                    self.take_locks(node, *task)?;
                }
            }
            Event::Act { act: ActName::Recheck, step: Some(step), accepted: true, .. } => {
                let node = self.find(step)?;
                self.steps[node].rechecked = true;
            }
            Event::StepSkipped { step, by, .. } => {
                if *by == SkippedBy::Condition {
                    self.may_begin(self.find(step)?)?;
                }
                let node = self.find(step)?;
                self.steps[node].left_out = *by == SkippedBy::Person;
                self.ends(step, *by == SkippedBy::Condition)?;
            }
            Event::StepSucceeded { step, .. } => {
                let node = self.find(step)?;
                self.may_begin(node)?;
                self.steps[node].succeeded = true;
                self.ends(step, true)?;
            }
            Event::StepFailed { step, then, .. } if *then != AfterFailure::Pause => {
                self.ends(step, false)?;
            }
            Event::StepBlocked { step, .. } => {
                let edges = &self.plan.nodes[self.find(step)?];
                let mut ends: Vec<Option<bool>> = edges.needs.iter().map(|&before| self.end(before)).collect();
                if !ends.contains(&Some(false)) {
                    return Err("blocked by nothing".to_owned());
                }
                ends.extend(edges.after.iter().map(|&before| self.end(before)));
                if ends.contains(&None) {
                    return Err("blocked too early".to_owned());
                }
                self.ends(step, false)?;
            }
            Event::CapabilityRestored { .. } => {
                if self.restored || !self.all_restored() {
                    return Err("restored".to_owned());
                }
                self.restored = true;
            }
            Event::AbortStarted { undo, stays, .. } => self.abort(undo, stays)?,
            Event::UndoStarted { step } => self.undo_begins(self.find(step)?)?,
            Event::UndoFinished { step, .. } => self.undo_ends(step, true)?,
            Event::UndoFailed { step, .. } => self.undo_ends(step, false)?,
            Event::CleanupStarted { .. } => {
                let open = self.announced.iter().any(|&node| self.steps[node].undo_ended.is_none());
                if self.cleaning || open || !(self.aborting || self.plan.mode == Mode::Drill) {
                    return Err("the clean-up begins".to_owned());
                }
                if !self.aborting && self.main().any(|node| self.end(node).is_none()) {
                    return Err("the clean-up begins before the end".to_owned());
                }
                self.cleaning = true;
            }
            Event::RunFinished(end) => {
                self.over = true;
                let verdict = self.verdict()?;
                if end.verdict != verdict {
                    return Err(format!("expected the verdict {verdict:?}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn main(&self) -> impl Iterator<Item = usize> {
        (0..self.plan.nodes.len()).filter(|&node| self.spec(node).is_some() && !self.cleanup(node))
    }

    fn all_restored(&self) -> bool {
        let restores: Vec<usize> =
            self.main().filter(|&node| self.spec(node).is_some_and(|spec| spec.restores)).collect();
        restores.iter().all(|&node| self.steps[node].end == Some(true))
            && restores.iter().any(|&node| self.steps[node].succeeded)
    }

    fn touched(&self, node: usize) -> bool {
        let mutates = self.spec(node).is_some_and(|spec| effect::of(spec) == Effect::Mutates);
        mutates && !self.cleanup(node) && self.steps[node].attempts[0] > 0
    }

    /// Whether a node needs another one, however far.
    fn needs(&self, node: usize, wanted: usize) -> bool {
        self.plan.nodes[node].needs.iter().any(|&before| before == wanted || self.needs(before, wanted))
    }

    /// Whether a node comes after another one, however far.
    fn follows(&self, node: usize, wanted: usize) -> bool {
        let edges = &self.plan.nodes[node];
        edges.needs.iter().chain(&edges.after).any(|&before| before == wanted || self.follows(before, wanted))
    }

    fn abort(&mut self, undo: &[String], stays: &[Stays]) -> Result<(), String> {
        if self.aborting || self.cleaning {
            return Err("aborted again".to_owned());
        }
        self.aborting = true;
        for node in self.main().filter(|&node| self.touched(node)).collect::<Vec<_>>() {
            let spec = self.spec(node).ok_or("no step")?;
            let final_ = |other: usize| self.touched(other) && self.spec(other).is_some_and(|spec| spec.irreversible);
            let kept = spec.irreversible || self.main().any(|other| final_(other) && self.needs(other, node));
            let undone = !kept && matches!(spec.undo.as_deref(), Some(Undo::Action(_)));
            let id = &self.plan.nodes[node].id;
            let (listed, left) = (undo.contains(id), stays.iter().any(|stays| stays.step == *id));
            if (listed, left) != (undone, !undone) {
                return Err(format!("`{id}`: undone {undone}, but listed {listed} and left {left}"));
            }
        }
        for step in undo {
            let node = self.find(step)?;
            if !self.touched(node) || !self.announced.insert(node) {
                return Err(format!("`{step}` is to be undone and was not done, or twice"));
            }
        }
        self.stays = stays.len();
        Ok(())
    }

    fn undo_begins(&mut self, node: usize) -> Result<(), String> {
        if self.steps.iter().any(|known| known.flying[0]) {
            return Err("undone while an action runs".to_owned());
        }
        if !self.announced.contains(&node) || self.steps[node].undo_began {
            return Err("undone twice, or unannounced".to_owned());
        }
        let open = |&other: &usize| self.steps[other].undo_ended.is_none() && self.follows(other, node);
        if let Some(other) = self.announced.iter().copied().find(open) {
            return Err(format!("undone before `{}`", self.plan.nodes[other].id));
        }
        self.steps.iter_mut().for_each(|known| known.holds[0] = false);
        self.steps[node].undo_began = true;
        Ok(())
    }

    fn undoes(&self, node: usize) -> Result<(), String> {
        let known = &self.steps[node];
        if !known.undo_began || known.undo_ended.is_some() || self.cleaning {
            return Err("an undo out of its time".to_owned());
        }
        Ok(())
    }

    fn undo_ends(&mut self, step: &str, well: bool) -> Result<(), String> {
        let node = self.find(step)?;
        self.undoes(node)?;
        self.steps[node].undo_ended = Some(well);
        self.steps[node].holds[1] = false;
        if self.steps[node].flying[1] {
            return Err("it ends while it runs".to_owned());
        }
        Ok(())
    }

    fn verdict(&self) -> Result<Verdict, String> {
        let cleanup = (0..self.plan.nodes.len()).filter(|&node| self.cleanup(node));
        let clean = cleanup.clone().all(|node| self.steps[node].end == Some(true));
        if self.steps.iter().any(|known| known.flying.contains(&true)) {
            return Err("over while something runs".to_owned());
        }
        if (self.aborting || self.plan.mode == Mode::Drill)
            && cleanup.clone().count() > 0
            && (!self.cleaning || cleanup.clone().any(|node| self.steps[node].end.is_none()))
        {
            return Err("over before the clean-up".to_owned());
        }
        if self.aborting {
            let undone = self.announced.iter().all(|&node| self.steps[node].undo_ended == Some(true));
            let all = self.stays == 0 && undone && (clean || !self.cleaning);
            return Ok(if all { Verdict::Aborted } else { Verdict::AbortIncomplete });
        }
        if self.main().any(|node| self.end(node).is_none()) {
            return Err("over before the end".to_owned());
        }
        // What a person left out is by itself no failure.
        let bad = self.main().any(|node| self.end(node) == Some(false) && !self.steps[node].left_out);
        let restores = self.main().any(|node| self.spec(node).is_some_and(|spec| spec.restores));
        let failed = bad || (restores && !self.all_restored()) || (self.cleaning && !clean);
        Ok(if failed { Verdict::Failed } else { Verdict::Succeeded })
    }
}
