//! Actions in a cluster: nothing is changed before what was there is durable, nothing is made twice, and another cluster
//! under a known name is refused.

use std::sync::Arc;

use super::{
    builder::*,
    world::{Answer, Fate, Script, Strike, World, badly, never, well},
};
use crate::{
    evidence::event::{ActName, Task},
    machine::{RunStatus, Status},
    model::Undo,
    plan::Plan,
};

fn auto(draft: Draft) -> Draft {
    draft.with(|spec| spec.undo = Some(at(Undo::Auto("auto".to_owned()))))
}

fn crash(plan: &Arc<Plan>, script: &Script, records: usize, effects: bool) -> World {
    let mut world = World::new(plan, script.clone());
    world.strike = Some(Strike { records, effects });
    if records == 1 && !effects {
        world.struck = true;
    } else {
        world.start().finish();
    }
    world
}

#[test]
fn what_was_there_is_recorded_before_anything_is_changed() {
    let world = World::whole(&plan([scale("a")]), Script::default());
    assert_eq!(world.code(), 0);
    let kinds = world.kinds();
    let at =
        |kind: &str| kinds.iter().position(|found| found.starts_with(kind)).unwrap_or_else(|| panic!("{kinds:#?}"));
    assert!(at("cluster-met") < at("action-started"));
    assert!(at("action-started") < at("action-prepared") && at("action-prepared") < at("action-finished"));
    assert_eq!(world.objects.len(), 1);
    assert_eq!(world.status("a"), Status::Succeeded.name());
}

#[test]
fn nothing_is_made_twice_wherever_the_engine_dies() {
    // A check that passes at once would hide that the action was not followed.
    let plan = plan([scale("a").verify(check("ok")), scale("b").needs(&["a"])]);
    let script = Script::default().action("a", &[well(100)]).check("ok", Answer::Yes);
    let whole = World::whole(&plan, script.clone());
    for records in 1..=whole.log.len() {
        for effects in [false, true] {
            let mut world = crash(&plan, &script, records, effects);
            world.resume(Fate::Survive, 20).finish();
            assert_eq!(world.code(), 0, "{records} {effects} {:#?}", world.kinds());
            assert_eq!(world.objects.len(), 2, "{records} {effects}: {:?}", world.objects);
            assert_eq!(world.starts.len(), 2, "{records} {effects}: {:?}", world.starts);
        }
    }
}

#[test]
fn an_attempt_that_is_gone_on_with_keeps_its_time() {
    let plan = plan([scale("a").timeout(1000)]);
    let mut world = World::begun(&plan, Script::default().action("a", &[never()]));
    world.until(|world| !world.objects.is_empty()).pass(600);
    world.resume(Fate::Die, 100).finish();
    // 700 of 1000 ms were over; a new attempt would have had all of them again.
    assert_eq!(world.code(), 4, "{:#?}", world.kinds());
    assert!(world.elapsed < 1500, "{}", world.elapsed);
    assert_eq!(world.starts.len(), 1);
}

#[test]
fn a_second_attempt_knows_what_the_first_one_found() {
    let plan = plan([scale("a").retry(2, 5)]);
    let world = World::whole(&plan, Script::default().action("a", &[badly(5), well(5)]));
    assert_eq!(world.code(), 0);
    let state = &world.machine.state().steps[0].own;
    assert_eq!(state.prepared.iter().map(|known| known.attempt).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(world.objects.len(), 2, "each attempt has a name of its own: {:?}", world.objects);
}

#[test]
fn what_it_changed_is_taken_back_by_what_it_found() {
    let plan = plan([auto(scale("a")), auto(scale("b").needs(&["a"]))]);
    let script = Script::default().action("b", &[badly(5)]);
    let world = World::whole(&plan, script.clone());
    assert_eq!(world.code(), 3, "{:#?}", world.kinds());
    assert!(world.objects.is_empty());
    assert_eq!(world.status("a"), Status::Undone.name());
    // Also wherever the engine dies, in the undo, too.
    for records in 1..=world.log.len() {
        for effects in [false, true] {
            let mut world = crash(&plan, &script, records, effects);
            world.resume(Fate::Survive, 20).finish();
            assert_eq!(world.code(), 3, "{records} {effects} {:#?}", world.kinds());
            assert!(world.objects.is_empty(), "{records} {effects}: {:?}", world.objects);
        }
    }
}

#[test]
fn an_attempt_that_changed_nothing_needs_no_undo_action() {
    let plan = plan([auto(scale("a"))]);
    let mut world = World::begun(&plan, Script::default());
    world.until(|world| world.starts.len() == 1);
    world.act(ActName::Abort, "", "alice", "not this cluster").finish();
    assert_eq!(world.code(), 3, "{:#?}", world.kinds());
    assert!(world.objects.is_empty());
    assert!(!world.starts.iter().any(|&((_, task, _), _)| task == Task::Undo));
}

#[test]
fn another_cluster_under_a_known_name_is_refused() {
    let plan = plan([scale("a").timeout(10_000)]);
    let mut world = World::begun(&plan, Script::default().action("a", &[never()]));
    world.until(|world| !world.objects.is_empty());
    world.script.cluster = "two";
    world.resume(Fate::Die, 20).finish();
    assert_eq!(world.code(), 5, "{:#?}", world.kinds());
    let reason = world.exit.clone().map(|(_, reason)| reason).unwrap_or_default();
    assert!(reason.contains("`dr` is another one than before: expected one, found two"), "{reason}");
    assert!(world.kinds().iter().any(|kind| kind.starts_with("cluster-refused")), "{:#?}", world.kinds());
    assert_eq!(world.machine.state().run, RunStatus::Running);
    // The right one is there again.
    world.script.cluster = "one";
    world.script = world.script.clone().action("a", &[well(5)]);
    world.resume(Fate::Die, 20).finish();
    assert_eq!(world.code(), 0, "{:#?}", world.kinds());
    assert_eq!(world.objects.len(), 1);
}

#[test]
fn an_answer_at_the_terminal_is_not_lost_on_an_action_that_looks() {
    let plan = plan([scale("a")]);
    let mut world = World::begun(&plan, Script::attended().action("a", &[badly(5), well(5)]));
    world.until(|world| world.asked.contains_key("a"));
    world.act(ActName::Retry, "a", "alice", "the API is back").finish();
    assert_eq!(world.code(), 0, "{:#?}", world.kinds());
}
