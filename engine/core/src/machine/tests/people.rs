//! Acts: manual steps, `--step`, pause, detach, and everything that is refused.

use super::{
    builder::*,
    world::{Fate, Script, Strike, World, act, badly, never, well},
};
use crate::{
    evidence::{
        Event,
        event::{ActName, Task},
    },
    machine::{Act, Input, Proof, QuestionKind, Signal},
    model::OnFailure,
};

const ALL: [ActName; 14] = [
    ActName::Approve,
    ActName::Deny,
    ActName::Skip,
    ActName::Accept,
    ActName::Retry,
    ActName::Recheck,
    ActName::Pause,
    ActName::Continue,
    ActName::Abort,
    ActName::Done,
    ActName::Fail,
    ActName::Yes,
    ActName::No,
    ActName::Detach,
];

#[test]
fn a_person_does_it() {
    let plan = plan([manual("a").verify(check("ok")), step("b").needs(&["a"])]);
    let mut world = World::begun(&plan, Script::attended());
    world.until(|world| world.question("a") == Some(QuestionKind::Manual));
    assert_eq!(world.status("a"), "running");
    world.act(ActName::Done, "a", "alice", "").finish();
    assert_eq!(world.code(), 0);
    for (name, status) in [(ActName::Fail, "failed"), (ActName::Skip, "skipped")] {
        let mut world = World::begun(&plan, Script::attended());
        world.pass(10).act(name, "a", "alice", "");
        assert!(world.refusal().is_some_and(|why| why.contains("reason")));
        world.act(name, "a", "alice", "the console is down").pass(10);
        assert_eq!(world.status("a"), status);
    }
}

#[test]
fn nobody_does_it() {
    let plan = plan([manual("a").timeout(1000).on_failure(OnFailure::Continue), step("b")]);
    let mut world = World::begun(&plan, Script::attended());
    world.finish();
    assert_eq!((world.code(), world.status("a"), world.elapsed), (1, "failed", 1001));
    let mut world = World::whole(&plan, Script::default());
    assert_eq!((world.code(), world.status("b")), (5, "succeeded"));
    assert_eq!(world.machine.waits_for(), ["`a` is to be done by a person"]);
    world.script.attended = true;
    // However late: whoever is asked anew has all of the time.
    world.resume(Fate::Die, 100_000).pass(1);
    assert_eq!(world.question("a"), Some(QuestionKind::Manual));
    world.act(ActName::Done, "a", "alice", "").finish();
    assert_eq!(world.code(), 0);
}

#[test]
fn a_manual_undo() {
    let by_hand = |undo: &mut crate::model::UndoAction| {
        undo.exec = None;
        undo.manual = Some(at(crate::action::manual::Manual {
            instructions: crate::model::Template("take it back".to_owned()),
            attach: Vec::new(),
        }));
    };
    let plan = plan([step("a").undo_with(by_hand)]);
    for (name, code) in [(ActName::Done, 3), (ActName::Fail, 4), (ActName::Skip, 4)] {
        let mut world = World::begun(&plan, Script::attended().action("a", &[never()]));
        world.pass(10).act(ActName::Abort, "", "alice", "").pass(10);
        assert_eq!(world.question("a"), Some(QuestionKind::Manual));
        world.act(name, "a", "alice", "because").finish();
        assert_eq!(world.code(), code);
    }
}

#[test]
fn step_by_step() {
    let script = Script { step_by_step: true, ..Script::attended() };
    let plan = plan([step("a"), step("b").needs(&["a"]), step("c").needs(&["b"])]);
    let mut world = World::begun(&plan, script.clone());
    world.settle();
    assert_eq!((world.question("a"), world.starts.len()), (Some(QuestionKind::Step), 0));
    world.act(ActName::Continue, "a", "alice", "").settle();
    assert_eq!((world.question("b"), world.starts.len()), (Some(QuestionKind::Step), 1));
    world.act(ActName::Skip, "b", "alice", "not needed").finish();
    assert_eq!((world.code(), world.status("c")), (1, "blocked"));
    // Nobody can say go any more: the steps go on by themselves.
    let mut world = World::begun(&plan, script);
    world.settle().signal(Signal::Hangup).finish();
    assert_eq!(world.code(), 0);
}

