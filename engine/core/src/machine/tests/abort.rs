//! Abort: from everywhere, undo in reverse order, what stays, and the clean-up.

use super::{
    builder::*,
    world::{Answer, Fate, Script, World, badly, never, well},
};
use crate::{
    evidence::{
        Event,
        event::{ActName, Task, Verdict},
    },
    machine::{QuestionKind, preview},
    model::{
        Mode,
        OnFailure::{Abort, Continue},
        Unattended,
    },
    plan::Plan,
};
use std::sync::Arc;

fn abort(world: &mut World) -> &mut World {
    world.act(ActName::Abort, "", "alice", "enough");
    assert_eq!(world.refusal(), None);
    // The announced list is what is undone, in that order, as far as that is one.
    world.finish()
}

/// A step `a` in some stage, after a step that is done and beside one that has not begun.
fn around(a: Draft) -> Arc<Plan> {
    plan([step("done").undo(), a.needs(&["done"]), step("later").needs(&["a"]).undo(), cleanup("z")])
}

fn reached(a: Draft, script: Script) -> World {
    let mut world = World::begun(&around(a), script);
    world.pass(100);
    assert_eq!(world.exit, None);
    world
}

/// Abort, and what must be so whatever `a` was doing.
fn aborted(mut world: World, touched: bool) {
    let had = world.times("a", Task::Do) > 0;
    abort(&mut world);
    assert_eq!(had, touched);
    assert_eq!(world.times("a", Task::Undo), usize::from(touched));
    assert_eq!((world.code(), world.finished().verdict), (3, Verdict::Aborted));
    assert_eq!((world.status("done"), world.status("later")), ("undone", "pending"));
    assert_eq!(world.times("later", Task::Do), 0);
    assert_eq!(world.times("cleanup/z", Task::Do), 1);
    assert!(world.true_now.iter().all(|&node| world.plan.nodes[node].id == "cleanup/z"));
    if touched {
        assert_eq!(world.status("a"), "undone");
        assert_eq!(world.order(Task::Undo), ["a", "done"]);
    }
}

#[test]
fn from_every_stage_of_a_step() {
    let people = Script::attended;
    let hold = || approval(None, 1, Unattended::Hold, None);
    let control = || crate::model::Check { must_fail_first: true, ..check("ok") };
    aborted(reached(step("a").undo().approval(hold()), people()), false); // gate
    aborted(reached(step("a").undo(), people().action("a", &[never()])), true); // action
    aborted(reached(step("a").undo().verify(control()), people().check("ok", Answer::Silence)), false); // control
    aborted(reached(step("a").undo().retry(2, 9000), people().action("a", &[badly(1)])), true); // delay
    aborted(reached(step("a").undo().verify(check("ok")), people().check("ok", Answer::Silence)), true); // verify
    aborted(reached(step("a").undo(), people().action("a", &[badly(1)])), true); // decide
    let mut world = reached(step("a").undo().timeout(50), people().action("a", &[never()]).parallel(1));
    world.settle();
    aborted(world, true); // decide after a time-out
    // Stopping: between the time-out and the end of the process.
    let mut world = World::begun(&around(step("a").undo().timeout(50)), people().action("a", &[never()]));
    world.pass(63);
    aborted(world, true);
    // Paused.
    let mut world = World::begun(&around(step("a").undo()), people());
    world.pass(5).act(ActName::Pause, "", "alice", "").pass(100);
    aborted(world, false);
}

#[test]
fn from_manual_and_asking() {
    let mut world = reached(manual("a").undo(), Script::attended());
    abort(&mut world);
    assert_eq!((world.code(), world.order(Task::Undo)), (3, vec!["a", "done"]));
    let script = Script { step_by_step: true, ..Script::attended() };
    let mut world = World::begun(&around(step("a").undo()), script);
    world.pass(10).act(ActName::Continue, "done", "alice", "").pass(100);
    assert_eq!(world.question("a"), Some(QuestionKind::Step));
    aborted(world, false);
}

