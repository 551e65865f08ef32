//! `--format dot`: for Graphviz.

use std::fmt::Write as _;

use super::{super::Plan, marks, numbered, title};
use crate::words;

/// A Graphviz digraph.
#[must_use]
pub fn dot(plan: &Plan) -> String {
    let mut graph = format!("digraph plan {{\n  label={};\n", quote(&[title(plan)]));
    graph.push_str("  rankdir=TB;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for (at, node) in numbered(plan) {
        let Some(step) = node.step() else {
            let _ =
                writeln!(graph, "  n{at} [shape=oval, style=dotted, label={}];", quote(std::slice::from_ref(&node.id)));
            continue;
        };
        let mut lines = vec![node.id.clone()];
        lines.extend(step.spec.title.clone());
        if step.is_estimated() {
            lines.push(node.estimate.to_string());
        }
        lines.extend(marks(node));
        let edge = if step.spec.irreversible { ", peripheries=2" } else { "" };
        let style = if step.cleanup { ", style=dashed" } else { "" };
        let _ = writeln!(graph, "  n{at} [label={}{edge}{style}];", quote(&lines));
    }
    for (at, node) in numbered(plan) {
        for before in &node.needs {
            let _ = writeln!(graph, "  n{before} -> n{at};");
        }
        for before in &node.after {
            let _ = writeln!(graph, "  n{before} -> n{at} [style=dashed];");
        }
    }
    graph.push_str("}\n");
    graph
}

/// A quoted label of several lines.
fn quote(lines: &[String]) -> String {
    let lines: Vec<String> =
        lines.iter().map(|line| words::line(line).replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", lines.join("\\n"))
}
