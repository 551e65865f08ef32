//! `attach`: looks on at a run that another process executes, and acts on it. Leaving it changes nothing.

use std::{
    io::IsTerminal as _,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use lifeboat_core::{
    evidence::{Event, event::ActName},
    machine::{Now, State, Status},
};
use lifeboat_runtime::store::RunDir;

use super::{
    Failure, Message, Outcome, act,
    act::Tail,
    recorded::{self, Recorded},
};
use crate::{args, ui};

/// How many records of the past are shown.
const PAST: usize = 15;
/// How often the log is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a run may be without an engine: one that leaves writes its last record at about the same time.
const ALONE: Duration = Duration::from_secs(2);

/// Looks on until the engine leaves the run, or the person has seen enough.
pub(super) fn run(arguments: &args::Attach) -> Outcome {
    let person = &arguments.actor;
    let run = recorded::open(&person.store, &person.run)?;
    let Recorded { run, records, created, plan, mut state } = recorded::load(run)?;
    // From the beginning: what was written between the two looks must be in one of them.
    let read = records.len() as u64;
    let mut tail = Tail::whole(&run.log_path())?;
    let attended = !arguments.no_input && std::io::stdin().is_terminal();
    let mut screen = ui::screen::Screen::new(&plan, created.objectives.rto.as_millis(), created.outage_at, false);
    screen.typing(attended);
    let (mode, title) = (created.mode.name(), &created.runbook.title);
    ui::err(&ui::plain(&format!("ATTACHED to {}, {mode} run of {title}\n", run.id())));
    if records.len() > PAST {
        ui::err(&format!("  ({} earlier records: lifeboat show {})\n", records.len() - PAST, run.id()));
    }
    for (at, record) in records.iter().enumerate() {
        if at + PAST >= records.len() {
            screen.record(record);
        } else {
            screen.forward(record);
        }
    }
    let typed = attended.then(listen);
    if typed.is_some() {
        ui::err("  type an act, its step and a reason where one is needed; `detach` leaves, the run goes on\n");
        waits(&state, &plan);
    }
    let mut alone: Option<Instant> = None;
    loop {
        for record in tail.read()?.iter().filter(|record| record.stamp.seq > read) {
            screen.record(record);
            let now = Now { at: record.stamp.at, elapsed_ms: record.stamp.elapsed_ms };
            // What does not fit the plan is for `verify` to tell.
            drop(state.apply(&record.event, now));
            match &record.event {
                Event::RunFinished(end) => {
                    screen.finish();
                    ui::out(&ui::plain(&format!("{}: {}\n", end.verdict.name(), end.reason)));
                    return Ok(end.exit_code);
                }
                Event::EngineStopped { reason, waits_for, exit_code } => {
                    screen.finish();
                    ui::out(&ui::plain(&format!("the engine left the run: {reason}\n")));
                    for line in waits_for {
                        ui::out(&ui::plain(&format!("  {line}\n")));
                    }
                    return Ok(*exit_code);
                }
                _ => {}
            }
            if typed.is_some() {
                waits(&state, &plan);
            }
        }
        if run.is_held().map_err(Failure::evidence)? {
            alone = None;
        } else if alone.get_or_insert_with(Instant::now).elapsed() > ALONE {
            screen.finish();
            return Err(Failure::usage(
                Message::new(format!("no engine has the run {}", run.id()))
                    .help(format!("take it up again: lifeboat resume {}", run.id())),
            ));
        }
        match typed.as_ref().map(|typed| typed.recv_timeout(LOOK)) {
            None => thread::sleep(LOOK),
            Some(Ok(line)) if line.trim().is_empty() => {}
            Some(Ok(line)) => {
                if matches!(line.trim(), "detach" | "quit" | "q") {
                    ui::err("the run goes on without you\n");
                    return Ok(0);
                }
                if let Err(reason) = perform(&run, &line, &state, &plan, person) {
                    ui::err(&format!("{reason}\n"));
                }
            }
            // The terminal is gone; nobody looks on any more.
            Some(Err(mpsc::RecvTimeoutError::Disconnected)) => return Ok(0),
            Some(Err(mpsc::RecvTimeoutError::Timeout)) => {}
        }
    }
}

fn listen() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        while let Some(line) = ui::prompt::line() {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The steps that wait for people.
fn waiting(state: &State, plan: &lifeboat_core::plan::Plan) -> Vec<(String, &'static str)> {
    let nodes = plan.nodes.iter().zip(&state.steps);
    nodes
        .filter_map(|(node, told)| {
            let words = match told.status {
                Status::AwaitingApproval => "approve, or deny REASON",
                Status::Failed => "retry, recheck, accept REASON or skip REASON",
                Status::Unknown => "retry, accept REASON or skip REASON",
                Status::Running if node.step()?.spec.manual.is_some() => "done, or fail REASON",
                _ => return None,
            };
            let open =
                told.status != Status::Failed || told.then == Some(lifeboat_core::evidence::event::AfterFailure::Pause);
            open.then(|| (node.id.clone(), words))
        })
        .collect()
}

fn waits(state: &State, plan: &lifeboat_core::plan::Plan) {
    for (step, words) in waiting(state, plan) {
        ui::err(&format!("  {step} waits for: {words}\n"));
    }
    if state.paused {
        ui::err("  the run is paused: continue, or abort\n");
    }
}

/// A typed line: the word of an act, its step, its reason. The step can be left out when only one waits.
fn perform(
    run: &RunDir,
    line: &str,
    state: &State,
    plan: &lifeboat_core::plan::Plan,
    person: &args::Actor,
) -> Result<(), String> {
    let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
    let found: Vec<ActName> =
        ui::prompt::ACTS.into_iter().filter(|act| ui::prompt::word(*act).starts_with(&word.to_lowercase())).collect();
    let exact = found.iter().copied().find(|act| ui::prompt::word(*act) == word);
    let Some(act) = exact.or_else(|| found.first().copied().filter(|_| found.len() == 1)) else {
        let words: Vec<&str> = ui::prompt::ACTS.into_iter().map(ui::prompt::word).collect();
        return Err(format!("expected one of {}, found `{word}`", words.join(", ")));
    };
    let (first, after) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
    let on_run = matches!(act, ActName::Pause | ActName::Continue | ActName::Abort);
    let (step, reason) = match state.node(first) {
        Some(_) => (Some(first.to_owned()), after),
        None if on_run => (None, rest),
        None => match waiting(state, plan).as_slice() {
            [(step, _)] => (Some(step.clone()), rest),
            _ => return Err(format!("expected the step behind `{word}`, found `{first}`")),
        },
    };
    let person = args::Person { reason: Some(reason.trim().to_owned()), actor: person.clone() };
    let told = |failure: Failure| failure.report.to_string();
    let payload = act::payload(run, act, step, &person).map_err(told)?;
    act::post(run, &payload, person.actor.sign_key.as_deref()).map_err(told)
}
