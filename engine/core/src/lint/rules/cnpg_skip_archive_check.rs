//! `cnpg-skip-archive-check`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    model::parse::Segment,
};

/// A cluster of `CloudNativePG` is told to write its log over that of another one.
///
/// Before a new cluster archives anything, the operator looks whether the archive is empty. The annotation
/// `cnpg.io/skipEmptyWalArchiveCheck` switches that off. A recovered cluster that archives to where it was recovered from mixes two
/// histories, and neither can be restored any more: at two in the morning the last good backup is gone with the attempt to use
/// it.
///
/// Bad:
///
/// ```yaml
/// apply:
///   cluster: dr
///   manifest: |
///     metadata: {name: db, annotations: {cnpg.io/skipEmptyWalArchiveCheck: enabled}}
/// ```
///
/// Good:
///
/// ```yaml
/// apply:
///   cluster: dr
///   manifest: |
///     metadata: {name: db}
///     spec: {backup: {barmanObjectStore: {serverName: "db-{{run.id}}"}}}
/// ```
///
/// To fix it, take the annotation away, and give the new cluster a `serverName` of its own.
pub const RULE: Rule = Rule {
    id: "cnpg-skip-archive-check",
    severity: Severity::Warning,
    summary: "a database cluster is told to write over the archive of another one",
    check,
    source: include_str!("cnpg_skip_archive_check.rs"),
};

const ANNOTATION: &str = "cnpg.io/skipEmptyWalArchiveCheck";

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let told = |finding: Diagnostic| {
        finding
            .label("the last good backup may be lost with it")
            .help("take it away, and give the new cluster a `serverName` of its own")
    };
    let message = format!("expected an archive that is looked at before it is written to, found `{ANNOTATION}`");
    for text in context.texts.iter().filter(|text| text.kind().is_template()) {
        let last = text.found.route.segments().last();
        let manifest = matches!(last, Some(Segment::Key(key)) if matches!(key.as_str(), "manifest" | "merge" | "strategic" | "json"));
        if let Some(at) = manifest.then(|| in_force(&text.found.text)).flatten() {
            let place = context.place(text, at..at + ANNOTATION.len());
            findings.push(told(context.finding(&RULE, place, message.clone())));
        }
    }
    for reading in context.readings() {
        if let Some(at) = in_force(reading.all()) {
            let place = at..at + ANNOTATION.len();
            findings.push(told(context.finding_in(&RULE, reading, &place, message.clone())));
        }
    }
    // A text is looked at as a whole, and an argument list word by word.
    for (reading, _, command) in context.commands().filter(|(reading, _, _)| reading.all().is_empty()) {
        let word = command.arguments.iter().find(|word| in_force(word.head()).is_some());
        findings.extend(word.map(|word| told(context.finding_in(&RULE, reading, &word.range, message.clone()))));
    }
}

/// Where the annotation stands, unless it is switched off.
fn in_force(text: &str) -> Option<usize> {
    let at = text.find(ANNOTATION)?;
    let value = text.get(at + ANNOTATION.len()..)?.trim_start_matches(['"', '\'', ' ', ':', '=']);
    (!value.starts_with("disabled")).then_some(at)
}
