//! Findings as SARIF 2.1.0, for code scanning and editors.
//!
//! Duty: that format, and the limits of those who read it: what is too much is left out from the end, warnings first, and
//! the caller is told how much. It must not hold anything of the machine it was made on.

use std::collections::HashMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Diagnostic, Severity,
    codes::Page,
    paths::{Located, encoded, in_order, located},
};
use crate::source::{Source, Span};

/// How many results GitHub takes in one run.
pub const MOST_RESULTS: usize = 25_000;
/// How many of them it shows.
pub const SHOWN_RESULTS: usize = 5_000;
/// How many places it takes for one result.
pub const MOST_LOCATIONS: usize = 1_000;
/// The most bytes that it takes, packed by gzip.
pub const MOST_PACKED: usize = 10_000_000;

/// The name of the directory that paths begin at.
const BASE: &str = "%SRCROOT%";

/// A log, and what did not fit into it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sarif {
    /// The log.
    pub log: Value,
    /// How many findings are not in it.
    pub left_out: usize,
    /// How many related places of findings that are in it are not.
    pub places_left_out: usize,
}

/// The findings in their order, at most `most` of them. `directory` is the absolute path of the directory of the call;
/// `pages` explains the codes, and all of them are in the log, so that a rule's number is the same in every one.
#[must_use]
pub fn to_sarif(diagnostics: &[Diagnostic], pages: &[Page], directory: &str, version: &str, most: usize) -> Sarif {
    let mut kept: Vec<(usize, &Diagnostic)> = in_order(diagnostics, directory).into_iter().enumerate().collect();
    kept.sort_by_key(|(_, it)| it.severity);
    kept.truncate(most);
    kept.sort_by_key(|(at, _)| *at);
    let numbers: HashMap<&str, usize> = pages.iter().enumerate().map(|(at, page)| (page.id, at)).collect();
    let mut prints = Prints::default();
    let results: Vec<Value> = kept
        .iter()
        .map(|(_, diagnostic)| {
            let number = numbers.get(diagnostic.code).copied();
            result(diagnostic, number, directory, prints.of(diagnostic, directory))
        })
        .collect();
    let too_many = |(_, it): &(usize, &Diagnostic)| it.related.len().saturating_sub(MOST_LOCATIONS - 1);
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "Lifeboat",
                "semanticVersion": version,
                "informationUri": "https://lifeboat.dev/book/lint.html",
                "rules": pages.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": {BASE: {
                "description": {"text": "The directory in which `lifeboat lint` was called."},
            }},
            "results": results,
        }],
    });
    Sarif { log, left_out: diagnostics.len() - kept.len(), places_left_out: kept.iter().map(too_many).sum() }
}

