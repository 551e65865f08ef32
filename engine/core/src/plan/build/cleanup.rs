//! The steps of `cleanup`: one after the other, those of the runbook that was asked for first.

use std::sync::Arc;

use super::{
    super::{NodeKind, PlanStep, edges::Edges, sketch},
    Build,
    step::{estimate, timeout},
};
use crate::model::Phase;

impl Build<'_> {
    /// Appends the cleanup of every runbook in the plan. What orders or multiplies a step cannot stand there.
    pub(super) fn cleanups(&mut self) {
        let mode = self.mode;
        let mut before = None;
        for (scope, source) in self.cleanup.clone() {
            let runbook = Arc::clone(&self.scopes[scope].runbook);
            for (id, step) in runbook.cleanup.iter().filter(|(_, step)| sketch::exists(step, mode)) {
                if self.no_room(&source, step.span()) {
                    return;
                }
                let kind = NodeKind::Step(Box::new(PlanStep {
                    spec: Arc::new((**step).clone()),
                    scope,
                    phase: None,
                    cleanup: true,
                    each: None,
                    group: None,
                    timeout: timeout(step, &runbook.defaults),
                }));
                let name = format!("cleanup/{}{id}", self.scopes[scope].prefix);
                let edges = Edges { needs: Vec::new(), after: before.into_iter().collect() };
                // Behind every phase, and behind the steps that have none.
                before = Some(self.push(name, kind, edges, estimate(step), Phase::ALL.len() + 1));
            }
        }
    }
}
