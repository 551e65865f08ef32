//! `--format mermaid`: a flow chart for a pull request or a wiki.

use std::fmt::Write as _;

use super::{super::Plan, marks, numbered};
use crate::model::Phase;
use crate::words;

/// A Mermaid flow chart, one box around each phase.
#[must_use]
pub fn mermaid(plan: &Plan) -> String {
    let mut chart = String::from("flowchart TD\n");
    let phases = Phase::ALL.into_iter().map(Some).chain([None]);
    for phase in phases {
        let inside: Vec<_> =
            numbered(plan).filter(|(_, node)| node.step().is_some_and(|step| step.phase == phase)).collect();
        if inside.is_empty() {
            continue;
        }
        let name = phase.map_or("cleanup", Phase::name);
        let _ = writeln!(chart, "  subgraph phase-{name} [\"{name}\"]");
        for (at, node) in inside {
            let mut lines = vec![escape(&node.id)];
            lines.extend(node.step().and_then(|step| step.spec.title.as_deref()).map(escape));
            if node.step().is_some_and(super::super::PlanStep::is_estimated) {
                lines.push(node.estimate.to_string());
            }
            lines.extend(marks(node).iter().map(|mark| escape(mark)));
            let class = if node.step().is_some_and(|step| step.spec.irreversible) { ":::irreversible" } else { "" };
            let _ = writeln!(chart, "    n{at}[\"{}\"]{class}", lines.join("<br/>"));
        }
        chart.push_str("  end\n");
    }
    for (at, node) in numbered(plan).filter(|(_, node)| node.step().is_none()) {
        let _ = writeln!(chart, "  n{at}([\"{}\"])", escape(&node.id));
    }
    for (at, node) in numbered(plan) {
        for before in &node.needs {
            let _ = writeln!(chart, "  n{before} --> n{at}");
        }
        for before in &node.after {
            let _ = writeln!(chart, "  n{before} -.-> n{at}");
        }
    }
    chart.push_str("  classDef irreversible stroke-width:4px\n");
    chart
}

/// Inside a quoted label. Mermaid reads HTML and its own `#…;` codes there, so whatever could begin one is a code.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in words::line(text).chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | '`' | '\\' | '[' | ']' | '{' | '}' | '(' | ')' | '|' | ';' | '*' | '_' => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}
