//! One engine per run, and what a new one needs to know.

use std::{fs, thread};

use rustix::process::Signal;

use super::scenario::Scenario;
use crate::harness::{LIMIT, Place, repository, runbook, runbook_with, wait_for, whole_lines};

#[test]
fn a_second_engine_is_refused_while_the_first_one_works() {
    let place = Place::new();
    let step = "  restore: {phase: data, restores: true, shell: 'touch begun; sleep 1; echo done >> effects'}\n";
    place.file("r.yaml", runbook(step));
    let first = place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the step to begin", LIMIT, || place.path("begun").exists().then_some(()));
    let second = place.lifeboat(&["resume", "@latest", "--no-input"]);
    assert_eq!(second.code, 7, "{second}");
    place.lifeboat(&["show", "@latest"]).code(0);
    first.end(LIMIT).code(0);
    assert_eq!(fs::read_to_string(place.path("effects")).expect("effects"), "done\n");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn secrets_are_asked_for_again() {
    let place = Place::new();
    let inputs = "inputs: {password: {type: secret, from: {env: TEST_SECRET}}}\n";
    let steps = "  restore:\n    phase: data\n    restores: true\n    idempotent: true\n    \
                 env: {P: \"{{inputs.password}}\"}\n    shell: 'touch begun; sleep 0.5; test \"$P\" = hush-hush'\n";
    place.file("r.yaml", runbook_with(inputs, steps));
    let place = place.env("TEST_SECRET", "hush-hush");
    let going = place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the step to begin", LIMIT, || place.path("begun").exists().then_some(()));
    going.signal(Signal::KILL);
    going.end(LIMIT).code(137);
    let place = place.env("TEST_SECRET", "");
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(2).says("TEST_SECRET");
    let place = place.env("TEST_SECRET", "hush-hush");
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(0);
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn a_changed_runbook_does_not_change_a_run() {
    let mut scenario = Scenario::of_idempotent_steps();
    scenario.kill_at(30, &["drill", "r.yaml", "--no-input"]);
    scenario.place.file("r.yaml", "this is no runbook any more");
    assert_eq!(scenario.finish(), 0);
}

/// What ships has to live through a crash too.
#[test]
fn quickstart_is_killed_and_resumed() {
    let quickstart = repository().join("runbooks/quickstart.yaml");
    let quickstart = &*quickstart.to_string_lossy();
    let killed_at = |lines: usize| {
        let place = Place::new();
        let mut going = place.start(&["drill", quickstart, "--no-input"]);
        wait_for("the record", LIMIT, || {
            let log = place.runs().pop().and_then(|run| fs::read(run.join("evidence.jsonl")).ok()).unwrap_or_default();
            let there = whole_lines(&log);
            (going.over() || there >= lines).then_some(())
        });
        if !going.over() {
            going.signal(Signal::KILL);
        }
        going.end(LIMIT).sound();
        let ended = place.lifeboat(&["resume", "@latest", "--no-input"]);
        // Moving the shop away is the only step that must not be repeated; whether it was done can be seen, unless the
        // engine died before it could start.
        let held = ended.code == 5 && ended.out.contains("`lose-shop`");
        assert!(held || ended.code == 0, "killed at {lines}: {ended}");
        place.lifeboat(&["verify", "@latest"]).code(0);
        let run = place.only_run();
        let id = run.file_name().expect("a name").to_string_lossy();
        let left = std::path::Path::new("/tmp").join(format!("lifeboat-{id}"));
        assert!(held || !left.exists(), "{} is left", left.display());
        drop(fs::remove_dir_all(left));
    };
    thread::scope(|threads| {
        for turn in 0..4 {
            let killed_at = &killed_at;
            threads.spawn(move || [4, 34, 62].map(|lines| killed_at(lines + turn * 7)));
        }
    });
}