impl Sarif {
    /// Says what could not be looked at: without it, a log without results would say that all is well.
    #[must_use]
    pub fn failing(mut self, failures: &[String]) -> Self {
        let told = failures.iter().map(|text| json!({"level": "error", "message": {"text": text}}));
        if !failures.is_empty() {
            let notifications: Vec<Value> = told.collect();
            self.log["runs"][0]["invocations"] =
                json!([{"executionSuccessful": false, "toolExecutionNotifications": notifications}]);
        }
        self
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn rule(page: &Page) -> Value {
    json!({
        "id": page.id,
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.reason},
        "help": {"text": page.text, "markdown": page.text},
        "helpUri": page.url(),
        "defaultConfiguration": {"level": level(page.severity)},
        "properties": {"problem.severity": level(page.severity), "tags": ["disaster-recovery"]},
    })
}

fn result(diagnostic: &Diagnostic, number: Option<usize>, directory: &str, print: String) -> Value {
    // A link to a related place is the only way in which GitHub shows one.
    let literal = |text: &str| {
        if text.contains("](") {
            text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
        } else {
            text.to_owned()
        }
    };
    let mut message = literal(&diagnostic.message);
    if let Some(help) = &diagnostic.help {
        message.push_str(&format!("\n{}", literal(help)));
    }
    let related: Vec<Value> = diagnostic
        .related
        .iter()
        .zip(1..MOST_LOCATIONS)
        .map(|(related, id)| {
            let words = if related.message.is_empty() { "see also" } else { &related.message };
            let escaped = words.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
            message.push_str(&format!("\n[{escaped}]({id})"));
            json!({
                "id": id,
                "physicalLocation": place(&related.source, related.span, directory),
                "message": {"text": words},
            })
        })
        .collect();
    let mut location = json!({"physicalLocation": place(&diagnostic.source, diagnostic.span, directory)});
    if !diagnostic.label.is_empty() {
        location["message"] = json!({"text": diagnostic.label});
    }
    let mut result = json!({
        "ruleId": diagnostic.code,
        "level": level(diagnostic.severity),
        "message": {"text": message},
        "locations": [location],
        "partialFingerprints": {"lifeboatFinding/v1": print},
    });
    if let Some(number) = number {
        result["ruleIndex"] = json!(number);
    }
    if let Some(fix) = &diagnostic.fix {
        let replacements = fix.edits.iter().map(|edit| {
            json!({"deletedRegion": region(&diagnostic.source, edit.span), "insertedContent": {"text": edit.text}})
        });
        result["fixes"] = json!([{
            "description": {"text": literal(&fix.title)},
            "artifactChanges": [{
                "artifactLocation": artifact(&diagnostic.source, directory),
                "replacements": replacements.collect::<Vec<_>>(),
            }],
        }]);
    }
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    result
}

fn place(source: &Source, span: Span, directory: &str) -> Value {
    json!({"artifactLocation": artifact(source, directory), "region": region(source, span)})
}

fn artifact(source: &Source, directory: &str) -> Value {
    match located(source.name(), directory) {
        Located::Below(path) => json!({"uri": encoded(&path), "uriBaseId": BASE}),
        Located::Elsewhere(path) => json!({"uri": format!("file://{}", encoded(&path))}),
    }
}

fn region(source: &Source, span: Span) -> Value {
    let (line, column) = units(source, span.start);
    let (last_line, last_column) = units(source, span.end.max(span.start));
    json!({"startLine": line, "startColumn": column, "endLine": last_line, "endColumn": last_column})
}

/// Line and column of an offset, from 1; the column counts UTF-16 code units, as editors and GitHub do.
fn units(source: &Source, offset: usize) -> (usize, usize) {
    let at = source.position(offset);
    let line = source.line(at.line).unwrap_or_default();
    let before = line.chars().take(at.column - 1);
    (at.line, before.map(char::len_utf16).sum::<usize>() + 1)
}

/// What tells a finding from others when lines are put in above it: its file, its code, its words, its line without
/// indentation, and how many equal ones come before it.
#[derive(Default)]
struct Prints(HashMap<String, usize>);

impl Prints {
    fn of(&mut self, diagnostic: &Diagnostic, directory: &str) -> String {
        let source = &diagnostic.source;
        let place = located(source.name(), directory);
        let line = source.line(source.position(diagnostic.span.start).line).unwrap_or_default().trim();
        let mut digest = Sha256::new();
        for part in [place.path(), diagnostic.code, &diagnostic.message, line] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        let mut print = String::new();
        for byte in digest.finalize().iter().take(16) {
            _ = std::fmt::Write::write_fmt(&mut print, format_args!("{byte:02x}"));
        }
        let times = self.0.entry(print.clone()).or_default();
        *times += 1;
        format!("{print}:{times}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Edit, Fix};

    fn pages() -> Vec<Page> {
        let page = |id, severity| Page {
            id,
            severity,
            is_rule: true,
            fixes: &[],
            can_be_silenced: true,
            summary: "short".to_owned(),
            reason: "Long.".to_owned(),
            text: "Long.\n\nMore.".to_owned(),
        };
        vec![page("test-late", Severity::Warning), page("test-early", Severity::Error)]
    }

    fn source() -> Arc<Source> {
        Source::new("a b/r.yaml", "🚢é: 1\nsteps: 2\n")
    }

    #[test]
    fn a_fix_has_its_places_in_utf16() {
        let source = source();
        let edits = vec![Edit::new(Span::new(4, 6), "e"), Edit::insert(9, "!")];
        let early = Diagnostic::error("test-early", &source, Span::new(4, 9), "first");
        let fixed = early.fix(Some(Fix::safe("write it", edits)));
        let sarif = to_sarif(&[fixed], &pages(), "/here", "1.2.3", MOST_RESULTS);
        let fix = &sarif.log["runs"][0]["results"][0]["fixes"][0];
        assert_eq!(fix["description"]["text"], "write it");
        let region = |start: u8, end: u8| json!({"startLine": 1, "startColumn": start, "endLine": 1, "endColumn": end});
        assert_eq!(
            fix["artifactChanges"],
            json!([{
                "artifactLocation": {"uri": "a%20b/r.yaml", "uriBaseId": BASE},
                "replacements": [
                    {"deletedRegion": region(3, 4), "insertedContent": {"text": "e"}},
                    {"deletedRegion": region(7, 7), "insertedContent": {"text": "!"}},
                ],
            }])
        );
    }

    #[test]
    fn a_result_has_its_place_in_utf16_and_its_rule() {
        let source = source();
        // The ship is four bytes, two units and one character.
        let early = Diagnostic::error("test-early", &source, Span::new(4, 9), "first")
            .label("this")
            .related(&Source::new("/else/x.yaml", "x"), Span::new(0, 1), "the [other] half")
            .help("do this");
        let sarif = to_sarif(&[early], &pages(), "/here", "1.2.3", MOST_RESULTS);
        assert_eq!((sarif.left_out, sarif.places_left_out), (0, 0));
        let run = &sarif.log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][1]["defaultConfiguration"]["level"], "error");
        let result = &run["results"][0];
        assert_eq!(result["ruleId"], "test-early");
        assert_eq!(result["ruleIndex"], 1);
        assert_eq!(result["message"]["text"], "first\ndo this\n[the \\[other\\] half](1)");
        assert_eq!(
            result["locations"][0],
            json!({
                "physicalLocation": {
                    "artifactLocation": {"uri": "a%20b/r.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 1, "startColumn": 3, "endLine": 1, "endColumn": 7},
                },
                "message": {"text": "this"},
            })
        );
        assert_eq!(
            result["relatedLocations"][0]["physicalLocation"]["artifactLocation"],
            json!({"uri": "file:///else/x.yaml"})
        );
    }

    #[test]
    fn a_line_put_in_above_changes_no_fingerprint() {
        let print = |text: &str, at| {
            let source = Source::new("r.yaml", text);
            let finding = Diagnostic::error("test-early", &source, Span::new(at, at + 1), "same");
            let sarif = to_sarif(&[finding.clone(), finding], &pages(), "/here", "1.2.3", MOST_RESULTS);
            let results = sarif.log["runs"][0]["results"].clone();
            (results[0]["partialFingerprints"].clone(), results[1]["partialFingerprints"].clone())
        };
        let (first, second) = print("a: 1\n", 3);
        assert_ne!(first, second);
        assert_eq!((first, second), print("# new\n  a: 1\n", 11));
    }

    #[test]
    fn what_is_too_much_is_left_out_and_told() {
        let source = source();
        let mut findings: Vec<Diagnostic> =
            (0..5).map(|at| Diagnostic::warning("test-late", &source, Span::new(0, at), "w")).collect();
        let mut large = Diagnostic::error("test-early", &source, Span::new(15, 16), "e");
        for _ in 0..2_000 {
            large = large.related(&source, Span::new(0, 1), "r");
        }
        findings.push(large);
        let sarif = to_sarif(&findings, &pages(), "/here", "1.2.3", 3);
        assert_eq!((sarif.left_out, sarif.places_left_out), (3, 1_001));
        let results = sarif.log["runs"][0]["results"].as_array().expect("results");
        let codes: Vec<_> = results.iter().map(|it| it["ruleId"].as_str().unwrap_or_default()).collect();
        assert_eq!(codes, ["test-late", "test-late", "test-early"], "errors stay, in the order of the file");
        assert_eq!(results[2]["relatedLocations"].as_array().map(Vec::len), Some(999));
    }
}
