//! Acts of people from another terminal: sent through the run's inbox, and waited for until the engine took them.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use lifeboat_core::evidence::{
    Event, Record,
    event::{ActName, Artifact},
};
use lifeboat_runtime::{
    identity,
    inbox::{self, Letter, Payload},
    store::RunDir,
};

use super::{Failure, Message, Outcome, recorded};
use crate::{
    args::{self, Person},
    ui,
};

/// How long an engine may take to look at its inbox, before something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(30);

/// An act on a step.
pub(super) fn on_step(act: ActName, arguments: args::StepAct) -> Outcome {
    let run = recorded::open(&arguments.person.actor.store, &arguments.person.actor.run)?;
    let payload = payload(&run, act, Some(arguments.step.clone()), &arguments.person)?;
    // A slip of the pen is told now, and not when somebody resumes the run tomorrow.
    let recorded = recorded::load(run)?;
    if recorded.state.node(&arguments.step).is_none() {
        let names: Vec<&str> =
            recorded.plan.nodes.iter().filter(|node| node.step().is_some()).map(|node| node.id.as_str()).collect();
        let mut help = names.iter().take(20).copied().collect::<Vec<_>>().join(", ");
        if names.len() > 20 {
            help.push_str(", …");
        }
        let message = Message::new(format!("expected a step of the plan, found `{}`", arguments.step));
        return Err(Failure::usage(message.help(format!("its steps are {help}"))));
    }
    send(&recorded.run, &payload, &arguments.person)
}

/// An act on the run as a whole.
pub(super) fn on_run(act: ActName, person: &Person) -> Outcome {
    let run = recorded::open(&person.actor.store, &person.actor.run)?;
    send(&run, &payload(&run, act, None, person)?, person)
}

/// Passes command on.
pub(super) fn handover(arguments: args::Handover) -> Outcome {
    let run = recorded::open(&arguments.person.actor.store, &arguments.person.actor.run)?;
    let mut payload = payload(&run, ActName::Handover, None, &arguments.person)?;
    payload.to = Some(arguments.to);
    send(&run, &payload, &arguments.person)
}

/// Puts a file among the artifacts, and has that recorded.
pub(super) fn attach_file(arguments: &args::AttachFile) -> Outcome {
    let run = recorded::open(&arguments.person.actor.store, &arguments.person.actor.run)?;
    over(&run)?;
    let artifact = keep(&run, &arguments.file, arguments.name.as_deref())?;
    let mut payload = payload(&run, ActName::AttachFile, arguments.step.clone(), &arguments.person)?;
    payload.artifacts.push(artifact);
    send(&run, &payload, &arguments.person)
}