#[test]
fn from_startable() {
    // `a` would run again, but has no slot or lock.
    let plan =
        plan([step("a").undo().retry(2, 20), step("long").after(&[]).undo().reads(), step("fill").undo().reads()]);
    let script =
        Script::attended().parallel(2).action("a", &[badly(5)]).action("long", &[never()]).action("fill", &[never()]);
    let mut world = World::begun(&plan, script);
    world.pass(100);
    assert_eq!((world.times("a", Task::Do), world.status("a")), (1, "running"));
    abort(&mut world);
    assert_eq!((world.code(), world.status("a")), (3, "undone"));
    // And where nothing takes it back, it has at least not the look of something that runs.
    let plan = super::builder::plan([step("a").retry(2, 20), step("long").reads(), step("fill").reads()]);
    let script =
        Script::attended().parallel(2).action("a", &[badly(5)]).action("long", &[never()]).action("fill", &[never()]);
    let mut world = World::begun(&plan, script);
    world.pass(100);
    abort(&mut world);
    assert_eq!((world.code(), world.status("a")), (4, "failed"));
}

#[test]
fn from_what_an_earlier_engine_left() {
    let script = || Script::attended().action("a", &[never()]);
    // Unknown, nobody can say.
    let mut world = reached(step("a").undo(), script());
    world.resume(Fate::Die, 100).pass(100);
    assert_eq!(world.question("a"), Some(QuestionKind::Unknown));
    aborted(world, true);
    // Follow: its process still runs, and is stopped before anything is undone.
    let mut world = reached(step("a").undo().lock("x"), script());
    world.resume(Fate::Survive, 100).pass(100);
    assert_eq!((world.status("a"), world.question("a")), ("running", None));
    aborted(world, true);
    // Resolve: the checks are to tell.
    let mut world = reached(step("a").undo().verify(check("ok")), script().check("ok", Answer::Silence));
    world.resume(Fate::Die, 100).pass(100);
    assert_eq!(world.status("a"), "unknown");
    aborted(world, true);
}

#[test]
fn an_abort_can_be_asked_for_once() {
    let mut world = World::begun(&around(step("a").undo()), Script::attended().undo("done", &[well(50)]));
    world.act(ActName::Abort, "", "alice", "");
    assert_eq!(world.refusal(), Some("nothing has started yet: use detach"));
    world.pass(5).act(ActName::Abort, "a", "alice", "");
    assert_eq!(world.refusal(), None);
    world.act(ActName::Abort, "", "alice", "").act(ActName::Pause, "", "alice", "");
    assert!(world.refusal().is_some());
    world.until(|world| world.machine.state().cleanup_started).act(ActName::Abort, "", "alice", "");
    assert!(world.refusal().is_some());
    world.finish();
    assert_eq!(world.log.iter().filter(|(event, _)| matches!(event, Event::AbortStarted { .. })).count(), 1);
}

fn diamond() -> [Draft; 6] {
    [
        step("base").undo(),
        step("left").undo().needs(&["base"]),
        step("right").undo().after(&["base"]),
        barrier("both").needs(&["left", "right"]),
        step("top").undo().needs(&["both"]),
        step("side").undo(),
    ]
}

#[test]
fn undo_in_a_diamond_is_in_reverse_order() {
    let script = Script::default()
        .action("top", &[badly(30)])
        .undo("left", &[well(40)])
        .undo("right", &[well(20)])
        .undo("top", &[well(10)]);
    let world = World::whole(&plan(diamond()), script);
    assert_eq!(world.code(), 3);
    let at = |id: &str| {
        world
            .starts
            .iter()
            .find(|((node, task, _), _)| *node == world.node(id) && *task == Task::Undo)
            .map(|&(_, at)| at)
    };
    let began = at("top").expect("it is undone");
    assert_eq!(at("side"), Some(began));
    assert_eq!((at("left"), at("right")), (Some(began + 10), Some(began + 10)));
    assert_eq!(at("base"), Some(began + 50));
}

