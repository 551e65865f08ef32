//! `pitr-target-without-timezone`.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    model::parse::Segment,
};

/// A point in time to restore to that does not say in which time zone it is.
///
/// Whoever reads it takes it for their own: the database for that of its server, the cloud for UTC, the author for that of the
/// wall clock. Two hours too early is two hours of lost data; two hours too late is after the mistake that the restore was for. At
/// two in the morning nobody converts time zones without a mistake.
///
/// Looked at are the targets of point-in-time restores in the clouds' clients, `recovery_target_time`, and `targetTime` in
/// manifests.
///
/// Bad:
///
/// ```yaml
/// shell: az postgres flexible-server restore -g "$GROUP" -n "$NEW" --source-server "$OLD" --restore-time 2026-03-01T02:00:00
/// ```
///
/// Good:
///
/// ```yaml
/// shell: az postgres flexible-server restore -g "$GROUP" -n "$NEW" --source-server "$OLD" --restore-time "$TARGET"
/// env: {TARGET: "{{inputs.target}}"}   # with a pattern that ends in Z
/// ```
///
/// To fix it, end it with `Z` or an offset; better, take it in by an input with a `pattern` that demands one.
pub const RULE: Rule = Rule {
    id: "pitr-target-without-timezone",
    severity: Severity::Warning,
    summary: "a point in time to restore to without a time zone",
    check,
    source: include_str!("pitr_target_without_timezone.rs"),
};

const FLAGS: [&str; 4] = ["--restore-time", "--restore-to-time", "--time", "--point-in-time"];

static NAIVE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$").ok());
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?:targetTime:|recovery_target_time)[ \t]*=?[ \t]*["']?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)["']?\s*(?:$|#|\n|;|\})"#).ok()
});

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let (Some(naive), Some(named)) = (NAIVE.as_ref(), NAMED.as_ref()) else { return };
    let help = "end it with `Z` or an offset, or take it in by an input with a `pattern` that demands one";
    let message = |target: &str| format!("expected a point in time with its time zone, found `{target}`");
    let label = "everybody who reads it takes it for another time";
    for (reading, program, command) in context.commands() {
        let restores = matches!(program, "aws" | "az" | "gcloud")
            && command.verbs().iter().any(|verb| verb.contains("restore") || verb.contains("clone"));
        if let Some(flag) = command.flag(&FLAGS).filter(|_| restores) {
            let Some((value, word)) = flag.value().zip(flag.value_word()) else { continue };
            if naive.is_match(value) {
                findings.push(context.finding_in(&RULE, reading, &word.range, message(value)).label(label).help(help));
            }
        }
    }
    for reading in context.readings() {
        for (range, target) in in_text(named, reading.all()) {
            findings.push(context.finding_in(&RULE, reading, &range, message(target)).label(label).help(help));
        }
    }
    for text in context.texts.iter().filter(|text| text.kind().is_template()) {
        let manifest = matches!(text.found.route.segments().last(), Some(Segment::Key(key)) if matches!(key.as_str(), "manifest" | "merge" | "strategic"));
        if manifest {
            for (range, target) in in_text(named, &text.found.text) {
                findings
                    .push(context.finding(&RULE, context.place(text, range), message(target)).label(label).help(help));
            }
        }
    }
}

fn in_text<'a>(named: &'a Regex, text: &'a str) -> impl Iterator<Item = (Range<usize>, &'a str)> {
    named.captures_iter(text).filter_map(|found| found.get(1)).map(|it| (it.range(), it.as_str()))
}
