//! What a step or its undo is made of, seen the same way.

use std::sync::Arc;

use super::{Key, Machine};
use crate::{
    action,
    duration::Duration,
    evidence::event::Task,
    model::{Approval, Check, Effect, Retry, Step, Undo, UndoAction},
    plan::PlanStep,
    policy::effect,
    source::Spanned,
};

/// One of the two actions of a step.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    spec: Arc<Step>,
    task: Task,
}

impl Work {
    pub(crate) fn undo(&self) -> Option<&UndoAction> {
        match self.spec.undo.as_deref() {
            Some(Undo::Action(action)) => Some(action),
            Some(Undo::Auto(_)) | None => None,
        }
    }

    pub(crate) fn kind(&self) -> Option<action::Kind> {
        match self.task {
            Task::Do => action::of_step(&self.spec),
            Task::Undo => self.undo().and_then(|undo| action::present_in_undo(undo).next()),
        }
    }

    /// Whether it is taken back by what it found before it changed anything.
    pub(crate) fn undoes_itself(&self) -> bool {
        matches!(self.spec.undo.as_deref(), Some(Undo::Auto(_)))
    }

    /// Whether it knows by itself what an earlier engine began: it looks for what it made, by a name that only this
    /// attempt has, and so it can be asked again without doing anything twice.
    pub(crate) fn finds_itself(&self) -> bool {
        let kind = match self.task {
            Task::Undo if self.undoes_itself() => action::of_step(&self.spec),
            _ => self.kind(),
        };
        kind.is_some_and(action::Kind::is_kube)
    }

    pub(crate) fn checks(&self) -> &[Spanned<Check>] {
        match self.task {
            Task::Do => &self.spec.verify,
            Task::Undo => self.undo().map_or(&[], |undo| &undo.verify),
        }
    }

    pub(crate) fn check(&self, at: u32) -> Option<&Check> {
        self.checks().get(at as usize).map(|check| &**check)
    }

    pub(crate) fn approval(&self) -> Option<&Approval> {
        match self.task {
            Task::Do => self.spec.approval.as_deref(),
            Task::Undo => self.undo().and_then(|undo| undo.approval.as_deref()),
        }
    }

    pub(crate) fn idempotent(&self) -> bool {
        match self.task {
            Task::Do => self.spec.idempotent,
            Task::Undo => self.undo().is_some_and(|undo| undo.idempotent),
        }
    }

    pub(crate) fn effect(&self) -> Effect {
        match self.task {
            Task::Do => effect::of(&self.spec),
            Task::Undo => Effect::Mutates,
        }
    }

    /// Whether only the action's own result can tell what later steps need, so that a verification is not enough.
    pub(crate) fn result_matters(&self) -> bool {
        self.task == Task::Do && (!self.spec.outputs.is_empty() || self.spec.recovery_point.is_some())
    }

    pub(crate) fn spec(&self) -> &Step {
        &self.spec
    }
}

impl Machine {
    /// The step of a node; nodes that have begun are always steps.
    pub(crate) fn step(&self, node: usize) -> Option<&PlanStep> {
        self.plan.nodes.get(node).and_then(|node| node.step())
    }

    pub(crate) fn work(&self, key: Key) -> Work {
        let spec = self.step(key.0).map_or_else(|| Arc::new(Step::default()), |step| Arc::clone(&step.spec));
        Work { spec, task: key.1 }
    }

    pub(crate) fn retry(&self, key: Key) -> Option<Retry> {
        let work = self.work(key);
        match key.1 {
            Task::Do => {
                let own = work.spec().retry.as_deref().cloned();
                let step = self.step(key.0)?;
                own.or_else(|| self.plan.scopes[step.scope].runbook.defaults.retry.clone())
            }
            Task::Undo => work.undo()?.retry.as_deref().cloned(),
        }
    }

    pub(crate) fn timeout(&self, key: Key) -> Duration {
        let own = self.step(key.0).map_or(Duration::from_secs(600), |step| step.timeout);
        match key.1 {
            Task::Do => own,
            Task::Undo => self.work(key).undo().and_then(|undo| undo.timeout).unwrap_or(own),
        }
    }

    /// Whether a step belongs to `cleanup`.
    pub(crate) fn is_cleanup(&self, node: usize) -> bool {
        self.step(node).is_some_and(|step| step.cleanup)
    }
}
