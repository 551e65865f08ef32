//! The machine: (state, input, now) → commands. It is the only place where a decision is made.
//!
//! Duty: what happens next, for every input in every state. It must not do anything itself, read a clock, or know how
//! a process is started: the driver performs its commands and feeds back what came of them.
//!
//! - `state`: the fold of the log; everything that must survive a crash
//! - `work`: what a step or its undo is made of
//! - `flow`: which node is next, when its predecessors have ended
//! - `task`: one action's life: gates, attempts, retries, its end
//! - `checks`: verification, negative controls, pre-flight checks
//! - `people`, `card`: acts and questions, and what is shown before one is answered
//! - `clusters`: who they are, and what an action in one found before it changes anything
//! - `needs`, `ahead`: what the plan will need of them, before anything runs
//! - `guards`: abort criteria, watched meanwhile
//! - `abort`: abort, undo, clean-up
//! - `finish`: verdict, hold, orderly stop
//! - `recover`: a log becomes a machine again
//! - `render`, `outputs`: texts and values

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use indexmap::IndexMap;

pub mod command;
pub mod input;
pub mod needs;
pub mod state;

mod abort;
mod ahead;
mod card;
mod checks;
mod clusters;
mod finish;
mod flow;
mod guards;
mod outputs;
mod people;
mod recover;
mod render;
mod task;
mod work;

#[cfg(test)]
mod tests;

pub use abort::{AbortPreview, preview};
pub use command::{Command, Question, QuestionKind, Timer};
pub use input::{Act, Engine, Input, Proof, Signal};
pub use state::{Now, RunStatus, State, Status, fold};

use crate::{
    action::Outcome,
    evidence::{
        Event,
        event::{Finding, RunCreated, Task},
    },
    mask::Mask,
    model::Mode,
    plan::Plan,
};

/// A node of the plan, and which of its two actions.
pub(crate) type Key = (usize, Task);

/// Where the engine is with an action right now. After a crash this is made anew from the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Waits for people at a gate.
    Gate,
    /// `--step`: waits for the commander to say go.
    Asking,
    /// Waits for a free slot or lock.
    Startable,
    /// Negative controls run.
    Control,
    /// The action runs.
    Action,
    /// The action was told to stop.
    Stopping,
    /// Waits for the next attempt.
    Delay,
    /// A person does it.
    Manual,
    /// The checks run.
    Verify,
    /// The checks run, to find out what happened.
    Resolve,
    /// A process of an earlier engine still runs.
    Follow,
    /// It failed; a person decides.
    Decide,
    /// Its outcome is unknown; a person decides.
    Unknown,
}

impl Stage {
    /// Whether only a person can bring it on.
    const fn waits_for_person(self) -> bool {
        matches!(self, Self::Gate | Self::Asking | Self::Manual | Self::Decide | Self::Unknown)
    }
}

/// Why this process will leave a run that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    code: u8,
    reason: String,
    /// Otherwise it leaves as soon as no action runs: checks only look, and begin anew when the run is resumed.
    waits_for_checks: bool,
}

/// How long running steps may go on after SIGTERM, in milliseconds.
pub const TERMINATE_GRACE_MS: u64 = 30_000;

/// The machine of one run, in one process.
#[derive(Debug)]
pub struct Machine {
    plan: Arc<Plan>,
    state: State,
    secrets: IndexMap<String, String>,
    mask: Mask,
    engine: Engine,
    now: Now,
    out: Vec<Command>,

    /// Predecessors that have not ended, by node.
    waiting: Vec<u32>,
    /// Whether a node has ended, and well.
    settled: Vec<Option<bool>>,
    /// Nodes that have ended and whose dependents were not looked at yet.
    ended: VecDeque<usize>,
    /// Steps outside of `cleanup` that have not ended.
    open_steps: usize,
    /// Steps of `cleanup` that have not ended.
    open_cleanup: usize,
    /// Ready to start, in starting order.
    startable: BTreeSet<(usize, Key)>,
    /// Everything that has begun and not ended.
    live: BTreeMap<Key, Stage>,
    /// How many of `live` do not wait for a person.
    busy: usize,
    /// Actions that run.
    slots: HashSet<Key>,
    /// Locks and the like that are held, by whom.
    holds: HashMap<Key, Vec<String>>,
    /// By how many: never by more than one that acts, but whoever checks again what an earlier engine began has its
    /// locks too.
    locks: HashMap<String, u32>,
    groups: HashMap<usize, u32>,
    /// Startable but for a lock or a place in a group, by what they wait for. Each is woken when that is given back, so
    /// that a wide layer behind one lock does not cost its width for each of its steps.
    parked: HashMap<flow::Short, BTreeSet<(usize, Key)>>,
    parked_at: HashMap<Key, flow::Short>,

