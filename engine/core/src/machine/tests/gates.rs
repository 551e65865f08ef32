//! Gates: quorum, roles, expiry, and what a gate does when nobody is there.

use super::{
    builder::*,
    world::{Fate, Script, World, act, back, says, well},
};
use crate::{
    evidence::{
        Event,
        event::{ActName, Gate, Task},
    },
    machine::{Input, QuestionKind, Signal},
    model::{Mode, OnFailure, Phase, Unattended},
    plan::Plan,
};
use std::sync::Arc;

fn gated(by: Option<&str>, count: u32, unattended: Unattended, expires: Option<u64>) -> Draft {
    step("a").approval(approval(by, count, unattended, expires)).undo()
}

fn waiting(plan: &Arc<Plan>) -> World {
    let mut world = World::begun(plan, Script::attended());
    world.until(|world| world.question("a") == Some(QuestionKind::Approval));
    world
}

#[test]
fn a_quorum_of_distinct_people_of_the_role() {
    let mut world = waiting(&plan([gated(Some("ic"), 2, Unattended::Hold, None)]));
    world.act(ActName::Approve, "a", "mallory", "");
    assert_eq!(world.refusal(), Some("expected one of the role `ic` (alice, bob), found mallory"));
    world.act(ActName::Approve, "a", "alice", "").act(ActName::Approve, "a", "alice", "");
    assert_eq!(world.refusal(), Some("alice has approved already; 2 distinct people are needed"));
    assert_eq!((world.status("a"), world.question("a")), ("awaiting-approval", Some(QuestionKind::Approval)));
    world.act(ActName::Approve, "a", "bob", "").finish();
    assert_eq!(world.code(), 0);
}

#[test]
fn a_role_that_nobody_has_is_nobody() {
    let mut world = waiting(&plan([gated(Some("nobody"), 1, Unattended::Hold, None)]));
    world.act(ActName::Approve, "a", "alice", "");
    assert!(world.refusal().is_some());
    assert_eq!(world.starts.len(), 0);
}

#[test]
fn a_denial_needs_a_reason_and_is_a_failure() {
    let mut world = waiting(&plan([gated(None, 1, Unattended::Hold, None), step("b").needs(&["a"])]));
    world.act(ActName::Deny, "a", "alice", " ");
    assert!(world.refusal().is_some());
    world.act(ActName::Deny, "a", "alice", "too early");
    assert_eq!((world.status("a"), world.question("a")), ("failed", Some(QuestionKind::Failure)));
    // Tried again, it is asked again.
    world.act(ActName::Retry, "a", "alice", "");
    assert_eq!((world.status("a"), world.question("a")), ("awaiting-approval", Some(QuestionKind::Approval)));
    world.act(ActName::Approve, "a", "alice", "").finish();
    assert_eq!((world.code(), world.times("a", Task::Do)), (0, 1));
}

#[test]
fn expiry_denies() {
    let plan = plan([gated(None, 1, Unattended::Hold, Some(1000)).on_failure(OnFailure::Continue)]);
    let mut world = waiting(&plan);
    world.pass(900);
    assert_eq!(world.question("a"), Some(QuestionKind::Approval));
    world.finish();
    assert_eq!((world.code(), world.starts.len(), world.elapsed), (1, 0, 1001));
    assert!(world.has(|event| matches!(event, Event::ApprovalExpired { gate: Gate::Approval, .. })));
}

#[test]
fn nobody_is_there() {
    let run = |unattended, expires, mode| {
        let around = Around { mode, ..Around::default() };
        let plan = plan_with(around, [gated(None, 2, unattended, expires), step("other")]);
        World::whole(&plan, Script::default())
    };
    for (unattended, mode, code) in [
        (Unattended::Hold, Mode::Incident, 5),
        (Unattended::Hold, Mode::Drill, 5),
        (Unattended::DrillOnly, Mode::Incident, 5),
        (Unattended::DrillOnly, Mode::Drill, 0),
        (Unattended::Deny, Mode::Incident, 3),
        (Unattended::Deny, Mode::Drill, 3),
    ] {
        let world = run(unattended, None, mode);
        assert_eq!(world.code(), code, "{unattended:?} {mode:?}");
        let policy = |event: &Event| match event {
            Event::ApprovalGiven { who, .. } | Event::ApprovalDenied { who, .. } => who.starts_with("policy:"),
            _ => false,
        };
        assert_eq!(world.has(policy), code != 5);
        if code == 5 {
            assert_eq!(world.machine.waits_for(), ["`a` waits for approval"]);
            assert_eq!(world.status("other"), "succeeded");
            assert!(world.elapsed < 100);
        }
    }
    let world = run(Unattended::Hold, Some(5000), Mode::Incident);
    assert_eq!((world.code(), world.elapsed), (5, 5001));
    assert!(!world.has(|event| matches!(event, Event::ApprovalExpired { .. })));
}

