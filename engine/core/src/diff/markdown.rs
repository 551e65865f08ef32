//! `--format markdown`: for a comment on a pull request.

use std::fmt::Write as _;

use super::{
    Change, Diff, Order, StepChange,
    code::{cell, code},
    shown,
    text::MOST,
};
use crate::words;

/// A comment.
#[must_use]
pub fn markdown(diff: &Diff) -> String {
    let mut page = format!("### Runbook {}\n\n", code(&diff.names[1]));
    if diff.is_empty() {
        page.push_str("No difference that a run or a reader would notice.\n");
        return page;
    }
    if !diff.attention.is_empty() {
        page.push_str("**Look at**\n\n");
        for one in &diff.attention {
            // Its own words, and code spans of what stands in a runbook.
            _ = writeln!(page, "- {one}");
        }
        page.push('\n');
    }
    page.push_str("| | RTO forecast | critical path |\n|---|---|---|\n");
    for order in &diff.orders {
        let mode = order.mode.map_or_else(String::new, |mode| format!(" ({})", mode.name()));
        for (word, path) in [("before", &order.old), ("after", &order.new)] {
            let Some(path) = path else {
                _ = writeln!(page, "| {word}{mode} | none | the steps cannot be put in order, as `lint` shows |");
                continue;
            };
            let unknown = match path.without_estimate {
                0 => String::new(),
                some => format!(", {} without an estimate", words::count(some, "step")),
            };
            let steps: Vec<String> = path.steps.iter().map(|step| cell(step)).collect();
            _ = writeln!(page, "| {word}{mode} | {}{unknown} | {} |", super::length(path.millis), steps.join(" → "));
        }
    }
    page.push('\n');
    if !diff.steps.is_empty() {
        page.push_str("| step | |\n|---|---|\n");
        for step in &diff.steps {
            match step {
                StepChange::Added(id) => row(&mut page, id, "added"),
                StepChange::Removed(id) => row(&mut page, id, "removed"),
                StepChange::Renamed { old, new } => row(&mut page, new, &format!("renamed, it was {}", cell(old))),
                StepChange::Changed { id, changes } => row(&mut page, id, &cells(changes)),
            }
        }
        page.push('\n');
    }
    if !diff.head.is_empty() {
        page.push_str("| runbook | |\n|---|---|\n");
        for change in &diff.head {
            row(&mut page, &change.what, &arrow(change));
        }
        page.push('\n');
    }
    for order in &diff.orders {
        edges(&mut page, order);
    }
    page
}

fn row(page: &mut String, what: &str, told: &str) {
    _ = writeln!(page, "| {} | {told} |", cell(what));
}

fn cells(changes: &[Change]) -> String {
    let cells: Vec<String> =
        changes.iter().map(|change| format!("{}: {}", cell(&change.what), arrow(change))).collect();
    cells.join("<br>")
}

fn arrow(change: &Change) -> String {
    let value = |value: &Option<serde_json::Value>| match value {
        Some(_) => cell(&shown(value.as_ref())),
        None => "none".to_owned(),
    };
    format!("{} → {}", value(&change.old), value(&change.new))
}

fn edges(page: &mut String, order: &Order) {
    let mode = order.mode.map_or_else(String::new, |mode| format!(" ({})", mode.name()));
    for (title, pairs) in [
        ("Order that is gone", &order.lost),
        ("Order that is new", &order.gained),
        ("Order that was the other way round", &order.turned),
    ] {
        if pairs.is_empty() {
            continue;
        }
        _ = writeln!(page, "<details><summary>{title}{mode}: {}</summary>\n", pairs.len());
        for pair in pairs.iter().take(MOST) {
            _ = writeln!(page, "- {} before {}", code(&pair.0), code(&pair.1));
        }
        if pairs.len() > MOST {
            _ = writeln!(page, "- and {} more", pairs.len() - MOST);
        }
        page.push_str("\n</details>\n\n");
    }
}