    series: BTreeMap<u64, checks::Series>,
    series_of: HashMap<Key, u64>,
    runs: HashMap<u64, u64>,
    /// Checks whose first try is due.
    due: VecDeque<u64>,
    next_number: u64,
    preflight: checks::Preflight,
    questions: BTreeMap<String, Question>,
    guards: Vec<guards::Watch>,
    /// Requests to clusters so far, by name.
    asked: BTreeMap<String, u64>,

    /// Dependents whose undo has not ended, by node; empty before the undo begins.
    undo_waiting: Vec<u32>,
    undo_open: usize,
    /// Whether a node is to be undone, by node.
    undo_wanted: Vec<bool>,
    /// Nodes whose undo has ended and whose predecessors were not looked at yet.
    undo_ended: VecDeque<usize>,

    /// The steps of a drill that cause its outage.
    injectors: Vec<usize>,
    /// Steps that say `restores` and have not succeeded or been left out by their condition.
    open_restores: usize,
    /// The oldest recovery point among the steps that succeeded.
    oldest: Option<(jiff::Timestamp, usize)>,
    /// Somebody has accepted the loss of data before traffic is shifted.
    rpo_accepted: bool,

    /// Whether this process has taken the run.
    taken: bool,
    /// What came before that.
    early: Vec<Input>,

    interrupts: u32,
    stop: Option<Stop>,
    exited: bool,
}

impl Machine {
    /// A machine for a new run, and its first command: to record what is about to be run.
    #[must_use]
    pub fn new(
        plan: Arc<Plan>,
        created: RunCreated,
        secrets: IndexMap<String, String>,
        now: Now,
    ) -> (Self, Vec<Command>) {
        let state = State::new(&plan, created.clone(), now);
        let machine = Self::with_state(plan, state, secrets);
        (machine, vec![Command::Append(Event::RunCreated(Box::new(created)), now)])
    }

    pub(crate) fn with_state(plan: Arc<Plan>, state: State, secrets: IndexMap<String, String>) -> Self {
        let nodes = plan.nodes.len();
        let now = state.last;
        let injects = |node: &usize| plan.nodes[*node].step().is_some_and(|step| step.spec.injects_outage);
        let injectors = (0..nodes).filter(|node| plan.mode == Mode::Drill && injects(node)).collect();
        Self {
            mask: Mask::new(secrets.values().cloned()),
            secrets,
            engine: Engine {
                pid: 0,
                host: String::new(),
                user: String::new(),
                version: String::new(),
                attended: false,
                parallel: 1,
                step_by_step: false,
                torn_bytes: 0,
            },
            now,
            out: Vec::new(),
            waiting: vec![0; nodes],
            settled: vec![None; nodes],
            ended: VecDeque::new(),
            open_steps: 0,
            open_cleanup: 0,
            startable: BTreeSet::new(),
            live: BTreeMap::new(),
            busy: 0,
            slots: HashSet::new(),
            holds: HashMap::new(),
            locks: HashMap::new(),
            groups: HashMap::new(),
            parked: HashMap::new(),
            parked_at: HashMap::new(),
            series: BTreeMap::new(),
            series_of: HashMap::new(),
            due: VecDeque::new(),
            runs: HashMap::new(),
            next_number: 0,
            preflight: checks::Preflight::default(),
            questions: BTreeMap::new(),
            guards: guards::of(&plan),
            asked: BTreeMap::new(),
            undo_waiting: Vec::new(),
            undo_open: 0,
            undo_wanted: Vec::new(),
            undo_ended: VecDeque::new(),
            injectors,
            open_restores: 0,
            oldest: None,
            rpo_accepted: false,
            taken: false,
            early: Vec::new(),
            interrupts: 0,
            stop: None,
            exited: false,
            state,
            plan,
        }
    }

