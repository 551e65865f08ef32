//! Which step runs when: edges, conditions, limits, and the ends of a run.

use super::{
    builder::*,
    world::{Script, World, badly, never, says, well},
};
use crate::{
    evidence::{
        Event,
        event::{ActName, Finding, SkippedBy, Task, Verdict},
    },
    machine::{RunStatus, Status},
    model::{Mode, OnFailure, Phase},
};

#[test]
fn one_step() {
    let world = World::whole(&plan([step("a").verify(check("ok"))]), Script::default());
    assert_eq!(world.code(), 0);
    assert_eq!(
        world.kinds(),
        [
            "run-created",
            "engine-started",
            "preflight-finished",
            "action-started a",
            "process-started a",
            "action-finished a",
            "verification-started a",
            "check-passed a",
            "step-succeeded a",
            "run-finished"
        ]
    );
}

#[test]
fn an_empty_plan_ends() {
    assert_eq!(World::whole(&plan([]), Script::default()).code(), 0);
    assert_eq!(World::whole(&drill([]), Script::default()).code(), 0);
}

#[test]
fn every_status_of_a_run() {
    let of = |world: &World| world.machine.state().run;
    let plan = drill([step("a").undo(), cleanup("z")]);
    let mut world = World::new(&plan, Script::default().undo("a", &[badly(10)]));
    assert_eq!(of(&world), RunStatus::Created);
    world.start();
    assert_eq!(of(&world), RunStatus::Created);
    world.until(|world| of(world) == RunStatus::Running);
    world.act(ActName::Abort, "", "alice", "");
    assert_eq!(of(&world), RunStatus::Aborting);
    world.until(|world| of(world) == RunStatus::CleaningUp);
    world.finish();
    assert_eq!(of(&world), RunStatus::Finished(Verdict::AbortIncomplete));
}

#[test]
fn every_status_of_a_step() {
    let mut world = World::begun(
        &plan([
            step("a").approval(approval(None, 1, crate::model::Unattended::Hold, None)).verify(check("ok")).undo(),
            step("b").needs(&["a"]),
            step("no").when("1 > 2"),
            step("bad").on_failure(OnFailure::Continue),
            step("under").needs(&["bad"]),
            step("left").needs(&["under"]),
        ]),
        Script::attended().action("bad", &[badly(1)]),
    );
    assert_eq!(world.status("a"), "pending");
    world.until(|world| world.status("a") == "awaiting-approval");
    world.settle();
    assert_eq!(world.status("no"), "skipped");
    assert_eq!(world.machine.state().steps[world.node("no")].status, Status::Skipped(SkippedBy::Condition));
    assert_eq!(world.status("bad"), "failed");
    assert_eq!(world.status("under"), "blocked");
    assert_eq!(world.status("left"), "blocked");
    world.act(ActName::Approve, "a", "alice", "");
    assert_eq!(world.status("a"), "running");
    world.until(|world| world.status("a") == "verifying");
    world.until(|world| world.status("a") == "succeeded");
    world.act(ActName::Abort, "", "alice", "");
    world.until(|world| world.status("a") == "undoing");
    world.finish();
    assert_eq!(world.status("a"), "undone");
}

#[test]
fn needs_wait_for_success_and_after_for_an_end() {
    let world = World::whole(
        &plan([
            step("bad").on_failure(OnFailure::Continue),
            step("good"),
            step("needs").needs(&["bad", "good"]),
            step("after").after(&["bad"]).needs(&["good"]),
            barrier("all").needs(&["good", "bad"]),
            step("behind").needs(&["all"]),
            barrier("well").needs(&["good"]),
            step("next").needs(&["well"]),
        ]),
        Script::default().action("bad", &[badly(50)]),
    );
    assert_eq!(world.order(Task::Do), ["bad", "good", "next", "after"]);
    assert_eq!(world.status("needs"), "blocked");
    assert_eq!(world.status("behind"), "blocked");
    assert!(
        world.has(
            |event| matches!(event, Event::StepBlocked { step, because } if step == "needs" && because == &["bad"])
        )
    );
    assert_eq!((world.code(), world.finished().verdict), (1, Verdict::Failed));
}

