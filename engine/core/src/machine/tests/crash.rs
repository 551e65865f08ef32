//! The engine dies at every record of a run, before and after the effects behind it, and another one takes over.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    builder::*,
    world::{Answer, Fate, Script, Strike, World, act, badly, never, says, well},
};
use crate::{
    evidence::{
        Event,
        event::{ActName, Task},
    },
    machine::{Input, QuestionKind, Signal},
    model::{Effect, OnFailure, Unattended},
    plan::Plan,
    policy::effect,
};

/// What happens on its own in a run, by record: whoever is there takes it.
pub(super) type Setup = fn(&mut World);

/// Runs of one plan and script: one without a crash, then one for every place where a crash can strike. `also`: how a
/// run may end besides, because what came from outside went down with the engine.
pub(super) fn everywhere(plan: &Arc<Plan>, script: &Script, also: &[u8], setup: Setup) {
    let mut whole = World::new(plan, script.clone());
    setup(&mut whole);
    whole.start().finish();
    let code = whole.code();
    for records in 1..=whole.log.len() {
        for effects in [false, true] {
            for fate in [Fate::Survive, Fate::Die] {
                let strike = Strike { records, effects };
                let mut world = World::new(plan, script.clone());
                setup(&mut world);
                world.strike = Some(strike);
                if records == 1 && !effects {
                    world.struck = true;
                } else {
                    world.start().finish();
                }
                if !world.struck {
                    // The last record, and everything behind it.
                    assert_eq!(world.code(), code);
                }
                let fleeting = in_flight(&world);
                world.resume(fate, 50).finish();
                judge(&world, code, also, &fleeting, &format!("{strike:?} {fate:?}"));
            }
        }
    }
}

/// Actions that were announced and whose end is not recorded.
fn in_flight(world: &World) -> BTreeSet<(String, Task)> {
    let mut open = BTreeSet::new();
    for (event, _) in &world.log {
        match event {
            Event::ActionStarted { step, task, .. } => drop(open.insert((step.clone(), *task))),
            Event::ActionFinished(end) => drop(open.remove(&(end.step.clone(), end.task))),
            _ => {}
        }
    }
    open
}

/// Who can tell what became of an action in flight.
#[derive(PartialEq)]
enum Teller {
    /// It is done again, or a person was doing it anyway.
    Nobody,
    /// A check that passes; otherwise a person.
    Checks,
    Person,
}

fn teller(plan: &Plan, world: &World, id: &str, task: Task) -> Teller {
    let Some(spec) = plan.nodes[world.node(id)].step().map(|step| &step.spec) else { return Teller::Nobody };
    let (again, checks) = match (task, spec.undo.as_deref()) {
        (Task::Do, _) => (
            spec.idempotent || effect::of(spec) == Effect::Reads || spec.manual.is_some(),
            !spec.verify.is_empty() && spec.outputs.is_empty(),
        ),
        (Task::Undo, Some(crate::model::Undo::Action(undo))) => (undo.idempotent, !undo.verify.is_empty()),
        (Task::Undo, _) => (false, false),
    };
    match (again, checks) {
        (true, _) => Teller::Nobody,
        (false, true) => Teller::Checks,
        (false, false) => Teller::Person,
    }
}

/// What must be so after a crash and a second engine.
fn judge(world: &World, code: u8, also: &[u8], fleeting: &BTreeSet<(String, Task)>, place: &str) {
    let mut times: BTreeMap<(usize, Task), u32> = BTreeMap::new();
    let mut attempts = BTreeSet::new();
    for &((node, task, attempt), _) in &world.starts {
        assert!(attempts.insert((node, task, attempt)), "{place}: an attempt of {node} began twice");
        *times.entry((node, task)).or_default() += 1;
    }
    for (&(node, task), &times) in &times {
        let id = &world.plan.nodes[node].id;
        let Some(step) = world.plan.nodes[node].step() else { continue };
        let retries = step.spec.retry.as_ref().map_or(1, |retry| *retry.attempts);
        let again = match (task, step.spec.undo.as_deref()) {
            (Task::Do, _) => step.spec.idempotent || effect::of(&step.spec) == Effect::Reads,
            (Task::Undo, Some(crate::model::Undo::Action(undo))) => undo.idempotent,
            (Task::Undo, _) => false,
        };
        let most = retries + u32::from(again && fleeting.contains(&(id.clone(), task)));
        assert!(times <= most, "{place}: {id} {task:?} began {times} times, {:#?}", world.kinds());
    }
    // An abort forgets nothing that began.
    if world.machine.state().abort_reason.is_some() && world.code() != 5 {
        let left: BTreeSet<&str> = world.finished().left.iter().map(|left| left.step.as_str()).collect();
        for (node, state) in world.plan.nodes.iter().zip(&world.machine.state().steps) {
            let Some(step) = node.step() else { continue };
            if state.own.attempts > 0 && !step.cleanup && effect::of(&step.spec) == Effect::Mutates {
                let known = matches!(state.status.name(), "undone") || left.contains(node.id.as_str());
                assert!(known, "{place}: the abort forgot `{}` ({})", node.id, state.status.name());
            }
        }
    }
    let waits = world.machine.waits_for();
    let told = |wanted: &[Teller]| -> Vec<&str> {
        let found = fleeting.iter().filter(|(id, task)| wanted.contains(&teller(&world.plan, world, id, *task)));
        found.map(|(id, _)| id.as_str()).collect()
    };
    let aborted = world.machine.state().abort_reason.is_some();
    for id in told(&[Teller::Person]) {
        // Unless the abort takes it back, whatever it did.
        if !aborted {
            assert_eq!(world.code(), 5, "{place}");
            assert!(waits.iter().any(|line| line.contains(&format!("`{id}`"))), "{place}: {waits:?}");
        }
    }
    // A pause is a decision of the run's own, and holds it.
    if world.code() == 5 && !waits.iter().any(|line| line == "the run is paused") {
        let people = told(&[Teller::Person, Teller::Checks]);
        assert!(
            people
                .iter()
                .any(|id| waits.iter().any(|line| line.contains(&format!("`{id}` waits for a person to look")))),
            "{place}: {waits:?}"
        );
    } else {
        assert!(world.code() == code || also.contains(&world.code()), "{place}: {:?} {:#?}", world.exit, world.kinds());
    }
}