    /// The state as the log tells it.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The questions that are open, by step.
    #[must_use]
    pub fn questions(&self) -> &BTreeMap<String, Question> {
        &self.questions
    }

    /// Whether the machine has asked to exit.
    #[must_use]
    pub fn exited(&self) -> bool {
        self.exited
    }

    /// Takes one input and tells what to do. `now` must not be before the last one.
    ///
    /// Acts and signals that come before `Input::Started` are kept and taken right after it, before the run can hold
    /// for want of them: an approval that was given while no engine was there is handed in that way.
    #[must_use]
    pub fn handle(&mut self, input: Input, now: Now) -> Vec<Command> {
        if self.exited {
            return Vec::new();
        }
        self.now = Now { elapsed_ms: now.elapsed_ms.max(self.now.elapsed_ms), ..now };
        if self.taken || matches!(input, Input::Started(_) | Input::EvidenceLost { .. }) {
            self.take_in(input);
            self.advance();
        } else {
            // Before the run is loaded everything looks as if it were over.
            self.early.push(input);
        }
        std::mem::take(&mut self.out)
    }

    fn take_in(&mut self, input: Input) {
        match input {
            Input::Started(engine) if !self.taken => self.on_started(engine),
            Input::Started(_) => {}
            Input::Preflight(findings) => self.on_preflight(findings),
            Input::ActionPrepared { node, task, attempt, facts, artifacts } => {
                self.on_prepared((node, task), attempt, facts, artifacts);
            }
            Input::ClusterMet(met) => self.on_cluster(met),
            Input::ClusterAsked { cluster, requests } => {
                self.asked.insert(cluster, requests);
            }
            Input::ApiTrouble(trouble) => self.on_api_trouble(trouble),
            Input::ProcessStarted { node, task, attempt, pid, identity } => {
                self.on_process(node, task, attempt, pid, identity);
            }
            Input::ActionFinished { node, task, attempt, outcome, duration_ms, result, error, artifacts, requests } => {
                self.on_action_finished(
                    (node, task),
                    attempt,
                    task::Ending { outcome, duration_ms, result, error, requests, artifacts },
                );
            }
            Input::CheckFinished { run, observed } => self.on_check_finished(run, observed),
            Input::ProcessGone { node, task } => self.on_process_gone((node, task)),
            Input::Timer(timer) => self.on_timer(&timer),
            Input::Act(act) => self.on_act(&act),
            Input::Signal(signal) => self.on_signal(signal),
            Input::EvidenceLost { reason } => self.on_evidence_lost(&reason),
        }
    }

    /// Records an event: into the state and to the log.
    pub(crate) fn emit(&mut self, event: Event) {
        let event = self.masked(event);
        if self.state.apply(&event, self.now).is_ok() {
            self.out.push(Command::Append(event, self.now));
        }
    }

    /// An event without secrets. The machine renders with secrets in the clear, so every event passes here.
    fn masked(&self, event: Event) -> Event {
        if self.mask.is_empty() {
            return event;
        }
        let Ok(serde_json::Value::Object(plain)) = serde_json::to_value(&event) else { return event };
        let mut masked = plain.clone();
        for (name, value) in &mut masked {
            match (name.as_str(), value) {
                // Names of steps stand in the plan for everybody to read. Without them a record belongs to no step, and
                // would be lost.
                ("event" | "step" | "steps" | "because" | "undo", _) => {}
                ("findings", serde_json::Value::Array(items)) => {
                    // Not their severity: a record with a word that is none is not read any more.
                    for text in ["requirement", "found", "help"] {
                        items.iter_mut().filter_map(|item| item.get_mut(text)).for_each(|text| self.mask.value(text));
                    }
                }
                ("stays" | "left", serde_json::Value::Array(items)) => {
                    items.iter_mut().filter_map(|item| item.get_mut("why")).for_each(|why| self.mask.value(why));
                }
                (_, value) => self.mask.value(value),
            }
        }
        if let Ok(event) = serde_json::from_value(serde_json::Value::Object(masked.clone())) {
            return event;
        }
        // A secret that looks like a fixed word of ours (`succeeded`, say) must not cost the whole record its mask: the
        // fields that are none any more once they are masked are told as they are, and they hold nothing but such words.
        for name in plain.keys() {
            let mut alone = plain.clone();
            alone.insert(name.clone(), masked[name].clone());
            if serde_json::from_value::<Event>(serde_json::Value::Object(alone)).is_err() {
                masked.insert(name.clone(), plain[name].clone());
            }
        }
        serde_json::from_value(serde_json::Value::Object(masked)).unwrap_or(event)
    }

