//! Signals, lost terminals, lost evidence: how a process leaves a run that is not over.

use super::{
    builder::*,
    world::{Answer, Fate, Script, World, badly, never, well},
};
use crate::{
    action::Outcome,
    evidence::{
        Event,
        event::{ActName, Task},
    },
    machine::{Command, Input, QuestionKind, Signal},
    model::OnFailure,
};

fn two() -> std::sync::Arc<crate::plan::Plan> {
    plan([step("a").undo().verify(check("ok")), step("b").needs(&["a"]).undo()])
}

#[test]
fn ctrl_c_once_attended_pauses() {
    let mut world = World::begun(&two(), Script::attended());
    world.pass(5).signal(Signal::Interrupt).settle();
    assert_eq!((world.status("a"), world.status("b"), &world.exit), ("succeeded", "pending", &None));
    assert_eq!(world.question(""), Some(QuestionKind::Paused));
    world.act(ActName::Continue, "", "alice", "").finish();
    assert_eq!(world.code(), 0);
}

#[test]
fn ctrl_c_after_a_continue_pauses_again() {
    let mut world = World::begun(&two(), Script::attended());
    world.pass(5).signal(Signal::Interrupt).act(ActName::Continue, "", "alice", "").signal(Signal::Interrupt);
    assert!(world.machine.state().paused);
}

#[test]
fn ctrl_c_twice_aborts() {
    for attended in [true, false] {
        let mut world = World::begun(&two(), Script { attended, ..Script::default() }.action("a", &[never()]));
        world.pass(5).signal(Signal::Interrupt).signal(Signal::Interrupt).finish();
        assert_eq!((world.code(), world.status("a")), (3, "undone"), "{attended}");
    }
}

#[test]
fn ctrl_c_three_times_kills() {
    for attended in [true, false] {
        let mut world = World::begun(
            &two(),
            Script { attended, ..Script::default() }.action("a", &[never()]).undo("a", &[never(), well(1)]),
        );
        world.pass(5).signal(Signal::Interrupt).signal(Signal::Interrupt).signal(Signal::Interrupt).finish();
        assert_eq!(world.code(), 130);
        world.resume(Fate::Die, 10).finish();
        // Its undo was not in flight yet.
        assert_eq!((world.code(), world.times("a", Task::Undo)), (4, 1));
    }
    // In the middle of an undo: it is not known what it did.
    let mut world = World::begun(&two(), Script::attended().action("a", &[never()]).undo("a", &[never()]));
    world.pass(5).signal(Signal::Interrupt).signal(Signal::Interrupt);
    world.until(|world| world.times("a", Task::Undo) == 1).signal(Signal::Interrupt).finish();
    assert_eq!(world.code(), 130);
    world.resume(Fate::Die, 10).settle();
    assert_eq!((world.question("a"), world.times("a", Task::Undo)), (Some(QuestionKind::Unknown), 1));
    world.act(ActName::Accept, "a", "alice", "it is gone").finish();
    assert_eq!(world.code(), 3);
}

#[test]
fn ctrl_c_once_unattended_leaves() {
    let mut world = World::begun(&two(), Script::default());
    world.pass(5).signal(Signal::Interrupt).finish();
    assert_eq!((world.code(), world.status("a"), world.status("b")), (130, "succeeded", "pending"));
    world.resume(Fate::Die, 10).finish();
    assert_eq!((world.code(), world.order(Task::Do)), (0, vec!["a", "b"]));
}

#[test]
fn ctrl_c_in_the_preflight_touches_nothing() {
    for attended in [true, false] {
        let mut world = World::begun(&two(), Script { attended, ..Script::default() });
        world.signal(Signal::Interrupt);
        assert_eq!((world.code(), world.starts.len()), (130, 0));
        world.resume(Fate::Die, 10).finish();
        assert_eq!(world.code(), 0);
    }
}

