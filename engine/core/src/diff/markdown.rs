//! `--format markdown`: for a comment on a pull request.

use std::fmt::Write as _;

use super::{
    Change, Diff, Order, StepChange,
    code::{cell, code},
    text::MOST,
    values::sides,
};
use crate::words;

/// How many lines are under "Look at".
const LINES: usize = 30;
/// How many steps of a critical path are told, and how many changes of one step.
const PARTS: usize = 20;
/// After so many bytes a page takes no more rows: GitHub takes no comment of more than 65,536 characters.
const FULL: usize = 60_000;

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
        // Words of ours, and code spans of what stands in a runbook.
        lines(&mut page, diff.attention.iter().map(|one| format!("- {one}\n")), LINES, "- ", "");
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
            let steps = some(&path.steps, " → ", |step| cell(step));
            _ = writeln!(page, "| {word}{mode} | {}{unknown} | {steps} |", super::length(path.millis));
        }
    }
    page.push('\n');
    if !diff.steps.is_empty() {
        page.push_str("| step | |\n|---|---|\n");
        lines(&mut page, diff.steps.iter().map(step), usize::MAX, "| ", " | |");
        page.push('\n');
    }
    if !diff.head.is_empty() {
        page.push_str("| runbook | |\n|---|---|\n");
        let rows = diff.head.iter().map(|change| row(&change.what, &arrow(change)));
        lines(&mut page, rows, usize::MAX, "| ", " | |");
        page.push('\n');
    }
    for order in &diff.orders {
        edges(&mut page, order);
    }
    page
}

/// As many lines as there is room for, and how many more there are: between `start` and `end`.
fn lines(page: &mut String, lines: impl ExactSizeIterator<Item = String>, most: usize, start: &str, end: &str) {
    let all = lines.len();
    for (at, line) in lines.enumerate() {
        if at == most || page.len() + line.len() > FULL {
            _ = writeln!(page, "{start}and {} more, which `--format text` shows{end}", all - at);
            return;
        }
        page.push_str(&line);
    }
}

/// The first ones in one line, and how many more there are.
fn some<T>(all: &[T], between: &str, told: impl Fn(&T) -> String) -> String {
    let mut parts: Vec<String> = all.iter().take(PARTS).map(told).collect();
    if all.len() > PARTS {
        parts.push(format!("and {} more", all.len() - PARTS));
    }
    parts.join(between)
}

fn step(step: &StepChange) -> String {
    match step {
        StepChange::Added(id) => row(id, "added"),
        StepChange::Removed(id) => row(id, "removed"),
        StepChange::Renamed { old, new } => row(new, &format!("renamed, it was {}", cell(old))),
        StepChange::Changed { id, changes } => {
            row(id, &some(changes, "<br>", |change| format!("{}: {}", cell(&change.what), arrow(change))))
        }
    }
}

fn row(what: &str, told: &str) -> String {
    format!("| {} | {told} |\n", cell(what))
}

fn arrow(change: &Change) -> String {
    let [old, new] = sides(change).map(|side| side.map_or_else(|| "none".to_owned(), |side| cell(&side)));
    format!("{old} → {new}")
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
        let told = pairs.iter().map(|pair| format!("- {} before {}\n", code(&pair.0), code(&pair.1)));
        lines(page, told, MOST, "- ", "");
        page.push_str("\n</details>\n\n");
    }
}
