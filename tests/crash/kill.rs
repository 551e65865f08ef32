//! SIGKILL at every record.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::scenario::Scenario;

const DRILL: [&str; 3] = ["drill", "r.yaml", "--no-input"];
const RESUME: [&str; 3] = ["resume", "@latest", "--no-input"];

/// At every how many records the engine is killed: at each one, unless `LIFEBOAT_TEST_KILLS` says a larger number.
fn stride() -> usize {
    std::env::var("LIFEBOAT_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(1).max(1)
}

fn records_of_a_whole_run() -> usize {
    let scenario = Scenario::new();
    scenario.place.lifeboat(&DRILL).code(0);
    assert_eq!(scenario.finish(), 0);
    scenario.place.records().len()
}

#[test]
fn killed_at_every_record_and_resumed() {
    let last = records_of_a_whole_run();
    assert!(last > 150, "the scenario has {last} records only");
    let (next, ends) = (AtomicUsize::new(1), Mutex::new(BTreeMap::new()));
    thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                loop {
                    let lines = next.fetch_add(stride(), Ordering::Relaxed);
                    if lines > last {
                        return;
                    }
                    let mut scenario = Scenario::new();
                    scenario.kill_at(lines, &DRILL);
                    *ends.lock().expect("no other has failed").entry(scenario.finish()).or_insert(0) += 1;
                }
            });
        }
    });
    let ends = ends.into_inner().expect("none has failed");
    assert!(ends.get(&0).is_some_and(|&well| well >= 10), "too few runs went on to their end: {ends:?}");
}

/// Every engine is killed after some records more; each of them gets a little further.
#[test]
fn killed_again_and_again() {
    for stride in [11, 23] {
        let mut scenario = Scenario::of_idempotent_steps();
        let mut ended = scenario.kill_at(stride, &DRILL);
        let mut kills = 1;
        while ended.code == 137 {
            kills += 1;
            assert!(kills < 100, "no progress after {kills} engines: {ended}");
            ended = scenario.kill_at(kills * stride, &RESUME);
        }
        assert!(kills > 5, "only {kills} engines: {ended}");
        assert_eq!(scenario.finish(), 0);
    }
}

/// The moment between the last record and the head that seals the log: `resume` makes up for it.
#[test]
fn killed_before_the_head_was_written() {
    let scenario = Scenario::new();
    scenario.place.lifeboat(&DRILL).code(0);
    let head = scenario.place.only_run().join("head");
    let sealed = std::fs::read(&head).expect("a head");
    std::fs::remove_file(&head).expect("it can be removed");
    scenario.place.lifeboat(&["verify", "@latest"]).code(7);
    assert_eq!(scenario.finish(), 0);
    assert_eq!(std::fs::read(&head).expect("a head"), sealed);
    // A head that never fitted is no work of a dead engine.
    let other = String::from_utf8_lossy(&sealed).replace("\"hash\":\"", "\"hash\":\"00").into_bytes();
    std::fs::write(&head, &other).expect("it can be written");
    scenario.place.lifeboat(&RESUME);
    assert_eq!(std::fs::read(&head).expect("a head"), other);
}