#[test]
fn the_longest_of_several_gates_is_waited_for() {
    let plan = plan([
        gated(None, 1, Unattended::Hold, Some(5000)),
        step("b").approval(approval(None, 1, Unattended::Hold, Some(60_000))),
        step("c").approval(approval(None, 1, Unattended::Hold, None)),
    ]);
    let mut world = World::begun(&plan, Script::default());
    world.pass(20_000).act(ActName::Approve, "b", "alice", "").finish();
    assert_eq!((world.code(), world.status("b"), world.elapsed), (5, "succeeded", 20_010));
}

#[test]
fn whoever_resumes_a_held_run_finds_the_gate_open() {
    for expires in [None, Some(5000)] {
        let plan = plan([gated(Some("ic"), 2, Unattended::Hold, expires)]);
        let mut world = World::whole(&plan, Script::default());
        assert_eq!(world.code(), 5);
        world.script.attended = true;
        world.resume(Fate::Die, 60_000).pass(100);
        assert_eq!((world.status("a"), world.question("a")), ("awaiting-approval", Some(QuestionKind::Approval)));
        world.act(ActName::Approve, "a", "alice", "").act(ActName::Approve, "a", "bob", "").finish();
        assert_eq!(world.code(), 0);
    }
}

#[test]
fn what_was_approved_while_no_engine_was_there_counts() {
    let plan = plan([gated(Some("ic"), 2, Unattended::Hold, None)]);
    let mut world = World::whole(&plan, Script::default());
    world.resume_with(Fate::Die, 60_000);
    world.act(ActName::Approve, "a", "alice", "").act(ActName::Approve, "a", "bob", "");
    assert_eq!(world.exit, None);
    world.start().finish();
    assert_eq!(world.code(), 0);
    // Half of a quorum survives a crash.
    let mut world = waiting(&plan);
    world.act(ActName::Approve, "a", "alice", "");
    world.resume(Fate::Die, 1000).settle();
    world.act(ActName::Approve, "a", "alice", "");
    assert!(world.refusal().is_some());
    world.act(ActName::Approve, "a", "bob", "").finish();
    assert_eq!(world.code(), 0);
}

#[test]
fn a_lost_terminal_leaves_the_gates_to_their_policies() {
    for (unattended, code) in [(Unattended::Hold, 5), (Unattended::Deny, 3), (Unattended::DrillOnly, 0)] {
        let mut world = waiting(&drill([gated(None, 1, unattended, None)]));
        world.signal(Signal::Hangup).finish();
        assert_eq!(world.code(), code, "{unattended:?}");
    }
}

#[test]
fn an_undo_has_its_gate() {
    let gate = |unattended| {
        plan([
            step("a").undo_with(|undo| undo.approval = Some(at(approval(Some("ic"), 1, unattended, None)))),
            step("b").needs(&["a"]).undo(),
            step("bad").needs(&["b"]).reads().on_failure(OnFailure::Abort),
        ])
    };
    let bad = || Script::attended().action("bad", &[super::world::badly(1)]);
    let mut world = World::begun(&gate(Unattended::Hold), bad());
    world.settle();
    assert_eq!((world.status("b"), world.status("a")), ("undone", "undoing"));
    assert_eq!(world.question("a"), Some(QuestionKind::Approval));
    world.act(ActName::Approve, "a", "mallory", "");
    assert!(world.refusal().is_some());
    world.act(ActName::Approve, "a", "bob", "").finish();
    assert_eq!((world.code(), world.status("a")), (3, "undone"));
    let mut world = World::begun(&gate(Unattended::Hold), bad());
    world.settle().act(ActName::Deny, "a", "bob", "keep it").finish();
    assert_eq!((world.code(), world.status("a")), (4, "undo-failed"));
    let alone = || Script { attended: false, ..bad() };
    assert_eq!(World::whole(&gate(Unattended::Deny), alone()).code(), 4);
    let mut world = World::whole(&gate(Unattended::Hold), alone());
    assert_eq!((world.code(), world.machine.waits_for()), (5, vec!["the undo of `a` waits for approval".to_owned()]));
    world.resume_with(Fate::Die, 1000).input(Input::Act(act(ActName::Approve, "a", "bob", ""))).start().finish();
    assert_eq!((world.code(), world.times("b", Task::Undo)), (3, 1));
}