#[test]
fn a_pause_starts_nothing_and_lets_run_what_runs() {
    let plan = plan([step("a").verify(check("ok")), step("b").needs(&["a"])]);
    let mut world = World::begun(&plan, Script::attended());
    world.until(|world| world.status("a") == "running");
    world.act(ActName::Pause, "", "alice", "").act(ActName::Pause, "", "alice", "");
    assert_eq!(world.refusal(), Some("the run is paused already"));
    world.settle();
    assert_eq!((world.status("a"), world.status("b")), ("succeeded", "pending"));
    assert_eq!(world.question(""), Some(QuestionKind::Paused));
    assert_eq!(world.machine.waits_for(), ["the run is paused"]);
    world.act(ActName::Continue, "", "alice", "").act(ActName::Continue, "", "alice", "");
    assert_eq!(world.refusal(), Some("the run is not paused"));
    world.finish();
    assert_eq!(world.code(), 0);
}

#[test]
fn a_pause_survives_a_crash_with_its_question() {
    let plan = plan([step("a"), step("b").needs(&["a"])]);
    let mut world = World::begun(&plan, Script::attended());
    world.until(|world| world.status("a") == "running");
    world.act(ActName::Pause, "", "alice", "").settle();
    world.resume(Fate::Die, 100).settle();
    assert_eq!(world.question(""), Some(QuestionKind::Paused));
    world.act(ActName::Continue, "", "alice", "").finish();
    assert_eq!(world.code(), 0);
    // Without a person it holds, and goes on with a word that was left for it.
    let mut world = World::begun(&plan, Script::default());
    world.pass(2).act(ActName::Pause, "", "alice", "").finish();
    assert_eq!(world.code(), 5);
    world.resume(Fate::Die, 100).finish();
    assert_eq!(world.code(), 5);
    world.resume_with(Fate::Die, 100).act(ActName::Continue, "", "alice", "").start().finish();
    assert_eq!(world.code(), 0);
}

#[test]
fn a_retry_that_is_due_in_a_pause_waits_for_its_end() {
    let plan = plan([step("a").retry(2, 100)]);
    let mut world = World::begun(&plan, Script::attended().action("a", &[badly(1), well(1)]));
    world.until(|world| world.kinds().last().is_some_and(|kind| kind == "retry-scheduled a"));
    world.act(ActName::Pause, "", "alice", "").settle();
    assert_eq!(world.starts.len(), 1);
    world.act(ActName::Continue, "", "alice", "").finish();
    assert_eq!(world.code(), 0);
}

#[test]
fn whoever_detaches_waits_for_what_runs_and_cuts_nothing_off() {
    let plan = plan([step("a").verify(check("ok")).undo(), step("b").needs(&["a"])]);
    let mut world = World::begun(&plan, Script::attended().action("a", &[well(300_000)]));
    world.pass(10).act(ActName::Detach, "", "alice", "").finish();
    assert_eq!((world.code(), world.status("a"), world.status("b")), (5, "verifying", "pending"));
    world.resume(Fate::Die, 1000).finish();
    assert_eq!((world.code(), world.times("a", Task::Do)), (0, 1));
}

#[test]
fn a_question_keeps_nobody_from_leaving() {
    let plan = plan([step("a").verify(ask("it"))]);
    for leave in [Input::Act(act(ActName::Detach, "", "alice", "")), Input::Signal(Signal::Terminate)] {
        let mut world = World::begun(&plan, Script::attended());
        world.pass(20);
        assert_eq!(world.question("a"), Some(QuestionKind::Check));
        world.input(leave);
        assert!(world.exit.is_some());
        world.resume(Fate::Die, 10).pass(20).act(ActName::Yes, "a", "alice", "").finish();
        assert_eq!(world.code(), 0);
    }
}

