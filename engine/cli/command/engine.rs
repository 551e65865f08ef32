//! Driving a run: what `run`, `drill` and `resume` share.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use lifeboat_core::{
    evidence::Record,
    machine::{Command, Engine, Input, Machine, Signal},
    mask::Mask,
    notify::Target,
    report,
};
use lifeboat_runtime::{
    driver::{Driver, Ended, Setup},
    files::Files,
    identity,
    inbox::Inbox,
    notify::{self, Notifier},
    signers::Signers,
    store::{Log, RunDir, read_log},
};
use tokio::sync::mpsc;

use super::{Failure, Message, Outcome};
use crate::{args, ui};

/// From TERM to KILL.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// What a run is driven with.
pub(super) struct Drive {
    pub machine: Machine,
    pub first: Vec<Command>,
    /// The plan as it is frozen.
    pub plan: Option<serde_json::Value>,
    pub log: Log,
    pub run: RunDir,
    pub directory: PathBuf,
    pub files: Files,
    /// Who is told what.
    pub targets: Vec<Target>,
    /// What earlier engines recorded.
    pub past: Vec<Record>,
    pub mask: Mask,
    pub elapsed_ms: u64,
    pub torn_bytes: u64,
    pub rto_ms: u64,
}

/// Whether somebody is there to be asked.
pub(super) fn attended(arguments: &args::Engine) -> bool {
    !arguments.no_input && ui::prompt::somebody()
}

/// Drives a run to its end or to where it has to wait, and tells what came of it.
pub(super) fn drive(mut drive: Drive, arguments: &args::Engine) -> Outcome {
    let attended = attended(arguments);
    let run = drive.run.clone();
    let plan = drive.plan.take();
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::evidence(Message::new(format!("the engine cannot be started: {error}"))))?
        .block_on(drive_async(drive, arguments, attended));
    conclude(&run, plan.as_ref(), &ended)
}

async fn drive_async(drive: Drive, arguments: &args::Engine, attended: bool) -> Ended {
    let (inputs, inputs_end) = mpsc::unbounded_channel();
    let (views, views_end) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    listen_to_signals(&inputs);
    let questions = ui::screen::Questions::default();
    let plan = drive.machine.plan();
    let who = arguments.who.clone().unwrap_or_else(identity::user);
    let screen = ui::screen::Screen::new(plan, drive.rto_ms, drive.machine.state().outage, arguments.verbose);
    let shown = {
        let (waiting, questions) = (Arc::clone(&waiting), questions.clone());
        let handle = tokio::runtime::Handle::current();
        std::thread::spawn(move || ui::screen::follow(screen, views_end, &waiting, &questions, &handle))
    };
    if attended {
        // Nobody waits for this thread: it sits in a read that only the person at the terminal ends.
        let (inputs, run) = (inputs.clone(), drive.run.clone());
        let preview = move || match super::recorded::load(run.clone()) {
            Ok(recorded) => super::abort::text(&recorded),
            Err(failure) => format!("{}\n", failure.report),
        };
        let run = drive.run.clone();
        let keep = move |file: &str, name: Option<&str>| {
            super::act::keep(&run, std::path::Path::new(file), name).map_err(|failure| failure.report.to_string())
        };
        std::thread::spawn(move || ui::screen::listen(&questions, &who, &inputs, &preview, &keep));
    }
    let (wanted, environment) = super::prepare::wanted(plan);
    let filter = super::prepare::filter(&drive.mask);
    let notifier = Notifier::start(notify::Setup {
        targets: drive.targets,
        created: (*drive.machine.state().created).clone(),
        run: drive.run.clone(),
        past: drive.past,
        mask: drive.mask.clone(),
    });
    let signers = drive.machine.state().created.signers.clone();
    let inbox = Inbox::new(&drive.run, signers.map(|digest| Signers::new(drive.run.path(), digest)));
    let ended = Driver::new(Setup {
        machine: drive.machine,
        first: drive.first,
        engine: Engine {
            pid: std::process::id(),
            host: identity::host(),
            user: identity::user(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            attended,
            parallel: arguments.parallel,
            step_by_step: arguments.step,
            torn_bytes: drive.torn_bytes,
        },
        log: drive.log,
        run: drive.run,
        directory: drive.directory,
        environment,
        filter,
        mask: drive.mask,
        grace: GRACE,
        files: drive.files,
        wanted,
        elapsed_ms: drive.elapsed_ms,
        notifier,
        inbox,
        views,
        waiting,
        inputs: (inputs, inputs_end),
    })
    .run()
    .await;
    // The driver has dropped its end, so the screen shows what is left and ends.
    drop(shown.join());
    ended
}

fn listen_to_signals(inputs: &mpsc::UnboundedSender<Input>) {
    use tokio::signal::unix::{SignalKind, signal};
    for (kind, means) in [
        (SignalKind::interrupt(), Signal::Interrupt),
        (SignalKind::terminate(), Signal::Terminate),
        (SignalKind::hangup(), Signal::Hangup),
    ] {
        let inputs = inputs.clone();
        // A sandbox that forbids handlers leaves the default action: the run is then resumable, as after a crash.
        if let Ok(mut signals) = signal(kind) {
            tokio::spawn(async move {
                while signals.recv().await.is_some() && inputs.send(Input::Signal(means)).is_ok() {}
            });
        }
    }
}

/// Tells what came of it.
fn conclude(run: &RunDir, plan: Option<&serde_json::Value>, ended: &Ended) -> Outcome {
    let story = read_log(&run.log_path()).ok().and_then(|records| report::Story::of(&records, plan));
    match story {
        Some(mut story) => {
            story.deliveries = notify::deliveries(run);
            ui::out(&format!("\n{}", report::text::summary(&story)));
        }
        None => ui::out(&format!("\n{}\n", ended.reason)),
    }
    ui::out(&format!("evidence: {}\n", run.path().display()));
    if ended.code == 7 {
        return Err(Failure::evidence(
            Message::new(ended.reason.clone()).help(
                "nothing new was started; look at the store's disk, then `lifeboat verify` and `lifeboat resume`",
            ),
        ));
    }
    Ok(ended.code)
}
