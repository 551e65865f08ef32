//! `--format markdown`: the summary of a drill for a ticket or a page. GitHub's dialect, readable as plain text too.
//!
//! Duty: layout and escaping. Every text that is not ours passes `escape::text` or `escape::code`: what a step printed
//! must neither break a table nor bring HTML into a page.

use super::{
    sentences,
    story::{Step, Story},
};
use crate::{
    evidence::event::{InputRecord, Severity, SkippedBy, Task},
    machine::state::Status,
    words::{clip, count, exact, instant, length, offset, value},
};

mod details;
mod escape;

use escape::{code, text};

/// The longest observation in a table; the log and the artifacts have all of it.
const LONGEST: usize = 240;

/// The whole story. `head` is the last record's number and hash, as `verify` found them, to bind the page to the log.
#[must_use]
pub fn markdown(story: &Story, head: Option<(u64, &str)>) -> String {
    let mut page = String::new();
    title(&mut page, story);
    let unready = story.preflight.as_ref().is_some_and(|preflight| !preflight.passed);
    if unready {
        preflight(&mut page, story);
    }
    objectives(&mut page, story);
    failed_checks(&mut page, story);
    decisions(&mut page, story);
    left(&mut page, story);
    follow_up(&mut page, story);
    steps(&mut page, story);
    details::details(&mut page, story);
    if !unready {
        preflight(&mut page, story);
    }
    evidence(&mut page, story, head);
    page
}

/// A row of a table; the cells are Markdown already.
fn row<T: AsRef<str>>(page: &mut String, cells: &[T]) {
    for cell in cells {
        page.push_str("| ");
        page.push_str(cell.as_ref());
        page.push(' ');
    }
    page.push_str("|\n");
}

fn table(page: &mut String, head: &[&str]) {
    row(page, head);
    row(page, &vec!["---"; head.len()]);
}

fn heading(page: &mut String, name: &str) {
    if !page.ends_with("\n\n") {
        page.push('\n');
    }
    page.push_str("## ");
    page.push_str(name);
    page.push_str("\n\n");
}

/// A paragraph with the blank line that must follow it.
fn paragraph(page: &mut String, markdown: &str) {
    page.push_str(markdown);
    page.push_str("\n\n");
}

fn bullet(page: &mut String, markdown: &str) {
    page.push_str("- ");
    page.push_str(markdown);
    page.push('\n');
}

fn title(page: &mut String, story: &Story) {
    let run = &story.created;
    let caveats = sentences::caveats(story);
    let caveats = if caveats.is_empty() { String::new() } else { format!(" ({})", caveats.join(", ")) };
    paragraph(page, &format!("# {}: {}{caveats}", text(&run.runbook.title), sentences::headline(story)));
    paragraph(page, &format!("**{}**", text(&sentences::reason(story))));
    table(page, &["", ""]);
    let ended = story.end.as_ref().map_or_else(
        || format!("no verdict yet; the last record is from {}", instant(story.last.at)),
        |end| instant(end.at.at),
    );
    let took = exact(story.last.elapsed_ms.saturating_sub(story.began.elapsed_ms));
    let mut facts = vec![
        ("Run", format!("{} ({})", code(&run.run), run.mode.name())),
        ("Runbook", format!("{}, owned by {}", code(&run.runbook.name), text(&run.runbook.owner))),
        ("Capability", text(&run.runbook.capability)),
        ("Started", format!("{} by {}", instant(story.began.at), code(&format!("{}@{}", run.user, run.host)))),
        ("Ended", format!("{ended} (after {took})")),
        ("Level proven", text(&sentences::level(story))),
    ];
    if let Some(end) = &story.end {
        facts.push(("Verdict", format!("{}, exit code {}", code(end.verdict.name()), end.exit_code)));
    }
    for waits in story.waits_for() {
        facts.push(("Waits for", text(&waits)));
    }
    if story.end.is_none() {
        let next = sentences::next(story);
        let what = Some(text(&next.what)).filter(|what| !what.is_empty());
        let told: Vec<String> = what.into_iter().chain(next.command.as_deref().map(code)).collect();
        facts.push(("Next", told.join(": ")));
    }
    for (fact, told) in facts {
        row(page, &[fact, &told]);
    }
}

