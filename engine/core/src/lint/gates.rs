//! Who has to say yes before something runs.
//!
//! Duty: to find that out along the order of the steps. What needs a yes is the rules' business.

use super::{
    Context,
    facts::{is_for_drills, own_undo},
    scripts::{Reading, Role},
};
use crate::script::Command;

/// A command of an incident that nobody has to say yes to.
pub(crate) struct Ungated<'c, 'a> {
    pub(crate) reading: &'c Reading<'a>,
    pub(crate) program: &'c str,
    pub(crate) command: &'c Command,
    /// What is told of it.
    pub(crate) what: &'static str,
}

impl<'a> Context<'a> {
    /// For each step, whether a person has to say yes to it, or to a step that it cannot begin without; in the mode of an
    /// incident. `None` when nobody can know.
    pub(crate) fn gated(&self) -> Option<Vec<bool>> {
        // The first order is that of an incident, and of both modes when they do not differ.
        let sketch = self.sound_orders().next()?;
        let needed = sketch.needed();
        let mut gated = vec![false; needed.len()];
        for node in sketch.order.iter().copied() {
            let step = self.runbook.steps.get_index(node).map(|(_, step)| step);
            // What is included may have a gate.
            let own = step.is_some_and(|step| step.approval.is_some() || step.runbook.is_some());
            gated[node] = own && sketch.has(node) || needed.predecessors(node).any(|before| gated[before]);
        }
        Some(gated)
    }

    /// The commands of which a rule says something, and that an incident runs behind nobody's yes.
    pub(crate) fn ungated<'c>(
        &'c self,
        says: impl Fn(&Reading<'_>, &str, &Command) -> Option<&'static str>,
    ) -> Vec<Ungated<'c, 'a>> {
        let mut found: Vec<_> = self
            .commands()
            .filter_map(|(reading, program, command)| {
                Some(Ungated { reading, program, command, what: says(reading, program, command)? })
            })
            .collect();
        let Some(gated) = (!found.is_empty()).then(|| self.gated()).flatten() else { return Vec::new() };
        found.retain(|it| self.is_ungated(it.reading, &gated));
        found
    }

    fn is_ungated(&self, reading: &Reading<'_>, gated: &[bool]) -> bool {
        let Some(("steps", id, step)) = reading.step else { return false };
        if is_for_drills(step) {
            return false;
        }
        let at = self.runbook.steps.get_index_of(id);
        let ungated = at.and_then(|at| gated.get(at)).is_some_and(|gated| !gated);
        match reading.role {
            Role::Action => ungated,
            // Who said yes to the step has seen how it is taken back.
            Role::Undo => ungated && own_undo(step).is_some_and(|undo| undo.approval.is_none()),
            Role::Check | Role::UndoCheck | Role::Requires | Role::Guard => false,
        }
    }
}
