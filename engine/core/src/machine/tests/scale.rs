//! Plans as large as they get: no stack, no square.

use super::{
    builder::*,
    world::{Fate, Script, World, badly, well},
};
use crate::{
    evidence::event::Task,
    model::{OnFailure, Phase},
};

/// Runs a plan to its end, without looking at each state (that alone would cost a square).
fn run(drafts: impl Iterator<Item = Draft>, script: Script) -> World {
    let plan = plan(drafts);
    let mut world = World::new(&plan, script);
    world.compare = false;
    world.start().finish();
    world
}

fn chain(count: usize, make: impl Fn(&str) -> Draft) -> impl Iterator<Item = Draft> {
    (0..count).map(move |n| {
        let draft = make(&format!("s{n}"));
        if n == 0 { draft } else { draft.needs(&[&format!("s{}", n - 1)]) }
    })
}

const LONG: usize = if cfg!(debug_assertions) { 20_000 } else { 100_000 };
const WIDE: usize = if cfg!(debug_assertions) { 5_000 } else { 10_000 };

#[test]
fn a_long_chain_of_nothing() {
    assert_eq!(run(chain(LONG, nothing), Script::default()).code(), 0);
}

#[test]
fn a_long_chain_that_is_blocked_skipped_or_shifts_traffic() {
    let first = |draft: Draft, id: &str| if id == "s0" { draft.on_failure(OnFailure::Continue) } else { draft };
    let world = run(chain(LONG, |id| first(step(id), id)), Script::default().action("s0", &[badly(1)]));
    assert_eq!((world.code(), world.starts.len()), (1, 1));
    assert_eq!(run(chain(LONG / 4, |id| nothing(id).when("1 > 2")), Script::default()).code(), 0);
    let shift = |id: &str| nothing(id).phase(Phase::ShiftTraffic).restores();
    assert_eq!(run(chain(LONG, shift), Script::default()).code(), 0);
}

#[test]
fn a_long_chain_undone() {
    let last = format!("s{}", LONG - 1);
    let world = run(chain(LONG, |id| step(id).undo()), Script::default().action(&last, &[badly(1)]));
    assert_eq!((world.code(), world.order(Task::Undo).len()), (3, LONG));
}

#[test]
fn a_wide_layer() {
    let world = run((0..WIDE).map(|n| step(&format!("s{n}"))), Script::default());
    assert_eq!((world.code(), world.most_at_once), (0, 8));
}

#[test]
fn a_wide_layer_behind_one_lock() {
    let world = run((0..WIDE).map(|n| step(&format!("s{n}")).lock("x")), Script::default());
    assert_eq!((world.code(), world.most_at_once), (0, 1));
}

#[test]
fn a_wide_layer_in_one_group() {
    let world = run((0..WIDE).map(|n| step(&format!("s{n}")).group(1, 4)), Script::default());
    assert_eq!((world.code(), world.most_at_once), (0, 4));
}

#[test]
fn a_wide_layer_verified_at_once_and_aborted() {
    let slow = |name: String| crate::model::Check {
        within: Some(at(ms(60_000))),
        every: Some(at(ms(60_000))),
        ..check(&name)
    };
    let steps = (0..WIDE).map(|n| step(&format!("s{n}")).undo().verify(slow("no".to_owned())));
    let last = step("last").phase(Phase::ShiftTraffic).reads();
    let script = Script::default().check("no", super::world::Answer::No).action("last", &[badly(1)]);
    let world = run(steps.chain([last]), script);
    assert_eq!((world.code(), world.order(Task::Undo).len()), (3, WIDE));
}

#[test]
fn a_large_run_is_taken_up_again() {
    let plan = plan(chain(LONG, |id| nothing(id).restores()).chain([step("end").needs(&[&format!("s{}", LONG - 1)])]));
    let mut world = World::new(&plan, Script::default().action("end", &[well(1000)]));
    world.compare = false;
    world.start().until(|world| !world.starts.is_empty());
    world.resume(Fate::Die, 10).finish();
    assert_eq!(world.code(), 5);
}
