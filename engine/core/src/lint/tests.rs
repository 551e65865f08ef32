//! Every rule against its fixtures: `bad.yaml` fires where a line says `# expect: <rule>` and nowhere else, `ok.yaml`
//! is silent. And that no rule, file, fixture or page is forgotten.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Linter, config, organisation::Organisation, registry};
use crate::{
    diagnostic::Diagnostic,
    model::parse::{Parsed, parse},
    plan::{Loaded, Unreadable},
    source::Source,
};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

const FIXTURES: &str = "../../tests/fixtures/lint";
/// Whole runbooks with many mistakes, and of no one rule.
const SEEDS: &str = "seeds";

fn read(folder: &Path, name: &str) -> Option<Parsed> {
    let text = fs::read_to_string(folder.join(name)).ok()?;
    Some(parse(Source::new(name, text)))
}

/// What stands beside a fixture, for rules that depend on it.
fn organisation(folder: &Path) -> Organisation {
    let Ok(text) = fs::read_to_string(folder.join(config::NAME)) else { return Organisation::default() };
    let (config, mistakes) = config::Config::read(&Source::new(config::NAME, text));
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    config.organisation().clone()
}

fn findings(folder: &Path, parsed: &Parsed) -> Vec<Diagnostic> {
    Linter::default().lint(&organisation(folder), parsed, &|_, path| {
        let name = path.trim_start_matches("./");
        let parsed = read(folder, name).ok_or_else(|| Unreadable::Missing(String::from("no such file")))?;
        if parsed.has_errors() {
            return Err(Unreadable::Invalid(format!("{} errors", parsed.diagnostics.len())));
        }
        let source = Arc::clone(&parsed.source);
        let runbook = parsed.runbook.ok_or_else(|| Unreadable::Invalid(String::from("nothing in it")))?;
        Ok(Arc::new(Loaded { runbook: Arc::new(runbook), source, directory: String::new() }))
    })
}

/// Rule and line of everything that is found in a text without errors of its own.
fn told(text: &str) -> Vec<(&'static str, usize)> {
    let parsed = parse(Source::new("test.yaml", text));
    findings(Path::new("/nowhere"), &parsed).iter().map(|found| (found.code, line(found))).collect()
}

fn line(found: &Diagnostic) -> usize {
    found.source.position(found.span.start).line
}

