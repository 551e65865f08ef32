//! Guards: what is watched when, what trips them, and what follows.

use super::{
    builder::*,
    crash::everywhere,
    world::{Answer, Fate, Script, World, never, well},
};
use crate::{
    evidence::{
        Event,
        event::{ActName, Task, Verdict},
    },
    machine::{QuestionKind, Signal},
    model::{Condition, During, Guard, Mode, Then},
    plan::Plan,
};
use std::sync::Arc;

fn guarded(guards: Vec<Guard>, drafts: impl IntoIterator<Item = Draft>) -> Arc<Plan> {
    plan_with(Around { guards, ..Around::default() }, drafts)
}

/// Three steps of 100 ms, one after the other.
fn three() -> [Draft; 3] {
    [step("a").undo(), step("b").needs(&["a"]).undo(), step("c").needs(&["b"]).undo()]
}

fn slow() -> Script {
    ["a", "b", "c"].into_iter().fold(Script::default(), |script, id| script.action(id, &[well(100)]))
}

fn during(mut guard: Guard, from: Option<&str>, until: Option<&str>) -> Guard {
    let bound = |name: Option<&str>| name.map(|name| at(name.to_owned()));
    guard.during = Some(During { from: bound(from), until: bound(until) });
    guard
}

fn when(text: &str, then: Then) -> Guard {
    Guard { check: None, when: Some(at(Condition(text.to_owned()))), ..guard("g", 1, then) }
}

fn tripped(world: &World) -> usize {
    world.log.iter().filter(|(event, _)| matches!(event, Event::GuardTripped { .. })).count()
}

fn kinds_of_guards(world: &World) -> Vec<&'static str> {
    let name = |event: &Event| match event {
        Event::GuardFailing { evaluated: true, .. } => Some("bad"),
        Event::GuardFailing { evaluated: false, .. } => Some("unevaluable"),
        Event::GuardRecovered { .. } => Some("good"),
        Event::GuardTripped { .. } => Some("tripped"),
        _ => None,
    };
    world.log.iter().filter_map(|(event, _)| name(event)).collect()
}

#[test]
fn a_good_guard_is_not_in_the_log() {
    let world = World::whole(&guarded(vec![guard("g", 1, Then::Abort)], three()), slow());
    assert_eq!((world.code(), kinds_of_guards(&world)), (0, vec![]));
}

#[test]
fn a_bad_guard_aborts_and_what_was_done_is_undone() {
    let world = World::whole(
        &guarded(vec![guard("g", 1, Then::Abort)], three()),
        slow().check("g", Answer::Turns([true; 12].into_iter().chain([false]).collect())),
    );
    assert_eq!((world.code(), world.finished().verdict), (3, Verdict::Aborted));
    assert_eq!(kinds_of_guards(&world), ["bad", "tripped"]);
    assert!(world.finished().reason.contains("guard `g`"), "{}", world.finished().reason);
    assert_eq!((world.order(Task::Do), world.order(Task::Undo)), (vec!["a", "b"], vec!["b", "a"]));
}

/// What was restored and then taken back is not restored.
#[test]
fn an_undone_restore_meets_no_objective() {
    let plan = guarded(
        vec![during(guard("g", 1, Then::Abort), Some("b"), None)],
        [step("a").undo().restores(), step("b").needs(&["a"]).undo()],
    );
    let world = World::whole(&plan, slow().check("g", Answer::No));
    assert!(world.has(|event| matches!(event, Event::CapabilityRestored { .. })));
    let rto = &world.finished().objectives.rto;
    assert_eq!((world.code(), rto.actual_ms, rto.met), (3, None, None));
}

#[test]
fn so_many_bad_looks_in_a_row() {
    let turns = |turns: &[bool]| Script::default().action("a", &[well(400)]).check("g", Answer::Turns(turns.to_vec()));
    let plan = guarded(vec![guard("g", 3, Then::Abort)], [step("a").undo()]);
    let world = World::whole(&plan, turns(&[false, false, true, false, false, true]));
    assert_eq!((world.code(), kinds_of_guards(&world)), (0, vec!["bad", "good", "bad", "good"]));
    let world = World::whole(&plan, turns(&[false, false, true, false, false, false, true]));
    assert_eq!((world.code(), kinds_of_guards(&world)), (3, vec!["bad", "good", "bad", "tripped"]));
}

#[test]
fn so_long_without_a_break() {
    let mut lasting = guard("g", 1, Then::Abort);
    lasting.lasting = Some(at(ms(100)));
    let plan = guarded(vec![lasting], [step("a").undo()]);
    let script = |until| Script::default().action("a", &[well(400)]).check("g", Answer::From(until));
    assert_eq!(World::whole(&plan, script(90)).code(), 0);
    let world = World::whole(&plan, script(300));
    assert_eq!(world.code(), 3);
    let bad = world.log.iter().find(|(event, _)| matches!(event, Event::GuardFailing { .. })).expect("it was bad");
    let trip = world.log.iter().find(|(event, _)| matches!(event, Event::GuardTripped { .. })).expect("it tripped");
    assert!((100..=115).contains(&(trip.1.elapsed_ms - bad.1.elapsed_ms)));
}