/// A plan whose data is `age` old at the outage, and two steps that shift traffic.
fn shifting() -> Arc<Plan> {
    plan([
        step("data").with(|spec| {
            spec.recovery_point = Some(at(crate::model::Extraction("result.stdout".to_owned())));
        }),
        step("one").needs(&["data"]).phase(Phase::ShiftTraffic),
        step("two").needs(&["one"]).phase(Phase::ShiftTraffic).restores(),
    ])
}

#[test]
fn data_that_is_too_old_is_asked_about_before_traffic_is_shifted() {
    let script = |age: u64| {
        let begin = World::new(&shifting(), Script::default()).now().at;
        Script { outage_ago: Some(0), ..Script::attended() }.action("data", &[says(1, &back(begin, age).to_string())])
    };
    // Within the objective of 15 minutes nobody is asked.
    assert_eq!(World::whole(&shifting(), script(900_000)).code(), 0);
    let mut world = World::begun(&shifting(), script(900_001));
    world.settle();
    assert_eq!(world.question("one"), Some(QuestionKind::Approval));
    // The role of a step's own gate does not matter here; asked once, it is accepted for the run.
    world.act(ActName::Approve, "one", "anybody", "").finish();
    assert_eq!(world.code(), 6);
    let mut world = World::begun(&shifting(), script(1_000_000));
    world.settle().act(ActName::Deny, "one", "alice", "no").settle();
    assert_eq!(world.status("one"), "failed");
    let mut world = World::whole(&shifting(), Script { attended: false, ..script(1_000_000) });
    assert_eq!((world.code(), world.times("one", Task::Do)), (5, 0));
    world.script.attended = true;
    world.resume(Fate::Die, 1).settle().act(ActName::Approve, "one", "anybody", "").finish();
    assert_eq!(world.code(), 6);
}

#[test]
fn a_recovery_point_of_the_future_is_a_mistake() {
    let script = Script::default().action("data", &[says(1, "2099-01-01T00:00:00Z")]);
    assert_eq!(World::whole(&shifting(), script).status("data"), "failed");
}

#[test]
fn both_gates_in_turn() {
    let plan = plan([
        step("data").with(|spec| {
            spec.recovery_point = Some(at(crate::model::Extraction("result.stdout".to_owned())));
        }),
        gated(Some("ic"), 1, Unattended::Hold, None).needs(&["data"]).phase(Phase::ShiftTraffic),
    ]);
    let script = Script::attended().action("data", &[says(1, "2020-01-01T00:00:00Z")]);
    let mut world = World::begun(&plan, script);
    world.settle().act(ActName::Approve, "a", "mallory", "");
    assert!(world.refusal().is_some());
    world.act(ActName::Approve, "a", "alice", "");
    assert_eq!((world.status("a"), world.times("a", Task::Do)), ("awaiting-approval", 0));
    world.act(ActName::Approve, "a", "alice", "").finish();
    assert_eq!(world.code(), 6);
}

#[test]
fn an_answer_after_the_expiry_is_refused_while_nobody_is_there() {
    let plan = plan([gated(Some("ic"), 1, Unattended::Hold, Some(100)), step("long")]);
    let mut world = World::begun(&plan, Script::default().action("long", &[well(1000)]));
    world.pass(50);
    assert_eq!(world.machine.waits_for().len(), 1);
    world.pass(100).act(ActName::Approve, "a", "alice", "");
    assert!(world.refusal().is_some_and(|why| why.contains("the time to answer was over")), "{:?}", world.refusal());
    world.finish();
    assert_eq!((world.code(), world.times("a", Task::Do)), (5, 0));
}
