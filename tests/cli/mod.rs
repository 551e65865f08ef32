//! The command line: exit codes, words, streams, signals, hostile files.

use std::{fs, process::Command};

use crate::harness::{Place, runbook, signal, until, wait};

mod hostile;

/// Runs a runbook with these steps unattended, and wants this exit code.
fn ends(code: i32, top: &str, steps: &str, more: &[&str]) -> (Place, crate::harness::Ran) {
    let place = Place::new();
    place.write("book.yaml", runbook(top, steps));
    let mut arguments = vec!["run", "book.yaml", "--no-input"];
    arguments.extend(more);
    let ran = place.expect(code, &arguments);
    if !place.path("store").exists() {
        return (place, ran);
    }
    place.expect(0, &["verify", "@latest"]);
    (place, ran)
}

const TRUE: &str = "  a: {phase: data, exec: [\"true\"], effect: reads, restores: true}\n";

#[test]
fn exit_codes_are_what_they_say() {
    ends(0, "", TRUE, &[]);
    ends(1, "", "  a: {phase: data, exec: [\"false\"], effect: reads, onFailure: continue}\n", &[]);
    let (place, ran) =
        ends(2, "requires: {tools: {no-such-tool: \"*\"}}", "  a: {phase: data, exec: [touch, touched]}\n", &[]);
    assert!(!place.path("touched").exists() && ran.err.contains("no-such-tool"), "{}", ran.err);
    ends(2, "inputs: {x: {type: string}}", TRUE, &[]);
    ends(3, "", "  a: {phase: data, exec: [\"false\"], undo: {exec: [\"true\"]}}\n", &[]);
    ends(4, "", "  a: {phase: data, exec: [\"false\"]}\n", &[]);
    ends(5, "", "  a: {phase: data, exec: [\"true\"], approval: {}}\n", &[]);
    ends(6, "", TRUE, &["--outage-at", "-2h"]);
}

#[test]
fn a_held_run_tells_what_it_waits_for_and_a_finished_one_is_left_alone() {
    let (place, ran) = ends(5, "", "  a: {phase: data, exec: [\"true\"], approval: {}}\n", &[]);
    assert!(ran.out.contains("waits for approval") && ran.out.contains("lifeboat resume"), "{}", ran.out);
    place.expect(5, &["resume", "@latest", "--no-input"]);

    let (place, _) = ends(1, "", "  a: {phase: data, exec: [\"false\"], effect: reads, onFailure: continue}\n", &[]);
    let before = fs::read(place.log()).expect("a log");
    place.expect(1, &["resume", "@latest", "--no-input"]);
    assert!(before == fs::read(place.log()).expect("a log"));
}

#[test]
fn words_are_words() {
    let steps = "  a:\n    phase: data\n    exec: [printf, \"%s\\n\", y, no, on, 1.10, 0x10]\n    effect: reads\n    \
                 outputs: {words: {lines: true}}\n";
    let (place, _) = ends(0, "", steps, &[]);
    let words = &place.events("action-finished")[0]["outputs"]["words"];
    assert_eq!(*words, serde_json::json!(["y", "no", "on", "1.10", "0x10"]));
}

