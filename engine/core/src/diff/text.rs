//! `--format text`: for a terminal.

use std::fmt::Write as _;

use super::{Change, Diff, Order, StepChange, values::sides};
use crate::words;

/// How many pairs of one kind are told; the rest is counted.
pub(super) const MOST: usize = 20;

/// For people.
#[must_use]
pub fn text(diff: &Diff) -> String {
    let mut page = String::new();
    if diff.is_empty() {
        return "no difference that a run or a reader would notice\n".to_owned();
    }
    if !diff.attention.is_empty() {
        page.push_str("LOOK AT\n");
        for one in &diff.attention {
            _ = writeln!(page, "  ! {}", words::line(one));
        }
        page.push('\n');
    }
    if !diff.head.is_empty() {
        page.push_str("RUNBOOK\n");
        lines(&mut page, "  ", &diff.head);
        page.push('\n');
    }
    if !diff.steps.is_empty() {
        page.push_str("STEPS\n");
        for step in &diff.steps {
            match step {
                StepChange::Added(id) => _ = writeln!(page, "  + {}", words::line(id)),
                StepChange::Removed(id) => _ = writeln!(page, "  - {}", words::line(id)),
                StepChange::Renamed { old, new } => _ = writeln!(page, "  = {old} is called {new} now"),
                StepChange::Changed { id, changes } => {
                    _ = writeln!(page, "  ~ {id}");
                    lines(&mut page, "      ", changes);
                }
            }
        }
        page.push('\n');
    }
    for order in &diff.orders {
        of(&mut page, order);
    }
    page
}

fn lines(page: &mut String, indent: &str, changes: &[Change]) {
    for change in changes {
        let [old, new] = sides(change).map(|side| side.unwrap_or_else(|| "none".to_owned()));
        _ = writeln!(page, "{indent}{}: {old} → {new}", words::line(&change.what));
    }
}

fn of(page: &mut String, order: &Order) {
    let mode = order.mode.map_or_else(String::new, |mode| format!(" ({})", mode.name()));
    if !(order.lost.is_empty() && order.gained.is_empty() && order.turned.is_empty()) {
        _ = writeln!(page, "ORDER{mode}");
        for (word, pairs) in [("-", &order.lost), ("+", &order.gained), ("~", &order.turned)] {
            for pair in pairs.iter().take(MOST) {
                _ = writeln!(page, "  {word} {} before {}", pair.0, pair.1);
            }
            if pairs.len() > MOST {
                _ = writeln!(page, "  {word} and {} more", pairs.len() - MOST);
            }
        }
        page.push('\n');
    }
    _ = writeln!(page, "CRITICAL PATH{mode}, by estimates");
    for (word, path) in [("before", &order.old), ("after", &order.new)] {
        let Some(path) = path else {
            _ = writeln!(page, "  {word:<6}  none: the steps cannot be put in order, as `lint` shows");
            continue;
        };
        let unknown = match path.without_estimate {
            0 => String::new(),
            some => format!(" ({} without an estimate)", words::count(some, "step")),
        };
        _ = writeln!(page, "  {word:<6}  {}{unknown}  {}", super::length(path.millis), path.steps.join(" → "));
    }
}
