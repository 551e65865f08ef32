//! No text makes `lint` panic, hang, or point outside of the file: shipped runbooks and fixtures, damaged in every way.
//!
//! `LIFEBOAT_TEST_FUZZ` is for how many seconds it goes on; without it a few hundred files are tried.

use std::{
    fs,
    path::PathBuf,
    sync::LazyLock,
    time::{Duration, Instant},
};

use lifeboat_core::{
    diagnostic::{Diagnostic, github, json, sarif},
    diff,
    lint::{before_a_run, lint, pages, stops_a_run},
    model::parse::parse,
    plan::include::Unreadable,
    source::{Source, Span},
};
use proptest::{
    prelude::*,
    sample::Index,
    strategy::ValueTree,
    test_runner::{TestCaseError, TestRunner},
};

use crate::harness::{Place, repository};

/// The longest time for one file, on a slow and busy machine without optimisation; what is guarded against takes minutes.
const LONGEST: Duration = Duration::from_secs(60);

/// What is damaged.
static BASES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut texts = Vec::new();
    let mut folders: Vec<PathBuf> = ["runbooks", "tests/fixtures"].map(|folder| repository().join(folder)).into();
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
        // The same order everywhere, so that a case can be had again.
        entries.sort();
        for path in entries {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                texts.push(fs::read_to_string(&path).expect("text"));
            }
        }
    }
    texts
});

/// Pieces that mean something to YAML, to Handlebars, to CEL, to a shell, or to us.
#[rustfmt::skip]
const SPICE: &[&str] = &[
    "\n", " ", "    ", "\t", ": ", "- ", "[", "]", "{", "}", ",", "\"", "'", " #", "&a ", "*a", "!", "!!binary ",
    "|\n", ">-\n", "%YAML 1.2\n", "? ", "<<: *a\n", "~", "null", "true", "no", "1e309", "-1", "0x",
    "99999999999999999999", "é", "🚢", "\u{202e}", "\r\n", "\r", "\u{feff}", "\u{0}", "\u{85}", "\u{2028}", "---\n",
    "...\n", "\\", "\"\\u12\"", "{{", "}}", "{{#if}}", "{{inputs.", "steps['a'].outputs", "((((((((((", "$(", "`",
    "<<EOF\n", "'\"'\"'", "|| true", "; ", "&& ", "${", "$((", "# lifeboat: ignore[",
    "# lifeboat: ignore[unused-input] why", "needs: []\n", "needs: [*a]", "undo: auto\n", "steps:\n", "cleanup:\n",
    "forEach: {in: x}", "phase: data\n", "phase: shift-traffic\n", "restores: true\n", "runbook: {path: a.yaml}\n",
    "9999999d", "kubectl delete ns x | tail -n1\n", "terraform destroy\n",
];

#[derive(Debug, Clone)]
enum Change {
    /// Letters go, come, are replaced, or stand twice.
    Letters(Index, usize, &'static str, u8),
    /// A line goes, stands twice, or goes elsewhere.
    Line(Index, Index, u8),
    /// Lines are moved to the left or to the right.
    Indent(Index, usize, bool),
    /// Lines of another file.
    Splice(Index, Index, Index, usize),
    /// A word is replaced by another one of the file.
    Word(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    prop_oneof![
        (index(), 0_usize..12, prop::sample::select(SPICE), 0_u8..4)
            .prop_map(|(at, n, spice, how)| Change::Letters(at, n, spice, how)),
        (index(), index(), 0_u8..3).prop_map(|(at, to, how)| Change::Line(at, to, how)),
        (index(), 1_usize..9, any::<bool>()).prop_map(|(at, n, right)| Change::Indent(at, n, right)),
        (index(), index(), index(), 1_usize..30).prop_map(|(at, other, from, n)| Change::Splice(at, other, from, n)),
        (index(), index()).prop_map(|(at, from)| Change::Word(at, from)),
    ]
}

fn mutated() -> impl Strategy<Value = String> {
    (any::<Index>(), prop::collection::vec(change(), 0..6))
        .prop_map(|(base, changes)| changes.iter().fold(base.get(&BASES).clone(), |text, change| apply(&text, change)))
}

fn apply(text: &str, change: &Change) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        return String::from("a");
    }
    match change {
        Change::Letters(at, n, spice, how) => {
            let mut letters: Vec<char> = text.chars().collect();
            let at = at.index(letters.len() + 1);
            let end = (at + n).min(letters.len());
            let new: Vec<char> = match how {
                0 => Vec::new(),
                1 | 2 => spice.chars().collect(),
                _ => letters[at..end].repeat(2),
            };
            drop(letters.splice(at..if *how == 2 { at } else { end }, new));
            letters.into_iter().collect()
        }
        Change::Line(at, to, how) => {
            let at = at.index(lines.len());
            let line = lines[at];
            match how {
                0 => _ = lines.remove(at),
                1 => lines.insert(at, line),
                _ => {
                    _ = lines.remove(at);
                    lines.insert(to.index(lines.len() + 1), line);
                }
            }
            lines.concat()
        }
        Change::Indent(at, n, right) => {
            let at = at.index(lines.len());
            let moved = lines.iter().enumerate().map(|(number, line)| {
                let (here, less) = ((at..at + n).contains(&number), line.strip_prefix("  "));
                match (here, right) {
                    (true, true) => format!("  {line}"),
                    (true, false) => less.unwrap_or(line).to_owned(),
                    (false, _) => (*line).to_owned(),
                }
            });
            moved.collect()
        }
        Change::Splice(at, other, from, n) => {
            let other: Vec<&str> = other.get(&BASES).split_inclusive('\n').collect();
            let from = from.index(other.len());
            let at = at.index(lines.len() + 1);
            drop(lines.splice(at..at, other[from..(from + n).min(other.len())].iter().copied()));
            lines.concat()
        }
        Change::Word(at, from) => {
            let words: Vec<&str> = text.split_inclusive(|letter: char| !letter.is_alphanumeric()).collect();
            let new = from.get(&words);
            let at = at.index(words.len());
            words.iter().enumerate().map(|(number, word)| if number == at { new } else { word }).copied().collect()
        }
    }
}

