//! The loop between the machine and the world: inputs in, commands out, records durable in between.
//!
//! Duty: to perform commands in their order, and to keep the promise of the log: no effect begins before every record
//! in front of it is durable. It must not decide anything.
//!
//! All inputs that are there at once are handed to the machine before its records are written, so that they share one
//! sync (group commit): with eight actions that end at the same time, the disk is asked once and not eight times.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use lifeboat_core::{
    action::Outcome,
    evidence::{Event, Record, event::Task},
    machine::{Command, Engine, Input, Machine, Now, Question, Timer},
    mask::Mask,
};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::{
    check,
    clock::whole_micros,
    cluster::Clusters,
    files::Files,
    http::Clients,
    inbox::{self, Inbox},
    notify::Notifier,
    preflight::{self, Wanted},
    process::{self, Filters},
    store::{Log, RunDir},
};

mod action;
mod teller;

pub(crate) use teller::Teller;

/// What a screen is told. It is a projection: nothing on it feeds back but acts of people.
#[derive(Debug, Clone)]
pub enum View {
    /// A record is durable.
    Record(Box<Record>),
    /// A line that an action printed, secrets masked.
    Line {
        /// Step.
        step: String,
        /// The text.
        text: String,
        /// Whether it came on standard error.
        stderr: bool,
        /// Lines left out before this one, because they came faster than they could be shown.
        missed: u64,
    },
    /// A question for a person.
    Ask(Question),
    /// A question that does not matter any more; an empty step means all of them.
    Close(String),
}

/// How many lines may wait for the screen. What comes beyond is counted and left out; the artifacts have all of it.
const LINES_WAITING: usize = 4096;
/// How long notices may still take when the engine is about to leave.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How many inputs may share one sync.
const BATCH: usize = 512;

/// The screen's end of the views, for the tasks that follow actions.
#[derive(Clone)]
pub(crate) struct Screen {
    views: mpsc::UnboundedSender<View>,
    waiting: Arc<AtomicUsize>,
}

impl Screen {
    fn tell(&self, view: View) {
        // Nobody looking is no reason to stop.
        drop(self.views.send(view));
    }

    /// Shows a line, unless too many wait already; whether it was shown.
    pub(crate) fn line(&self, step: &str, line: &process::Line, missed: u64) -> bool {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= LINES_WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        let stderr = line.stream == process::Stream::Stderr;
        self.tell(View::Line { step: step.to_owned(), text: line.text.clone(), stderr, missed });
        true
    }
}

/// Everything that a run needs from the world.
pub struct Setup {
    /// The machine, new or recovered; `Input::Started` was not given to it yet.
    pub machine: Machine,
    /// Commands that the machine gave when it was made.
    pub first: Vec<Command>,
    /// Who runs it.
    pub engine: Engine,
    /// The open log.
    pub log: Log,
    /// The run's directory.
    pub run: RunDir,
    /// The runbook's directory, absolute.
    pub directory: PathBuf,
    /// The base environment of processes.
    pub environment: std::collections::BTreeMap<String, String>,
    /// Takes secrets out of what processes print.
    pub filter: Filters,
    /// The same for what did not come from a process.
    pub mask: Mask,
    /// From TERM to KILL.
    pub grace: Duration,
    /// Files that must not change while the run goes on.
    pub files: Files,
    /// What must be there before anything is touched.
    pub wanted: Wanted,
    /// `elapsedMs` at the start of this process.
    pub elapsed_ms: u64,
    /// People elsewhere.
    pub notifier: Option<Notifier>,
    /// What they do.
    pub inbox: Inbox,
    /// Where the screen listens.
    pub views: mpsc::UnboundedSender<View>,
    /// Lines that wait for the screen; whoever shows one takes it off.
    pub waiting: Arc<AtomicUsize>,
    /// Where inputs come from; the other ends are the signal handlers and the prompt.
    pub inputs: (mpsc::UnboundedSender<Input>, mpsc::UnboundedReceiver<Input>),
}

/// How this process's part in a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Exit code.
    pub code: u8,
    /// Why, one line for people.
    pub reason: String,
}

