//! Random plans in a random world, with crashes, signals, acts and aborts wherever they come, against the naive oracle.

use std::sync::Arc;

use proptest::{prelude::*, test_runner::TestCaseError};

use super::{
    builder::*,
    oracle::Oracle,
    world::{Answer, Attempt, Fate, Script, Strike, World, act, badly, never, well},
};
use crate::{
    evidence::{
        Event,
        event::{ActName, Task},
    },
    machine::{Input, QuestionKind, Signal},
    model::{Check, Mode, OnFailure, Unattended},
    plan::Plan,
};

/// Bytes that make a step; zeros are the simplest one, so that a failure shrinks to something readable.
type Genes = [u8; 12];

#[derive(Debug, Clone)]
pub(super) struct Case {
    steps: Vec<Genes>,
    cleanup: Vec<u8>,
    drill: bool,
    attended: bool,
    tells_process: bool,
    parallel: u32,
    /// How many records further, whether the effects behind the last one begin, whether processes survive.
    crashes: Vec<(u8, bool, bool)>,
    /// When, what, on which step.
    acts: Vec<(u8, u8, u8)>,
    signals: Vec<(u8, u8)>,
    /// What people choose.
    choices: Vec<u8>,
}

fn cases() -> impl Strategy<Value = Case> {
    let outside = (
        prop::collection::vec((0..30_u8, any::<bool>(), any::<bool>()), 0..4),
        prop::collection::vec(any::<(u8, u8, u8)>(), 0..5),
        prop::collection::vec((any::<u8>(), 0..6_u8), 0..3),
        prop::collection::vec(any::<u8>(), 1..12),
    );
    let plan = (prop::collection::vec(any::<Genes>(), 1..9), prop::collection::vec(any::<u8>(), 0..3));
    (plan, any::<(bool, bool, bool)>(), 1..4_u32, outside).prop_map(|(plan, flags, parallel, outside)| Case {
        steps: plan.0,
        cleanup: plan.1,
        drill: flags.0,
        attended: flags.1,
        tells_process: flags.2,
        parallel,
        crashes: outside.0,
        acts: outside.1,
        signals: outside.2,
        choices: outside.3,
    })
}

fn id(number: usize) -> String {
    format!("s{number}")
}

fn attempts(genes: u8, takes: u64) -> Vec<Attempt> {
    (0..4)
        .map(|at| match (genes >> (2 * at)) & 3 {
            0 | 1 => well(takes),
            2 => badly(takes),
            _ => never(),
        })
        .collect()
}

fn draft(number: usize, genes: &Genes, script: &mut Script) -> Draft {
    let id = id(number);
    let before = |mask: u8| -> Vec<String> {
        (0..number.min(8)).filter(|bit| mask >> bit & 1 == 1).map(super::property::id).collect()
    };
    let mut draft = match genes[0] % 9 {
        5 => nothing(&id).verify(check(&format!("{id} is"))),
        6 => barrier(&id),
        7 => pause(&id, u64::from(genes[11])),
        8 => manual(&id),
        _ => step(&id),
    };
    draft.needs = before(genes[1]);
    draft.after = before(genes[2] & genes[2].rotate_left(3));
    let takes = 1 + u64::from(genes[11] % 60);
    script.actions.insert((id.clone(), Task::Do), attempts(genes[3], takes));
    draft = draft.retry(1 + u32::from(genes[4] % 3), 5 + u64::from(genes[4])).timeout(100);
    let name = format!("{id} ok");
    let within = Check { within: Some(at(ms(60))), every: Some(at(ms(10))), ..check(&name) };
    let effect = Answer::Effect(id.clone(), Task::Do);
    draft = match genes[5] % 10 {
        4 => draft.verify(check(&name)),
        5 => {
            script.checks.insert(name, effect);
            draft.verify(within)
        }
        6 => {
            script.checks.insert(name, Answer::No);
            draft.verify(within)
        }
        7 => {
            script.checks.insert(name, Answer::Turns(vec![false, false, true]));
            draft.verify(within)
        }
        8 => {
            script.checks.insert(name.clone(), effect);
            draft.verify(Check { must_fail_first: true, ..check(&name) })
        }
        9 => draft.verify(ask(&name)),
        _ => draft,
    };
    draft = match genes[6] % 5 {
        1 => draft.on_failure(OnFailure::Pause),
        2 => draft.on_failure(OnFailure::Abort),
        3 => draft.on_failure(OnFailure::Continue),
        _ => draft,
    };
    let flag = |bits: u8| genes[7] & bits == bits;
    if flag(1) {
        draft = draft.idempotent();
    }
    if flag(6) {
        draft = draft.reads();
    }
    if flag(24) {
        draft = draft.irreversible();
    }
    if flag(32) {
        draft = draft.restores();
    }
    if flag(64) {
        draft = draft.lock("x");
    }
    if flag(128) {
        draft = draft.lock("y");
    }
    let gone = format!("{id} gone");
    draft = match genes[8] % 8 {
        0 => draft,
        1 | 2 => draft.undo(),
        3 => {
            script.actions.insert((id.clone(), Task::Undo), vec![badly(3)]);
            draft.undo()
        }
        4 => {
            script.actions.insert((id.clone(), Task::Undo), vec![never(), well(3)]);
            draft.undo_with(|undo| {
                undo.idempotent = true;
                undo.retry = Some(at(retry(2, 5)));
            })
        }
        5 => {
            script.checks.insert(gone.clone(), Answer::Effect(id.clone(), Task::Undo));
            draft.undo_with(|undo| undo.verify.push(at(check(&gone))))
        }
        6 => draft.undo_with(|undo| undo.approval = Some(at(approval(None, 1, Unattended::Deny, None)))),
        _ => draft.undo_with(|undo| undo.approval = Some(at(approval(None, 1, Unattended::Hold, None)))),
    };
    draft = match genes[9] % 8 {
        6 => draft.when("1 < 2"),
        7 => draft.when("1 > 2"),
        _ => draft,
    };
    let expires = (genes[10] & 0x40 != 0).then_some(50);
    let count = 1 + u32::from(genes[10] >> 7);
    draft = match genes[10] % 8 {
        5 => draft.approval(approval(None, count, Unattended::Hold, expires)),
        6 => draft.approval(approval(None, count, Unattended::Deny, expires)),
        7 => draft.approval(approval(None, count, Unattended::DrillOnly, expires)),
        _ => draft,
    };
    if genes[11] & 0xc0 == 0xc0 { draft.group(1, 2) } else { draft }
}

