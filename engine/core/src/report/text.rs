//! `--format text`: for a terminal at night and for a file that somebody prints. 80 columns, no colour.
//!
//! Duty: layout. The verdict comes first, because it is what everybody looks for. What is unusual (failed checks,
//! unknown outcomes, engines that died) has a section only when there is some.

use super::{
    sentences,
    story::{Step, Story},
};
use crate::{
    evidence::event::{InputRecord, Task},
    machine::state::Status,
    words::{clip, count, exact, instant, length, line, list, offset, value},
};

mod page;
mod summary;

use page::Page;
pub use summary::summary;

/// The longest observation that is shown; the log and the artifacts have all of it.
const LONGEST: usize = 480;

/// The whole story.
#[must_use]
pub fn text(story: &Story) -> String {
    let mut page = Page::new();
    verdict(&mut page, story);
    identity(&mut page, story);
    let unready = story.preflight.as_ref().is_some_and(|preflight| !preflight.passed);
    if unready {
        preflight(&mut page, story);
    }
    objectives(&mut page, story);
    steps(&mut page, story);
    failed_checks(&mut page, story);
    unknowns(&mut page, story);
    decisions(&mut page, story);
    aborted(&mut page, story);
    left(&mut page, story);
    if !unready {
        preflight(&mut page, story);
    }
    clusters(&mut page, story);
    engines(&mut page, story);
    record(&mut page, story);
    page.finish()
}

fn verdict(page: &mut Page, story: &Story) {
    let caveats = sentences::caveats(story);
    let caveats = if caveats.is_empty() { String::new() } else { format!(" ({})", caveats.join(", ")) };
    let code = story.end.as_ref().map(|end| format!(", exit code {}", end.exit_code)).unwrap_or_default();
    page.wrapped("", &format!("{}{caveats}{code}", sentences::headline(story)));
    page.wrapped("  ", &sentences::reason(story));
    if story.end.is_some() {
        return;
    }
    for waits in story.waits_for() {
        page.wrapped("  waits for  ", &waits);
    }
    for step in story.in_flight() {
        let undo = step.undo.as_ref().filter(|_| step.status == Status::Undoing).and_then(|undo| undo.started);
        let since = undo.or(step.started).map(|at| format!(" since {}", offset(at.elapsed_ms))).unwrap_or_default();
        page.wrapped("  in flight  ", &format!("`{}` {}{since}", step.id, step.status.name()));
    }
    page.next("  next       ", &sentences::next(story), usize::MAX);
}

fn identity(page: &mut Page, story: &Story) {
    let run = &story.created;
    page.blank();
    page.wrapped("", &run.runbook.title);
    page.wrapped("  run         ", &format!("{} ({})", run.run, run.mode.name()));
    page.wrapped("  runbook     ", &format!("{}, owned by {}", run.runbook.name, run.runbook.owner));
    page.wrapped("  capability  ", &run.runbook.capability);
    page.wrapped("  started     ", &format!("{} by {}@{}", instant(story.began.at), run.user, run.host));
    let took = story.last.elapsed_ms.saturating_sub(story.began.elapsed_ms);
    let (label, at) = match &story.end {
        Some(end) => ("  finished    ", end.at.at),
        None => ("  last record ", story.last.at),
    };
    page.wrapped(label, &format!("{} ({} after the start)", instant(at), exact(took)));
}

fn objectives(page: &mut Page, story: &Story) {
    page.section("OBJECTIVES");
    page.line(format!("  {:<12}{:<13}{:<20}{}", "", "target", "actual", "result"));
    for row in sentences::objectives(story) {
        let before = format!("  {:<12}{:<13}{:<20}", row.name, row.target, row.actual);
        page.wrapped(&before, &row.outcome());
    }
    if let Some([start, stop]) = sentences::clock(story) {
        page.wrapped("  clock from  ", &start);
        page.wrapped("  clock to    ", &stop);
    }
    let parts: Vec<String> = sentences::split(story)
        .into_iter()
        .map(|(name, millis, share)| {
            let share = share.map(|share| format!(" ({share}%)")).unwrap_or_default();
            format!("{name} {}{share}", exact(millis))
        })
        .collect();
    if !parts.is_empty() {
        page.wrapped("  clock split ", &parts.join(", "));
    }
    for point in &story.recovery_points {
        page.wrapped("  data as of  ", &format!("{}, told by step `{}`", instant(point.at), point.step));
    }
    page.wrapped("  proven      ", &sentences::level(story));
}