fn objectives(page: &mut String, story: &Story) {
    heading(page, "Objectives");
    table(page, &["Objective", "Target", "Actual", "Result"]);
    for objective in sentences::objectives(story) {
        let outcome = text(&objective.outcome());
        let result = if ["met", "open"].contains(&objective.result) { outcome } else { format!("**{outcome}**") };
        row(page, &[objective.name, &objective.target, &objective.actual, &result]);
    }
    page.push('\n');
    if let Some([start, stop]) = sentences::clock(story) {
        bullet(page, &format!("Clock from: {}", text(&start)));
        bullet(page, &format!("Clock to: {}", text(&stop)));
    }
    for point in &story.recovery_points {
        bullet(page, &format!("Data as of {}, told by step {}", instant(point.at), code(&point.step)));
    }
    let split = sentences::split(story);
    if !split.is_empty() {
        page.push('\n');
        table(page, &["Part of the clock", "Took", "Share"]);
        for (part, millis, share) in split {
            let share = share.map_or_else(|| "-".to_owned(), |share| format!("{share}%"));
            row(page, &[text(&part), exact(millis), share]);
        }
    }
}

fn steps(page: &mut String, story: &Story) {
    heading(page, "Steps");
    if story.steps.is_empty() {
        return paragraph(page, "None is recorded.");
    }
    let counts: Vec<String> = story.counts().iter().map(|(status, count)| format!("{count} {status}")).collect();
    paragraph(page, &format!("{}.", counts.join(", ")));
    table(page, &["Step", "Phase", "Status", "Start", "Took", "Attempts", "What"]);
    for step in story.steps.values() {
        let start = step.started.map_or_else(|| "-".to_owned(), |at| offset(at.elapsed_ms));
        let took = step.duration_ms.filter(|_| step.started.is_some()).map_or_else(|| "-".to_owned(), length);
        let phase = if step.cleanup { "cleanup" } else { step.phase.as_deref().unwrap_or("-") };
        let undo = sentences::undo(step).filter(|_| step.status != Status::UndoFailed);
        let why = step.why().into_iter().chain(undo).map(|why| text(&why)).collect::<Vec<_>>();
        let title = step.title.as_deref().map(text).unwrap_or_default();
        let what = [title].into_iter().filter(|title| !title.is_empty()).chain(why).collect::<Vec<_>>().join("; ");
        let status = if plain(step) { step.status.name().to_owned() } else { format!("**{}**", step.status.name()) };
        let tries = if step.tries() == 0 { "-".to_owned() } else { step.tries().to_string() };
        row(page, &[code(&step.id), text(phase), status, start, took, tries, what]);
    }
}

/// Whether there is nothing to look at in a step's status.
fn plain(step: &Step) -> bool {
    matches!(step.status, Status::Succeeded | Status::Pending | Status::Skipped(SkippedBy::Condition))
        && step.accepted_by.is_none()
}

fn failed_checks(page: &mut String, story: &Story) {
    let mut rows = Vec::new();
    for step in story.steps.values() {
        for (check, later) in step.failed_checks() {
            let undo = if check.task == Task::Undo { " (undo)" } else { "" };
            let reason = sentences::told_apart(check).map(|reason| clip(reason, LONGEST)).unwrap_or_default();
            let tried = format!("{} in {}", sentences::times(check.tries), length(check.duration_ms));
            let told =
                [text(&reason), format!("tried {tried}"), if later { "passed later".into() } else { String::new() }];
            let told: Vec<String> = told.into_iter().filter(|told| !told.is_empty()).collect();
            rows.push([
                format!("{}{undo}", code(&step.id)),
                text(&check.name),
                code(check.expected.as_deref().unwrap_or("to pass")),
                code(&clip(&value(&check.observed), LONGEST)),
                told.join("; "),
            ]);
        }
        for control in step.empty_controls() {
            rows.push([
                code(&step.id),
                format!("{} (negative control)", text(&control.name)),
                "to fail before the action".to_owned(),
                code(&clip(&value(&control.observed), LONGEST)),
                "it passed already, so it proves nothing".to_owned(),
            ]);
        }
    }
    heading(page, "Failed checks");
    if rows.is_empty() {
        return paragraph(page, "None.");
    }
    table(page, &["Step", "Check", "Expected", "Actual", "Why"]);
    for cells in rows {
        row(page, &cells);
    }
}

fn decisions(page: &mut String, story: &Story) {
    heading(page, "Decisions");
    if story.decisions.is_empty() {
        return paragraph(page, "Nobody had to decide anything.");
    }
    table(page, &["When", "What", "Why", "Known by"]);
    for decision in &story.decisions {
        let mut what = text(&sentences::decision(decision));
        if let Some(overrides) = decision.overrides {
            what = format!("{what}; **override**: {overrides}");
        }
        let refused = decision.refused.as_ref().map(|refused| format!("refused because {refused}"));
        let why: Vec<String> = decision.reason.iter().chain(&refused).map(|why| text(why)).collect();
        let how = decision.how.as_deref().map(text).unwrap_or_default();
        row(page, &[instant(decision.at.at), what, why.join("; "), how]);
    }
}

