//! What happens when an action fails: retries, time-outs, and the three ways on.

use super::{
    builder::*,
    world::{Script, World, badly, never, says, well},
};
use crate::{
    evidence::{
        Event,
        event::{ActName, AfterFailure, Task},
    },
    machine::QuestionKind,
    model::{OnFailure, RetryOn},
};

#[test]
fn retries_with_a_growing_delay() {
    let plan = plan([step("a").retry(4, 100)]);
    let world = World::whole(&plan, Script::default().action("a", &[badly(10), badly(10), badly(10), well(10)]));
    let starts: Vec<u64> = world.starts.iter().map(|&(_, at)| at).collect();
    assert_eq!(starts, [1, 111, 321, 731]);
    assert_eq!(world.code(), 0);
    let world = World::whole(&plan, Script::default().action("a", &[badly(10)]));
    assert_eq!(world.times("a", Task::Do), 4);
    assert_eq!(world.status("a"), "failed");
}

#[test]
fn a_time_out_stops_the_action_and_is_retried_where_asked() {
    let plan = |on: Option<Vec<RetryOn>>| {
        let retry = crate::model::Retry { on, ..retry(2, 100) };
        plan([step("a").timeout(50).with(|spec| spec.retry = Some(at(retry)))])
    };
    let script = || Script::default().action("a", &[never(), well(10)]);
    let world = World::whole(&plan(None), script());
    assert_eq!((world.code(), world.times("a", Task::Do)), (0, 2));
    let world = World::whole(&plan(Some(vec![RetryOn::Failure])), script());
    assert_eq!((world.status("a"), world.times("a", Task::Do)), ("failed", 1));
    assert!(world.has(|event| matches!(event,
        Event::ActionFinished(end) if end.outcome == crate::action::Outcome::TimedOut)));
}

#[test]
fn an_action_that_ends_as_its_time_ends_counts_once() {
    let plan = plan([step("a").timeout(10), step("b").needs(&["a"])]);
    let world = World::whole(&plan, Script::default());
    assert_eq!(world.times("a", Task::Do), 1);
}

#[test]
fn the_ways_on() {
    let run = |asked: Option<OnFailure>, attended: bool| {
        let bad = match asked {
            Some(asked) => step("bad").on_failure(asked),
            None => step("bad"),
        };
        let plan = plan([step("first").undo(), bad.needs(&["first"]), step("other").needs(&["first"]).reads()]);
        let script = Script { attended, ..Script::default() }.action("bad", &[badly(1)]).action("other", &[well(50)]);
        let mut world = World::begun(&plan, script);
        world.settle();
        world
    };
    let then = |world: &World| {
        world.log.iter().find_map(|(event, _)| match event {
            Event::StepFailed { step, then, .. } if step == "bad" => Some(*then),
            _ => None,
        })
    };
    for (asked, attended, expected) in [
        (None, true, AfterFailure::Pause),
        (None, false, AfterFailure::Abort),
        (Some(OnFailure::Pause), false, AfterFailure::Pause),
        (Some(OnFailure::Pause), true, AfterFailure::Pause),
        (Some(OnFailure::Abort), true, AfterFailure::Abort),
        (Some(OnFailure::Abort), false, AfterFailure::Abort),
        (Some(OnFailure::Continue), true, AfterFailure::Continue),
        (Some(OnFailure::Continue), false, AfterFailure::Continue),
    ] {
        let world = run(asked, attended);
        assert_eq!(then(&world), Some(expected), "{asked:?} {attended}");
        match (expected, attended) {
            (AfterFailure::Pause, true) => {
                assert_eq!(world.question("bad"), Some(QuestionKind::Failure));
                assert_eq!(world.exit, None);
                assert_eq!(world.status("other"), "succeeded");
            }
            (AfterFailure::Pause, false) => {
                assert_eq!((world.code(), world.status("other")), (5, "succeeded"));
                assert!(world.machine.waits_for()[0].contains("`bad` failed"));
            }
            (AfterFailure::Abort, _) => {
                assert_eq!((world.status("first"), world.status("other")), ("undone", "failed"));
                // What `bad` did has no undo.
                assert_eq!(world.code(), 4);
            }
            (AfterFailure::Continue, _) => assert_eq!((world.code(), world.status("other")), (1, "succeeded")),
        }
    }
}