#[test]
fn ctrl_c_in_a_cleanup_leaves() {
    let plan = drill([step("a"), cleanup("y"), cleanup("z")]);
    for attended in [true, false] {
        let mut world = World::begun(&plan, Script { attended, ..Script::default() });
        world.until(|world| world.status("cleanup/y") == "running").signal(Signal::Interrupt).finish();
        assert_eq!((world.code(), world.status("cleanup/z")), (130, "pending"));
        world.resume(Fate::Die, 10).finish();
        assert_eq!((world.code(), world.times("cleanup/y", Task::Do)), (0, 1));
    }
}

#[test]
fn sigterm_lets_running_steps_end_within_the_grace() {
    let mut world = World::begun(&two(), Script::default().action("a", &[well(20_000)]));
    world.pass(5).signal(Signal::Terminate).finish();
    assert_eq!((world.code(), world.status("a"), world.status("b")), (143, "succeeded", "pending"));
    world.resume(Fate::Die, 10).finish();
    assert_eq!((world.code(), world.times("a", Task::Do)), (0, 1));
}

#[test]
fn sigterm_stops_what_outlasts_the_grace_and_the_next_engine_finds_out() {
    for (draft, code, times, status) in [
        (step("a").idempotent(), 0, 2, "succeeded"),
        (step("a").reads(), 0, 2, "succeeded"),
        (step("a").verify(check("done")), 5, 1, "unknown"),
        (step("a").verify(check("true")), 0, 1, "succeeded"),
        (step("a"), 5, 1, "unknown"),
    ] {
        let script =
            Script::default().action("a", &[never(), well(10)]).check("done", Answer::Effect("a".to_owned(), Task::Do));
        let mut world = World::begun(&plan([draft, step("b").needs(&["a"])]), script);
        world.pass(5).signal(Signal::Terminate).finish();
        assert_eq!((world.code(), world.elapsed), (143, 30_010));
        assert!(world.has(|event| matches!(event, Event::ActionFinished(end) if end.outcome == Outcome::Stopped)));
        world.resume(Fate::Die, 10).finish();
        assert_eq!((world.code(), world.times("a", Task::Do), world.status("a")), (code, times, status));
        if code == 5 {
            assert!(world.machine.waits_for()[0].contains("`a` waits for a person to look"));
        }
    }
}

#[test]
fn sigterm_with_checks_under_way_leaves_after_the_grace() {
    let plan = plan([step("a").lock("x").verify(check("slow"))]);
    let mut world = World::begun(&plan, Script::default().check("slow", Answer::Silence));
    world.pass(20).signal(Signal::Terminate).finish();
    assert_eq!((world.code(), world.elapsed, world.status("a")), (143, 30_020, "verifying"));
    world.script.checks.clear();
    world.resume(Fate::Die, 10).finish();
    assert_eq!((world.code(), world.times("a", Task::Do)), (0, 1));
}

#[test]
fn an_abort_after_a_grace_that_dropped_checks_still_gets_the_locks() {
    let plan = plan([step("a").lock("x").undo().verify(check("slow")), step("b").undo()]);
    let script = Script::default().check("slow", Answer::Silence).action("b", &[never()]);
    let mut world = World::begun(&plan, script);
    // The checks of `a` are dropped as the grace ends; `b` takes a little longer to stop, and the commander aborts.
    world.pass(20).signal(Signal::Terminate).pass(30_001);
    assert_eq!(world.exit, None);
    world.signal(Signal::Interrupt).signal(Signal::Interrupt).finish();
    assert_eq!((world.code(), world.status("a"), world.status("b")), (3, "undone", "undone"));
}

#[test]
fn sigterm_in_an_undo_goes_on_later() {
    let script = Script::default().action("b", &[badly(1)]).undo("a", &[well(100)]);
    let mut world = World::begun(&two(), script);
    world.until(|world| world.times("b", Task::Undo) == 1).signal(Signal::Terminate).finish();
    assert_eq!((world.code(), world.status("b"), world.times("a", Task::Undo)), (143, "undone", 0));
    world.resume(Fate::Die, 10).finish();
    assert_eq!((world.code(), world.order(Task::Undo)), (3, vec!["b", "a"]));
}