#[test]
fn what_cannot_be_evaluated_has_not_passed() {
    let plan = guarded(vec![guard("g", 2, Then::Abort)], [step("a").undo()]);
    let world = World::whole(&plan, Script::default().action("a", &[well(400)]).check("g", Answer::Broken));
    assert_eq!((world.code(), kinds_of_guards(&world)), (3, vec!["unevaluable", "tripped"]));
    assert!(world.finished().reason.contains("connection refused"), "{}", world.finished().reason);
    // Nobody said when the disaster was declared.
    let plan = guarded(vec![when("clock.sinceDeclared > duration('1h')", Then::Pause)], [step("a").undo()]);
    let world = World::whole(&plan, Script::default());
    assert_eq!((world.code(), kinds_of_guards(&world)), (5, vec!["unevaluable", "tripped"]));
}

#[test]
fn clocks_can_trip_it() {
    let plan = guarded(vec![when("clock.elapsed > duration('150ms')", Then::Abort)], three());
    let world = World::whole(&plan, slow());
    assert_eq!((world.code(), world.order(Task::Do)), (3, vec!["a", "b"]));
    let plan = guarded(vec![when("clock.sinceOutage > duration('1h')", Then::Abort)], three());
    let script = |ago| Script { outage_ago: Some(ago), ..slow() };
    assert_eq!(World::whole(&plan, script(3_599_000)).code(), 0);
    assert_eq!(World::whole(&plan, script(3_599_900)).code(), 3);
}

/// A guard with the outage in it has to work in every run: nobody at 02:00 knows to the minute when it began.
#[test]
fn without_a_mark_the_outage_is_as_old_as_the_run() {
    let text = |ms: u32| format!("clock.sinceOutage > duration('{ms}ms')");
    for mode in [Mode::Incident, Mode::Drill] {
        let guards = |ms| vec![when(&text(ms), Then::Abort)];
        let plan = |ms| plan_with(Around { mode, guards: guards(ms), ..Around::default() }, three());
        let world = World::whole(&plan(150), slow());
        assert_eq!((world.code(), world.order(Task::Do)), (3, vec!["a", "b"]), "{mode:?}");
        assert_eq!(World::whole(&plan(900), slow()).code(), 0, "{mode:?}");
        everywhere(&plan(150), &slow(), &[5], |_| {});
    }
}

/// Before the outage of a drill, users miss nothing.
#[test]
fn a_drill_that_makes_its_outage_counts_from_there() {
    let steps = || {
        let [a, b, c] = three();
        [a, b.with(|spec| spec.injects_outage = true), c]
    };
    let guards = |ms: u32| vec![when(&format!("clock.sinceOutage > duration('{ms}ms')"), Then::Abort)];
    let plan = |ms| plan_with(Around { mode: Mode::Drill, guards: guards(ms), ..Around::default() }, steps());
    // `a` takes 100 ms before it, `b` and `c` another 200 behind it.
    let world = World::whole(&plan(50), slow());
    assert_eq!((world.code(), world.order(Task::Do)), (3, vec!["a", "b"]));
    let world = World::whole(&plan(150), slow());
    assert_eq!((world.code(), world.order(Task::Do)), (3, vec!["a", "b", "c"]));
    assert_eq!(World::whole(&plan(250), slow()).code(), 0);
    // When it is left out, the drill is what remains: the outage as old as the run.
    let [a, b, c] = steps();
    let left = [a, b.when("false"), c];
    let around = Around { mode: Mode::Drill, guards: guards(150), ..Around::default() };
    assert_eq!(World::whole(&plan_with(around, left), slow()).code(), 3);
}

#[test]
fn it_is_watched_in_its_part_of_the_run_only() {
    let script = |bad: fn(u64) -> Answer| slow().check("g", bad(0));
    let never_good = script(|_| Answer::No);
    let with = |from, until| guarded(vec![during(guard("g", 1, Then::Abort), from, until)], three());
    for (from, until, order) in [
        (None, None, vec!["a"]),
        (Some("b"), None, vec!["a", "b"]),
        (Some("c"), None, vec!["a", "b", "c"]),
        (Some("data"), None, vec!["a"]),
        (None, Some("data"), vec!["a"]),
    ] {
        let world = World::whole(&with(from, until), never_good.clone());
        assert_eq!((world.code(), world.order(Task::Do)), (3, order), "{from:?} {until:?}");
    }
    // Bad from the second step on, but then it is over.
    let later = slow().check("g", Answer::Turns([true; 12].into_iter().chain([false]).collect()));
    assert_eq!(World::whole(&with(None, Some("a")), later.clone()).code(), 0);
    assert_eq!(World::whole(&with(None, Some("b")), later).code(), 3);
}

