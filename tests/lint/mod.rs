//! `lint` and `plan`, as people and editors use them. What each rule finds is tested in core.

use std::{fs, path::PathBuf};

use crate::harness::{Place, repository};

/// Ten mistakes; each is on the line that its comment stands on.
const TEN: &str = r#"apiVersion: lifeboat.dev/v1
kind: Runbook
metadata: {name: ten, title: Ten mistakes, owner: team-test}
recovery:
  capability: Nothing
  scope: aplication              # 1
  disaster: data-corruption
  objectives: {rpo: 1h, rto: 1 hour, mtd: 8h}   # 2
  level: L2
inputs:
  zone: {type: strin}            # 3
colour: blue                     # 4
steps:
  one:
    phase: dta                   # 5
    exec: [ls]
  two:
    phase: data
    shel: ls                     # 6
  three:
    phase: data
    timeout: soon                # 7
    exec: [ls]
  four:
    phase: data
    idempotent: y                # 8
    exec: [ls]
  five:
    phase: data
    exec: ls -l                  # 9
  six:
    phase: data
    retry: {attempts: many}      # 10
    restores: true
    exec: [ls]
"#;

#[test]
fn ten_mistakes_are_told_at_once_each_at_its_line() {
    let place = Place::new();
    place.file("ten.yaml", TEN);
    let ended = place.lifeboat(&["lint", "ten.yaml", "--format", "json"]).code(2);
    let found = ended.json();
    assert_eq!(found["version"], 1);
    let diagnostics = found["diagnostics"].as_array().expect("diagnostics");
    let lines: Vec<u64> =
        diagnostics.iter().filter_map(|diagnostic| diagnostic["span"]["start"]["line"].as_u64()).collect();
    for (at, line) in TEN.lines().enumerate().filter(|(_, line)| line.contains("# ")) {
        let number = at as u64 + 1;
        assert!(lines.contains(&number), "nothing is told of line {number}: {line}\n{ended}");
    }
    for diagnostic in diagnostics {
        for key in ["code", "severity", "message", "path", "url"] {
            assert!(diagnostic[key].is_string(), "no {key} in {diagnostic:#}");
        }
        assert_eq!(diagnostic["path"], "ten.yaml");
    }
    assert_eq!(found["summary"]["files"], 1);
    let text = place.lifeboat(&["lint", "ten.yaml"]).code(2);
    assert!(text.err.matches("ten.yaml:").count() >= 10, "{text}");
}

fn shipped() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("runbooks")).expect("runbooks").flatten();
    let files = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|it| it == "yaml"));
    files.collect()
}

#[test]
fn shipped_runbooks_have_no_findings_and_plan_in_both_modes() {
    let place = Place::new();
    let files = shipped();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        let file = file.to_string_lossy();
        let found = place.lifeboat(&["lint", &file, "--format", "json", "--deny", "warnings"]).code(0).json();
        assert_eq!(found["diagnostics"].as_array().map(Vec::len), Some(0), "{found:#}");
        for format in ["text", "json", "mermaid", "dot"] {
            let incident = place.lifeboat(&["plan", &file, "--format", format]).code(0);
            let drill = place.lifeboat(&["plan", &file, "--drill", "--format", format]).code(0);
            assert!(!incident.out.is_empty() && incident.out != drill.out, "a drill differs: {incident}{drill}");
        }
    }
}

#[test]
fn directories_are_searched_and_ignored_files_are_not_read() {
    let place = Place::new();
    place.file("a/ten.yaml", TEN);
    place.file("a/other.yaml", "kind: ConfigMap\n");
    place.file("a/ignored.yaml", TEN);
    place.file("a/.gitignore", "ignored.yaml\n");
    let found = place.lifeboat(&["lint", "a", "--format", "json"]).code(2).json();
    assert_eq!(found["summary"]["files"], 1, "{found:#}");
    place.file("b/other.yaml", "kind: ConfigMap\n");
    place.lifeboat(&["lint", "b"]).code(2).says("found none");
}
