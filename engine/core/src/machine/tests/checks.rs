//! Verification: once, within, every, holds, negative controls, and people who are asked.

use super::{
    builder::*,
    world::{Answer, Script, World},
};
use crate::{
    evidence::{
        Event,
        event::{ActName, Task},
    },
    machine::{QuestionKind, Signal},
    model::{Check, Expectation, OnFailure},
};

fn within(name: &str, within: u64, every: u64) -> Check {
    Check { within: Some(at(ms(within))), every: Some(at(ms(every))), ..check(name) }
}

fn run(check: Check, answer: Answer) -> World {
    let name = check.name.clone().expect("it has a name");
    World::whole(&plan([step("a").verify(check)]), Script::default().check(&name, answer))
}

#[test]
fn once_without_within() {
    assert_eq!(run(check("ok"), Answer::Turns(vec![false, true])).status("a"), "failed");
    assert_eq!(run(check("ok"), Answer::Yes).code(), 0);
    assert_eq!(run(check("ok"), Answer::Broken).status("a"), "failed");
}

#[test]
fn again_and_again_until_the_time_is_over() {
    let world = run(within("ok", 1000, 100), Answer::From(800));
    assert_eq!(world.code(), 0);
    assert!(world.has(|event| matches!(event, Event::CheckPassed { tries, .. } if *tries == 9)));
    let world = run(within("ok", 1000, 100), Answer::No);
    assert_eq!(world.status("a"), "failed");
    // The last try is at the end of the time, not an interval before it.
    assert!(world.has(|event| matches!(event, Event::CheckFailed { duration_ms: 1000..=1002, .. })), "{:?}", world.log);
}

#[test]
fn it_must_hold() {
    let check = || Check { holds: Some(at(ms(500))), ..within("ok", 2000, 100) };
    let world = run(check(), Answer::Turns(vec![false, true, true, false, true]));
    assert_eq!(world.code(), 0);
    assert!(world.elapsed > 900, "{}", world.elapsed);
    let once = Check { within: None, ..check() };
    assert_eq!(run(once, Answer::Turns(vec![true, true, false, true])).status("a"), "failed");
}

#[test]
fn all_of_them_in_order() {
    let plan = plan([nothing("a").verify(check("one")).verify(expr("1 < 2")).verify(check("two"))]);
    let world = World::whole(&plan, Script::default());
    assert_eq!(world.code(), 0);
    let passed: Vec<u32> = world
        .log
        .iter()
        .filter_map(|(event, _)| match event {
            Event::CheckPassed { check, .. } => Some(*check),
            _ => None,
        })
        .collect();
    assert_eq!(passed, [0, 1, 2]);
    assert_eq!(World::whole(&plan, Script::default().check("two", Answer::No)).status("a"), "failed");
}

#[test]
fn an_expectation_judges() {
    let own = |text: &str| Check { expect: Some(at(Expectation(text.to_owned()))), ..check("ok") };
    assert_eq!(run(own("exitCode == 1"), Answer::No).code(), 0);
    assert_eq!(run(own("exitCode == 1"), Answer::Yes).status("a"), "failed");
    assert_eq!(run(own("exitCode"), Answer::Yes).status("a"), "failed");
    let both = Check { expect: Some(at(Expectation("1 > 2".to_owned()))), ..expr("1 < 2") };
    assert_eq!(World::whole(&plan([nothing("a").verify(both)]), Script::default()).status("a"), "failed");
}

fn control(name: &str) -> Check {
    Check { must_fail_first: true, ..check(name) }
}

#[test]
fn a_negative_control_must_fail_before_the_action() {
    let plan = plan([step("a").verify(control("one")).verify(check("two")).verify(control("three"))]);
    let effect = || Answer::Effect("a".to_owned(), Task::Do);
    let world = World::whole(&plan, Script::default().check("one", effect()).check("three", effect()));
    assert_eq!(world.code(), 0);
    assert_eq!(world.machine.state().steps[0].controls_seen, 2);
    for passing in ["one", "three"] {
        let script = Script::default().check("one", effect()).check("three", effect()).check(passing, Answer::Yes);
        let world = World::whole(&plan, script);
        assert_eq!((world.status("a"), world.starts.len(), world.code()), ("failed", 0, 3), "{passing}");
    }
}

