//! `lint` and `plan`, as people and editors use them. What each rule finds is tested in core.

mod chosen;
mod diff;
mod elsewhere;
mod fix;
mod many;
mod mutated;
mod outputs;
mod schema;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::harness::{Place, repository, runbook};

#[test]
fn ten_mistakes_are_told_at_once_each_at_its_line() {
    let text = include_str!("../fixtures/ten-mistakes.yaml");
    let place = Place::new();
    place.file("ten.yaml", text);
    let ended = place.lifeboat(&["lint", "ten.yaml", "--format", "json"]).code(2);
    let found = ended.json();
    assert_eq!(found["version"], 1);
    assert_eq!(found["summary"]["files"], 1);
    let diagnostics = found["diagnostics"].as_array().expect("diagnostics");
    let told: Vec<(u64, &str)> = diagnostics
        .iter()
        .map(|one| (one["span"]["start"]["line"].as_u64().unwrap_or(0), one["code"].as_str().unwrap_or_default()))
        .collect();
    let wanted: Vec<(u64, &str)> = text
        .lines()
        .zip(1..)
        .filter_map(|(line, number)| Some((number, line.split_once("# expect: ")?.1.trim())))
        .collect();
    assert!(wanted.len() >= 10);
    assert_eq!(told, wanted, "{ended}");
    for diagnostic in diagnostics {
        for key in ["code", "severity", "message", "path", "url"] {
            assert!(diagnostic[key].is_string(), "no {key} in {diagnostic:#}");
        }
        assert_eq!(diagnostic["path"], "ten.yaml");
    }
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
        // What a runbook asks for, as somebody might answer.
        let name = Path::new(&*file).file_name().expect("a file has a name");
        let inputs = repository().join("tests/fixtures/inputs").join(name);
        let inputs = inputs.is_file().then(|| inputs.to_string_lossy().into_owned());
        let given = inputs.iter().flat_map(|inputs| ["--inputs", inputs.as_str()]);
        for format in ["text", "json", "mermaid", "dot"] {
            let plan: Vec<&str> = ["plan", &file, "--format", format].into_iter().chain(given.clone()).collect();
            let incident = place.lifeboat(&plan).code(0);
            let drill = place.lifeboat(&[plan.as_slice(), &["--drill"]].concat()).code(0);
            assert!(!incident.out.is_empty() && !drill.out.is_empty());
            // Where every step is in both, their graphs are the same.
            assert!(format != "json" || incident.out != drill.out, "a drill differs: {incident}{drill}");
        }
    }
}

#[test]
fn directories_are_searched_and_ignored_files_are_not_read() {
    let place = Place::new();
    place.file("a/ten.yaml", include_str!("../fixtures/ten-mistakes.yaml"));
    place.file("a/other.yaml", "kind: ConfigMap\n");
    place.file("a/ignored.yaml", "steps: [");
    place.file("a/.gitignore", "ignored.yaml\n");
    let found = place.lifeboat(&["lint", "a", "--format", "json"]).code(2).json();
    assert_eq!(found["summary"]["files"], 1, "{found:#}");
    place.file("b/other.yaml", "kind: ConfigMap\n");
    place.lifeboat(&["lint", "b"]).code(2).says("found none");
}

/// A runbook that the search does not know is never linted, and everybody believes that it was.
#[test]
fn a_runbook_is_found_however_it_is_written() {
    let place = Place::new();
    let text = runbook("  a: {phase: data, exec: [a], needs: [nowhere], restores: true}\n");
    let with = |first: &str| text.replacen("apiVersion: lifeboat.dev/v1", first, 1);
    place.file("d/plain.yaml", &text);
    place.file("d/quoted.yaml", with("apiVersion: \"lifeboat.dev/v1\""));
    place.file("d/key.YML", with("\"apiVersion\":   'lifeboat.dev/v1'"));
    place.file("d/mark.yaml", format!("\u{feff}{text}"));
    place.file("d/late.yaml", format!("{}{text}", "# A word to the reader.\n".repeat(5_000)));
    place.file("d/slip.yaml", with("apiVersion: lifeboat.deb/v1"));
    place.file("d/others.yaml", "apiVersion: v1\nkind: ConfigMap\ndata: {a: 'apiVersion: lifeboat.dev/v1'}\n");
    let found = place.lifeboat(&["lint", "d", "--format", "json"]).code(2).json();
    assert_eq!(found["summary"]["files"], 6, "{found:#}");
    for name in ["d/plain.yaml", "d/quoted.yaml", "d/key.YML", "d/mark.yaml", "d/late.yaml", "d/slip.yaml"] {
        let found = place.lifeboat(&["lint", "--only-runbooks", name, "--format", "json"]).code(2).json();
        assert_eq!(found["summary"]["files"], 1, "{name}: {found:#}");
    }
    // A pipe is never opened: it would wait for somebody who writes.
    let pipe = place.path("d/pipe.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|it| it.success()));
    place.lifeboat(&["lint", "--only-runbooks", "d/pipe.yaml"]).code(2).says("a pipe, socket or device");
}

/// What a runbook has in it may draw on no terminal, in its text, in its names and in what is said of it.
#[test]
fn findings_obey_nobody() {
    let place = Place::new();
    let steps =
        "  a: {phase: data, exec: [a], restores: true, needs: [\"x\\e[2J\"]}\n  \u{202e}b: {phase: data, exec: [b]}\n";
    place.file("r.yaml", runbook(steps));
    place.file("raw.yaml", "a: \u{1b}]0;title\u{7}\u{1b}[2J\n");
    for file in ["r.yaml", "raw.yaml"] {
        for command in ["lint", "plan"] {
            let ended = place.lifeboat(&[command, file]).code(2);
            let letters = ended.err.chars().chain(ended.out.chars());
            let drawn: Vec<char> = letters.filter(|it| matches!(it, '\u{1b}' | '\u{7}' | '\u{202e}')).collect();
            assert!(drawn.is_empty(), "{command} {file}: {drawn:?} in {ended}");
        }
    }
}

/// A page that shows what does not lint teaches mistakes.
#[test]
fn every_runbook_in_the_documents_lints() {
    let mut files = vec![repository().join("README.md")];
    let mut directories = vec![repository().join("book/src")];
    while let Some(directory) = directories.pop() {
        for path in fs::read_dir(directory).expect("the book").flatten().map(|entry| entry.path()) {
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
        let text = fs::read_to_string(&file).expect("a page");
        for block in text.split("```yaml\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            // A fragment is a list of steps, written as it stands under `steps:`.
            let whole = if block.starts_with("apiVersion:") { block.to_owned() } else { runbook(block) };
            let place = Place::new();
            place.file("book.yaml", whole);
            let ended = place.lifeboat(&["lint", "book.yaml"]);
            assert_eq!(ended.code, 0, "{}:\n{block}\n{ended}", file.display());
            seen += 1;
        }
    }
    assert!(seen > 0);
}
