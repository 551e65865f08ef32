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

/// Every how many records the engine is killed in an ordinary run; `LIFEBOAT_TEST_KILLS=all` is at every one.
fn stride() -> usize {
    if std::env::var("LIFEBOAT_TEST_KILLS").is_ok_and(|kills| kills == "all") { 1 } else { 4 }
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

#[test]
fn killed_again_and_again() {
    for stride in [5, 13] {
        let mut scenario = Scenario::new();
        scenario.kill_at(stride, &DRILL);
        for kill in 2..80 {
            let ended = scenario.kill_at(kill * stride, &RESUME);
            if ended.code != 137 {
                break;
            }
        }
        scenario.finish();
    }
}
