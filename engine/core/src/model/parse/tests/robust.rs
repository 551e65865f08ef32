//! No text makes it panic, hang, or point outside the file.

use proptest::prelude::*;

use super::*;

#[test]
fn large_files_take_seconds_at_most() {
    let one_line = ["{\"a\": {", &"\"b\": {\"c\": [d]}, ".repeat(30_000), "}}"].concat();
    let unknown: String =
        (0..20_000).fold(String::new(), |text, number| text + "      k" + &number.to_string() + ": 1\n");
    let words = "x, ".repeat(300_000);
    let wrong = "[], ".repeat(1_000);
    for (name, text) in [
        ("one line", one_line),
        ("unknown keys", format!("{HEAD}steps:\n  a:\n    phase: data\n    http:\n      url: x\n{unknown}")),
        (
            "unknown keys in an undo",
            format!("{HEAD}steps:\n  a:\n    phase: data\n    undo:\n      exec: [x]\n{unknown}"),
        ),
        ("many words", format!("{HEAD}steps:\n  a:\n    phase: data\n    exec: [{words}]\n")),
        ("wrong words", format!("{HEAD}steps:\n  a:\n    phase: data\n    exec: [{wrong}]\n")),
    ] {
        let start = Instant::now();
        let parsed = parse(Source::new("t.yaml", text));
        let time = start.elapsed();
        println!("{name}: {} diagnostics in {time:?}", parsed.diagnostics.len());
        // Debug builds on a slow and busy machine; what is guarded against takes minutes.
        assert!(time.as_secs() < 60, "{name}: {time:?}");
    }
}

#[test]
fn too_many_mistakes_in_one_step_end() {
    let wrong = "[], ".repeat(4_000);
    let text =
        format!("{HEAD}steps:\n  a:\n    phase: data\n    exec: [{wrong}]\n  b: {{phase: data, exec: [c], nope: 1}}\n");
    let parsed = parse(Source::new("t.yaml", text));
    let codes: Vec<_> = parsed.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert!(
        codes.contains(&"too-many-mistakes") && codes.contains(&"unknown-key") && codes.len() > 1_000,
        "{}",
        codes.len()
    );
}

#[test]
fn line_ends_marks_tabs_and_wide_letters_do_not_move_places() {
    let parsed = read(&format!("\u{feff}{}", FULL.replace('\n', "\r\n")));
    assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
    let script = parsed.runbook.and_then(|runbook| runbook.steps["shift"].shell.clone()).expect("a script");
    assert_eq!(script.0, "./shift.sh \"$ZONE\"\n");

    let parsed = steps("  a: {title: \"é🚢\", phase: data, exec: [a], nope: 1}\r\n");
    let place = parsed.source.position(parsed.diagnostics[0].span.start);
    assert_eq!((place.line, place.column), (12, 44));
}

const SPICE: &[&str] = &[
    "\n",
    " ",
    "  ",
    "\t",
    ":",
    ": ",
    "- ",
    "-",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    "'",
    "#",
    " #",
    "&a ",
    "*a",
    "!",
    "!!str ",
    "|",
    ">",
    "|\n",
    "%",
    "@",
    "`",
    "?",
    "? ",
    "<<: ",
    "~",
    "null",
    "true",
    "1",
    "15",
    "é",
    "🚢",
    "\r\n",
    "\r",
    "\u{feff}",
    "\u{0}",
    "\u{85}",
    "\u{2028}",
    "---\n",
    "...\n",
    "\\",
    "\"\\u12\"",
    "a: &a [*a]\n",
    "{{",
    "}}",
    "phase: data",
    "exec: ",
    "undo: ",
    "verify:\n",
    "0x",
];

fn mutated(base: &'static str) -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0_usize..12, prop::sample::select(SPICE), 0_u8..4);
    prop::collection::vec(change, 1..8).prop_map(move |changes| {
        let mut letters: Vec<char> = base.chars().collect();
        for (place, length, spice, how) in changes {
            let at = place.index(letters.len() + 1);
            let end = (at + length).min(letters.len());
            match how {
                0 => drop(letters.splice(at..end, [])),
                1 => drop(letters.splice(at..end, spice.chars())),
                2 => drop(letters.splice(at..at, spice.chars())),
                _ => {
                    let copy = letters[at..end].to_vec();
                    drop(letters.splice(at..at, copy));
                }
            }
        }
        letters.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_runbooks_are_told_and_nothing_else(text in mutated(FULL)) {
        let parsed = read(&text);
        for found in &parsed.found {
            for (at, _) in found.text.char_indices() {
                let span = locate(&parsed.source, found.span, &found.text, at..found.text.len());
                prop_assert!(span.start <= span.end && span.end <= text.len());
            }
        }
        drop(crate::diagnostic::json::to_json(&parsed.diagnostics, 1));
    }

    #[test]
    fn any_text_is_taken(text in ".{0,200}") {
        drop(read(&text));
    }

    #[test]
    fn spicy_text_is_taken(words in prop::collection::vec(prop::sample::select(SPICE), 0..60)) {
        drop(read(&words.concat()));
        drop(read(&format!("{HEAD}steps:\n  a:\n    phase: data\n    {}", words.concat())));
    }
}
