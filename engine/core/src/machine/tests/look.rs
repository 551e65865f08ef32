//! What a test asks of a world.

use super::world::World;
use crate::{
    evidence::{
        Event,
        event::{RunFinished, Task},
    },
    machine::QuestionKind,
};

impl World {
    pub(super) fn code(&self) -> u8 {
        self.exit.as_ref().expect("it has exited").0
    }

    pub(super) fn node(&self, id: &str) -> usize {
        self.folded.node(id).expect("a step of the plan")
    }

    pub(super) fn status(&self, id: &str) -> &'static str {
        self.machine.state().steps[self.node(id)].status.name()
    }

    /// The steps whose actions were started, in order.
    pub(super) fn order(&self, wanted: Task) -> Vec<&str> {
        let started = self.starts.iter().filter(|((_, task, _), _)| *task == wanted);
        started.map(|((node, ..), _)| self.plan.nodes[*node].id.as_str()).collect()
    }

    /// How often an action of a step was started.
    pub(super) fn times(&self, id: &str, wanted: Task) -> usize {
        self.order(wanted).into_iter().filter(|&other| other == id).count()
    }

    pub(super) fn has(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.log.iter().any(|(event, _)| wanted(event))
    }

    /// The last record, if it ends the run.
    pub(super) fn finished(&self) -> &RunFinished {
        match self.log.last() {
            Some((Event::RunFinished(end), _)) => end,
            other => panic!("the run is not over: {other:?}"),
        }
    }

    /// The names of the records.
    pub(super) fn kinds(&self) -> Vec<String> {
        let name = |event: &Event| {
            let value = serde_json::to_value(event).expect("an event is JSON");
            let step = value["step"].as_str().map(|step| format!(" {step}")).unwrap_or_default();
            format!("{}{step}", value["event"].as_str().unwrap_or_default())
        };
        self.log.iter().map(|(event, _)| name(event)).collect()
    }

    pub(super) fn question(&self, step: &str) -> Option<QuestionKind> {
        self.asked.get(step).map(|question| question.kind)
    }

    /// Why the last act was refused.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.log.iter().rev().find_map(|(event, _)| match event {
            Event::Act { refusal, .. } => Some(refusal.as_deref()),
            _ => None,
        })?
    }
}