fn left(page: &mut String, story: &Story) {
    if let Some(abort) = &story.abort {
        heading(page, "Abort");
        paragraph(page, &format!("Began {}: {}", instant(abort.at.at), text(&abort.reason)));
        if abort.undo.is_empty() {
            paragraph(page, "Nothing could be undone.");
        }
        for id in &abort.undo {
            let told = story.steps.get(id).and_then(sentences::undo).unwrap_or_else(|| "not begun".to_owned());
            bullet(page, &format!("{}: {}", code(id), text(&told)));
        }
    }
    if story.left.is_empty() {
        return;
    }
    heading(page, "Left behind");
    for stays in &story.left {
        bullet(page, &format!("{}: {}", code(&stays.step), text(&stays.why)));
    }
}

fn follow_up(page: &mut String, story: &Story) {
    let tasks = sentences::follow_up(story);
    if tasks.is_empty() || story.end.is_none() {
        return;
    }
    heading(page, "Follow-up");
    for task in tasks {
        bullet(page, &format!("[ ] {} (owner: …, due: …)", text(&task)));
    }
}

fn preflight(page: &mut String, story: &Story) {
    let Some(preflight) = &story.preflight else { return };
    heading(page, "Pre-flight");
    let failed = preflight.findings.iter().filter(|finding| finding.blocks()).count();
    let all = count(preflight.findings.len(), "requirement");
    let verdict = if preflight.passed { format!("Passed: {all}.") } else { format!("Failed: {failed} of {all}.") };
    paragraph(page, &verdict);
    if preflight.findings.is_empty() {
        return;
    }
    table(page, &["Requirement", "Result", "Found", "To do"]);
    for finding in &preflight.findings {
        let result = match (finding.passed, finding.severity) {
            (true, _) => "ok",
            (false, Severity::Error) => "**missing**",
            (false, Severity::Objective) => "**objective**",
            (false, Severity::Warning) => "warning",
        };
        let help = finding.help.as_deref().map(text).unwrap_or_default();
        row(page, &[text(&finding.title()), result.to_owned(), text(&finding.found), help]);
    }
}

fn evidence(page: &mut String, story: &Story, head: Option<(u64, &str)>) {
    let run = &story.created;
    heading(page, "Evidence");
    table(page, &["", ""]);
    let dirty = match run.runbook.dirty {
        Some(true) => ", with changes that were not committed",
        Some(false) => ", clean",
        None => "",
    };
    row(page, &["Run", &code(&run.run)]);
    if let Some((seq, hash)) = head {
        row(page, &["Log head", &format!("record {seq}, SHA-256 {}", code(hash))]);
    }
    row(page, &["Records", &format!("{}, the last one is number {}", story.records, story.last.seq)]);
    row(page, &["Engine", &format!("lifeboat {}, log format {}", text(&run.engine), run.format)]);
    row(page, &["Runbook", &code(&run.runbook.path)]);
    if let Some(commit) = &run.runbook.commit {
        row(page, &["Commit", &format!("{}{dirty}", code(commit))]);
    }
    row(page, &["Plan", &format!("SHA-256 {}", code(&run.plan_digest))]);
    for (path, digest) in run.runbook.digests.iter().chain(&run.files) {
        row(page, &[&format!("File {}", code(path)), &format!("SHA-256 {}", code(digest))]);
    }
    for (input, recorded) in &run.inputs {
        let shown = match recorded {
            InputRecord::Value(known) => code(&clip(&value(known), LONGEST)),
            InputRecord::Secret(_) => "secret, not recorded".to_owned(),
        };
        row(page, &[&format!("Input {}", code(input)), &shown]);
    }
    for cluster in &story.clusters {
        let told: Vec<String> = sentences::cluster(cluster).iter().map(|told| text(told)).collect();
        row(page, &["Cluster", &told.join("; ")]);
    }
    for (at, engine) in story.engines.iter().enumerate() {
        let told: Vec<String> = sentences::engine(story, at, engine).iter().map(|told| text(told)).collect();
        row(page, &["Process", &told.join("; ")]);
    }
    for told in &story.deliveries {
        row(page, &["Told", &format!("{} {}", instant(told.at), text(&sentences::delivery(told)))]);
    }
    for bad in &story.guards {
        row(page, &[&format!("Guard {}", code(&bad.guard)), &text(&sentences::bad_guard(bad))]);
    }
    for pause in &story.pauses {
        let until = pause.until.map_or_else(|| "now".to_owned(), |until| instant(until.at));
        row(page, &["Paused", &format!("{} to {until}: {}", instant(pause.from.at), text(&pause.reason))]);
    }
    if let Some((at, steps)) = &story.cleanup {
        let steps: Vec<String> = steps.iter().map(|step| code(step)).collect();
        row(page, &["Clean-up", &format!("began {}: {}", instant(at.at), steps.join(", "))]);
    }
}
