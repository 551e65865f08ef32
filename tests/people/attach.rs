//! Looking on from another process.

use crate::harness::{LIMIT, Place, of_kind, runbook, wait_for};

#[test]
fn whoever_is_attached_sees_the_end_and_its_exit_code() {
    let place = Place::new();
    let steps = "  first: {phase: data, restores: true, shell: 'until test -e go; do sleep 0.05; done'}\n  \
                 second: {phase: validate, effect: reads, onFailure: continue, shell: exit 9}\n";
    place.file("r.yaml", runbook(steps));
    let engine = place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the run", LIMIT, || {
        let run = place.runs().pop().filter(|run| run.join("evidence.jsonl").exists())?;
        let records = crate::harness::records(&run);
        (!of_kind(&records, "action-started").is_empty()).then_some(())
    });
    let attached = place.start(&["attach", "@latest", "--no-input"]);
    std::thread::sleep(std::time::Duration::from_millis(400));
    place.file("go", "");
    engine.end(LIMIT).code(1);
    let attached = attached.end(LIMIT).code(1).says("ATTACHED to").says("failed: not succeeded: `second`");
    assert!(attached.err.contains("exit code 9"), "{attached}");
}

#[test]
fn nobody_to_look_at_is_told() {
    let place = Place::new();
    place.run(&runbook("  gate: {phase: data, restores: true, approval: {}, shell: 'true'}\n")).code(5);
    place.lifeboat(&["attach", "@latest", "--no-input"]).code(2).says("no engine has the run").says("lifeboat resume");
}

/// A flag that is taken and does nothing is a promise that is not kept.
#[test]
fn flags_that_would_do_nothing_are_not_taken() {
    let place = Place::new();
    for flags in [&["-v"][..], &["--verbose"], &["--reason", "to see"]] {
        let call = [&["attach", "@latest"], flags].concat();
        place.lifeboat(&call).code(2).says("unexpected argument");
    }
    let call = ["abort", "@latest", "--preview", "--reason", "wrong region"];
    place.lifeboat(&call).code(2).says("cannot be used with");
}