fn world_of(case: &Case) -> (Arc<Plan>, Script) {
    let mut script = Script {
        attended: case.attended,
        parallel: case.parallel,
        tells_process: case.tells_process,
        ..Script::default()
    };
    let mut drafts: Vec<Draft> =
        case.steps.iter().enumerate().map(|(at, genes)| draft(at, genes, &mut script)).collect();
    for (at, genes) in case.cleanup.iter().enumerate() {
        let draft = cleanup(&at.to_string());
        script.actions.insert((draft.id.clone(), Task::Do), attempts(*genes, 5));
        drafts.push(if genes & 0x80 == 0 { draft.idempotent() } else { draft }.timeout(100));
    }
    let mode = if case.drill { Mode::Drill } else { Mode::Incident };
    (plan_with(Around { mode, ..Around::default() }, drafts), script)
}

const ACTS: [ActName; 12] = [
    ActName::Pause,
    ActName::Abort,
    ActName::Continue,
    ActName::Skip,
    ActName::Approve,
    ActName::Deny,
    ActName::Retry,
    ActName::Accept,
    ActName::Recheck,
    ActName::Detach,
    ActName::Done,
    ActName::Fail,
];

/// Drives a case to the end of its run, whatever it takes: engines die and are followed by others, people answer.
fn drive(case: &Case) -> Result<World, TestCaseError> {
    let (plan, script) = world_of(case);
    let mut world = World::new(&plan, script);
    for &(after, name, target) in &case.acts {
        let target = match target as usize % (case.steps.len() + 2) {
            none if none >= case.steps.len() => String::new(),
            number => id(number),
        };
        let act = act(ACTS[name as usize % ACTS.len()], &target, "alice", "because");
        world.later(u64::from(after) * 2, Input::Act(act));
    }
    for &(after, kind) in &case.signals {
        let signal = [Signal::Interrupt, Signal::Terminate, Signal::Hangup][kind as usize % 3];
        world.later(u64::from(after) * 2, Input::Signal(signal));
    }
    let mut crashes = case.crashes.iter();
    let mut choices = case.choices.iter().cycle();
    let mut answers = 0;
    let mut crash = crashes.next();
    for round in 0..80 {
        world.strike =
            crash.map(|&(records, effects, _)| Strike { records: world.log.len() + 1 + records as usize, effects });
        world.start();
        while world.exit.is_none() && !world.struck {
            prop_assert!(world.steps < 20_000, "it does not end: {:#?}", world.kinds());
            if !world.next() {
                answers += 1;
                let choice = *choices.next().unwrap_or(&0);
                let Some(answer) = answer(&world, choice, answers) else {
                    return Err(TestCaseError::fail(format!("it hangs: {:#?}", world.kinds())));
                };
                world.input(Input::Act(answer));
            }
        }
        if matches!(world.log.last(), Some((Event::RunFinished(_), _))) && !world.struck {
            return Ok(world);
        }
        let mut fate = Fate::Die;
        if world.struck {
            fate = if crash.is_some_and(|crash| crash.2) { Fate::Survive } else { Fate::Die };
            crash = crashes.next();
        } else {
            prop_assert!([5, 130, 143].contains(&world.code()), "{:?}", world.exit);
            // From now on somebody is there, so that it ends.
            world.script.attended = true;
        }
        if round > 20 {
            world.script.attended = true;
        }
        world.resume_with(fate, 20);
    }
    Err(TestCaseError::fail(format!("it is never over: {:#?}", world.kinds())))
}