#[test]
fn a_time_out_leaves_no_process() {
    let mark = format!("{}.5", 31_000 + std::process::id() % 1000);
    let steps = format!(
        "  a:\n    phase: data\n    shell: 'sleep {mark} & setsid sleep {mark} & wait'\n    timeout: 300ms\n    undo: \
         {{exec: [\"true\"]}}\n"
    );
    ends(3, "", &steps, &[]);
    let left = Command::new("pgrep").args(["-f", &format!("^sleep {mark}")]).output().expect("pgrep");
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

#[test]
fn a_step_that_prints_much_does_not_fill_the_engine() {
    // The whole gibibyte with LIFEBOAT_TEST_MIB=1024: without optimisation that takes long.
    let mebibytes: u64 = std::env::var("LIFEBOAT_TEST_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(256);
    let place = Place::new();
    let steps =
        format!("  a:\n    phase: data\n    exec: [head, -c, \"{}\", /dev/zero]\n    effect: reads\n", mebibytes << 20);
    place.write("book.yaml", runbook("", &steps));
    let child = place.command(&["run", "book.yaml", "--no-input"]).spawn().expect("the binary starts");
    let status = format!("/proc/{}/status", child.id());
    let peak = std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(text) = fs::read_to_string(&status) {
            let now =
                text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
            match now {
                Some(now) => peak = peak.max(now),
                None => break,
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        peak
    });
    let ran = wait(child, &["run"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    let peak: u64 = peak.join().expect("a thread");
    assert!(peak < 64 << 10, "{peak} KiB at most");
    assert_eq!(place.events("action-finished")[0]["artifacts"][0]["bytes"], mebibytes << 20);
}

#[test]
fn signals_leave_a_run_that_can_be_resumed() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let place = Place::new();
        let steps = "  a: {phase: data, shell: 'touch began; sleep 0.5; echo x >> effects', undo: {exec: [\"true\"]}}\n  \
                     b: {phase: workloads, shell: 'echo y >> effects', undo: {exec: [\"true\"]}}\n";
        place.write("book.yaml", runbook("", steps));
        let child = place.command(&["run", "book.yaml", "--no-input"]).spawn().expect("the binary starts");
        until("the step", || place.path("began").exists());
        signal(child.id(), name);
        assert_eq!(wait(child, &["run"]).code, code);
        place.expect(0, &["resume", "@latest", "--no-input"]);
        assert_eq!(fs::read_to_string(place.path("effects")).expect("effects"), "x\ny\n");
        place.expect(0, &["verify", "@latest"]);
    }
}

#[test]
fn two_engines_cannot_have_one_run() {
    let place = Place::new();
    place.write("book.yaml", runbook("", "  a: {phase: data, shell: 'touch began; sleep 2', effect: reads}\n"));
    let child = place.command(&["run", "book.yaml", "--no-input"]).spawn().expect("the binary starts");
    until("the step", || place.path("began").exists());
    let ran = place.run(&["resume", "@latest", "--no-input"]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains(&child.id().to_string()), "{}", ran.err);
    assert_eq!(wait(child, &["run"]).code, 0);
    place.expect(0, &["verify", "@latest"]);
}

#[test]
fn inputs_come_from_arguments_and_files_and_are_typed() {
    let top = "inputs:\n  word: {type: string, pattern: '^[a-z]+$'}\n  number: {type: integer, default: 3}\n  many: {type: list, default: []}";
    let steps = "  a:\n    phase: data\n    exec: [echo, \"{{inputs.word}}\", \"{{inputs.number}}\"]\n    effect: reads\n    outputs: {all: {text: true}}\n  \
                 b:\n    phase: workloads\n    when: size(inputs.many) > 0\n    forEach: {in: \"inputs.many + ['z']\", as: one}\n    exec: [echo, \"{{each.one}}\"]\n    effect: reads\n";
    let place = Place::new();
    place.write("book.yaml", runbook(top, steps));
    place.write("inputs.yaml", "word: no\nnumber: 7\nmany: [y, 1.10]\n");
    place.expect(0, &["run", "book.yaml", "--no-input", "--inputs", "inputs.yaml", "--input", "word=on"]);
    assert_eq!(place.events("action-finished")[0]["outputs"]["all"], "on 7");
    let mut steps: Vec<String> = place
        .events("step-succeeded")
        .iter()
        .map(|record| record["step"].as_str().unwrap_or_default().to_owned())
        .collect();
    // They ran side by side.
    steps.sort();
    assert_eq!(steps, ["a", "b[1.10]", "b[y]", "b[z]"]);
    for wrong in ["word=UP", "number=x", "nope=1", "word"] {
        let ran = place.expect(2, &["run", "book.yaml", "--no-input", "--input", "word=a", "--input", wrong]);
        assert!(ran.err.contains("expected"), "{}", ran.err);
    }
}

#[test]
fn what_happened_can_be_read() {
    let (place, _) = ends(0, "", TRUE, &[]);
    let show: serde_json::Value =
        serde_json::from_str(&place.expect(0, &["show", "@latest", "--format", "json"]).out).expect("JSON");
    assert_eq!(show["version"], 1);
    assert_eq!(show["run"]["verdict"], "succeeded");
    assert_eq!(show["run"]["exitCode"], 0);
    assert_eq!(show["steps"]["a"]["status"], "succeeded");
    assert!(show["objectives"]["rto"]["actual"].is_string());
    for format in ["text", "markdown", "json"] {
        assert!(place.expect(0, &["report", "@latest", "--format", format]).out.contains("test"));
    }
    assert!(place.expect(0, &["runs"]).out.contains("succeeded"));
    assert!(place.expect(2, &["show", "nope"]).err.contains("nope"));
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let place = Place::new();
    let script = format!("'{}' schema runbook | head -n 1", env!("CARGO_BIN_EXE_lifeboat"));
    let ran = Command::new("sh").args(["-c", &script]).current_dir(place.path("")).output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
}
