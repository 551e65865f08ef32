//! A plan: a runbook expanded for one run, every node in an order that can be executed.
//!
//! Duty: the expanded steps, their edges and what is known ahead of time. It must not run anything.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::{
    duration::Duration,
    model::{Mode, Phase, Runbook, Step},
};

pub mod build;
pub mod digest;
mod edges;
pub mod forecast;
pub mod include;
pub mod inputs;
pub(crate) mod nearest;
pub mod render;
pub(crate) mod sketch;
#[cfg(test)]
mod tests;

pub use build::{Request, build};
pub use include::{Loaded, Resolver, Unreadable};

/// A runbook expanded for one run. `nodes` is in topological order: an edge always leads to a lower index.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The mode it was made for.
    pub mode: Mode,
    /// Each runbook of the plan with its inputs; the first is the one that was asked for.
    pub scopes: Vec<PlanScope>,
    /// Steps and barriers, then the steps of `cleanup`.
    pub nodes: Vec<Node>,
}

/// A runbook in the plan: the one asked for, or an included one.
#[derive(Debug, Clone)]
pub struct PlanScope {
    /// What was written.
    pub runbook: Arc<Runbook>,
    /// Prepended to its step ids: empty, or `db/`.
    pub prefix: String,
    /// Its directory, relative to the directory of the runbook that was asked for; empty for the same.
    pub directory: String,
    /// Its inputs.
    pub inputs: IndexMap<String, Binding>,
}

/// The value of an input.
#[derive(Debug, Clone, PartialEq)]
pub enum Binding {
    /// A value.
    Value(Value),
    /// The secret input of this name of the runbook that was asked for.
    Secret(String),
}

/// A node of the plan.
#[derive(Debug, Clone)]
pub struct Node {
    /// Unique: a step's id (`restore[payments]`, `db/promote`, `cleanup/drop`), or a barrier's name.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// Nodes that must have succeeded (or been skipped by their condition), ascending.
    pub needs: Vec<usize>,
    /// Nodes that must have ended, ascending.
    pub after: Vec<usize>,
    /// Nodes that have this one in `needs` or `after`, ascending.
    pub dependents: Vec<usize>,
    /// Estimated time of this node.
    pub estimate: Duration,
    /// Longest estimated time from the start of this node to the end of the plan.
    pub tail: Duration,
    /// Position in the order in which ready nodes start: by phase, then longest tail, then file order.
    pub rank: usize,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// A step.
    Step(Box<PlanStep>),
    /// A point where edges meet: the end of a phase, or of an included runbook. It succeeds by itself.
    Barrier,
}

/// A step of the plan.
#[derive(Debug, Clone)]
pub struct PlanStep {
    /// What was written.
    pub spec: Arc<Step>,
    /// Index into `Plan::scopes`.
    pub scope: usize,
    /// Phase; `None` in `cleanup`.
    pub phase: Option<Phase>,
    /// Whether it belongs to `cleanup`.
    pub cleanup: bool,
    /// `each` of a `forEach` instance: name and element.
    pub each: Option<(String, Value)>,
    /// Instances of one `forEach` with a limit: the group's number and how many may run at a time.
    pub group: Option<(usize, u32)>,
    /// Longest time of one attempt, defaults applied.
    pub timeout: Duration,
}

impl Node {
    /// The step, if it is one.
    #[must_use]
    pub fn step(&self) -> Option<&PlanStep> {
        match &self.kind {
            NodeKind::Step(step) => Some(step),
            NodeKind::Barrier => None,
        }
    }
}

impl PlanStep {
    /// Whether anybody said how long it takes: its author, or the length of the pause that it is.
    #[must_use]
    pub fn is_estimated(&self) -> bool {
        self.spec.estimated().is_some()
    }
}