/// What somebody says to a question that is open; in the end what brings the run to its end.
fn answer(world: &World, choice: u8, answers: usize) -> Option<super::super::Act> {
    let question = world.machine.questions().values().nth(choice as usize % world.machine.questions().len().max(1))?;
    let name = if answers > 60 {
        match question.kind {
            QuestionKind::Approval | QuestionKind::Manual if answers.is_multiple_of(2) => question.choices[0],
            QuestionKind::Approval => ActName::Deny,
            QuestionKind::Failure | QuestionKind::Unknown | QuestionKind::Manual => ActName::Skip,
            _ => question.choices[0],
        }
    } else {
        question.choices[choice as usize / 7 % question.choices.len()]
    };
    let who = if answers.is_multiple_of(2) { "alice" } else { "bob" };
    Some(act(name, &question.step, who, "because"))
}

/// 512 cases, unless `PROPTEST_CASES` says otherwise.
fn config() -> ProptestConfig {
    let given = ProptestConfig::default();
    let cases = if given.cases == 256 { 512 } else { given.cases };
    ProptestConfig { cases, max_shrink_iters: 20_000, failure_persistence: None, ..given }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_run_ends_and_keeps_the_rules(case in cases()) {
        let world = drive(&case)?;
        if let Err(why) = Oracle::judge(&world.plan, case.parallel, &world.log) {
            return Err(TestCaseError::fail(format!("{why}\n{:#?}\n{:?}", world.kinds(), world.plan.nodes)));
        }
        // What was promised to be taken back is taken back in the world, and not only in the log.
        for (node, state) in world.machine.state().steps.iter().enumerate() {
            if state.status.name() == "undone" && state.undo.attempts > 0 && state.undo.budget_from == 0 {
                prop_assert!(!world.true_now.contains(&node) || !case.crashes.is_empty(), "{}", world.plan.nodes[node].id);
            }
        }
    }

    #[test]
    fn the_same_case_twice_is_the_same_log(case in cases()) {
        let (one, two) = (drive(&case)?, drive(&case)?);
        prop_assert_eq!(one.log, two.log);
    }

    /// Without people, crashes and failures that end the run, each step's end can be told ahead.
    #[test]
    fn undisturbed_runs_end_as_told_ahead(mut case in cases()) {
        for genes in &mut case.steps {
            genes[6] = 3;
            genes[10] = 0;
            if genes[0] % 9 == 8 { genes[0] = 0 }
            if genes[5] % 10 == 9 { genes[5] = 0 }
        }
        case.attended = false;
        case.crashes.clear();
        case.acts.clear();
        case.signals.clear();
        let world = drive(&case)?;
        prop_assert!(Oracle::judge(&world.plan, case.parallel, &world.log).is_ok());
        let mut ends: Vec<Option<&str>> = Vec::new();
        for (at, genes) in case.steps.iter().enumerate() {
            let node = &world.plan.nodes[at];
            let well = |before: &usize| matches!(ends[*before], Some("succeeded" | "skipped"));
            let end = if !node.needs.iter().all(well) {
                "blocked"
            } else if node.step().is_none() {
                "succeeded"
            } else if genes[9] % 8 == 7 {
                "skipped"
            } else {
                let tries = 1 + usize::from(genes[4] % 3);
                let acts = genes[0] % 9 < 5;
                let done = !acts || (0..tries).any(|attempt| (genes[3] >> (2 * attempt)) & 3 < 2);
                let proven = match genes[5] % 10 {
                    6 => false,
                    // Without an effect of its own such a check has nothing to see.
                    5 | 8 => acts || genes[0] % 9 == 7,
                    _ => true,
                };
                if done && proven { "succeeded" } else { "failed" }
            };
            if node.step().is_some() {
                prop_assert_eq!(world.status(&node.id), end, "{}: {:#?}", node.id, world.kinds());
            }
            ends.push(Some(end));
        }
    }
}
