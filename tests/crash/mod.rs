//! The engine is killed (SIGKILL) at every durable event, and resumed: nothing is done twice, and nothing is lost.

use std::{collections::HashMap, fmt::Write as _, fs};

use crate::harness::{Place, lines, runbook, signal, until, wait};

/// Thirty steps in six layers of five, each with an effect that can be counted. Every fifth one is idempotent, every
/// seventh can be verified; the others are neither.
fn thirty_steps() -> String {
    let mut steps = String::new();
    for layer in 0..6 {
        for at in 0..5 {
            let n = layer * 5 + at;
            let needs: Vec<String> = match layer {
                0 => Vec::new(),
                _ => vec![format!("s{}", n - 5), format!("s{}", (layer - 1) * 5 + (at + 1) % 5)],
            };
            let _ = write!(
                steps,
                "  s{n}:\n    phase: data\n    needs: [{}]\n    shell: 'echo \"s{n} $LIFEBOAT_ATTEMPT\" >> effects; \
                 touch done-s{n}'\n    undo: {{exec: [\"true\"]}}\n",
                needs.join(", ")
            );
            if n % 5 == 0 {
                steps.push_str("    idempotent: true\n");
            }
            if n % 7 == 0 {
                let _ = writeln!(steps, "    verify: [{{name: it is there, exec: [test, -e, done-s{n}]}}]");
            }
        }
    }
    runbook("", &steps)
}

fn is_idempotent(step: &str) -> bool {
    step[1..].parse::<u32>().is_ok_and(|n| n % 5 == 0)
}

fn can_be_verified(step: &str) -> bool {
    step[1..].parse::<u32>().is_ok_and(|n| n % 7 == 0)
}

/// Kills the engine as soon as its log has so many records, and checks everything that must hold afterwards. How many
/// records a whole run has.
fn kill_at(records: usize, text: &str) {
    let place = Place::new();
    place.write("book.yaml", text);
    let child = place.command(&["run", "book.yaml", "--no-input"]).spawn().expect("the binary starts");
    let pid = child.id();
    until("a log of that length", || {
        fs::read_dir(place.path("store/runs")).is_ok_and(|mut runs| {
            runs.next().is_some_and(|run| run.is_ok_and(|run| lines(&run.path().join("evidence.jsonl")) >= records))
        })
    });
    signal(pid, "KILL");
    wait(child, &["run"]);
    let before = place.records();
    assert!(before.len() >= records);

    let resumed = place.run(&["resume", "@latest", "--no-input"]);
    let after = place.records();
    assert_eq!(after[..before.len()], before[..], "what was recorded stays");
    place.expect(0, &["verify", "@latest"]);

    let mut effects: HashMap<String, u32> = HashMap::new();
    for line in fs::read_to_string(place.path("effects")).unwrap_or_default().lines() {
        *effects.entry(line.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let unknown: Vec<String> = place
        .events("step-unknown")
        .iter()
        .map(|record| record["step"].as_str().unwrap_or_default().to_owned())
        .collect();
    for (step, &times) in &effects {
        let twice = is_idempotent(step) && unknown.contains(step);
        assert!(times == 1 || (times == 2 && twice), "{step} had its effect {times} times; killed at {records}");
    }
    let found_out = |step: &String| is_idempotent(step) || (can_be_verified(step) && effects.contains_key(step));
    let stuck: Vec<&String> = unknown.iter().filter(|step| !found_out(step)).collect();
    if stuck.is_empty() {
        assert_eq!(resumed.code, 0, "killed at {records}\n{}\n{}", resumed.out, resumed.err);
        assert_eq!(effects.len(), 30);
        assert_eq!(place.events("run-finished").len(), 1);
    } else {
        assert_eq!(resumed.code, 5, "killed at {records}, {stuck:?}\n{}\n{}", resumed.out, resumed.err);
        let told = place.events("engine-stopped");
        let told = told.last().map(ToString::to_string).unwrap_or_default();
        for step in stuck {
            assert!(told.contains(&format!("`{step}` was in flight")), "{told}");
        }
    }
}

#[test]
fn killed_at_every_event_nothing_is_done_twice() {
    let text = thirty_steps();
    let whole = Place::new();
    whole.write("book.yaml", &text);
    whole.expect(0, &["run", "book.yaml", "--no-input"]);
    let all = whole.records().len();
    assert!(all > 120, "{all}");
    // The last record ends the run: after it there is nothing to kill.
    let next = std::sync::atomic::AtomicUsize::new(1);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if at >= all {
                        break;
                    }
                    kill_at(at, &text);
                }
            });
        }
    });
}

#[test]
fn a_step_whose_process_outlives_the_engine_is_followed() {
    let place = Place::new();
    let steps = "  long:\n    phase: data\n    shell: 'touch began; sleep 2; echo once >> effects'\n    idempotent: \
                 true\n    verify: [{exec: [test, -e, effects]}]\n    undo: {exec: [\"true\"]}\n";
    place.write("book.yaml", runbook("", steps));
    let child = place.command(&["run", "book.yaml", "--no-input"]).spawn().expect("the binary starts");
    until("the step", || place.path("began").exists());
    signal(child.id(), "KILL");
    wait(child, &["run"]);
    place.expect(0, &["resume", "@latest", "--no-input"]);
    assert_eq!(fs::read_to_string(place.path("effects")).expect("an effect"), "once\n");
    assert_eq!(place.events("unknown-resolved")[0]["way"], "verification");
}

#[test]
fn a_torn_last_line_is_cut_off_and_told() {
    let place = Place::new();
    place.write(
        "book.yaml",
        runbook("", "  hold:\n    phase: data\n    manual: {instructions: Do it}\n    undo: {exec: [\"true\"]}\n"),
    );
    place.expect(5, &["run", "book.yaml", "--no-input"]);
    let mut log = fs::read(place.log()).expect("a log");
    let whole = log.len();
    log.extend_from_slice(b"{\"seq\":99,\"at\":\"2026");
    fs::write(place.log(), &log).expect("a log");
    let resumed = place.expect(5, &["resume", "@latest", "--no-input"]);
    assert!(resumed.err.contains("cut off"), "{}", resumed.err);
    assert!(fs::read(place.log()).expect("a log")[..whole] == log[..whole]);
    let started = place.events("engine-started");
    assert_eq!(started[1]["tornBytes"], 20);
    assert_eq!(started[1]["token"], 2);
    place.expect(0, &["verify", "@latest"]);
}
