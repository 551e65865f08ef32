//! Signals: an interrupted run can be resumed, and leaves nothing behind.

use std::{fs, time::Duration};

use rustix::process::Signal;

use crate::harness::{Ended, LIMIT, Place, nap, runbook, wait_for};

/// Sends a signal while the first of two steps runs.
fn signalled(step: &str, signal: Signal) -> (Place, Ended) {
    let place = Place::new();
    let steps = format!(
        "  first:\n    phase: data\n    verify: [{{name: done, shell: test -e first}}]\n    shell: '{step}'\n  \
         second: {{phase: validate, restores: true, shell: echo second >> effects}}\n"
    );
    place.file("r.yaml", runbook(&steps));
    let going = place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the first step to begin", LIMIT, || place.path("begun").exists().then_some(()));
    going.signal(signal);
    (place, going.end(LIMIT))
}

fn goes_on_after(signal: Signal, code: i32) {
    let (place, ended) = signalled("touch begun; sleep 0.7; touch first; echo first >> effects", signal);
    let ended = ended.code(code).says("resume");
    let effects = || fs::read_to_string(place.path("effects")).unwrap_or_default();
    assert_eq!(effects(), "first\n", "what runs may end, and nothing new starts: {ended}");
    let resumed = place.lifeboat(&["resume", "@latest", "--no-input"]).code(0);
    assert_eq!(effects(), "first\nsecond\n", "{resumed}");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn interrupted() {
    goes_on_after(Signal::INT, 130);
}

#[test]
fn terminated() {
    goes_on_after(Signal::TERM, 143);
}

#[test]
fn a_lost_terminal_changes_nothing() {
    let (place, ended) = signalled("touch begun; sleep 0.5; touch first; echo first >> effects", Signal::HUP);
    ended.code(0);
    assert_eq!(fs::read_to_string(place.path("effects")).expect("effects"), "first\nsecond\n");
}

#[test]
fn three_interrupts_kill_what_runs() {
    let place = Place::new();
    let nap = nap(53);
    place.file("r.yaml", runbook(&format!("  long: {{phase: data, restores: true, shell: touch begun; {nap}}}\n")));
    let going = place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the step to begin", LIMIT, || place.path("begun").exists().then_some(()));
    let mut going = Some(going);
    for _ in 0..40 {
        let now = going.as_mut().expect("it goes on");
        if now.over() {
            break;
        }
        now.signal(Signal::INT);
        std::thread::sleep(Duration::from_millis(50));
    }
    let ended = going.take().expect("it went on").end(Duration::from_secs(20));
    assert_ne!(ended.code, 0, "{ended}");
    wait_for("the step to be gone", Duration::from_secs(5), || {
        crate::harness::processes(&nap).is_empty().then_some(())
    });
    place.lifeboat(&["verify", "@latest"]).code(0);
}

/// What does not end within the grace of a SIGTERM is stopped, and nobody knows then what it did.
#[test]
fn what_takes_too_long_after_sigterm_is_stopped() {
    let nap = nap(54);
    let (place, ended) = signalled(&format!("touch begun; exec {nap}"), Signal::TERM);
    let ended = ended.code(143).says("resume");
    assert!(crate::harness::processes(&nap).is_empty(), "it was left behind: {ended}");
    let resumed = place.lifeboat(&["resume", "@latest", "--no-input"]).code(5).says("`first`");
    assert!(!place.path("effects").exists(), "the second step needs the first one: {resumed}");
    place.lifeboat(&["verify", "@latest"]).code(0);
}