#[test]
fn undos_start_in_the_announced_order() {
    let world = World::whole(&plan(diamond()), Script::default().parallel(1).action("top", &[badly(30)]));
    let announced = world.log.iter().find_map(|(event, _)| match event {
        Event::AbortStarted { undo, .. } => Some(undo.clone()),
        _ => None,
    });
    assert_eq!(announced.as_deref(), Some(&["top", "right", "left", "base"].map(str::to_owned)[..]));
    assert_eq!(world.order(Task::Undo), ["top", "right", "left", "base"]);
}

#[test]
fn an_undo_that_fails_does_not_stop_the_rest() {
    let script = Script::default().action("top", &[badly(30)]).undo("left", &[badly(10)]);
    let world = World::whole(&plan(diamond()), script);
    assert_eq!((world.code(), world.finished().verdict), (4, Verdict::AbortIncomplete));
    assert_eq!(
        (world.status("left"), world.status("base"), world.status("right")),
        ("undo-failed", "undone", "undone")
    );
    let left: Vec<&str> = world.finished().left.iter().map(|left| left.step.as_str()).collect();
    assert_eq!(left, ["left"]);
}

#[test]
fn undos_are_retried_timed_out_and_never_beyond_parallel() {
    let plan = plan([
        step("a").undo_with(|undo| {
            undo.retry = Some(at(retry(3, 10)));
            undo.timeout = Some(ms(50));
        }),
        step("b").undo(),
        step("c").undo(),
        step("bad").needs(&["a", "b", "c"]).reads(),
    ]);
    let script = Script::default().parallel(2).action("bad", &[badly(1)]).undo("a", &[badly(1), never(), well(1)]);
    let world = World::whole(&plan, script);
    assert_eq!((world.code(), world.times("a", Task::Undo), world.most_at_once), (3, 3, 2));
}

#[test]
fn what_cannot_be_taken_back_keeps_what_it_needs() {
    let steps = [
        step("network").undo(),
        step("cluster").needs(&["network"]).undo(),
        barrier("provisioned").needs(&["cluster"]),
        step("promote").needs(&["provisioned"]).irreversible().undo(),
        step("beside").needs(&["network"]).undo(),
        step("after").needs(&["promote"]).undo(),
        step("bare").needs(&["network"]),
        step("look").needs(&["network"]).reads(),
        step("bad").needs(&["after", "beside", "bare", "look"]).reads(),
    ];
    let plan = plan(steps);
    let world = World::whole(&plan, Script::default().action("bad", &[badly(1)]));
    assert_eq!(world.code(), 4);
    assert_eq!(world.order(Task::Undo), ["after", "beside"]);
    let mut left: Vec<(&str, &str)> =
        world.finished().left.iter().map(|left| (left.step.as_str(), left.why.as_str())).collect();
    left.sort_unstable();
    let needs = "`promote` needs it, and that cannot be taken back";
    assert_eq!(
        left,
        [
            ("bare", "it has no undo"),
            ("cluster", needs),
            ("network", needs),
            ("promote", "it cannot be taken back (irreversible)")
        ]
    );
    // Before it has begun, nothing has to stay.
    let mut world =
        World::begun(&plan, Script::attended().action("promote", &[well(10)]).action("cluster", &[never()]));
    world.pass(100);
    let shown = preview(&plan, world.machine.state());
    let ids = |nodes: &[usize]| nodes.iter().map(|&node| plan.nodes[node].id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&shown.undo), ["beside", "cluster", "network"]);
    assert_eq!(shown.stays.len(), 1);
    abort(&mut world);
    assert_eq!(world.order(Task::Undo), ["beside", "cluster", "network"]);
}

#[test]
fn everything_that_began_is_undone_whatever_became_of_it() {
    let plan = plan([
        step("skipped").undo(),
        step("accepted").undo(),
        step("unknown").undo(),
        step("failed").undo(),
        step("never").undo().needs(&["failed"]),
    ]);
    let script = Script::attended()
        .action("skipped", &[badly(1)])
        .action("accepted", &[badly(1)])
        .action("failed", &[badly(1)])
        .action("unknown", &[never()]);
    let mut world = World::begun(&plan, script);
    world.pass(100).act(ActName::Skip, "skipped", "alice", "no").act(ActName::Accept, "accepted", "alice", "yes");
    world.resume(Fate::Die, 10).pass(100);
    abort(&mut world);
    assert_eq!(world.order(Task::Undo), ["failed", "unknown", "accepted", "skipped"]);
    assert_eq!(world.code(), 3);
}