fn names(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn bad_fires_exactly_there_and_ok_is_silent() {
    let mut wrong = Vec::new();
    for rule in registry::RULES {
        let folder = folder(FIXTURES).join(rule.id);
        for name in ["bad.yaml", "ok.yaml"] {
            let parsed = read(&folder, name).unwrap_or_else(|| panic!("{}/{name} is missing", rule.id));
            let mistakes: Vec<_> =
                parsed.diagnostics.iter().map(|found| format!("{}: {}", line(found), found.message)).collect();
            assert!(mistakes.is_empty(), "{}/{name}: {mistakes:#?}", rule.id);
            let found = findings(&folder, &parsed);
            let is: Vec<_> = found.iter().map(|found| (line(found), found.code.to_owned())).collect();
            let mut should = Vec::new();
            for (at, line) in parsed.source.text().lines().enumerate() {
                should.extend(line.split("# expect: ").skip(1).map(|code| (at + 1, code.trim().to_owned())));
            }
            if is != should {
                let messages: Vec<_> =
                    found.iter().map(|found| format!("{} {}: {}", line(found), found.code, found.message)).collect();
                wrong.push(format!("{}/{name}: expected {should:#?}, found {messages:#?}", rule.id));
            }
            assert_eq!(name == "ok.yaml", should.is_empty(), "{}/{name}", rule.id);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_forgotten() {
    let ids: BTreeSet<String> = registry::RULES.iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(ids.len(), registry::RULES.len(), "an id is given twice");
    let mut fixtures = names(&folder(FIXTURES));
    assert!(fixtures.remove(SEEDS));
    assert_eq!(fixtures, ids);
    let mut files: BTreeSet<String> =
        names(&folder("src/lint/rules")).iter().map(|name| name.replace('_', "-")).collect();
    files.remove("mod");
    assert_eq!(files, ids);
}

#[test]
fn every_rule_explains_itself() {
    for rule in registry::RULES {
        let page = rule.explanation();
        for part in ["Bad:", "Good:", "```yaml"] {
            assert!(page.contains(part), "{}: {page}", rule.id);
        }
        assert!(!page.starts_with(char::is_whitespace) && page.lines().next().is_some_and(|line| line.ends_with('.')));
        assert!(!rule.summary.ends_with('.'), "{}", rule.id);
    }
    assert!(registry::find("unused-input").is_some());
}

#[test]
fn every_finding_says_what_to_do() {
    for rule in registry::RULES {
        let folder = folder(FIXTURES).join(rule.id);
        let Some(parsed) = read(&folder, "bad.yaml") else { continue };
        for found in findings(&folder, &parsed) {
            // Syntax is told in the words of the language's own room.
            if !["bad-template", "bad-expression"].contains(&found.code) {
                assert!(found.message.contains("expected ") && found.message.contains(", found "), "{}", found.message);
                assert!(found.help.is_some() || found.code == "bad-input", "{}: {}", found.code, found.message);
            }
            assert!(!found.message.ends_with('.'), "{}", found.message);
            assert_eq!(found.severity, registry::find(found.code).map_or(found.severity, |rule| rule.severity));
        }
    }
}

const HEAD: &str = "apiVersion: lifeboat.dev/v1
kind: Runbook
metadata: {name: test, owner: team}
recovery: {capability: It, scope: region, disaster: region-failure, objectives: {rpo: 1m, rto: 1h}, level: L1}
";

#[test]
fn the_whole_circle_is_told() {
    let text = format!(
        "{HEAD}steps:\n  a: {{phase: data, needs: [b], exec: [a]}}\n  b: {{phase: data, needs: [a], exec: [a]}}\n"
    );
    let parsed = parse(Source::new("test.yaml", text));
    let found = findings(Path::new("/nowhere"), &parsed);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "expected an order, found a cycle: a → b → a");
    assert_eq!(found[0].related[0].message, "`b` needs `a`");
    assert_eq!(found[0].source.position(found[0].related[0].span.start).line, 7);
}

#[test]
fn what_follows_from_a_mistake_is_not_told() {
    // `needs` cannot be read, so nobody knows what comes before `use`; the input cannot be read, so nobody knows its type.
    let told = told(&format!(
        "{HEAD}inputs: {{x: 7}}
steps:
  count: {{phase: data, exec: [a], outputs: {{n: {{text: true}}}}}}
  broken: 7
  use: {{phase: data, needs: {{a: b}}, exec: [a, \"{{{{steps.count.outputs.n}}}}\", \"{{{{steps.broken.outputs.z}}}}\"]}}
  more: {{phase: data, needs: [use, nowhere], exec: [a, \"{{{{inputs.x}}}}\", \"{{{{steps.count.status}}}}\"]}}
"
    ));
    assert_eq!(told, [("unknown-step", 10)]);
}

#[test]
fn nothing_is_told_of_what_is_no_runbook() {
    assert_eq!(told("7"), []);
    assert_eq!(told(""), []);
    assert_eq!(told("steps: {a: {phase: data, exec: [a]}}"), []);
}

#[test]
fn many_steps_are_judged_at_once() {
    use std::fmt::Write as _;
    let mut text = format!("{HEAD}steps:\n");
    for n in 0..20_000_usize {
        let (before, far) = (n.saturating_sub(1), n / 2);
        let phase = if n == 0 { "data, outputs: {o: {text: true}}" } else { "data" };
        let needs = if n == 0 { String::new() } else { format!("needs: [s{before}], ") };
        let texts = if n < 2 { String::new() } else { format!(", \"{{{{steps.s{far}.status}}}}\"") };
        let _ = writeln!(text, "  s{n}: {{phase: {phase}, {needs}exec: [a{texts}]}}");
    }
    assert_eq!(told(&text), []);
}

#[test]
fn what_cannot_be_known_is_not_guessed() {
    let head = HEAD.replace("L1", "L3");
    // A step that cannot be read may be the one that validates; an included runbook may do everything.
    for unknown in ["look: 7", "look: {phase: validate, runbook: {path: other.yaml}}"] {
        let told = told(&format!(
            "{head}steps:
  shift: {{phase: shift-traffic, exec: [a], undo: {{exec: [b], verify: [{{exec: [c]}}]}}, verify: [{{exec: [c]}}]}}
  {unknown}
"
        ));
        assert!(told.iter().all(|(rule, _)| rule.starts_with("include-")), "{unknown}: {told:?}");
    }
}

#[test]
fn many_steps_with_everything_are_judged_at_once() {
    use std::fmt::Write as _;
    let mut text = format!("{}steps:\n", HEAD.replace("L1", "L3"));
    let more = "undo: {exec: [b], verify: [{exec: [c]}]}, verify: [{exec: [c]}], recoveryPoint: result.json.at";
    for n in 0..4_000_usize {
        let phase = ["data", "workloads", "validate", "shift-traffic"][n / 1_000];
        let needs = if n % 1_000 == 0 { String::new() } else { format!("needs: [s{}], ", n - 1) };
        let end = if n == 3_999 { ", restores: true" } else { "" };
        let _ = writeln!(text, "  s{n}: {{phase: {phase}, {needs}exec: [a], {more}{end}}}");
    }
    assert_eq!(told(&text), []);
}

#[test]
fn comments_silence_where_they_stand() {
    let all = |comment: &str, end: &str| {
        format!(
            "{HEAD}steps:\n  {comment}\n  a:\n    phase: data\n    needs: [b] {end}\n    exec: [\"{{{{inputs.x}}}}\"]\n  \
             c: {{phase: data, needs: [d], exec: [a]}}\n"
        )
    };
    assert_eq!(told(&all("", "")), [("unknown-step", 9), ("unknown-name", 10), ("unknown-step", 11)]);
    let step = all("# lifeboat: ignore[unknown-step, unknown-name] why", "");
    assert_eq!(told(&step), [("unknown-step", 11)], "a whole step, and not the next");
    let line = all("", "# lifeboat: ignore[unknown-step] why");
    assert_eq!(told(&line), [("unknown-name", 10), ("unknown-step", 11)]);
    // In a text it is no comment, but in a script it is one of the script.
    let text = |key: &str| {
        format!(
            "{HEAD}steps:\n  a:\n    phase: data\n    needs: [b]\n    {key}: |\n      # lifeboat: ignore[x] why\n    exec: [a]\n"
        )
    };
    assert_eq!(told(&text("title")), [("unknown-step", 8)]);
    let text = text("shell").replace("    exec: [a]\n", "");
    assert_eq!(told(&text), [("unknown-step", 8), ("unknown-rule", 10)]);
    // What cannot be read is not judged by what is silenced.
    let damaged = format!("{HEAD}steps:\n  a: {{phase: data, exec: 7}} # lifeboat: ignore[unknown-step] why\n");
    assert_eq!(told(&damaged), []);
}

#[test]
fn a_comment_is_no_reason_not_to_run() {
    let text = format!("{HEAD}steps:\n  a: {{phase: data, needs: [b], exec: [a]}} # lifeboat: ignore[gone] why\n");
    let found = findings(Path::new("/nowhere"), &parse(Source::new("test.yaml", text)));
    let stops: Vec<_> = found.iter().map(|found| (found.code, super::stops_a_run(found))).collect();
    assert_eq!(stops, [("unknown-step", true), ("unknown-rule", false)]);
}

#[test]
fn many_comments_are_read_at_once() {
    let line =
        |n: usize| format!("  s{n}: {{phase: data, needs: [b], exec: [a]}} # lifeboat: ignore[unknown-step] why\n");
    let text = format!("{HEAD}steps:\n{}", (0..20_000).map(line).collect::<String>());
    assert_eq!(told(&text), []);
}

#[test]
fn a_change_of_names_is_known_by_its_verb() {
    let shifts = |command: &str| {
        let text = format!("{HEAD}steps:\n  s:\n    phase: shift-traffic\n    shell: {command}\n");
        told(&text).iter().any(|(rule, _)| *rule == "dns-ttl-ignored")
    };
    assert!(shifts("az network dns record-set a add-record -g g -z z -n n -a 192.0.2.1"));
    assert!(shifts("az network dns record-set a update -g g -z z -n n --set ttl=60"));
    assert!(!shifts("az network dns record-set a show -g g -z z -n update"));
}

/// Each file is a defective runbook as people write them; its first line says which rules must find something in it.
#[test]
fn the_mistakes_that_people_make_are_found() {
    let folder = folder(FIXTURES).join(SEEDS);
    let mut count = 0;
    for name in names(&folder) {
        let parsed = read(&folder, &format!("{name}.yaml")).unwrap();
        assert!(parsed.diagnostics.is_empty(), "{name}: {:?}", parsed.diagnostics);
        let found = findings(&folder, &parsed);
        let codes: BTreeSet<&str> = found.iter().map(|found| found.code).collect();
        let first = parsed.source.line(1).unwrap_or_default();
        let expected: Vec<&str> = first.strip_prefix("# expect: ").expect("what is expected").split(", ").collect();
        for rule in expected {
            assert!(registry::find(rule).is_some(), "{name}: there is no rule `{rule}`");
            assert!(codes.contains(rule), "{name}: `{rule}` is silent: {codes:?}");
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}