fn steps(page: &mut Page, story: &Story) {
    let counts: Vec<String> = story.counts().iter().map(|(status, count)| format!("{count} {status}")).collect();
    page.section(&format!("STEPS ({})", if counts.is_empty() { "0".to_owned() } else { counts.join(", ") }));
    if story.steps.is_empty() {
        return page.line("  none is recorded");
    }
    let status = story.steps.values().map(|step| step.status.name().len()).max().unwrap_or(0);
    let mut heading = None;
    for step in story.steps.values() {
        let phase = if step.cleanup { Some("cleanup") } else { step.phase.as_deref() };
        if story.planned && heading != Some(phase) {
            page.line(format!("  {}", phase.map_or_else(|| "no phase".to_owned(), line)));
            heading = Some(phase);
        }
        row(page, step, status);
    }
}

fn row(page: &mut Page, step: &Step, status: usize) {
    let start = step.started.map_or_else(|| "-".to_owned(), |at| offset(at.elapsed_ms));
    let took = step.duration_ms.filter(|_| step.started.is_some()).map_or_else(|| "-".to_owned(), length);
    let mut what = step.title.as_ref().map_or_else(|| step.id.clone(), |title| format!("{}: {title}", step.id));
    if step.tries() > 1 {
        what = format!("{what} ({} attempts)", step.tries());
    }
    let before = format!("  {start:>8}  {took:>7}  {:<status$}  ", step.status.name());
    page.wrapped(&before, &what);
    let under = " ".repeat(before.chars().count());
    for text in notes(step) {
        page.wrapped(&format!("{under}> "), &text);
    }
}

/// What has to be said about a step besides its status.
fn notes(step: &Step) -> Vec<String> {
    // A failed undo is the reason of its status already.
    let undo = sentences::undo(step).filter(|_| step.status != Status::UndoFailed);
    step.why().into_iter().chain(undo).collect()
}

fn failed_checks(page: &mut Page, story: &Story) {
    let failed = || story.steps.values().flat_map(|step| step.failed_checks().map(move |check| (step, check)));
    let empty = || story.steps.values().flat_map(|step| step.empty_controls().map(move |control| (step, control)));
    let number = failed().count() + empty().count();
    if number == 0 {
        return;
    }
    page.section(&format!("FAILED CHECKS ({number})"));
    for (step, (check, later)) in failed() {
        let undo = if check.task == Task::Undo { "the undo of " } else { "" };
        let later = if later { ", passed later" } else { "" };
        page.wrapped("  ", &format!("{undo}{}: {}{later}", step.id, check.name));
        page.wrapped("      expected  ", check.expected.as_deref().unwrap_or("to pass"));
        page.wrapped("      actual    ", &clip(&value(&check.observed), LONGEST));
        if let Some(reason) = sentences::told_apart(check) {
            page.wrapped("      why       ", &clip(reason, LONGEST));
        }
        let tried = format!("{} in {}", sentences::times(check.tries), length(check.duration_ms));
        page.wrapped("      tried     ", &format!("{tried}, until {}", offset(check.at.elapsed_ms)));
    }
    for (step, control) in empty() {
        page.wrapped("  ", &format!("{}: {}, a negative control", step.id, control.name));
        page.wrapped("      expected  ", "to fail before the action");
        page.wrapped("      actual    ", "it passed already, so it proves nothing");
        page.wrapped("      observed  ", &clip(&value(&control.observed), LONGEST));
    }
}

fn unknowns(page: &mut Page, story: &Story) {
    let mut unknown = story.steps.values().flat_map(|step| step.unknowns.iter().map(move |one| (step, one))).peekable();
    if unknown.peek().is_none() {
        return;
    }
    page.section("UNKNOWN OUTCOMES");
    for (step, one) in unknown {
        page.wrapped("  ", &format!("{}: {}", step.id, sentences::unknown(one)));
    }
}

fn decisions(page: &mut Page, story: &Story) {
    page.section("DECISIONS");
    if story.decisions.is_empty() {
        return page.line("  nobody had to decide anything");
    }
    for decision in &story.decisions {
        page.wrapped(&format!("  {}  ", instant(decision.at.at)), &sentences::decision(decision));
        let mut more = |label: &str, text: &str| page.wrapped(&format!("      {label:<10}"), text);
        if let Some(refused) = &decision.refused {
            more("refused", refused);
        }
        if let Some(reason) = &decision.reason {
            more("why", reason);
        }
        if let Some(overrides) = decision.overrides {
            more("override", overrides);
        }
        if let Some(how) = &decision.how {
            more("known by", how);
        }
    }
}