#[test]
fn cleanup_runs_when_it_must() {
    let run = |mode: Mode, bad: bool, on: crate::model::OnFailure| {
        let around = Around { mode, ..Around::default() };
        let plan = plan_with(around, [step("a").undo().on_failure(on), cleanup("y"), cleanup("z")]);
        let script = if bad { Script::default().action("a", &[badly(1)]) } else { Script::default() };
        let world = World::whole(&plan, script);
        (world.code(), world.times("cleanup/y", Task::Do) + world.times("cleanup/z", Task::Do))
    };
    assert_eq!(run(Mode::Incident, false, Abort), (0, 0));
    assert_eq!(run(Mode::Incident, true, Abort), (3, 2));
    assert_eq!(run(Mode::Incident, true, Continue), (1, 0));
    assert_eq!(run(Mode::Drill, false, Abort), (0, 2));
    assert_eq!(run(Mode::Drill, true, Abort), (3, 2));
    assert_eq!(run(Mode::Drill, true, Continue), (1, 2));
}

#[test]
fn a_cleanup_that_fails_goes_on_and_is_told() {
    let steps = || [step("a").undo(), cleanup("x"), cleanup("y"), cleanup("z")];
    let script = || Script::attended().action("cleanup/y", &[badly(1)]);
    let world = World::whole(&drill(steps()), script());
    assert_eq!(world.order(Task::Do), ["a", "cleanup/x", "cleanup/y", "cleanup/z"]);
    assert_eq!((world.code(), world.finished().left.len()), (1, 1));
    let world = World::whole(
        &drill(steps()),
        script().action("a", &[badly(1)]).answer(
            "a",
            QuestionKind::Failure,
            5,
            super::world::act(ActName::Abort, "a", "alice", ""),
        ),
    );
    assert_eq!((world.code(), world.times("cleanup/z", Task::Do)), (4, 1));
    assert_eq!(world.finished().left[0].step, "cleanup/y");
}

#[test]
fn a_crash_in_the_cleanup_wakes_nothing_that_an_abort_left() {
    // `a` is unknown, idempotent and has no undo: it stays, and nothing may run it again.
    let plan = plan([step("a").idempotent(), step("b").retry(2, 5000), cleanup("z")]);
    let script = Script::attended().action("a", &[never()]).action("b", &[badly(1)]);
    let mut world = World::begun(&plan, script);
    world.pass(100).resume(Fate::Survive, 10).pass(10);
    world.act(ActName::Abort, "", "alice", "").until(|world| world.status("cleanup/z") == "running");
    assert_eq!(world.times("a", Task::Do), 1);
    world.script.attended = false;
    world.resume(Fate::Die, 10).finish();
    assert_eq!((world.times("a", Task::Do), world.times("b", Task::Do)), (1, 1));
    // The clean-up was in flight itself: that is for a person.
    assert_eq!(world.code(), 5);
    assert_eq!(world.machine.waits_for().len(), 1);
}

#[test]
fn a_chain_of_undos_that_end_at_once_needs_no_stack() {
    let deny =
        |draft: Draft| draft.undo_with(|undo| undo.approval = Some(at(approval(None, 1, Unattended::Deny, None))));
    let count = 20_000;
    let steps = (0..count).map(|n| {
        let draft = deny(step(&format!("s{n}")));
        if n == 0 { draft } else { draft.needs(&[&format!("s{}", n - 1)]) }
    });
    let last = step("bad").needs(&[&format!("s{}", count - 1)]).reads();
    let mut world = World::new(&plan(steps.chain([last])), Script::default().action("bad", &[badly(1)]));
    world.compare = false;
    world.start().finish();
    assert_eq!((world.code(), world.finished().left.len()), (4, count));
}
