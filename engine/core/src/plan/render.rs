//! A plan for people and for tools, one form a file.
//!
//! Duty: wording and drawing. It must not find anything out: that is `forecast`.

use super::{Node, Plan};
use crate::model::Approval;

mod dot;
mod json;
mod mermaid;
mod text;

pub use dot::dot;
pub use json::json;
pub use mermaid::mermaid;
pub use text::text;

/// A gate in a few words: `incident-commander ×2`.
fn gate(approval: &Approval) -> String {
    let by = approval.by.as_ref().map_or("whoever commands", |by| by.as_str());
    if *approval.count > 1 { format!("{by} ×{}", *approval.count) } else { by.to_owned() }
}

/// What is special about a step, in the words that every rendering uses.
fn marks(node: &Node) -> Vec<String> {
    let Some(step) = node.step() else { return Vec::new() };
    let mut marks = Vec::new();
    if let Some(approval) = &step.spec.approval {
        marks.push(format!("gate: {}", gate(approval)));
    }
    if step.spec.irreversible {
        marks.push(String::from("IRREVERSIBLE"));
    }
    if step.spec.injects_outage {
        marks.push(String::from("the outage, in a drill"));
    }
    if step.spec.restores {
        marks.push(String::from("restores"));
    }
    marks
}

/// The title of the runbook that was asked for, or its name.
fn title(plan: &Plan) -> String {
    let metadata = plan.scopes.first().map(|scope| &scope.runbook.metadata);
    metadata
        .map(|metadata| metadata.title.clone().unwrap_or_else(|| metadata.name.as_str().to_owned()))
        .unwrap_or_default()
}

/// The nodes with the numbers by which a drawing names them: an id may hold what no drawing takes as a name.
fn numbered(plan: &Plan) -> impl Iterator<Item = (usize, &Node)> {
    plan.nodes.iter().enumerate()
}
