//! Fixes that meet, that follow from each other, that would do harm.

use std::sync::Arc;

use super::super::{Mended, mend};
use crate::{
    diagnostic::{Diagnostic, Edit, Fix, Safety},
    lint::lint,
    model::parse::Parsed,
    plan::Unreadable,
    source::{Source, Span},
};

pub(super) fn judge(parsed: &Parsed) -> Vec<Diagnostic> {
    let mut found = parsed.diagnostics.clone();
    found.extend(lint(parsed, &|_, _| Err(Unreadable::Missing(String::from("no such file")))));
    found
}

pub(super) fn mended(text: &str, most: Safety) -> Mended {
    mend(&Source::new("t.yaml", text), most, &judge)
}

pub(super) const HEAD: &str = "apiVersion: lifeboat.dev/v1
kind: Runbook
metadata: {name: test, owner: team}
recovery: {capability: It, scope: region, disaster: region-failure, objectives: {rpo: 1m, rto: 1h}, level: L1}
";

#[track_caller]
fn body(text: &str, most: Safety, wanted: &str) {
    let mended = mended(&format!("{HEAD}{text}"), most);
    assert_eq!(mended.text, format!("{HEAD}{wanted}"));
}

#[test]
fn all_of_a_mapping_goes_in_two_rounds() {
    let steps = "steps: {a: {phase: data, exec: [a]}}\n";
    for inputs in [
        "inputs:\n  a: {type: string}\n  b: {type: string} # b\n  c: {type: string}\n",
        "inputs: {a: {type: string}, b: {type: string}, c: {type: string}}\n",
    ] {
        body(&format!("{inputs}{steps}"), Safety::Unsafe, steps);
        body(&format!("{inputs}{steps}"), Safety::Safe, &format!("{inputs}{steps}"));
    }
}

#[test]
fn what_cannot_be_read_does_not_go_with_what_is_beside_it() {
    let text = "inputs: {a: {type: string}, a: {type: integer}}\nsteps: {a: {phase: data, exec: [a]}}\n";
    body(text, Safety::Unsafe, text);
    let text = "inputs:\n  a: {type: string}\n  a: {type: integer}\nsteps: {a: {phase: data, exec: [a]}}\n";
    body(text, Safety::Unsafe, text);
}

#[test]
fn what_shows_after_a_fix_is_fixed_as_well() {
    body(
        "steps:\n  first: {phse: data, exec: [a]}\n  b: {phase: data, need: [frist], exec: [a], timeout: 90 sec}\n",
        Safety::Unsafe,
        "steps:\n  first: {phase: data, exec: [a]}\n  b: {phase: data, needs: [first], exec: [a], timeout: 90s}\n",
    );
}

#[test]
fn names_of_a_comment_go_one_by_one() {
    let step = "steps:\n  a: {phase: data, exec: [a]}";
    body(
        &format!("{step} # lifeboat: ignore[unknown-step, unknown-name, bad-template] why\n"),
        Safety::Safe,
        &format!("{step}\n"),
    );
    body(
        "steps:\n  a: {phase: data, needs: [zzzz], exec: [a]} # lifeboat: ignore[unknown-name, unknown-step] why\n",
        Safety::Unsafe,
        "steps:\n  a: {phase: data, needs: [zzzz], exec: [a]} # lifeboat: ignore[unknown-step] why\n",
    );
}

#[test]
fn what_is_silenced_is_not_fixed() {
    let text = format!(
        "{HEAD}inputs:\n  a: {{type: string}} # lifeboat: ignore[unused-input] later\nsteps: {{a: {{phase: data, exec: [a]}}}}\n"
    );
    assert_eq!(mended(&text, Safety::Unsafe).text, text);
}

fn finding(parsed: &Parsed, code: &'static str, edits: Vec<Edit>) -> Diagnostic {
    let finding = Diagnostic::warning(code, &parsed.source, Span::default(), format!("{code} {edits:?}"));
    finding.fix(Some(Fix::safe("change it", edits)))
}

#[test]
fn what_would_do_harm_is_dropped_and_the_rest_is_done() {
    let text = format!("{HEAD}steps:\n  a: {{phase: data, exec: [a]}}\n  b: {{phase: data, exec: [b]}}\n");
    let at = |what: &str| text.find(what).map(|at| Span::new(at, at + what.len())).expect("it is there");
    let source = Source::new("t.yaml", text.clone());
    let judge = |parsed: &Parsed| {
        if parsed.source.text() != text {
            return Vec::new();
        }
        vec![
            finding(parsed, "unclosed", vec![Edit::remove(at("}\n  b"))]),
            finding(parsed, "unknown", vec![Edit::new(at("exec: [b]"), "exce: [b]")]),
            finding(parsed, "good", vec![Edit::new(at("[a]"), "[c]")]),
            finding(parsed, "good", vec![Edit::new(at("name: test"), "name: best")]),
            finding(parsed, "outside", vec![Edit::insert(text.len() + 7, "x")]),
        ]
    };
    let mended = mend(&source, Safety::Safe, &judge);
    assert_eq!(mended.text, text.replace("[a]", "[c]").replace("name: test", "name: best"));
    let dropped: Vec<&str> = mended.dropped.iter().map(|it| it.code).collect();
    assert_eq!(
        (mended.applied.iter().filter(|it| it.code == "good").count(), dropped),
        (2, vec!["unclosed", "unknown"])
    );
}

#[test]
fn fixes_that_take_each_other_back_come_to_an_end() {
    let text = format!("{HEAD}steps:\n  a: {{phase: data, exec: [a]}}\n");
    let judge = |parsed: &Parsed| {
        let now = parsed.source.text();
        let at = now.find("exec: [").map_or(0, |at| at + 7);
        let other = if now[at..].starts_with('a') { "b" } else { "a" };
        vec![finding(parsed, "turn", vec![Edit::new(Span::new(at, at + 1), other)])]
    };
    let mended = mend(&Source::new("t.yaml", text), Safety::Safe, &judge);
    assert!(mended.applied.len() <= 2, "{:?}", mended.applied);
}

#[test]
fn many_findings_on_one_line_are_no_matter() {
    use std::fmt::Write as _;
    let mut text = format!("{HEAD}steps: {{");
    for n in 0..3_000 {
        let _ = write!(text, "s{n}: {{phase: data, exec: [a], timeout: 1 min}}, ");
    }
    text.push_str("}\n");
    let began = std::time::Instant::now();
    let mended = mended(&text, Safety::Safe);
    assert_eq!(mended.text, text.replace("1 min", "1m"));
    println!("{} fixes in {:?}", mended.applied.len(), began.elapsed());
}

#[test]
fn includes_are_left_to_their_own_files() {
    let text = format!("{HEAD}steps: {{a: {{phase: data, runbook: {{path: other.yaml}}}}}}\n");
    let source = Source::new("t.yaml", text.clone());
    assert_eq!(mend(&source, Safety::Unsafe, &judge).text, text);
    assert_eq!(Arc::strong_count(&source), 1, "nothing keeps the text");
}