#[test]
fn controls_run_once_and_not_before_a_retry() {
    let plan = plan([step("a").retry(2, 1).verify(control("one"))]);
    let script = Script::default().action("a", &[super::world::badly(1), super::world::well(1)]);
    let world = World::whole(&plan, script.check("one", Answer::Effect("a".to_owned(), Task::Do)));
    let seen = world.log.iter().filter(|(event, _)| matches!(event, Event::NegativeControl { .. })).count();
    assert_eq!((world.code(), seen), (0, 1));
}

#[test]
fn every_control_is_seen_even_when_the_engine_dies_between_two() {
    use super::world::{Fate, Strike};
    let plan = plan([step("a").verify(control("one")).verify(control("two"))]);
    // `two` passes already, so the step must never start, however often the engine dies between the two.
    let script = Script::default().check("one", Answer::Effect("a".to_owned(), Task::Do));
    let mut world = World::new(&plan, script);
    // Dies with the first control seen, then with the first control of the next engine.
    for _ in 0..2 {
        let engine_and_control = if world.log.len() == 1 { 3 } else { 2 };
        world.strike = Some(Strike { records: world.log.len() + engine_and_control, effects: false });
        world.start().finish();
        assert!(world.struck || world.exit.is_some());
        if world.exit.is_some() {
            break;
        }
        world.resume_with(Fate::Die, 1000);
    }
    if world.exit.is_none() {
        world.start().finish();
    }
    assert_eq!(world.starts.len(), 0);
    assert_eq!(world.status("a"), "failed");
}

#[test]
fn a_person_answers() {
    let plan = plan([step("a").verify(ask("it")), step("b").needs(&["a"]).on_failure(OnFailure::Continue)]);
    let mut world = World::begun(&plan, Script::attended());
    world.settle();
    assert_eq!(world.question("a"), Some(QuestionKind::Check));
    world.act(ActName::Yes, "a", "alice", "").finish();
    assert_eq!(world.code(), 0);
    let mut world = World::begun(&plan, Script::attended());
    world.settle().act(ActName::No, "a", "alice", "").settle();
    // No is final, and what failed is now to be decided.
    assert_eq!(world.question("a"), Some(QuestionKind::Failure));
    let world = World::whole(&plan, Script::default());
    assert_eq!((world.status("a"), world.code()), ("failed", 4));
}

#[test]
fn an_answer_that_nobody_asked_for_is_refused() {
    let plan = plan([step("a").verify(check("slow")).verify(ask("it"))]);
    let mut world = World::begun(&plan, Script::attended().check("slow", Answer::Silence));
    world.settle().act(ActName::Yes, "a", "alice", "");
    assert!(world.refusal().is_some());
}

#[test]
fn a_question_that_lost_its_terminal_has_failed() {
    for check in [ask("it"), Check { must_fail_first: true, ..ask("it") }] {
        let first = check.must_fail_first;
        let mut world = World::begun(&plan([step("a").verify(check)]), Script::attended());
        world.settle();
        assert_eq!(world.question("a"), Some(QuestionKind::Check));
        world.signal(Signal::Hangup).finish();
        // A control that fails is what a control must do; the verification after the action then fails.
        assert_eq!((world.status("a"), world.times("a", Task::Do)), ("failed", 1), "{first}");
    }
}

#[test]
fn undo_is_verified_too() {
    let plan =
        plan([step("a").undo_with(|undo| undo.verify.push(at(check("gone")))), step("bad").needs(&["a"]).reads()]);
    let script = || Script::default().action("bad", &[super::world::badly(1)]);
    let world = World::whole(&plan, script().check("gone", Answer::Effect("a".to_owned(), Task::Undo)));
    assert_eq!((world.code(), world.status("a")), (3, "undone"));
    let world = World::whole(&plan, script().check("gone", Answer::No));
    assert_eq!((world.code(), world.status("a")), (4, "undo-failed"));
}
