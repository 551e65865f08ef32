//! What comes in comes out as it was written; and what is secret comes out nowhere.

use std::{fs, path::Path, process::Command};

use crate::harness::{Ended, Place, of_kind, runbook, runbook_with};

/// What a step has printed, from its artifact.
fn printed(place: &Place, step: &str) -> String {
    let records = place.records();
    let ended = of_kind(&records, "action-finished").into_iter().find(|record| record["step"] == step);
    let digest = ended.and_then(|record| record["artifacts"][0]["sha256"].as_str()).expect("it has an artifact");
    fs::read_to_string(place.only_run().join("artifacts").join(digest)).expect("the artifact is there")
}

#[test]
fn words_are_the_words_that_were_written() {
    let place = Place::new();
    let steps = "  restore:\n    phase: data\n    restores: true\n    \
                 exec: [printf, \"%s\\n\", y, no, on, 1.10, 0x10, 010, .5, 1e3, \"$HOME\", \"a b\", \"*\"]\n";
    place.run(&runbook(steps)).code(0);
    let expected = "y\nno\non\n1.10\n0x10\n010\n.5\n1e3\n$HOME\na b\n*\n";
    assert_eq!(printed(&place, "restore"), expected);
}

#[test]
fn inputs_come_from_a_file_and_from_arguments() {
    let place = Place::new();
    let inputs = "inputs:\n  zone: {type: string}\n  count: {type: integer, default: 3}\n  on: {type: boolean}\n";
    let steps = "  restore:\n    phase: data\n    restores: true\n    \
                 exec: [echo, \"{{inputs.zone}}\", \"{{inputs.count}}\", \"{{inputs.on}}\"]\n";
    place.file("r.yaml", runbook_with(inputs, steps));
    place.file("inputs.yaml", "zone: no\ncount: 7\non: true\n");
    place.lifeboat(&["run", "r.yaml", "--no-input", "--inputs", "inputs.yaml", "-i", "count=8"]).code(0);
    assert_eq!(printed(&place, "restore"), "no 8 true\n");
    place.file("bad.yaml", "zone: x\ncount: many\nwhat: 1\n");
    let ended = place.lifeboat(&["run", "r.yaml", "--no-input", "--inputs", "bad.yaml"]).code(2);
    for told in ["count", "what", "`on`", "bad.yaml:2"] {
        assert!(ended.err.contains(told), "all at once, each with its line; no `{told}` in {ended}");
    }
}

const SECRET: &str = "correct-horse/battery+staple=9";

fn every_file(directory: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            every_file(&path, look);
        } else {
            look(&path, &fs::read(&path).expect("a file"));
        }
    }
}

fn base64(text: &str) -> String {
    let script = "printf %s \"$1\" | base64 -w0";
    let output = Command::new("sh").args(["-c", script, "sh", text]).output().expect("sh runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// At 02:00, a wrong value must not look as if all were missing.
#[test]
fn a_wrong_input_is_the_only_one_that_is_told() {
    let place = Place::new();
    let inputs =
        "inputs:\n  zone: {type: string, pattern: '^[a-z]+$'}\n  count: {type: integer}\n  on: {type: boolean}\n";
    let steps = "  s: {phase: data, restores: true, exec: [echo, \"{{inputs.zone}}{{inputs.count}}{{inputs.on}}\"]}\n";
    place.file("r.yaml", runbook_with(inputs, steps));
    place.file("i.yaml", "zone: Z-1\ncount: 7\n");
    let wrong = "i.yaml:1: input `zone`: expected a text that matches `^[a-z]+$`, found `\"Z-1\"`";
    for command in ["run", "drill", "plan", "check"] {
        let no_input: &[&str] = if matches!(command, "run" | "drill") { &["--no-input"] } else { &[] };
        let call = [&[command, "r.yaml", "--inputs", "i.yaml", "-i", "on=1"], no_input].concat();
        let ended = place.lifeboat(&call).code(2).says(wrong).says("input `on`: expected");
        assert!(!ended.err.contains("found none"), "{command}: {}", ended.err);
    }
    // What would be in a file that cannot be read nobody knows.
    let ended = place.lifeboat(&["run", "r.yaml", "--no-input", "--inputs", "gone.yaml"]).code(2).says("gone.yaml");
    assert!(!ended.err.contains("found none"), "{}", ended.err);
    let ended = place.lifeboat(&["run", "r.yaml", "--no-input", "-i", "zone=a"]).code(2);
    ended.says("expected a value for the input `count`, found none").says("input `on`, found none");
}

#[test]
fn a_secret_is_nowhere() {
    let place = Place::new().env("TEST_SECRET", SECRET);
    let inputs = "inputs: {password: {type: secret, from: {env: TEST_SECRET}}}\n";
    let steps = r#"  plain:
    phase: data
    restores: true
    env: {PASSWORD: "{{inputs.password}}"}
    shell: |
      echo "it is $PASSWORD."; echo "err $PASSWORD" >&2
      printf %s "$PASSWORD" | base64 -w0; echo
      printf %s "${PASSWORD:0:9}"; sleep 0.3; echo "${PASSWORD:9} split over reads"
      echo "{\"p\": \"$PASSWORD\"}"
      test "${#PASSWORD}" -eq 30
    outputs: {all: {text: true}}
    verify: [{name: leaks, shell: 'echo "checked $PASSWORD"; test -n "$PASSWORD"'}]
  fails:
    phase: validate
    env: {PASSWORD: "{{inputs.password}}"}
    onFailure: continue
    shell: 'echo "bash: $PASSWORD: command not found" >&2; exit 3'
"#;
    place.file("r.yaml", runbook_with(inputs, steps));
    let ended: Ended = place.lifeboat(&["run", "r.yaml", "--no-input", "--verbose"]).code(1).says("***");
    let reports: Vec<Ended> = ["text", "markdown", "json"]
        .iter()
        .map(|format| place.lifeboat(&["report", "@latest", "--format", format]).code(0))
        .chain([place.lifeboat(&["show", "@latest", "--format", "json"]).code(0)])
        .collect();
    assert!(printed(&place, "plain").contains("it is ***."), "{}", printed(&place, "plain"));
    let encoded = base64(SECRET);
    for leak in [SECRET, encoded.trim_end_matches('=')] {
        for told in std::iter::once(&ended).chain(&reports) {
            assert!(!told.to_string().contains(leak), "the secret is told: {told}");
        }
        every_file(&place.path("store"), &mut |path, bytes| {
            let found = bytes.windows(leak.len()).any(|window| window == leak.as_bytes());
            assert!(!found, "the secret is in {}", path.display());
        });
    }
}

#[test]
fn a_missing_secret_touches_nothing() {
    let place = Place::new();
    let inputs = "inputs: {password: {type: secret, from: {env: TEST_SECRET_MISSING}}}\n";
    let steps = "  restore: {phase: data, restores: true, env: {P: \"{{inputs.password}}\"}, shell: touch effects}\n";
    place.run(&runbook_with(inputs, steps)).code(2).says("TEST_SECRET_MISSING");
    assert!(!place.path("effects").exists(), "something was touched");
}
