//! What a run prints when it ends: at most twelve lines.

use super::page::{Page, WIDTH, lines};
use crate::report::{
    sentences,
    story::{RunState, Story},
    words::{clip, count, exact, list},
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
    at_most(&mut page, "  ", &sentences::reason(story), 2);
    let waits = if story.state == RunState::Finished { Vec::new() } else { story.waits_for() };
    let unstarted = story.preflight.as_ref().is_some_and(|preflight| !preflight.passed);
    if unstarted {
        missing(&mut page, story);
    } else {
        for row in sentences::objectives(story).iter().filter(|row| row.name != "MTD") {
            let text = format!("{} of {}: {}", row.actual, row.target, row.result);
            at_most(&mut page, &format!("  {:<11}", row.name), &text, 1);
        }
    }
    let level = story.proven().map_or_else(
        || format!("nothing proven, {:?} was claimed", story.claimed()),
        |level| format!("{level:?}, {}", sentences::meaning(level)),
    );
    if story.end.is_some() && !unstarted {
        at_most(&mut page, "  proven     ", &level, 1);
    }
    if let Some(failed) = sentences::failed(story, 4) {
        at_most(&mut page, "  failed     ", &failed, 1);
    }
    if !story.left.is_empty() {
        let names: Vec<&str> = story.left.iter().map(|left| left.step.as_str()).collect();
        at_most(&mut page, "  left       ", &format!("{}: {}", names.len(), list(&names, 4)), 1);
    }
    let overrides = story.overrides().count();
    if overrides > 0 {
        let last = story.overrides().last().map(sentences::decision).unwrap_or_default();
        at_most(&mut page, "  overrides  ", &format!("{}, the last: {last}", count(overrides, "override")), 1);
    }
    if !waits.is_empty() {
        at_most(&mut page, "  waits for  ", &list(&waits, 2), 2);
    }
    at_most(&mut page, "  next       ", &sentences::next(story), 1);
    capped(&page.finish())
}

/// No log that an engine writes needs more lines; one that somebody damaged may, and then what to do next stays.
fn capped(text: &str) -> String {
    let all: Vec<&str> = text.lines().collect();
    let more = all.len().saturating_sub(MOST);
    let kept = all.iter().enumerate().filter(|&(at, _)| at + 1 == all.len() || at + 1 < MOST || more == 0);
    kept.map(|(_, line)| format!("{line}\n")).collect()
}

fn missing(page: &mut Page, story: &Story) {
    let findings = story.preflight.iter().flat_map(|preflight| &preflight.findings);
    let missing: Vec<_> = findings.filter(|finding| !finding.passed).collect();
    for finding in missing.iter().take(5) {
        let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        at_most(page, "  missing    ", &format!("{}: {}{help}", finding.requirement, finding.found), 1);
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

/// A wrapped text, cut to a number of lines.
fn at_most(page: &mut Page, before: &str, text: &str, most: usize) {
    let width = WIDTH.saturating_sub(before.chars().count());
    let all = lines(&crate::report::words::line(text), width);
    let mut room = most;
    let mut indent = before.to_owned();
    for (at, line) in all.iter().enumerate() {
        room -= 1;
        if room == 0 {
            let rest = all.get(at..).map(|rest| rest.join(" ")).unwrap_or_default();
            return page.line(format!("{indent}{}", clip(&rest, width)));
        }
        page.line(format!("{indent}{line}"));
        indent = " ".repeat(before.chars().count());
    }
}