struct Going {
    attempt: u32,
    stop: watch::Sender<Option<(Outcome, bool)>>,
    /// It waits for this before it changes anything.
    proceed: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// The loop of one run.
pub struct Driver {
    machine: Machine,
    engine: Option<Engine>,
    log: Option<Log>,
    world: action::World,
    actions: HashMap<(usize, Task), Going>,
    follows: HashMap<(usize, Task), (u32, String)>,
    checks: HashMap<u64, JoinHandle<()>>,
    check_processes: Arc<Semaphore>,
    timers: BinaryHeap<Reverse<(Instant, u64, TimerSlot)>>,
    armed: u64,
    wanted: Wanted,
    began: Instant,
    elapsed_ms: u64,
    inputs: mpsc::UnboundedReceiver<Input>,
    first: Vec<Command>,
    notifier: Option<Notifier>,
    inbox: Option<Inbox>,
    ended: Option<Ended>,
}

/// A timer in the heap: ordered by time and number, never by what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TimerSlot(Timer);

impl PartialOrd for TimerSlot {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TimerSlot {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl Driver {
    /// A driver that has not begun.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let (sender, inputs) = setup.inputs;
        let parallel = setup.engine.parallel as usize;
        let screen = Screen { views: setup.views, waiting: setup.waiting };
        let created = setup.machine.state().created.clone();
        let clusters = Clusters::new(sender.clone(), setup.directory.clone());
        let world = action::World {
            clusters,
            sender,
            screen,
            run: setup.run,
            directory: setup.directory,
            environment: setup.environment,
            filter: setup.filter,
            mask: setup.mask,
            grace: setup.grace,
            files: Arc::new(setup.files),
            clients: Clients::default(),
            run_id: created.run.clone(),
            mode: created.mode.name(),
        };
        Self {
            machine: setup.machine,
            engine: Some(setup.engine),
            log: Some(setup.log),
            world,
            actions: HashMap::new(),
            follows: HashMap::new(),
            checks: HashMap::new(),
            check_processes: Arc::new(Semaphore::new((parallel * 4).max(16))),
            timers: BinaryHeap::new(),
            armed: 0,
            wanted: setup.wanted,
            began: Instant::now(),
            elapsed_ms: setup.elapsed_ms,
            inputs,
            first: setup.first,
            notifier: setup.notifier,
            inbox: Some(setup.inbox),
            ended: None,
        }
    }

    fn now(&self) -> Now {
        let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { at: whole_micros(Timestamp::now()), elapsed_ms: self.elapsed_ms.saturating_add(elapsed) }
    }

    /// Runs until the machine asks to exit. Afterwards nothing that it started runs any more.
    pub async fn run(mut self) -> Ended {
        let mut commands = std::mem::take(&mut self.first);
        commands.extend(self.open_inbox().await);
        if let Some(engine) = self.engine.take() {
            commands.extend(self.machine.handle(Input::Started(engine), self.now()));
        }
        self.carry_out(commands).await;
        while self.ended.is_none() {
            let inputs = self.next_inputs().await;
            let mut commands = Vec::new();
            for input in inputs {
                self.forget(&input);
                let now = self.now();
                commands.extend(self.machine.handle(input, now));
            }
            self.carry_out(commands).await;
        }
        self.stop_everything().await;
        if let Some(mut log) = self.log.take() {
            // The head is a convenience for whoever verifies; the records themselves are durable already.
            let sealed = tokio::task::spawn_blocking(move || log.seal()).await;
            if let (Ok(Err(error)), Some(ended)) = (sealed, &mut self.ended) {
                *ended = Ended { code: 7, reason: format!("evidence could not be sealed: {error}") };
            }
        }
        if let Some(notifier) = self.notifier.take() {
            notifier.finish(LAST_WORDS).await;
        }
        self.ended.unwrap_or(Ended { code: 7, reason: "the engine lost its run".to_owned() })
    }

    /// What people did while no engine had the run comes before anything else, so that the run does not hold for want of
    /// it; from then on the inbox is watched.
    async fn open_inbox(&mut self) -> Vec<Command> {
        let Some(mut inbox) = self.inbox.take() else { return Vec::new() };
        let first = tokio::task::spawn_blocking(move || (inbox.take(), inbox)).await;
        let Ok((acts, inbox)) = first else { return Vec::new() };
        let mut commands = Vec::new();
        for act in acts {
            if let Some(id) = act.id.as_ref().filter(|id| self.machine.state().acts.contains(*id)) {
                // Its engine died after it was recorded and before it was put away.
                inbox::put_away(&self.world.run, id);
                continue;
            }
            commands.extend(self.machine.handle(Input::Act(act), self.now()));
        }
        tokio::spawn(inbox::watch(inbox, self.world.sender.clone()));
        commands
    }

