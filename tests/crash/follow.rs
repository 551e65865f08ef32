//! An engine dies, and what it started goes on.

use std::{fs, time::Duration};

use rustix::process::Signal;

use crate::harness::{Ended, LIMIT, Place, nap, of_kind, records, runbook, wait_for};

/// Kills the engine when its step has said that it began, and resumes.
fn killed_in(step: &str) -> (Place, Ended) {
    let place = Place::new();
    place.file("r.yaml", runbook(&format!("  long:\n    phase: data\n    restores: true\n{step}")));
    let going = place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the step to begin", LIMIT, || {
        let told = place.runs().pop().filter(|run| run.join("evidence.jsonl").exists())?;
        let told = of_kind(&records(&told), "process-started").len() == 1;
        (told && place.path("begun").exists()).then_some(())
    });
    going.signal(Signal::KILL);
    going.end(LIMIT).code(137);
    let ended = place.lifeboat(&["resume", "@latest", "--no-input"]);
    (place, ended)
}

fn effects(place: &Place) -> usize {
    fs::read_to_string(place.path("effects")).unwrap_or_default().lines().count()
}

#[test]
fn what_goes_on_is_waited_for_and_not_run_twice() {
    let (place, ended) = killed_in(
        "    shell: 'touch begun; sleep 2; echo done >> effects'\n    verify: [{name: done, shell: grep -q done effects}]\n",
    );
    let ended = ended.code(0);
    assert_eq!(effects(&place), 1, "{ended}");
    let records = place.records();
    assert_eq!(of_kind(&records, "action-started").len(), 1, "{records:#?}");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn what_goes_on_and_may_be_repeated_is_waited_for_first() {
    // Two at a time would leave `both`.
    let (place, ended) = killed_in(
        "    idempotent: true\n    shell: 'touch begun; mkdir mine || touch both; sleep 1.5; rmdir mine; echo done >> effects'\n",
    );
    let ended = ended.code(0).says("run again because it is idempotent");
    assert!(!place.path("both").exists(), "two attempts ran at the same time: {ended}");
    assert_eq!(effects(&place), 2, "{ended}");
}

#[test]
fn what_nobody_can_know_is_held_for_a_person() {
    let (place, ended) = killed_in("    shell: 'touch begun; sleep 0.5; echo done >> effects'\n");
    // What to do stands in the few lines of the end, and nothing is said to have failed.
    let ended = ended.code(5).says("look, then retry, accept, skip or abort").says("unknown    long");
    assert!(!ended.err.contains("failed"), "{ended}");
    assert_eq!(effects(&place), 1, "it was waited for, and not run twice: {ended}");
    let again = place.lifeboat(&["resume", "@latest", "--no-input"]).code(5).says("`long`");
    assert_eq!(effects(&place), 1, "{again}");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn what_goes_on_too_long_is_stopped_by_the_next_engine() {
    let nap = nap(41);
    let (place, ended) = killed_in(&format!(
        "    timeout: 3s\n    shell: 'touch begun; exec {nap}'\n    undo: {{shell: echo undone >> effects}}\n"
    ));
    assert!(matches!(ended.code, 3 | 5), "{ended}");
    wait_for("the left process to be gone", Duration::from_secs(5), || {
        crate::harness::processes(&nap).is_empty().then_some(())
    });
    place.lifeboat(&["verify", "@latest"]).code(0);
}