fn inside(source: &Source, span: Span) -> bool {
    let text = source.text();
    span.start <= span.end
        && span.end <= text.len()
        && text.is_char_boundary(span.start)
        && text.is_char_boundary(span.end)
}

/// Everything that is done with a file before it is run, in all forms.
fn look(text: &str) -> Result<(), TestCaseError> {
    let began = Instant::now();
    let source = Source::new("r.yaml", text);
    let parsed = parse(source.clone());
    let mut found: Vec<Diagnostic> = parsed.diagnostics.clone();
    let nothing = |_: &str, _: &str| Err(Unreadable::Missing(String::from("no such file")));
    found.extend(lint(&parsed, &nothing));
    let stops = found.iter().filter(|one| stops_a_run(one)).map(|one| (one.code, one.span));
    let stops: Vec<_> = stops.skip(parsed.diagnostics.iter().filter(|one| stops_a_run(one)).count()).collect();
    let before = before_a_run(&parsed, &nothing);
    prop_assert_eq!(before.iter().map(|one| (one.code, one.span)).collect::<Vec<_>>(), stops);
    for one in &found {
        prop_assert!(inside(&one.source, one.span), "{}: {:?} of {}", one.code, one.span, one.source.text().len());
        for other in &one.related {
            prop_assert!(inside(&other.source, other.span), "{}: {:?}", one.code, other.span);
        }
        prop_assert!(!one.message.is_empty() && !one.message.contains('\n'), "{}: {:?}", one.code, one.message);
    }
    drop((json::to_json(&found, 1), github::to_github(&found, "/here")));
    drop(sarif::to_sarif(&found, &pages::all(), "/here", "1.2.3", sarif::MOST_RESULTS));
    if let Some(runbook) = &parsed.runbook {
        let told = diff::diff((runbook, &source), (runbook, &source));
        prop_assert!(told.is_empty(), "it differs from itself: {told:?}");
    }
    prop_assert!(began.elapsed() < LONGEST, "it took {:?}", began.elapsed());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "whoever lets it go on for minutes wants to know what it did")]
fn say(text: &str) {
    println!("{text}");
}

#[test]
fn damaged_runbooks_are_told_and_nothing_else() {
    let seconds = std::env::var("LIFEBOAT_TEST_FUZZ").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut files, mut slowest) = (0, Duration::ZERO);
    loop {
        let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
        let times = std::cell::Cell::new((0_u32, Duration::ZERO));
        let done = TestRunner::new(config).run(&mutated(), |text| {
            let began = Instant::now();
            let done = look(&text);
            let (files, slowest) = times.get();
            times.set((files + 1, slowest.max(began.elapsed())));
            done
        });
        if let Err(error) = done {
            panic!("{error}");
        }
        let (some, longest) = times.get();
        files += some;
        slowest = slowest.max(longest);
        if Instant::now() >= until {
            break;
        }
    }
    if seconds > 0 {
        say(&format!("{files} files; the slowest took {slowest:?}"));
    }
}

/// The same through the binary, which draws frames around what it found.
#[test]
fn damaged_runbooks_are_drawn() {
    let place = Place::new();
    let mut runner = TestRunner::deterministic();
    let strategy = mutated();
    for number in 0..150 {
        let text = strategy.new_tree(&mut runner).expect("a text").current();
        place.file(&format!("damaged/{number}.yaml"), text);
    }
    let files: Vec<String> = (0..150).map(|number| format!("damaged/{number}.yaml")).collect();
    for format in ["text", "json"] {
        let arguments: Vec<&str> =
            ["lint", "--format", format].into_iter().chain(files.iter().map(String::as_str)).collect();
        let ended = place.lifeboat(&arguments).code(2);
        let frames = if format == "text" { ended.err.matches("─[damaged/").count() } else { 200 };
        assert!(frames >= 100 && !ended.err.contains("panicked"), "{ended}");
    }
}