fn aborted(page: &mut Page, story: &Story) {
    let Some(abort) = &story.abort else { return };
    page.section("ABORT");
    page.wrapped("  began   ", &instant(abort.at.at));
    page.wrapped("  why     ", &abort.reason);
    if abort.undo.is_empty() {
        page.line("  undo    nothing could be undone");
    }
    for step in abort.undo.iter().filter_map(|id| story.steps.get(id)) {
        let told = sentences::undo(step).unwrap_or_else(|| "not begun".to_owned());
        page.wrapped("  undo    ", &format!("{}: {told}", step.id));
    }
}

fn left(page: &mut Page, story: &Story) {
    if story.left.is_empty() {
        return;
    }
    page.section(&format!("LEFT BEHIND ({})", story.left.len()));
    for stays in &story.left {
        page.wrapped("  - ", &format!("{}: {}", stays.step, stays.why));
    }
}

fn preflight(page: &mut Page, story: &Story) {
    let Some(preflight) = &story.preflight else { return };
    let (missing, other): (Vec<_>, Vec<_>) =
        preflight.findings.iter().filter(|finding| !finding.passed).partition(|finding| finding.blocks());
    let all = count(preflight.findings.len(), "requirement");
    page.section("PRE-FLIGHT");
    let mut verdict = if preflight.passed && missing.is_empty() {
        format!("passed: {all}")
    } else {
        format!("failed: {} of {all}", missing.len())
    };
    if !other.is_empty() {
        verdict.push_str(&format!("; {} to look at", other.len()));
    }
    page.wrapped("  ", &verdict);
    for finding in missing.into_iter().chain(other) {
        let word = if finding.blocks() { String::new() } else { format!("({}) ", finding.severity.name()) };
        page.wrapped("  - ", &format!("{word}{}", finding.title()));
        page.wrapped("      found  ", &finding.found);
        if let Some(help) = &finding.help {
            page.wrapped("      do     ", help);
        }
    }
}

fn clusters(page: &mut Page, story: &Story) {
    if story.clusters.is_empty() {
        return;
    }
    page.section(&format!("CLUSTERS ({})", story.clusters.len()));
    for cluster in &story.clusters {
        for (number, text) in sentences::cluster(cluster).iter().enumerate() {
            page.wrapped(if number == 0 { "  " } else { "      " }, text);
        }
    }
}

fn engines(page: &mut Page, story: &Story) {
    page.section(&format!("ENGINES ({})", story.engines.len()));
    if story.engines.is_empty() {
        page.line("  none is recorded");
    }
    for (at, engine) in story.engines.iter().enumerate() {
        for (number, text) in sentences::engine(story, at, engine).iter().enumerate() {
            page.wrapped(if number == 0 { "  " } else { "      " }, text);
        }
    }
}

fn record(page: &mut Page, story: &Story) {
    let run = &story.created;
    page.section("RECORD");
    page.wrapped("  records   ", &format!("{}, the last one is number {}", story.records, story.last.seq));
    page.wrapped("  engine    ", &format!("lifeboat {}, log format {}", run.engine, run.format));
    page.wrapped("  runbook   ", &run.runbook.path);
    if let Some(commit) = &run.runbook.commit {
        let dirty = match run.runbook.dirty {
            Some(true) => ", with changes that were not committed",
            Some(false) => ", clean",
            None => "",
        };
        page.wrapped("  commit    ", &format!("{commit}{dirty}"));
    }
    page.line("  plan, SHA-256");
    page.line(format!("    {}", line(&run.plan_digest)));
    for (path, digest) in run.runbook.digests.iter().chain(&run.files) {
        page.wrapped("  ", &format!("{path}, SHA-256"));
        page.line(format!("    {}", line(digest)));
    }
    for (input, recorded) in &run.inputs {
        let shown = match recorded {
            InputRecord::Value(known) => clip(&value(known), LONGEST),
            InputRecord::Secret(_) => "(secret, not recorded)".to_owned(),
        };
        page.wrapped("  input     ", &format!("{} = {shown}", line(input)));
    }
    if let Some((at, steps)) = &story.cleanup {
        page.wrapped("  clean-up  ", &format!("began {}: {}", instant(at.at), list(steps, 12)));
    }
    for told in &story.deliveries {
        page.wrapped("  told      ", &format!("{} {}", instant(told.at), sentences::delivery(told)));
    }
    for bad in &story.guards {
        page.wrapped("  guard     ", &format!("{} {}", line(&bad.guard), sentences::bad_guard(bad)));
    }
    for pause in &story.pauses {
        let until = pause.until.map_or_else(|| "now".to_owned(), |until| instant(until.at));
        page.wrapped("  paused    ", &format!("{} to {until}: {}", instant(pause.from.at), pause.reason));
    }
}
