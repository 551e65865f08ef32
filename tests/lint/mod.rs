//! Linting as an author sees it.

use serde_json::Value;

use crate::harness::{Place, runbook};

#[test]
fn ten_mistakes_are_told_each_at_its_line() {
    let text = include_str!("../fixtures/ten-mistakes.yaml");
    let place = Place::new();
    place.write("book.yaml", text);
    let ran = place.expect(2, &["lint", "book.yaml", "--format", "json"]);
    let found: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(found["version"], 1);
    let found: Vec<(u64, &str)> = found["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["span"]["start"]["line"].as_u64().unwrap_or(0), one["code"].as_str().unwrap_or_default()))
        .collect();
    let wanted: Vec<(u64, &str)> = text
        .lines()
        .zip(1..)
        .filter_map(|(line, number)| Some((number, line.split_once("# expect: ")?.1.trim())))
        .collect();
    assert!(wanted.len() >= 10);
    assert_eq!(found, wanted);
}

#[test]
fn shipped_runbooks_lint_and_plan() {
    let place = Place::new();
    let all = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks");
    place.expect(0, &["lint", all, "--deny", "warnings"]);
    for entry in std::fs::read_dir(all).expect("runbooks") {
        let path = entry.expect("an entry").path();
        let path = path.to_str().expect("a path");
        for format in ["text", "json", "mermaid", "dot"] {
            place.expect(0, &["plan", path, "--drill", "--format", format]);
        }
    }
}

#[test]
fn every_runbook_in_the_documents_lints() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md")];
    let mut directories = vec![root.join("book/src")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).expect("the book") {
            let path = entry.expect("an entry").path();
            // The generated pages have fragments of every kind; their rules have fixtures of their own.
            if path.is_dir() && !path.ends_with("reference") {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                files.push(path);
            }
        }
    }
    let mut seen = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a page");
        for block in text.split("```yaml\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            let whole = if block.starts_with("apiVersion:") {
                block.to_owned()
            } else {
                // A fragment is a list of steps, written as it stands under `steps:`.
                runbook("", block)
            };
            let place = Place::new();
            place.write("book.yaml", whole);
            let ran = place.run(&["lint", "book.yaml"]);
            assert_eq!(ran.code, 0, "{}:\n{block}\n{}", file.display(), ran.err);
            seen += 1;
        }
    }
    assert!(seen > 0);
}