    /// Waits for something to happen, and takes all that has happened.
    async fn next_inputs(&mut self) -> Vec<Input> {
        let mut inputs = Vec::new();
        let due = self.timers.peek().map(|Reverse((at, _, _))| tokio::time::Instant::from_std(*at));
        tokio::select! {
            input = self.inputs.recv() => inputs.extend(input),
            () = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            } => {}
        }
        while inputs.len() < BATCH {
            match self.inputs.try_recv() {
                Ok(input) => inputs.push(input),
                Err(_) => break,
            }
        }
        let now = Instant::now();
        while self.timers.peek().is_some_and(|Reverse((at, _, _))| *at <= now) {
            if let Some(Reverse((_, _, TimerSlot(timer)))) = self.timers.pop() {
                inputs.push(Input::Timer(timer));
            }
        }
        inputs
    }

    /// Lets go of what an input says has ended.
    fn forget(&mut self, input: &Input) {
        match input {
            Input::ActionFinished { node, task, attempt, .. }
                if self.actions.get(&(*node, *task)).is_some_and(|going| going.attempt == *attempt) =>
            {
                self.actions.remove(&(*node, *task));
            }
            Input::CheckFinished { run, .. } => {
                self.checks.remove(run);
            }
            Input::ProcessGone { node, task } => {
                self.follows.remove(&(*node, *task));
            }
            _ => {}
        }
    }

    /// Records first, then effects.
    async fn carry_out(&mut self, commands: Vec<Command>) {
        let mut records = Vec::new();
        let mut effects = Vec::new();
        for command in commands {
            match command {
                Command::Append(event, now) => records.push((event, now.at, now.elapsed_ms)),
                effect => effects.push(effect),
            }
        }
        if let Err(reason) = self.append(records).await {
            let now = self.now();
            let lost = reason.clone();
            let commands = self.machine.handle(Input::EvidenceLost { reason }, now);
            effects = commands.into_iter().filter(|command| !matches!(command, Command::Append(..))).collect();
            // The machine may have said its last word in the very batch that could not be written.
            if !effects.iter().any(|effect| matches!(effect, Command::Exit { .. })) {
                effects.push(Command::Exit { code: 7, reason: format!("evidence could not be written: {lost}") });
            }
        }
        for effect in effects {
            self.perform(effect);
        }
    }

    async fn append(&mut self, entries: Vec<(Event, Timestamp, u64)>) -> Result<(), String> {
        if entries.is_empty() {
            return Ok(());
        }
        // That a process is there is told for the benefit of a later engine and announces no effect: it may wait for
        // the next sync. A crash of the machine ends that process too.
        let durable = entries.iter().any(|(event, ..)| !matches!(event, Event::ProcessStarted { .. }));
        let Some(mut log) = self.log.take() else { return Err("the log is closed".to_owned()) };
        let (log, written) = if durable {
            let work = move || (log.append(entries), log);
            let (written, log) = tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?;
            (log, written)
        } else {
            // A few bytes to the page cache: a hop to another thread would take longer.
            let written = log.append_lazily(entries);
            (log, written)
        };
        self.log = Some(log);
        for record in written.map_err(|error| error.to_string())? {
            if let Some(notifier) = &self.notifier {
                notifier.tell(&record);
            }
            if let Event::Act { id: Some(id), .. } = &record.event {
                inbox::put_away(&self.world.run, id);
            }
            self.world.screen.tell(View::Record(Box::new(record)));
        }
        Ok(())
    }

