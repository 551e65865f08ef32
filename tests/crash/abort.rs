//! The engine dies while it takes back what was done.

use std::{collections::BTreeSet, fs, thread, time::Duration};

use rustix::process::Signal;

use crate::harness::{LIMIT, Place, of_kind, records, runbook, wait_for, whole_lines};

const STEPS: usize = 8;

fn text() -> String {
    let mut steps = String::new();
    for at in 0..STEPS {
        let needs = if at < 2 { String::new() } else { format!("s{}", at - 2) };
        steps.push_str(&format!(
            "  s{at}:\n    phase: data\n    needs: [{needs}]\n    idempotent: true\n    \
             shell: 'echo \"did s{at}\" >> effects'\n    \
             undo: {{idempotent: true, shell: 'echo \"undid s{at}\" >> effects'}}\n"
        ));
    }
    steps.push_str("  bad: {phase: validate, restores: true, effect: reads, shell: exit 9}\n");
    runbook(&steps)
}

fn killed_at(lines: usize) {
    let place = Place::new();
    place.file("r.yaml", text());
    let mut going = place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the record", LIMIT, || {
        let there = place.runs().pop().and_then(|run| fs::read(run.join("evidence.jsonl")).ok()).unwrap_or_default();
        let there = whole_lines(&there);
        (going.over() || there >= lines).then_some(())
    });
    if !going.over() {
        going.signal(Signal::KILL);
    }
    going.end(Duration::from_secs(10)).sound();
    let ended = place.lifeboat(&["resume", "@latest", "--no-input"]).code(3);
    let effects = fs::read_to_string(place.path("effects")).expect("effects");
    let told: BTreeSet<&str> = effects.lines().collect();
    for at in 0..STEPS {
        assert!(told.contains(&*format!("undid s{at}")), "killed at {lines}: s{at} was not undone: {effects}{ended}");
        // An undo takes back all attempts, so it comes after the last of them.
        let last = |what: &str| effects.lines().collect::<Vec<_>>().iter().rposition(|line| *line == what);
        assert!(last(&format!("undid s{at}")) > last(&format!("did s{at}")), "killed at {lines}: {effects}{ended}");
    }
    let records = records(&place.only_run());
    assert_eq!(of_kind(&records, "run-finished").len(), 1, "killed at {lines}: {ended}");
    assert_eq!(of_kind(&records, "abort-started").len(), 1, "killed at {lines}: {ended}");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

/// From the middle of the run to its end, which is where it is taken back.
#[test]
fn killed_while_it_is_undone() {
    let place = Place::new();
    place.run(&text()).code(3);
    let records = place.records();
    let abort = records.iter().position(|record| record["event"] == "abort-started").expect("it was aborted");
    thread::scope(|threads| {
        for turn in 0..3 {
            let last = records.len();
            threads.spawn(move || (abort - 5 + turn..=last).step_by(3).for_each(killed_at));
        }
    });
}
