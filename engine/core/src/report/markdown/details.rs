//! What is behind the summary, folded away: each step that failed, and every check that passed.

use super::{LONGEST, bullet, code, heading, paragraph, row, table, text};
use crate::{
    evidence::event::{AfterFailure, Task},
    machine::state::Status,
    report::{
        sentences,
        story::{Attempt, Step, Story},
    },
    words::{clip, count, instant, length, name, offset, value},
};

pub(super) fn details(page: &mut String, story: &Story) {
    let mut troubled = story.troubled().peekable();
    if troubled.peek().is_some() {
        heading(page, "What went wrong");
    }
    for step in troubled {
        one(page, step);
    }
    proof(page, story);
}

/// A part that a reader unfolds. The blank lines are needed: without them nothing inside is Markdown.
fn fold(page: &mut String, summary: &str, inner: impl FnOnce(&mut String)) {
    if !page.ends_with("\n\n") {
        page.push('\n');
    }
    paragraph(page, &format!("<details><summary>{summary}</summary>"));
    inner(page);
    page.push_str("\n</details>\n");
}

/// In a summary Markdown is not read by everybody, HTML is.
fn html(text: &str) -> String {
    crate::words::line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn one(page: &mut String, step: &Step) {
    let end = if step.status == Status::Succeeded { " in the end" } else { "" };
    let summary = format!("<code>{}</code>: {}{end}", html(&step.id), step.status.name());
    fold(page, &summary, |page| {
        for failure in &step.failures {
            let then = match failure.then {
                AfterFailure::Pause => "a person had to decide",
                AfterFailure::Abort => "the run was aborted",
                AfterFailure::Continue => "the run went on without it",
            };
            bullet(page, &format!("failed at {}: {}; {then}", instant(failure.at.at), text(&failure.reason)));
        }
        for unknown in &step.unknowns {
            bullet(page, &text(&sentences::unknown(unknown)));
        }
        if let Some(told) = sentences::undo(step) {
            bullet(page, &text(&told));
        }
        attempts(page, step);
        checks(page, step);
    });
}

fn attempts(page: &mut String, step: &Step) {
    if step.attempts.is_empty() {
        return;
    }
    page.push('\n');
    table(page, &["Attempt", "Start", "Took", "Outcome", "Error", "Artifacts"]);
    for attempt in &step.attempts {
        let undo = if attempt.task == Task::Undo { "undo " } else { "" };
        let start = attempt.started.map_or_else(|| "-".to_owned(), |at| offset(at.elapsed_ms));
        let took = attempt.duration_ms.map_or_else(|| "-".to_owned(), length);
        let outcome = attempt.outcome.as_ref().map_or_else(|| unseen(step, attempt).to_owned(), name);
        let error = attempt.error.as_deref().map(|error| text(&clip(error, LONGEST))).unwrap_or_default();
        let artifacts: Vec<String> =
            attempt.artifacts.iter().map(|one| format!("{} {}", text(&one.name), code(&one.sha256))).collect();
        row(page, &[format!("{undo}{}", attempt.number), start, took, outcome, error, artifacts.join(", ")]);
    }
}

/// What to say about an attempt without an end.
fn unseen(step: &Step, attempt: &Attempt) -> &'static str {
    let lost = step.unknowns.iter().any(|one| one.task == attempt.task && one.attempt == attempt.number);
    if lost { "unknown" } else { "no end is recorded" }
}

fn checks(page: &mut String, step: &Step) {
    if step.checks.is_empty() && step.controls.is_empty() {
        return;
    }
    page.push('\n');
    table(page, &["Check", "Result", "At", "Tries", "Took", "Observed"]);
    for control in &step.controls {
        let result =
            if control.failed_as_it_must { "failed first, as it must" } else { "**passed before the action**" };
        let observed = code(&clip(&value(&control.observed), LONGEST));
        let at = offset(control.at.elapsed_ms);
        row(page, &[&text(&control.name), result, &at, "-", "-", &observed]);
    }
    for check in &step.checks {
        let undo = if check.task == Task::Undo { "undo: " } else { "" };
        row(
            page,
            &[
                format!("{undo}{}", text(&check.name)),
                if check.passed { "passed" } else { "**failed**" }.to_owned(),
                offset(check.at.elapsed_ms),
                check.tries.to_string(),
                length(check.duration_ms),
                code(&clip(&value(&check.observed), LONGEST)),
            ],
        );
    }
}

/// Every check that passed, and every negative control that failed as it must: what the level rests on.
fn proof(page: &mut String, story: &Story) {
    let passed = || {
        story.steps.values().flat_map(|step| step.checks.iter().filter(|one| one.passed).map(move |one| (step, one)))
    };
    let controls = || {
        story
            .steps
            .values()
            .flat_map(|step| step.controls.iter().filter(|one| one.failed_as_it_must).map(move |one| (step, one)))
    };
    let (checks, negative) = (passed().count(), controls().count());
    heading(page, "Proof");
    if checks + negative == 0 {
        return paragraph(page, "No check passed.");
    }
    let negative =
        if negative > 0 { format!(", {} failed first", count(negative, "negative control")) } else { String::new() };
    let summary = format!("{} passed{negative}", count(checks, "check"));
    fold(page, &summary, |page| {
        table(page, &["Step", "Check", "Tries", "Took", "Observed"]);
        for (step, control) in controls() {
            let name = format!("{} (failed before the action, as it must)", text(&control.name));
            let observed = code(&clip(&value(&control.observed), LONGEST));
            row(page, &[&code(&step.id), &name, "-", "-", &observed]);
        }
        for (step, check) in passed() {
            let undo = if check.task == Task::Undo { " (undo)" } else { "" };
            row(
                page,
                &[
                    format!("{}{undo}", code(&step.id)),
                    text(&check.name),
                    check.tries.to_string(),
                    length(check.duration_ms),
                    code(&clip(&value(&check.observed), LONGEST)),
                ],
            );
        }
    });
}