    fn perform(&mut self, command: Command) {
        match command {
            // Taken out before.
            Command::Append(..) => {}
            Command::MeetClusters(clusters) => {
                for cluster in clusters {
                    let world = self.world.clone();
                    // Who it is, the machine hears; why it does not answer is told by the step that needs it.
                    tokio::spawn(async move { drop(world.clusters.get(&cluster, None).await) });
                }
            }
            Command::Proceed { node, task, attempt } => {
                let going = self.actions.get_mut(&(node, task)).filter(|going| going.attempt == attempt);
                if let Some(proceed) = going.and_then(|going| going.proceed.take()) {
                    // Whoever does not wait any more has been stopped.
                    let _gone = proceed.send(());
                }
            }
            Command::Preflight { clusters, needs } => {
                let sender = self.world.sender.clone();
                let look = preflight::Look {
                    wanted: self.wanted.clone(),
                    environment: self.world.environment.clone(),
                    directory: self.world.directory.clone(),
                    filter: self.world.filter.clone(),
                    files: Arc::clone(&self.world.files),
                    clusters: self.world.clusters.clone(),
                    refs: clusters,
                    needs: *needs,
                };
                tokio::spawn(async move { drop(sender.send(Input::Preflight(preflight::everything(&look).await))) });
            }
            Command::StartAction { node, task, attempt, order, prepared } => {
                let (stop, stopped) = watch::channel(None);
                let (proceed, durable) = oneshot::channel();
                let step = self.machine.plan().nodes[node].id.clone();
                let world = self.world.clone();
                let job = action::Job { node, task, attempt, step, order, prepared };
                let task_handle = tokio::spawn(action::run(world, job, durable, stopped));
                let going = Going { attempt, stop, proceed: Some(proceed), task: task_handle };
                self.actions.insert((node, task), going);
            }
            Command::StopAction { node, task, attempt, outcome, now } => {
                if let Some((pid, identity)) = self.follows.get(&(node, task)).cloned() {
                    let (sender, grace) = (self.world.sender.clone(), self.world.grace);
                    tokio::spawn(async move {
                        process::stop_left_behind(pid, &identity, if now { Duration::ZERO } else { grace }).await;
                        drop(sender.send(Input::ProcessGone { node, task }));
                    });
                } else if let Some(going) = self.actions.get(&(node, task)).filter(|going| going.attempt == attempt) {
                    going.stop.send_replace(Some((outcome, now)));
                }
            }
            Command::FollowProcess { node, task, pid, identity } => {
                self.follows.insert((node, task), (pid, identity.clone()));
                let sender = self.world.sender.clone();
                tokio::spawn(async move {
                    process::gone(pid, &identity, Duration::from_millis(200)).await;
                    drop(sender.send(Input::ProcessGone { node, task }));
                });
            }
            Command::RunCheck { run, node, order, timeout } => self.run_check(run, node, order, timeout.as_std()),
            Command::CancelCheck { run } => {
                if let Some(check) = self.checks.remove(&run) {
                    check.abort();
                }
            }
            Command::Arm { timer, after_ms } => {
                self.armed += 1;
                let at = Instant::now() + Duration::from_millis(after_ms);
                self.timers.push(Reverse((at, self.armed, TimerSlot(timer))));
            }
            Command::Ask(question) => self.world.screen.tell(View::Ask(question)),
            Command::CloseQuestion { step } => self.world.screen.tell(View::Close(step)),
            Command::Exit { code, reason } => self.ended = Some(Ended { code, reason }),
        }
    }

    fn run_check(&mut self, run: u64, node: Option<usize>, order: lifeboat_core::check::Order, timeout: Duration) {
        let step = node.map_or_else(|| "preflight".to_owned(), |node| self.machine.plan().nodes[node].id.clone());
        let cx = check::Context {
            directory: self.world.directory.clone(),
            environment: self.world.marked(&step, 0),
            timeout,
            grace: self.world.grace,
            filter: self.world.filter.clone(),
            clients: self.world.clients.clone(),
            clusters: self.world.clusters.clone(),
            step: node.map(|_| step.clone()),
        };
        let (sender, mask) = (self.world.sender.clone(), self.world.mask.clone());
        let check = check::begin(run, order, cx, mask, Arc::clone(&self.check_processes), sender);
        self.checks.insert(run, check);
    }

    /// No orphan survives an orderly end.
    async fn stop_everything(&mut self) {
        for (_, check) in self.checks.drain() {
            check.abort();
        }
        let going: Vec<Going> = self.actions.drain().map(|(_, going)| going).collect();
        for action in &going {
            action.stop.send_if_modified(|stop| {
                let idle = stop.is_none();
                if idle {
                    *stop = Some((Outcome::Stopped, false));
                }
                idle
            });
        }
        let limit = self.world.grace + process::KILL_LIMIT + Duration::from_secs(2);
        for action in going {
            // What does not end even by KILL hangs in the kernel; the engine must not hang with it.
            drop(tokio::time::timeout(limit, action.task).await);
        }
    }
}