/// A run whose step `a` has failed for an attended commander, and `b` needs it.
fn failed(a: Draft, script: Script) -> World {
    let mut world = World::begun(&plan([a.undo(), step("b").needs(&["a"]), step("c").after(&["a"])]), script);
    world.settle();
    assert_eq!(world.question("a"), Some(QuestionKind::Failure));
    world
}

#[test]
fn the_commander_tries_again() {
    let mut world =
        failed(step("a").retry(2, 1), Script::attended().action("a", &[badly(1), badly(1), badly(1), well(1)]));
    // The budget of retries begins anew.
    world.act(ActName::Retry, "a", "alice", "").finish();
    assert_eq!((world.code(), world.times("a", Task::Do)), (0, 4));
    assert_eq!(world.order(Task::Do), ["a", "a", "a", "a", "b", "c"]);
}

#[test]
fn the_commander_skips() {
    let mut world = failed(step("a"), Script::attended().action("a", &[badly(1)]));
    world.act(ActName::Skip, "a", "alice", "");
    assert_eq!(world.refusal(), Some("it overrides the plan, so it needs a reason"));
    assert_eq!(world.question("a"), Some(QuestionKind::Failure));
    world.act(ActName::Skip, "a", "alice", "we live without").finish();
    assert_eq!((world.status("a"), world.status("b"), world.status("c")), ("skipped", "blocked", "succeeded"));
    assert_eq!(world.code(), 1);
}

#[test]
fn the_commander_takes_it_as_done() {
    let mut world = failed(step("a"), Script::attended().action("a", &[badly(1)]));
    world.act(ActName::Accept, "a", "alice", "looked at it").finish();
    assert_eq!((world.code(), world.status("b")), (0, "succeeded"));
    let state = &world.machine.state().steps[world.node("a")];
    assert_eq!(state.accepted_by.as_deref(), Some("alice"));
    // Nobody may read that all of it is proven.
    assert!(world.finished().reason.contains("`a`"), "{}", world.finished().reason);
}

#[test]
fn what_later_steps_need_cannot_be_taken_as_done() {
    for act in [ActName::Accept, ActName::Recheck] {
        let script = Script::attended().action("a", &[badly(1), says(1, r#"{"n": 1}"#)]);
        let mut world = failed(step("a").output("n", ".n").verify(check("ok")), script);
        world.act(act, "a", "alice", "looked at it");
        assert!(world.refusal().is_some_and(|why| why.contains("returned nothing")), "{:?}", world.refusal());
        world.act(ActName::Retry, "a", "alice", "").finish();
        assert_eq!(world.code(), 0);
    }
}

#[test]
fn the_commander_has_it_checked_again() {
    use super::world::Answer;
    let script = Script::attended().check("ok", Answer::Turns(vec![false, true]));
    let mut world = failed(step("a").verify(check("ok")), script);
    world.act(ActName::Recheck, "a", "alice", "").finish();
    assert_eq!((world.code(), world.times("a", Task::Do)), (0, 1));
    // Without a check there is nothing to check.
    let mut world = failed(step("a"), Script::attended().action("a", &[badly(1)]));
    world.act(ActName::Recheck, "a", "alice", "");
    assert!(world.refusal().is_some());
}

#[test]
fn a_lock_is_kept_while_a_person_decides_and_given_back_after() {
    let plan = plan([step("a").lock("dns"), step("b").lock("dns"), step("c")]);
    for act in [ActName::Skip, ActName::Accept, ActName::Retry, ActName::Abort] {
        let mut world = World::begun(&plan, Script::attended().action("a", &[badly(1), well(1)]));
        world.settle();
        assert_eq!((world.status("b"), world.status("c")), ("pending", "succeeded"));
        world.act(act, "a", "alice", "because").finish();
        assert_eq!(world.status("b"), if act == ActName::Abort { "pending" } else { "succeeded" }, "{act:?}");
    }
    let world = World::whole(
        &super::builder::plan([step("a").lock("dns").on_failure(OnFailure::Pause), step("b").lock("dns")]),
        Script::default().action("a", &[badly(1)]),
    );
    assert_eq!(world.code(), 5);
}