#[test]
fn a_signal_ends_the_patience_of_whoever_detached() {
    for signal in [Signal::Terminate, Signal::Interrupt] {
        let mut world = World::begun(&plan([step("a")]), Script::attended().action("a", &[well(300_000)]));
        world.pass(10).act(ActName::Detach, "", "alice", "").pass(60_000);
        assert_eq!(world.exit, None);
        world.signal(signal).finish();
        assert!(world.elapsed < 100_000, "{signal:?}");
        assert_eq!(world.code(), if signal == Signal::Terminate { 143 } else { 130 });
    }
}

#[test]
fn nobody_is_no_person_and_a_policy_neither() {
    let gate = approval(None, 1, crate::model::Unattended::Hold, None);
    let mut world = World::begun(&plan([step("a").approval(gate)]), Script::attended());
    world.pass(10);
    for who in ["", " ", "policy:drill-only"] {
        world.act(ActName::Approve, "a", who, "");
        assert!(world.refusal().is_some());
    }
}

#[test]
fn an_abort_is_not_unsaid_by_a_crash() {
    let plan = plan([step("a").undo(), step("b").needs(&["a"])]);
    let mut world = World::begun(&plan, Script::default().action("b", &[well(500)]));
    world.until(|world| world.status("b") == "running");
    world.strike = Some(Strike { records: world.log.len() + 1, effects: false });
    world.act(ActName::Abort, "", "alice", "enough");
    assert!(world.struck && world.kinds().last().is_some_and(|kind| kind == "act"));
    world.resume(Fate::Die, 10).finish();
    assert_eq!((world.status("a"), world.machine.state().abort_reason.as_deref()), ("undone", Some("alice: enough")));
}

#[test]
fn a_delay_can_be_skipped() {
    let plan = plan([step("a").retry(2, 10_000)]);
    let mut world = World::begun(&plan, Script::attended().action("a", &[badly(1)]));
    world.pass(100).act(ActName::Skip, "a", "alice", "hopeless").finish();
    assert_eq!((world.code(), world.status("a")), (0, "skipped"));
    assert!(world.finished().reason.contains("`a` left out by a person"), "{}", world.finished().reason);
}

/// Every act on every kind of target, in a run that waits for nothing: each is refused, with a reason, and recorded.
#[test]
fn what_cannot_be_done_is_refused_and_recorded() {
    let plan = plan([step("a"), step("b").needs(&["a"]), cleanup("z")]);
    let mut world = World::begun(&plan, Script::attended().action("a", &[never()]));
    world.until(|world| world.status("a") == "running");
    for step in ["a", "b", "cleanup/z", "nothing", ""] {
        for name in ALL {
            let possible = match name {
                ActName::Abort => step != "nothing",
                ActName::Pause | ActName::Detach => step.is_empty(),
                _ => false,
            };
            if possible {
                continue;
            }
            let before = (world.log.len(), world.machine.state().clone());
            world.act(name, step, "alice", "because");
            assert_eq!(world.log.len(), before.0 + 1, "{name:?} on `{step}`");
            assert!(world.refusal().is_some_and(|why| !why.is_empty()), "{name:?} on `{step}` is not refused");
            assert_eq!(world.machine.state().steps, before.1.steps);
        }
    }
}