/// Makes an artifact of a file. It is part of the evidence when a record names it.
pub(super) fn keep(run: &RunDir, path: &Path, name: Option<&str>) -> Result<Artifact, Failure> {
    let shown = path.display();
    let own = || path.file_name().map_or_else(|| "file".to_owned(), |name| name.to_string_lossy().into_owned());
    let name = name.map_or_else(own, str::to_owned);
    let unreadable = |error| {
        Failure::usage(
            Message::new(format!("expected a file at {shown}, found: {error}"))
                .help("give the path of a file that this user can read; nothing was recorded"),
        )
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut spool = run.artifacts().spool().map_err(Failure::evidence)?;
    std::io::copy(&mut file, &mut spool).map_err(unreadable)?;
    spool.finish(&name).map_err(Failure::evidence)?.ok_or_else(|| {
        Failure::usage(
            Message::new(format!("expected something in {shown}, found nothing"))
                .help("look whether it is the file that you mean; nothing was recorded"),
        )
    })
}

/// What is to be sent; what can be known to be refused is told at once.
pub(super) fn payload(run: &RunDir, act: ActName, step: Option<String>, person: &Person) -> Result<Payload, Failure> {
    over(run)?;
    let reason = person.reason.clone().filter(|reason| !reason.trim().is_empty());
    if ui::prompt::needs_reason(act) && reason.is_none() {
        let word = ui::prompt::word(act);
        return Err(Failure::usage(
            Message::new(format!(
                "expected a reason: `{word}` overrides the plan, and whoever reads the evidence asks why"
            ))
            .help(format!(
                "lifeboat {word} {} {} --reason '…'",
                person.actor.run,
                step.unwrap_or_default()
            )),
        ));
    }
    Ok(Payload::new(run, act, step, person.actor.who.clone().unwrap_or_else(identity::user), reason))
}

/// A run that is over takes nothing, nor does one that never began.
fn over(run: &RunDir) -> Result<(), Failure> {
    let records = lifeboat_runtime::store::read_log(&run.log_path()).map_err(Failure::evidence)?;
    match records.last().map(|record| &record.event) {
        Some(Event::RunFinished(end)) => Err(Failure::usage(
            Message::new(format!("the run {} is over: {}; nothing can be done to it", run.id(), end.verdict.name()))
                .help(format!("lifeboat report {}", run.id())),
        )),
        Some(_) => Ok(()),
        None => Err(recorded::without_records(run)),
    }
}

fn send(run: &RunDir, payload: &Payload, person: &Person) -> Outcome {
    let mut tail = Tail::at_the_end(&run.log_path())?;
    post(run, payload, person.actor.sign_key.as_deref())?;
    if !held(run)? {
        return Ok(left_for_the_next(run, payload));
    }
    let began = Instant::now();
    let mut alone = 0;
    loop {
        let records = tail.read()?;
        if let Some(at) = records.iter().position(|record| is(record, payload)) {
            // What followed from it was written together with it, or a moment later.
            thread::sleep(Duration::from_millis(60));
            let rest = tail.read()?;
            return told(run, payload, records[at..].iter().chain(&rest));
        }
        // Looked at twice, so that an engine which leaves and one that comes are not taken for none.
        alone = if held(run)? { 0 } else { alone + 1 };
        if alone > 10 {
            return Ok(left_for_the_next(run, payload));
        }
        if began.elapsed() > PATIENCE {
            return Err(Failure::evidence(
                Message::new(format!("the engine of {} did not take it within {PATIENCE:?}", run.id()))
                    .help("it stays in the inbox and will be taken when the engine works again; look at that process"),
            ));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Writes and signs the letter.
pub(super) fn post(run: &RunDir, payload: &Payload, key: Option<&Path>) -> Result<(), Failure> {
    let text = payload.text().map_err(|error| Failure::usage(Message::new(error.to_string())))?;
    let signature = key.map(|key| inbox::sign(&text, key)).transpose().map_err(|error| {
        Failure::usage(
            Message::new(error).help("give the private key, or the public one whose private half your agent has"),
        )
    })?;
    inbox::post(run, &payload.id, &Letter { payload: text, signature }).map_err(|error| {
        Failure::evidence(Message::new(format!("the inbox of {} cannot be written: {error}", run.id())))
    })
}

fn held(run: &RunDir) -> Result<bool, Failure> {
    run.is_held().map_err(Failure::evidence)
}

fn is(record: &Record, payload: &Payload) -> bool {
    matches!(&record.event, Event::Act { id: Some(id), .. } if *id == payload.id)
}

fn left_for_the_next(run: &RunDir, payload: &Payload) -> u8 {
    let word = ui::prompt::word(payload.act);
    ui::out(&format!(
        "no engine has the run {} now: `{word}` waits in its inbox, and is taken first of all by\n  lifeboat resume {}\n",
        run.id(),
        run.id()
    ));
    5
}

/// What came of an act: the record of it, and what followed.
fn told<'a>(run: &RunDir, payload: &Payload, records: impl Iterator<Item = &'a Record>) -> Outcome {
    let mut lines = Vec::new();
    for record in records {
        match &record.event {
            Event::Act { refusal: Some(refusal), id: Some(id), .. } if *id == payload.id => {
                return Err(Failure::usage(
                    Message::new(format!("refused, and recorded as record {}: {refusal}", record.stamp.seq))
                        .help(format!("lifeboat show {}", run.id())),
                ));
            }
            Event::Act { who, id: Some(id), .. } if *id == payload.id => {
                lines.push(format!("record {}: {}", record.stamp.seq, sentence(payload, who)));
            }
            Event::ApprovalGiven { step, given, .. } if payload.step.as_ref() == Some(step) => {
                lines.push(format!("{given} approval{} so far", if *given == 1 { "" } else { "s" }));
            }
            Event::ActionStarted { step, .. } if payload.step.as_ref() == Some(step) => {
                lines.push(format!("`{step}` starts"));
            }
            Event::StepSkipped { step, .. } if payload.step.as_ref() == Some(step) => {
                lines.push(format!("`{step}` is left out"));
            }
            Event::StepBlocked { step, .. } => lines.push(format!("`{step}` is blocked by that")),
            Event::StepFailed { step, reason, .. } if payload.step.as_ref() == Some(step) => {
                lines.push(format!("`{step}` failed: {}", reason.lines().next().unwrap_or_default()));
            }
            Event::RunPaused { .. } => lines.push("nothing new starts; what runs goes on".to_owned()),
            Event::RunContinued {} => lines.push("the run goes on".to_owned()),
            Event::AbortStarted { undo, stays, .. } => {
                lines.push(format!(
                    "to undo, in this order: {}",
                    if undo.is_empty() { "nothing".to_owned() } else { undo.join(", ") }
                ));
                lines.extend(stays.iter().map(|stays| format!("STAYS {}: {}", stays.step, stays.why)));
            }
            _ => {}
        }
    }
    ui::out(&ui::plain(&format!("{}\n", lines.join("\n  "))));
    Ok(0)
}

fn sentence(payload: &Payload, who: &str) -> String {
    let step = payload.step.as_ref().map_or_else(String::new, |step| format!(" `{step}`"));
    let to = payload.to.as_ref().map_or_else(String::new, |to| format!(" to {to}"));
    let word = ui::prompt::word(payload.act);
    format!("{word}{step}{to} by {who} was taken")
}

/// The end of a log that grows.
pub(super) struct Tail {
    file: File,
    rest: Vec<u8>,
}

impl Tail {
    /// From here on.
    pub(super) fn at_the_end(path: &Path) -> Result<Self, Failure> {
        Self::open(path, SeekFrom::End(0))
    }

    /// All of it.
    pub(super) fn whole(path: &Path) -> Result<Self, Failure> {
        Self::open(path, SeekFrom::Start(0))
    }

    fn open(path: &Path, place: SeekFrom) -> Result<Self, Failure> {
        let opened = File::open(path).and_then(|mut file| file.seek(place).map(|_| file));
        let file = opened.map_err(|error| Failure::evidence(Message::new(format!("{}: {error}", path.display()))))?;
        Ok(Self { file, rest: Vec::new() })
    }

    /// The records that were written since.
    pub(super) fn read(&mut self) -> Result<Vec<Record>, Failure> {
        let broken =
            |error: &dyn std::fmt::Display| Failure::evidence(Message::new(format!("the log cannot be read: {error}")));
        self.file.read_to_end(&mut self.rest).map_err(|error| broken(&error))?;
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).map_err(|error| broken(&error))).collect()
    }
}