    pub(crate) fn push(&mut self, command: Command) {
        self.out.push(command);
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Brings an action to a stage, or takes it off the list.
    pub(crate) fn stage(&mut self, key: Key, stage: Option<Stage>) {
        let before = match stage {
            Some(stage) => self.live.insert(key, stage),
            None => self.live.remove(&key),
        };
        if before == Some(Stage::Startable) && stage != Some(Stage::Startable) {
            self.unpark(key);
            self.startable.remove(&self.place(key));
        }
        if stage == Some(Stage::Startable) && before != Some(Stage::Startable) {
            self.startable.insert(self.place(key));
        }
        self.busy += usize::from(stage.is_some_and(|stage| !stage.waits_for_person()));
        self.busy -= usize::from(before.is_some_and(|before| !before.waits_for_person()));
    }

    pub(crate) fn id(&self, node: usize) -> String {
        self.plan.nodes[node].id.clone()
    }

    fn on_started(&mut self, engine: Engine) {
        self.taken = true;
        if let RunStatus::Finished(verdict) = self.state.run {
            // The engine that ended the run died before it could say so; nothing comes after the last record.
            return self.exit(verdict.exit_code(), "the run is over already".to_owned());
        }
        self.engine = engine.clone();
        self.engine.parallel = engine.parallel.max(1);
        self.emit(Event::EngineStarted {
            pid: engine.pid,
            host: engine.host,
            user: engine.user,
            engine: engine.version,
            attended: engine.attended,
            parallel: engine.parallel,
            torn_bytes: engine.torn_bytes,
        });
        if self.state.run == RunStatus::Created {
            self.begin_preflight();
        } else {
            self.meet_clusters();
            self.load();
        }
        if self.state.paused {
            self.ask_paused();
        }
        for input in std::mem::take(&mut self.early) {
            self.drain();
            self.take_in(input);
        }
    }

    fn on_preflight(&mut self, findings: Vec<Finding>) {
        self.preflight.findings.extend(findings);
        self.preflight.tools_done = true;
    }

    fn on_process(&mut self, node: usize, task: Task, attempt: u32, pid: u32, identity: String) {
        let known = self.live.get(&(node, task)).is_some_and(|stage| matches!(stage, Stage::Action | Stage::Stopping));
        if known && self.state.steps[node].task(task).attempts == attempt {
            let step = self.id(node);
            self.emit(Event::ProcessStarted { step, task, attempt, pid, identity });
        }
    }

    fn on_timer(&mut self, timer: &Timer) {
        match *timer {
            Timer::Action { node, task, attempt } => self.on_action_time(node, task, attempt),
            Timer::Retry { node, task, attempt } => {
                let key = (node, task);
                let due = self.live.get(&key) == Some(&Stage::Delay);
                if due && self.state.steps[node].task(task).attempts.saturating_add(1) == attempt {
                    self.stage(key, Some(Stage::Startable));
                }
            }
            Timer::Poll { series } => self.try_check(series),
            Timer::Approval { node, task } => self.on_gate_time((node, task)),
            Timer::Guard { guard } => self.look_at_guard(guard),
            Timer::Grace => self.on_grace(),
        }
    }

    fn on_action_time(&mut self, node: usize, task: Task, attempt: u32) {
        let key = (node, task);
        let Some(stage) = self.live.get(&key) else { return };
        if self.state.steps[node].task(task).attempts != attempt {
            return;
        }
        match stage {
            Stage::Action => {
                self.stage(key, Some(Stage::Stopping));
                self.push(Command::StopAction { node, task, attempt, outcome: Outcome::TimedOut, now: false });
            }
            // What was left behind ends as anything whose end nobody saw.
            Stage::Follow => {
                self.push(Command::StopAction { node, task, attempt, outcome: Outcome::TimedOut, now: false });
            }
            Stage::Manual => {
                let ending = task::Ending::failed(Outcome::TimedOut, "nobody said done in time");
                self.close_question(node);
                self.on_action_finished(key, attempt, ending);
            }
            _ => {}
        }
    }
}
