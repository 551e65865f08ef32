//! What happened, as people and machines read it.

use std::process::{Command, Stdio};

use crate::harness::{LIMIT, Place, records, runbook, wait_for};

fn finished() -> Place {
    let place = Place::new();
    let steps = "  restore: {phase: data, restores: true, shell: echo well, verify: [{name: well, shell: 'true'}]}\n  \
                 look: {phase: validate, exec: [ls], effect: reads}\n";
    place.run(&runbook(steps)).code(0);
    place
}

#[test]
fn runs_are_listed() {
    let place = finished();
    place.lifeboat(&["run", "r.yaml", "--no-input"]).code(0);
    let list = place.lifeboat(&["runs", "--format", "json"]).code(0).json();
    assert_eq!(list["version"], 1);
    assert_eq!(list["runs"].as_array().map(Vec::len), Some(2), "{list:#}");
    for run in list["runs"].as_array().expect("a list") {
        assert_eq!((&run["verdict"], &run["mode"]), (&"succeeded".into(), &"incident".into()), "{list:#}");
    }
    let text = place.lifeboat(&["runs"]).code(0);
    assert_eq!(text.out.lines().count(), 2, "{text}");
    // A unique beginning of an id is enough, and one of several is told as such.
    place.lifeboat(&["show", list["runs"][1]["id"].as_str().expect("an id")]).code(0);
    place.lifeboat(&["show", "2"]).code(2);
}

#[test]
fn show_has_the_documented_shape() {
    let place = finished();
    let show = place.lifeboat(&["show", "@latest", "--format", "json"]).code(0).json();
    assert_eq!(show["version"], 1);
    for key in ["id", "runbook", "mode", "status", "verdict", "exitCode", "startedAt", "finishedAt"] {
        assert!(!show["run"][key].is_null(), "no run.{key} in {show:#}");
    }
    for key in ["target", "actual", "split"] {
        assert!(!show["objectives"]["rto"][key].is_null(), "no objectives.rto.{key} in {show:#}");
    }
    assert!(!show["objectives"]["rpo"]["target"].is_null(), "{show:#}");
    for key in ["status", "attempts", "startedAt", "finishedAt", "durationMs"] {
        assert!(!show["steps"]["restore"][key].is_null(), "no steps.restore.{key} in {show:#}");
    }
    assert!(show["acts"].is_array(), "{show:#}");
    place.lifeboat(&["show", "@latest"]).code(0).says("restore");
}

#[test]
fn reports_are_written_in_every_format() {
    let place = finished();
    for format in ["text", "markdown", "json"] {
        let report = place.lifeboat(&["report", "@latest", "--format", format]).code(0);
        assert!(report.out.contains("restore") && report.out.len() > 400, "{report}");
        if format == "json" {
            assert_eq!(report.json()["version"], 1, "{report}");
        }
    }
}

#[test]
fn a_closed_standard_output_is_no_panic() {
    let place = finished();
    let quickstart = crate::harness::repository().join("runbooks/quickstart.yaml");
    let quickstart = quickstart.to_string_lossy();
    let calls: [&[&str]; 6] = [
        &["run", "r.yaml", "--no-input"],
        &["show", "@latest"],
        &["report", "@latest", "--format", "markdown"],
        &["plan", &quickstart, "--drill"],
        &["schema", "runbook"],
        &["--help"],
    ];
    for call in calls {
        let mut head = Command::new("true").stdin(Stdio::piped()).spawn().expect("true starts");
        let pipe = head.stdin.take().expect("a pipe");
        head.wait().expect("true ends");
        let mut child =
            place.command(call).stdout(Stdio::from(pipe)).stderr(Stdio::piped()).spawn().expect("it starts");
        let status = wait_for("the end of it", LIMIT, || child.try_wait().expect("a child"));
        let output = child.wait_with_output().expect("its output");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(!err.contains("panicked"), "{call:?} ({status}): {err}");
        assert_ne!(status.code(), Some(101), "{call:?}: {err}");
    }
    // Nobody reading is no reason to stop a recovery.
    let last = place.runs().pop().expect("a run");
    assert_eq!(records(&last).last().map(|record| record["event"].clone()), Some("run-finished".into()));
}

/// Its engine died between the directory and the first record.
#[test]
fn a_run_without_records_says_what_to_do() {
    let place = Place::new();
    for directory in ["artifacts", "inbox", "runbook"] {
        std::fs::create_dir_all(place.path("store/runs/20261121t022028z-test-0001").join(directory))
            .expect("a directory");
    }
    place.file("store/runs/20261121t022028z-test-0001/evidence.jsonl", "");
    for call in [
        &["show", "@latest"][..],
        &["report", "@latest"],
        &["attach", "@latest", "--no-input"],
        &["abort", "@latest", "--preview"],
        &["approve", "@latest", "promote"],
        &["pause", "@latest"],
        &["resume", "@latest", "--no-input"],
    ] {
        place.lifeboat(call).code(2).says("found none").says("nothing was touched: start the run anew");
    }
    place.lifeboat(&["runs"]).code(0).says("20261121t022028z-test-0001");
}

#[test]
fn machines_get_schemas_and_completions() {
    let place = Place::new();
    for which in ["runbook", "evidence"] {
        assert!(place.lifeboat(&["schema", which]).code(0).json()["$schema"].is_string());
    }
    for shell in ["bash", "zsh", "fish"] {
        place.lifeboat(&["completions", shell]).code(0).says("lifeboat");
    }
    place.lifeboat(&["version"]).code(0).says(env!("CARGO_PKG_VERSION"));
    place.lifeboat(&["--help"]).code(0).says("Exit codes");
}