#[test]
fn a_skipped_condition_lets_dependents_go_on() {
    let world = World::whole(
        &plan([
            step("count").output("n", ".n"),
            step("a").needs(&["count"]).when("steps.count.outputs.n > 3"),
            step("b").needs(&["a"]),
        ]),
        Script::default().action("count", &[says(1, r#"{"n": 3}"#)]),
    );
    assert_eq!(world.code(), 0);
    assert_eq!(world.order(Task::Do), ["count", "b"]);
    assert!(world.has(|event| matches!(event,
        Event::StepSkipped { step, values, by: SkippedBy::Condition, .. }
            if step == "a" && values["steps.count.outputs.n"] == 3)));
}

#[test]
fn a_condition_that_cannot_be_evaluated_fails_its_step() {
    let world = World::whole(&plan([step("a").when("1 + 'x' > 2").on_failure(OnFailure::Continue)]), Script::default());
    assert_eq!((world.code(), world.status("a")), (1, "failed"));
}

#[test]
fn outputs_go_on_and_missing_ones_fail() {
    let plan = plan([step("a").output("lb", ".lb"), step("b").needs(&["a"]).env("LB", "{{steps.a.outputs.lb}}")]);
    let world = World::whole(&plan, Script::default().action("a", &[says(1, r#"{"lb": "10.0.0.1"}"#)]));
    assert!(world.has(|event| matches!(event,
        Event::ActionStarted { step, order, .. } if step == "b" && order["env"]["LB"] == "10.0.0.1")));
    assert_eq!(world.code(), 0);
    let world = World::whole(&plan, Script::default().action("a", &[says(1, "{}")]));
    assert_eq!(world.status("a"), "failed");
    assert_eq!(world.status("b"), "pending");
    assert_eq!(world.code(), 4);
}

#[test]
fn what_cannot_be_rendered_fails() {
    let plan = plan([step("a"), step("b").needs(&["a"]).env("LB", "{{steps.a.outputs.nothing}}").undo()]);
    let world = World::whole(&plan, Script::default());
    assert_eq!(world.status("b"), "failed");
    assert_eq!(world.times("b", Task::Do) + world.times("b", Task::Undo), 0);
}

#[test]
fn no_more_at_once_than_asked() {
    for parallel in [1, 3, 100] {
        let steps = (0..20).map(|n| step(&format!("s{n}")));
        let world = World::whole(&plan(steps), Script::default().parallel(parallel));
        assert_eq!(world.most_at_once, (parallel as usize).min(20));
        assert_eq!(world.elapsed, 1 + 10 * 20_u64.div_ceil(u64::from(parallel)));
    }
}

#[test]
fn soak_time_and_checks_take_no_slot() {
    let steps = [
        pause("soak", 1000).phase(Phase::Provision),
        step("checked").phase(Phase::Provision).verify(check("slow").clone()).with(|_| ()),
        step("x"),
        step("y"),
    ];
    let script = Script::default().parallel(1).check("slow", super::world::Answer::From(900));
    let plan = plan(steps.map(|draft| {
        draft.with(|spec| {
            for check in &mut spec.verify {
                let mut own = (**check).clone();
                own.within = Some(at(ms(5000)));
                *check = at(own);
            }
        })
    }));
    let world = World::whole(&plan, script);
    assert_eq!(world.code(), 0);
    assert_eq!(world.order(Task::Do), ["soak", "checked", "x", "y"]);
    assert!(world.starts.iter().all(|&(_, at)| at < 100), "{:?}", world.starts);
}

#[test]
fn locks_do_not_overlap_and_hold_nobody_else_up() {
    let plan = plan([
        step("a").lock("dns"),
        step("b").lock("dns").lock("lb"),
        step("c").lock("lb"),
        step("d"),
        step("e").lock("dns"),
    ]);
    let world = World::whole(&plan, Script::default());
    assert_eq!(world.order(Task::Do), ["a", "c", "d", "e", "b"]);
    let at = |id: &str| world.starts.iter().find(|((node, ..), _)| *node == world.node(id)).map(|&(_, at)| at);
    assert_eq!([at("a"), at("c"), at("d"), at("b"), at("e")], [Some(1), Some(1), Some(1), Some(21), Some(11)]);
}

#[test]
fn groups_have_their_limit() {
    let plan = plan((0..9).map(|n| step(&format!("g{n}")).group(7, 2)).chain([step("other")]));
    let world = World::whole(&plan, Script::default());
    assert_eq!(world.most_at_once, 3);
    assert_eq!(world.elapsed, 51);
}

#[test]
fn the_order_is_the_documented_one_whatever_it_takes() {
    // By phase, then longest tail, then file order.
    let plan = plan([
        step("late").phase(Phase::Workloads),
        step("short").estimate(5),
        step("long").estimate(50),
        step("chain").estimate(1),
        step("early").phase(Phase::Provision),
        step("end").needs(&["chain"]).estimate(100),
        step("short-too").estimate(5),
    ]);
    let run = |takes: [u64; 3]| {
        let mut script = Script::default().parallel(1);
        for (at, id) in ["late", "short", "long", "chain", "early", "end", "short-too"].into_iter().enumerate() {
            script = script.action(id, &[well(takes[at % 3])]);
        }
        World::whole(&plan, script).order(Task::Do).join(" ")
    };
    let order = run([10, 10, 10]);
    assert_eq!(order, "early chain end long short short-too late");
    assert_eq!(order, run([1, 1000, 7]));
    assert_eq!(order, run([333, 1, 90]));
}

#[test]
fn the_same_twice_is_the_same_log() {
    let plan = drill([
        step("a").retry(3, 100).undo(),
        step("b").needs(&["a"]).verify(check("ok")),
        step("c").after(&["b"]).lock("x").undo(),
        step("d").needs(&["a"]).lock("x"),
        cleanup("z"),
    ]);
    let script = Script::default().action("a", &[badly(3), well(4)]).action("d", &[well(1), never()]);
    let log = |world: World| world.log;
    assert_eq!(log(World::whole(&plan, script.clone())), log(World::whole(&plan, script)));
}

#[test]
fn a_failing_preflight_touches_nothing() {
    let finding = |passed| Finding { passed, ..Finding::met("terraform", "nothing") };
    let around = || Around {
        requires: vec![check("store"), check("net"), expr("1 < 2")],
        mode: Mode::Drill,
        ..Around::default()
    };
    let plan = plan_with(around(), [step("a"), cleanup("z")]);
    let script = || Script { findings: vec![finding(true)], ..Script::default() };
    assert_eq!(World::whole(&plan, script()).code(), 0);
    let world = World::whole(&plan, Script { findings: vec![finding(true), finding(false)], ..Script::default() });
    assert_eq!((world.code(), world.starts.len()), (2, 0));
    for answer in [super::world::Answer::No, super::world::Answer::Broken] {
        let world = World::whole(&plan, script().check("net", answer));
        assert_eq!((world.code(), world.starts.len()), (2, 0));
        assert_eq!(world.finished().verdict, Verdict::PreflightFailed);
        assert!(world.finished().reason.contains("check: net"), "{}", world.finished().reason);
        assert!(!world.finished().reason.contains("check: store"));
    }
}

#[test]
fn objectives() {
    let plan = plan([step("a").restores()]);
    let world = World::whole(&plan, Script { outage_ago: Some(600_000), ..Script::default() });
    assert_eq!((world.code(), world.finished().objectives.rto.actual_ms), (0, Some(600_011)));
    let world = World::whole(&plan, Script { outage_ago: Some(3_600_000), ..Script::default() });
    assert_eq!((world.code(), world.finished().verdict), (6, Verdict::ObjectiveMissed));
}

#[test]
fn a_run_that_did_not_restore_never_succeeds() {
    // The only step that restores was left out by its condition.
    let world = World::whole(&plan([step("a").restores().when("1 > 2"), step("b")]), Script::default());
    assert_eq!((world.code(), world.finished().verdict), (1, Verdict::Failed));
    // Left out by a person.
    let mut world = World::begun(&plan([step("a").restores()]), Script::attended().action("a", &[badly(1)]));
    world.settle().act(ActName::Skip, "a", "alice", "not today").finish();
    assert_eq!(world.code(), 1);
    // One of two.
    for order in [["a", "b"], ["b", "a"]] {
        let script = Script::attended().action("b", &[badly(1)]);
        let mut world = World::begun(&plan([step(order[0]).restores(), step(order[1]).restores()]), script);
        world.settle().act(ActName::Skip, "b", "alice", "not today").finish();
        assert_eq!(world.code(), 1, "{order:?}");
    }
}

#[test]
fn restored_when_the_last_one_that_restores_is_proven_or_left_out_by_its_condition() {
    let late = |id: &str| step(id).restores().when("1 > 2").needs(&["slow"]);
    let slow = Script::default().action("slow", &[well(50)]);
    let world = World::whole(&plan([step("slow"), step("a").restores(), late("b")]), slow);
    assert_eq!(world.code(), 0, "{:?}", world.exit);
    assert_eq!(world.finished().objectives.rto.actual_ms, Some(11));
    let world =
        World::whole(&plan([step("slow"), late("b"), step("a").needs(&["slow"]).restores()]), Script::default());
    assert_eq!((world.code(), world.finished().objectives.rto.actual_ms), (0, Some(21)));
}

#[test]
fn a_drill_that_injects_its_outage_counts_from_there() {
    let outage = |draft: Draft| draft.with(|spec| spec.injects_outage = true);
    let steps = || [outage(step("break")), step("back").needs(&["break"]).restores()];
    let rto = |world: World| world.finished().objectives.rto.actual_ms;
    let script = || Script { outage_ago: Some(1000), ..Script::default() };
    assert_eq!(rto(World::whole(&drill(steps()), script())), Some(20));
    // In an incident the outage is what it is.
    assert_eq!(rto(World::whole(&plan(steps()), script())), Some(1021));
}
