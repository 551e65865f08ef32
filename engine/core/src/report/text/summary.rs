//! What a run prints when it ends: at most twelve lines.

use super::page::{Page, WIDTH};
use crate::{
    report::{
        sentences,
        story::{RunState, Story},
    },
    words::{clip, exact, list},
};

/// The most lines there are.
const MOST: usize = 12;

/// The end of a run in at most twelve lines of 80 columns: verdict, why, objectives, level, what failed, what is left,
/// overrides, and what to do next.
#[must_use]
pub fn summary(story: &Story) -> String {
    let mut page = Page::new();
    let took = exact(story.last.elapsed_ms.saturating_sub(story.began.elapsed_ms));
    let run = &story.created;
    let head = format!("{}  {} {}, {took}", sentences::headline(story), run.mode.name(), run.run);
    page.line(clip_spaced(&head));
    page.at_most("  ", &sentences::reason(story), 2);
    if !story.whole {
        page.line("  log        damaged: records are missing, see `lifeboat verify`");
    }
    let waits = if story.state == RunState::Finished { Vec::new() } else { story.waits_for() };
    let unstarted = story.preflight.as_ref().is_some_and(|preflight| !preflight.passed);
    if unstarted {
        missing(&mut page, story);
    } else {
        for row in sentences::objectives(story).iter().filter(|row| row.name != "MTD") {
            let actual =
                if row.actual == "-" || row.actual == row.result { String::new() } else { row.actual.clone() + ", " };
            let text = format!("{} ({actual}target {})", row.outcome(), row.target);
            page.at_most(&format!("  {:<11}", row.name), &text, 1);
        }
    }
    let level = story.proven().map_or_else(
        || format!("nothing proven, {:?} was claimed", story.claimed()),
        |level| format!("{level:?}, {}", sentences::meaning(level)),
    );
    if story.end.is_some() && !unstarted {
        page.at_most("  proven     ", &level, 1);
    }
    for (label, steps) in ["failed", "unknown"].iter().zip(sentences::failed_and_unknown(story, 4)) {
        if let Some(steps) = steps {
            page.at_most(&format!("  {label:<11}"), &steps, 1);
        }
    }
    if !story.left.is_empty() {
        let names: Vec<&str> = story.left.iter().map(|left| left.step.as_str()).collect();
        page.at_most("  left       ", &format!("{}: {}", names.len(), list(&names, 4)), 1);
    }
    let overrides = story.overrides().count();
    if overrides > 0 {
        let last = story.overrides().last().map(sentences::decision).unwrap_or_default();
        page.at_most(
            "  overrides  ",
            &if overrides > 1 { format!("{overrides}, the last: {last}") } else { format!("1: {last}") },
            1,
        );
    }
    if !waits.is_empty() {
        page.at_most("  waits for  ", &list(&waits, 2), 2);
    }
    page.next("  next       ", &sentences::next(story), 1);
    capped(&page.finish())
}

/// No log that an engine writes needs more lines; one that somebody damaged may, and then what to do next stays.
fn capped(text: &str) -> String {
    let all: Vec<&str> = text.lines().collect();
    let more = all.len().saturating_sub(MOST);
    let kept = all.iter().enumerate().filter(|&(at, _)| at + 1 == all.len() || at + 1 < MOST || more == 0);
    kept.flat_map(|(_, line)| [*line, "\n"]).collect()
}

fn missing(page: &mut Page, story: &Story) {
    let findings = story.preflight.iter().flat_map(|preflight| &preflight.findings);
    let missing: Vec<_> = findings.filter(|finding| finding.blocks()).collect();
    for finding in missing.iter().take(5) {
        let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        page.at_most("  missing    ", &format!("{}: {}{help}", finding.title(), finding.found), 2);
    }
    if missing.len() > 5 {
        page.line(format!("             and {} more", missing.len() - 5));
    }
}

fn clip_spaced(head: &str) -> String {
    // `clip` joins white space; the two spaces after the verdict are ours.
    match head.split_once("  ") {
        Some((verdict, rest)) => {
            let rest = clip(rest, WIDTH.saturating_sub(verdict.chars().count() + 2));
            format!("{verdict}  {rest}")
        }
        None => clip(head, WIDTH),
    }
}