#[test]
fn a_step_that_fails_while_the_process_leaves_is_undone_by_the_next() {
    let mut world = World::begun(&two(), Script::default().action("b", &[badly(50)]));
    world.until(|world| world.status("b") == "running").signal(Signal::Terminate).finish();
    assert_eq!((world.code(), world.order(Task::Undo).len()), (143, 0));
    world.resume(Fate::Die, 10).finish();
    assert_eq!((world.code(), world.order(Task::Undo)), (3, vec!["b", "a"]));
}

#[test]
fn a_lost_terminal_goes_on_alone() {
    let plan = plan([step("a").on_failure(OnFailure::Pause), step("b"), step("c").needs(&["b"])]);
    let mut world = World::begun(&plan, Script::attended().action("a", &[badly(1)]).action("b", &[well(100)]));
    world.pass(10);
    assert_eq!(world.question("a"), Some(QuestionKind::Failure));
    world.signal(Signal::Hangup).finish();
    assert_eq!((world.code(), world.status("c")), (5, "succeeded"));
    // What fails from then on is undone by itself.
    let mut world = World::begun(&two(), Script::attended().action("b", &[badly(1)]));
    world.pass(5).signal(Signal::Hangup).finish();
    assert_eq!((world.code(), world.status("a")), (3, "undone"));
    // A second one is nothing new.
    let mut world = World::begun(&two(), Script::default());
    world.pass(5).signal(Signal::Hangup).finish();
    assert!(!world.has(|event| matches!(event, Event::TerminalLost {})));
}

#[test]
fn a_pause_without_a_terminal_holds() {
    let mut world = World::begun(&two(), Script::attended());
    world.pass(5).signal(Signal::Interrupt).signal(Signal::Hangup).finish();
    assert_eq!((world.code(), world.status("a")), (5, "succeeded"));
}

#[test]
fn lost_evidence_stops_everything() {
    let plan = plan([step("a"), step("b").verify(check("slow")), step("c").needs(&["a"])]);
    let mut world = World::begun(&plan, Script::attended().action("a", &[never()]).check("slow", Answer::Silence));
    world.pass(100);
    let records = world.log.len();
    let now = world.now();
    let commands = world.machine.handle(Input::EvidenceLost { reason: "disk full".to_owned() }, now);
    assert!(!commands.iter().any(|command| matches!(command, Command::Append(..) | Command::StartAction { .. })));
    assert!(matches!(commands.first(), Some(Command::StopAction { node: 0, outcome: Outcome::Stopped, .. })));
    assert!(matches!(commands.last(), Some(Command::Exit { code: 7, reason }) if reason.contains("disk full")));
    assert_eq!(world.log.len(), records);
    assert!(world.machine.exited());
    assert!(world.machine.handle(Input::Signal(Signal::Interrupt), now).is_empty());
}

#[test]
fn lost_evidence_stops_what_an_earlier_engine_left() {
    let mut world = World::begun(&plan([step("a")]), Script::default().action("a", &[never()]));
    world.pass(100).resume(Fate::Survive, 100);
    let now = world.now();
    let commands = world.machine.handle(Input::EvidenceLost { reason: "disk full".to_owned() }, now);
    assert!(commands.iter().any(|command| matches!(command, Command::StopAction { node: 0, .. })));
}

#[test]
fn signals_before_the_begin_are_taken_after_it() {
    let mut world = World::new(&two(), Script::default());
    world.signal(Signal::Terminate);
    assert_eq!(world.exit, None);
    world.start();
    assert_eq!((world.code(), world.starts.len()), (143, 0));
    // And a run that was recovered does not look as if it were over.
    world.resume_with(Fate::Die, 10).signal(Signal::Hangup);
    assert_eq!(world.exit, None);
    world.start().finish();
    assert_eq!(world.code(), 0);
}