/// An act that is accepted does something: it changes the state, the questions, or what is asked of the world.
#[test]
fn what_is_accepted_does_something() {
    type Place = (&'static str, fn() -> World);
    let places: [Place; 7] = [
        ("gate", || {
            let gate = approval(None, 2, crate::model::Unattended::Hold, None);
            let mut world = World::begun(&plan([step("a").approval(gate)]), Script::attended());
            world.pass(20);
            world
        }),
        ("asking", || {
            let mut world = World::begun(&plan([step("a")]), Script { step_by_step: true, ..Script::attended() });
            world.pass(20);
            world
        }),
        ("manual", || {
            let mut world = World::begun(&plan([manual("a")]), Script::attended());
            world.pass(20);
            world
        }),
        ("decide", || {
            let script = Script::attended().action("a", &[badly(1), well(1)]);
            let mut world = World::begun(&plan([step("a").verify(check("ok"))]), script);
            world.pass(20);
            world
        }),
        ("check", || {
            let mut world = World::begun(&plan([step("a").verify(ask("it"))]), Script::attended());
            world.pass(20);
            world
        }),
        ("unknown", || {
            let mut world = World::begun(&plan([step("a")]), Script::attended().action("a", &[never(), well(1)]));
            world.pass(20).resume(Fate::Die, 100).pass(20);
            world
        }),
        ("delay", || {
            let mut world =
                World::begun(&plan([step("a").retry(2, 9000)]), Script::attended().action("a", &[badly(1)]));
            world.pass(20);
            world
        }),
    ];
    for (place, world) in places {
        let offered = world().machine.questions().get("a").map(|question| question.choices.clone()).unwrap_or_default();
        for name in ALL {
            let mut world = world();
            let target = if matches!(name, ActName::Pause | ActName::Detach) { "" } else { "a" };
            let before = (world.machine.state().clone(), world.machine.questions().clone(), world.kinds());
            world.act(name, target, "alice", "because");
            if world.refusal().is_some() {
                assert!(!offered.contains(&name), "{place}: {name:?} was offered and is refused");
                continue;
            }
            let grown = world.kinds().len() > before.2.len() + 1 || world.exit.is_some();
            let changed = before.0.steps != world.machine.state().steps || before.1 != *world.machine.questions();
            assert!(grown || changed, "{place}: {name:?} is accepted and does nothing");
        }
    }
}

#[test]
fn refused_acts_put_the_question_again() {
    let mut world = World::begun(&plan([manual("a")]), Script::attended());
    world.pass(10).act(ActName::Fail, "a", "alice", "");
    assert_eq!(world.question("a"), Some(QuestionKind::Manual));
    assert!(world.has(|event| matches!(event, Event::Act { accepted: false, refusal: Some(_), .. })));
}

#[test]
fn secrets_leave_no_trace_and_lose_no_record() {
    use indexmap::IndexMap;
    // One of them is part of a step's name, one is a word of ours.
    let secrets = [("one", "hunter2-hunter2"), ("two", "promote-database"), ("three", "succeeded")];
    let around = Around { secrets: secrets.iter().map(|(name, _)| (*name).to_owned()).collect(), ..Around::default() };
    let draft = step("promote-database")
        .env("A", "{{inputs.one}}")
        .env("B", "x {{inputs.two}}")
        .env("C", "{{inputs.three}}")
        .undo();
    let plan = plan_with(around, [draft, step("next").needs(&["promote-database"])]);
    let given: IndexMap<String, String> =
        secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let script = Script::default().action("promote-database", &[super::world::says(1, "hunter2-hunter2 succeeded")]);
    let mut world = World::with_secrets(&plan, script, given);
    world.start().finish();
    assert_eq!(world.code(), 0);
    for (event, _) in &world.log {
        let Event::ActionStarted { order, step, .. } = event else { continue };
        if step == "promote-database" {
            let env = order["env"].to_string();
            assert!(!secrets.iter().any(|(_, secret)| env.contains(secret)), "{env}");
        }
    }
    let all = serde_json::to_string(&world.log.iter().map(|(event, _)| event).collect::<Vec<_>>()).expect("JSON");
    assert!(!all.contains("hunter2-hunter2"));
    assert!(world.kinds().contains(&"step-succeeded promote-database".to_owned()));
}

/// The engine died after the act was recorded and before its letter was put away: the letter comes again.
#[test]
fn an_act_from_elsewhere_is_done_once() {
    let plan = plan([step("a").on_failure(OnFailure::Pause).undo()]);
    let mut world = World::begun(&plan, Script::attended().action("a", &[badly(10)]));
    world.pass(50);
    let letter = Act { id: Some("x-1".to_owned()), ..act(ActName::Retry, "a", "alice", "") };
    world.input(Input::Act(letter.clone())).pass(50);
    assert_eq!(world.times("a", Task::Do), 2);
    world.input(Input::Act(letter.clone())).pass(50);
    world.resume(Fate::Survive, 10).input(Input::Act(letter)).pass(50);
    assert_eq!((world.times("a", Task::Do), world.question("a")), (2, Some(QuestionKind::Failure)));
    let acts = world.log.iter().filter(|(event, _)| matches!(event, Event::Act { .. })).count();
    assert_eq!(acts, 1);
}

#[test]
fn who_is_bound_to_a_key_has_to_use_it() {
    let bound = |bound: bool, proof: Proof| {
        let gate = approval(Some("ic"), 1, crate::model::Unattended::Hold, None);
        let plan = plan([step("a").approval(gate)]);
        let mut world = World::new(&plan, Script::attended());
        if bound {
            let Some((Event::RunCreated(created), _)) = world.log.first_mut() else { panic!("the first record") };
            created.signers = Some("digest".to_owned());
            world.resume(Fate::Die, 0);
        } else {
            world.start();
        }
        world.pass(50);
        world.input(Input::Act(Act { proof, ..act(ActName::Approve, "a", "alice", "") }));
        world.refusal().map(str::to_owned)
    };
    let key = || Proof::Signed { key: "SHA256:x".to_owned() };
    let forged = || Proof::Forged { why: "another key".to_owned() };
    assert_eq!((bound(false, Proof::Terminal), bound(false, Proof::Unsigned), bound(false, key())), (None, None, None));
    assert_eq!(bound(true, key()), None);
    for proof in [Proof::Terminal, Proof::Unsigned, forged()] {
        assert!(bound(true, proof.clone()).is_some_and(|why| why.contains("allowed_signers")), "{proof:?}");
    }
    assert!(bound(false, forged()).is_some_and(|why| why.contains("another key")));
}

#[test]
fn a_pause_is_not_unsaid_by_a_crash() {
    let plan = plan([step("a").idempotent(), step("b").needs(&["a"])]);
    let mut world = World::begun(&plan, Script::default().action("a", &[well(100)]));
    world.pass(10).act(ActName::Pause, "", "alice", "call with the vendor");
    let said = world.log.iter().position(|(event, _)| matches!(event, Event::Act { .. })).expect("an act") + 1;
    // The engine died between this record and the next.
    world.log.truncate(said);
    world.resume(Fate::Survive, 10).finish();
    assert_eq!((world.code(), world.order(Task::Do)), (5, vec!["a"]), "{:#?}", world.kinds());
    world.script.attended = true;
    world.resume(Fate::Survive, 10).act(ActName::Continue, "", "alice", "");
    world.finish();
    assert_eq!(world.code(), 0, "{:#?}", world.kinds());
}

#[test]
fn command_is_passed_on_and_files_are_attached_in_every_state() {
    let plan = plan([step("a").undo()]);
    let mut world = World::begun(&plan, Script::attended().action("a", &[never()]).undo("a", &[well(100)]));
    let handover = |to: Option<&str>| Act { to: to.map(str::to_owned), ..act(ActName::Handover, "", "alice", "") };
    world.pass(10).input(Input::Act(handover(None)));
    assert!(world.refusal().is_some_and(|why| why.contains("to whom")));
    world.input(Input::Act(handover(Some("bob"))));
    assert_eq!(world.refusal(), None);
    assert!(world.has(|event| matches!(event, Event::Act { to: Some(to), accepted: true, .. } if to == "bob")));
    world.act(ActName::Abort, "", "bob", "").pass(20);
    let file = crate::evidence::event::Artifact { name: "x".to_owned(), sha256: "0".repeat(64), bytes: 1 };
    world.input(Input::Act(Act { artifacts: vec![file], ..act(ActName::AttachFile, "a", "bob", "") }));
    assert_eq!(world.refusal(), None);
    world.act(ActName::AttachFile, "a", "bob", "");
    assert!(world.refusal().is_some_and(|why| why.contains("no file")));
    world.finish();
    assert_eq!(world.code(), 3);
}
