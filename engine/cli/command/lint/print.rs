//! Findings and rules in the form that is asked for.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use lifeboat_core::{
    diagnostic::{Diagnostic, Safety, Severity, github, json, sarif},
    lint::{pages, registry},
    words::{count, name},
};

use super::super::{Failure, Message, Outcome};
use crate::{args::LintFormat, ui};

/// Says something that is no finding.
pub(super) fn note(text: &str) {
    ui::err(&format!("note: {text}\n"));
}

/// Prints findings; `mended` is how many were, when that was asked for, and `failures` what could not be looked at.
pub(super) fn print(
    format: LintFormat,
    found: &[Diagnostic],
    files: usize,
    mended: Option<usize>,
    failures: &[String],
) {
    let here = std::env::current_dir().map(|here| here.to_string_lossy().into_owned()).unwrap_or_default();
    match format {
        LintFormat::Json => {
            let mut value = json::to_json(found, files);
            if !failures.is_empty() {
                value["summary"]["unreadable"] = failures.into();
            }
            if let Some(mended) = mended {
                value["summary"]["fixed"] = mended.into();
            }
            let text = serde_json::to_string_pretty(&value).unwrap_or_default();
            ui::out(&format!("{text}\n"));
        }
        LintFormat::Text => {
            for diagnostic in found {
                ui::err(&ui::diagnostics::text(diagnostic));
            }
            ui::out(&format!("{}\n", summary(found, files, mended)));
        }
        LintFormat::Github => {
            ui::out(&github::to_github(found, &here));
            ui::err(&format!("{}\n", summary(found, files, mended)));
            let of = |severity| found.iter().filter(|diagnostic| diagnostic.severity == severity).count();
            if of(Severity::Error).max(of(Severity::Warning)) > github::SHOWN {
                note(&format!(
                    "GitHub shows {} errors and {} warnings of a step beside the lines; the others are in this log only",
                    github::SHOWN,
                    github::SHOWN
                ));
            }
        }
        LintFormat::Sarif => {
            print_sarif(found, &here, failures);
            if mended.is_some() {
                ui::err(&format!("{}\n", summary(found, files, mended)));
            }
        }
    }
}

fn summary(found: &[Diagnostic], files: usize, mended: Option<usize>) -> String {
    let mut text = ui::diagnostics::tally(found, files);
    if let Some(mended) = mended {
        text.push_str(&format!("; {mended} fixed"));
    }
    if let Some(more) = ui::diagnostics::fixable(found) {
        text.push_str(&format!("; {more}"));
    }
    text
}

/// Prints a log that GitHub takes, and says what did not fit.
fn print_sarif(found: &[Diagnostic], here: &str, failures: &[String]) {
    let pages = pages::all();
    let mut most = sarif::MOST_RESULTS;
    let (made, text) = loop {
        let made = sarif::to_sarif(found, &pages, here, env!("CARGO_PKG_VERSION"), most).failing(failures);
        let text = serde_json::to_string_pretty(&made.log).unwrap_or_default();
        if most == 0 || packed(&text) <= sarif::MOST_PACKED {
            break (made, text);
        }
        most = most.min(found.len()) / 2;
    };
    ui::out(&format!("{text}\n"));
    let (left_out, places) = (made.left_out, made.places_left_out);
    if left_out > 0 {
        note(&format!(
            "{} left out, warnings first: GitHub takes at most {} results and 10 MB (packed) at a time",
            count(left_out, "finding"),
            sarif::MOST_RESULTS
        ));
    }
    if found.len() - left_out > sarif::SHOWN_RESULTS {
        note(&format!("GitHub shows {} of these results, the worst ones", sarif::SHOWN_RESULTS));
    }
    if places > 0 {
        note(&format!(
            "{} of findings left out: GitHub takes at most {} at one finding",
            count(places, "related place"),
            sarif::MOST_LOCATIONS
        ));
    }
}

/// How many bytes are left when it is packed. What is small enough as it is, is not.
fn packed(text: &str) -> usize {
    if text.len() <= sarif::MOST_PACKED {
        return text.len();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    written.map_or(text.len(), |bytes| bytes.len())
}

/// The list of rules.
pub(super) fn rules(format: LintFormat) -> Outcome {
    match format {
        LintFormat::Text => {
            let width = registry::RULES.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
            for rule in registry::RULES {
                let severity = name(&rule.severity);
                let fix = match rule.page().fixes {
                    [] => "",
                    [Safety::Unsafe] => " (--fix --unsafe)",
                    _ => " (--fix)",
                };
                ui::out(&format!("{:width$}  {severity:7}  {}{fix}\n", rule.id, rule.summary));
            }
            Ok(0)
        }
        LintFormat::Json => {
            let rules = registry::RULES.iter().map(|rule| {
                let page = rule.page();
                serde_json::json!({
                    "id": page.id,
                    "severity": page.severity,
                    "summary": page.summary,
                    "canBeSilenced": page.can_be_silenced,
                    "fixes": page.fixes,
                    "url": page.url(),
                })
            });
            let list = serde_json::json!({"version": 1, "rules": rules.collect::<Vec<_>>()});
            ui::out(&format!("{}\n", serde_json::to_string_pretty(&list).unwrap_or_default()));
            Ok(0)
        }
        LintFormat::Github | LintFormat::Sarif => Err(Failure::usage(
            Message::new("expected `--format text` or `--format json` with `--rules`, found a form for findings")
                .help("leave `--format` out"),
        )),
    }
}