fn nothing_else(_: &mut World) {}

#[test]
fn a_run_that_succeeds() {
    let plan = drill([
        step("count").reads().output("n", ".n"),
        step("a").idempotent().verify(check("a")).undo(),
        step("b").needs(&["a", "count"]).when("steps.count.outputs.n > 1").verify(check("b")).lock("x"),
        step("c").needs(&["a"]).retry(3, 20).lock("x"),
        nothing("proof").needs(&["b", "c"]).verify(check("proof")).restores(),
        step("no").needs(&["count"]).when("steps.count.outputs.n > 5"),
        pause("soak", 30).needs(&["proof"]),
        cleanup("z").idempotent(),
    ]);
    let effect = |step: &str| Answer::Effect(step.to_owned(), Task::Do);
    let script = Script::default()
        .action("count", &[says(5, r#"{"n": 3}"#)])
        .action("c", &[badly(5), well(5)])
        .check("a", effect("a"))
        .check("b", effect("b"));
    everywhere(&plan, &script, &[], nothing_else);
}

#[test]
fn a_run_that_fails_and_is_rolled_back() {
    let plan = plan([
        step("base").undo_with(|undo| undo.idempotent = true).verify(check("base")),
        step("left").needs(&["base"]).idempotent().undo_with(|undo| undo.verify.push(at(check("left gone")))),
        step("right").needs(&["base"]).undo().reads(),
        step("once").needs(&["base"]).undo(),
        step("promote").needs(&["left"]).irreversible().idempotent(),
        step("bad").needs(&["left", "right", "once"]).idempotent(),
        cleanup("y").idempotent(),
        cleanup("z"),
    ]);
    let script = Script::default()
        .action("bad", &[badly(30)])
        .undo("once", &[badly(5)])
        .check("base", Answer::Effect("base".to_owned(), Task::Do))
        .check("left gone", Answer::Effect("left".to_owned(), Task::Undo));
    everywhere(&plan, &script, &[], nothing_else);
}

#[test]
fn a_run_that_people_approve_and_abort() {
    let gate = |count| approval(Some("ic"), count, Unattended::Hold, None);
    let plan = drill([
        step("a").approval(gate(2)).undo_with(|undo| undo.idempotent = true).idempotent(),
        step("b").needs(&["a"]).idempotent().undo_with(|undo| {
            undo.idempotent = true;
            undo.approval = Some(at(approval(Some("ic"), 1, Unattended::DrillOnly, None)));
        }),
        step("slow").needs(&["a"]).idempotent().undo_with(|undo| undo.verify.push(at(check("slow gone")))),
        cleanup("z").idempotent(),
    ]);
    let script = Script::attended()
        .action("slow", &[never()])
        .answer("a", QuestionKind::Approval, 5, act(ActName::Approve, "a", "alice", ""))
        .answer("a", QuestionKind::Approval, 5, act(ActName::Approve, "a", "bob", ""))
        .answer("a", QuestionKind::Approval, 5, act(ActName::Approve, "a", "bob", ""))
        .answer("a", QuestionKind::Approval, 5, act(ActName::Approve, "a", "alice", ""))
        .answer("b", QuestionKind::Approval, 5, act(ActName::Approve, "b", "alice", ""))
        .answer("b", QuestionKind::Approval, 5, act(ActName::Approve, "b", "bob", ""))
        .check("slow gone", Answer::Effect("slow".to_owned(), Task::Undo));
    everywhere(&plan, &script, &[], |world| {
        // As long as it is possible, and again by whoever is there after a crash.
        for after in [120, 240, 360] {
            world.later(after, Input::Act(act(ActName::Abort, "", "alice", "enough")));
        }
    });
}

#[test]
fn a_run_that_is_told_to_stop() {
    let plan =
        plan([step("a").idempotent().undo(), step("b").needs(&["a"]).verify(check("b")), step("c").needs(&["b"])]);
    let script = Script::default().action("b", &[well(50)]);
    everywhere(&plan, &script, &[0], |world| {
        world.later(30, Input::Signal(Signal::Terminate));
    });
}

#[test]
fn what_is_in_flight_and_cannot_be_found_out_is_for_a_person() {
    for tells_process in [true, false] {
        for fate in [Fate::Survive, Fate::Die] {
            let plan = plan([step("a").undo(), step("b").needs(&["a"]), step("c")]);
            let mut world =
                World::begun(&plan, Script { tells_process, ..Script::default() }.action("a", &[well(100)]));
            world.until(|world| world.status("a") == "running").pass(20).resume(fate, 10).finish();
            assert_eq!((world.code(), world.times("a", Task::Do), world.status("c")), (5, 1, "succeeded"));
            assert!(world.machine.waits_for()[0].starts_with("`a` waits for a person to look"));
            world.script.attended = true;
            world.resume(fate, 10).pass(10);
            assert_eq!(world.question("a"), Some(QuestionKind::Unknown));
            world.act(ActName::Retry, "a", "alice", "").finish();
            assert_eq!((world.code(), world.times("a", Task::Do)), (0, 2));
        }
    }
}

#[test]
fn what_survives_its_engine_is_followed_in_its_slot_with_its_lock_and_for_its_time_only() {
    let plan = plan([
        step("a").lock("x").timeout(1000).idempotent(),
        step("b").lock("x"),
        step("c").needs(&["b"]),
        step("d").needs(&["b"]),
    ]);
    let script = Script::default().parallel(1).action("a", &[well(500), well(10)]);
    let mut world = World::begun(&plan, script.clone());
    world.pass(100).resume(Fate::Survive, 10).finish();
    let at = |world: &World, id: &str| {
        world.starts.iter().rev().find(|((node, ..), _)| *node == world.node(id)).map(|&(_, at)| at)
    };
    assert_eq!((world.code(), world.times("a", Task::Do)), (0, 2));
    assert!(at(&world, "b") > at(&world, "a"), "{:?}", world.starts);
    assert!(at(&world, "a") >= Some(500));
    // One that does not end by itself is stopped when its time is over, counted from its begin.
    let mut world = World::begun(&plan, script.action("a", &[never(), well(10)]));
    world.pass(100).resume(Fate::Survive, 10).finish();
    assert_eq!((world.code(), world.times("a", Task::Do)), (0, 2));
    assert!((1000..1100).contains(&at(&world, "a").expect("it began")), "{:?}", world.starts);
}

#[test]
fn an_abort_that_begins_while_the_run_is_taken_up_leaves_nothing_to_decide() {
    // `bad` has failed for good and its engine died before it could say so; `open` waits for a decision.
    let plan = plan([step("done").undo(), step("bad").on_failure(OnFailure::Abort), step("open").reads()]);
    let script = Script::attended().action("open", &[badly(1)]).action("bad", &[badly(50)]);
    let mut world = World::begun(&plan, script);
    world.until(|world| world.status("open") == "failed").pass(20);
    world.strike = Some(Strike { records: world.log.len() + 1, effects: false });
    world.finish();
    assert_eq!(world.kinds().last().map(String::as_str), Some("action-finished bad"));
    world.resume(Fate::Die, 10);
    assert_eq!(world.question("open"), None);
    world.finish();
    assert_eq!((world.code(), world.status("open"), world.status("done")), (4, "failed", "undone"));
}

#[test]
fn a_run_that_is_over_stays_over() {
    let mut world =
        World::whole(&plan([step("a").undo(), step("b").needs(&["a"])]), Script::default().action("b", &[badly(1)]));
    let (code, records) = (world.code(), world.log.len());
    for attended in [true, false] {
        world.script.attended = attended;
        world.resume(Fate::Die, 10);
        assert_eq!((world.code(), world.log.len()), (code, records));
    }
}

#[test]
fn a_stopped_action_whose_engine_died_before_it_said_so_is_found_out() {
    // SIGTERM, the grace is over, the end of the action is durable, the word that it is unknown is not.
    let plan = plan([step("a").idempotent()]);
    let mut world = World::begun(&plan, Script::attended().action("a", &[never(), well(1)]));
    world.pass(5).signal(Signal::Terminate);
    world.strike = Some(Strike { records: world.log.len() + 1, effects: false });
    world.finish();
    assert!(world.struck);
    world.resume(Fate::Die, 10).finish();
    assert_eq!((world.code(), world.times("a", Task::Do)), (0, 2));
}