#[test]
fn a_pause_waits_for_people_and_trips_once() {
    let plan = guarded(vec![guard("g", 1, Then::Pause)], three());
    let bad = slow().check("g", Answer::No);
    let mut world = World::begun(&plan, Script { attended: true, ..bad.clone() });
    world.pass(1000);
    assert_eq!((world.order(Task::Do), world.question("")), (vec!["a"], Some(QuestionKind::Paused)));
    world.act(ActName::Continue, "", "alice", "");
    world.pass(1000);
    // It was never good in between, so it does not pause a second time.
    assert_eq!((world.code(), tripped(&world)), (0, 1));
    let world = World::whole(&plan, bad);
    assert_eq!((world.code(), world.order(Task::Do)), (5, vec!["a"]));
    assert!(world.exit.as_ref().is_some_and(|(_, reason)| reason.contains("paused")), "{:?}", world.exit);
}

#[test]
fn it_trips_again_after_it_was_good() {
    let plan = guarded(vec![guard("g", 1, Then::Pause)], three());
    // Bad at once, and again in the middle of `b`.
    let turns = [false].into_iter().chain([true; 30]).chain([false, true]).collect();
    let mut world = World::begun(&plan, Script { attended: true, ..slow().check("g", Answer::Turns(turns)) });
    for times in [1, 2] {
        world.pass(300);
        assert_eq!((tripped(&world), world.question("")), (times, Some(QuestionKind::Paused)));
        world.act(ActName::Continue, "", "alice", "");
    }
    world.pass(500);
    assert_eq!((world.code(), tripped(&world)), (0, 2));
}

#[test]
fn an_abort_comes_through_a_pause_and_through_a_question() {
    let mut late = guard("g", 1, Then::Abort);
    late.when = Some(at(Condition("clock.elapsed > duration('500ms')".to_owned())));
    late.check = None;
    let plan = guarded(vec![late.clone()], three());
    let mut world = World::begun(&plan, Script { attended: true, ..slow() });
    world.pass(50).act(ActName::Pause, "", "alice", "");
    world.finish();
    assert_eq!((world.code(), world.order(Task::Undo)), (3, vec!["a"]));
    let gate = approval(None, 1, crate::model::Unattended::Hold, None);
    let plan = guarded(vec![late], [step("a").undo(), step("b").needs(&["a"]).approval(gate).undo()]);
    let world = World::whole(&plan, Script::attended());
    assert_eq!((world.code(), world.order(Task::Undo)), (3, vec!["a"]));
}

#[test]
fn a_look_that_is_under_way_does_not_hold_the_run() {
    let plan = guarded(vec![guard("g", 1, Then::Abort)], three());
    assert_eq!(World::whole(&plan, slow().check("g", Answer::Silence)).code(), 0);
    let mut world = World::begun(&plan, slow().action("a", &[never()]).check("g", Answer::Silence));
    world.pass(50).signal(Signal::Terminate);
    world.finish();
    assert_eq!(world.code(), 143);
}

#[test]
fn it_is_not_watched_while_the_run_is_aborted_or_cleaned_up() {
    let guards = vec![guard("g", 1, Then::Pause)];
    let drafts = [step("a").undo(), cleanup("z")];
    let script = slow().action("cleanup/z", &[well(300)]).undo("a", &[well(300)]);
    let turns = Answer::Turns([true; 9].into_iter().chain([false]).collect());
    let world = World::whole(
        &plan_with(
            Around { guards: guards.clone(), mode: crate::model::Mode::Drill, ..Around::default() },
            drafts.clone(),
        ),
        script.clone().check("g", turns.clone()),
    );
    assert_eq!((world.code(), kinds_of_guards(&world)), (0, vec![]));
    let mut world = World::begun(&guarded(guards, drafts), script.check("g", turns));
    world.pass(50).act(ActName::Abort, "", "alice", "");
    world.finish();
    assert_eq!((world.code(), kinds_of_guards(&world)), (3, vec![]));
}

#[test]
fn a_guard_survives_every_crash() {
    for then in [Then::Abort, Then::Pause] {
        let plan = guarded(vec![guard("g", 2, then)], three());
        let script = slow().check("g", Answer::Turns([true; 12].into_iter().chain([false]).collect()));
        everywhere(&plan, &script, &[5], |_| {});
    }
}

#[test]
fn what_it_decided_is_not_unsaid_by_a_crash() {
    for (then, code) in [(Then::Abort, 3), (Then::Pause, 5)] {
        // What was cut off in the middle may be run again, so that nobody has to be asked about it.
        let [a, b, c] = three();
        let plan = guarded(vec![guard("g", 1, then)], [a.idempotent(), b, c]);
        let mut world = World::new(&plan, slow().check("g", Answer::Turns(vec![true, true, false, true])));
        world.start();
        let trip = loop {
            if let Some(at) = world.log.iter().position(|(event, _)| matches!(event, Event::GuardTripped { .. })) {
                break at + 1;
            }
            assert!(world.next());
        };
        // The engine died between this record and the next; and by the next look all is well again.
        world.log.truncate(trip);
        world.resume(Fate::Survive, 10).finish();
        assert_eq!(world.code(), code, "{:#?}", world.kinds());
        if then == Then::Pause {
            // Somebody goes on after a pause that has no record of its own; an auditor reads that log, too.
            world.script.attended = true;
            world.resume(Fate::Survive, 10).act(ActName::Continue, "", "alice", "");
            world.finish();
            assert_eq!(world.code(), 0, "{:#?}", world.kinds());
        }
    }
}
