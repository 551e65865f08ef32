//! A simulated world: two clocks, processes, checks and people, all by script, so that a run is a pure function of its
//! plan and its script. It performs the machine's commands in their order and watches the promises that every run has
//! to keep whatever happens in it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::{Command, Engine, Input, Machine, Now, Question, Signal, State, fold};
use super::builder;
pub(super) use super::script::*;
use crate::{
    action::{Order, Outcome, kube},
    check,
    evidence::{
        Event, Record, Stamp,
        chain::GENESIS,
        event::{ActName, Task},
        verify,
    },
    plan::Plan,
};

type Effect = (usize, Task, u32);

/// Something that will happen.
#[derive(Debug, Clone)]
enum Happening {
    /// To the engine that is there then, whichever it is.
    Outside(Input),
    /// To the engine that asked for it; gone with it.
    Inside(Input),
    /// The process ends.
    End(Effect),
}

#[derive(Debug, Clone)]
struct Process {
    end: End,
    began: u64,
    stop: Option<Outcome>,
    /// An engine follows it that did not start it.
    followed: bool,
    orphan: bool,
    free: bool,
}

/// Where a crash strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Strike {
    /// Records that are durable.
    pub records: usize,
    /// The effects behind the last of them have begun.
    pub effects: bool,
}

pub(super) struct World {
    pub plan: Arc<Plan>,
    pub script: Script,
    pub machine: Machine,
    pub log: Vec<(Event, Now)>,
    pub elapsed: u64,
    /// Every start of an action, in order, with its time.
    pub starts: Vec<(Effect, u64)>,
    /// Effects that have come true and were not taken back.
    pub true_now: BTreeSet<usize>,
    pub exit: Option<(u8, String)>,
    pub steps: usize,
    /// Compare the state with the log after every input; the price is the size of the plan.
    pub compare: bool,
    pub most_at_once: usize,
    pub strike: Option<Strike>,
    pub struck: bool,
    secrets: IndexMap<String, String>,
    queue: BTreeMap<(u64, u64), Happening>,
    serial: u64,
    processes: BTreeMap<Effect, Process>,
    turns: HashMap<String, usize>,
    checks: BTreeSet<u64>,
    pub asked: BTreeMap<String, Question>,
    /// Objects in the cluster by name, with how often each was written: an object that is there is found and not made.
    pub objects: BTreeMap<String, u32>,
    /// What actions in a cluster are asked for, by effect.
    orders: BTreeMap<Effect, kube::Order>,
    given: Vec<bool>,
    pub folded: State,
}

const BEGIN: i64 = 1_800_000_000;

impl World {
    pub(super) fn new(plan: &Arc<Plan>, script: Script) -> Self {
        Self::with_secrets(plan, script, IndexMap::new())
    }

    pub(super) fn with_secrets(plan: &Arc<Plan>, script: Script, secrets: IndexMap<String, String>) -> Self {
        let now = now(0);
        let outage = script.outage_ago.map(|ago| back(now.at, ago));
        let (machine, commands) = Machine::new(Arc::clone(plan), builder::created(plan, outage), secrets.clone(), now);
        let folded = machine.state().clone();
        let mut world = Self {
            plan: Arc::clone(plan),
            given: vec![false; script.answers.len()],
            script,
            machine,
            log: Vec::new(),
            elapsed: 0,
            starts: Vec::new(),
            true_now: BTreeSet::new(),
            exit: None,
            steps: 0,
            compare: true,
            most_at_once: 0,
            strike: None,
            struck: false,
            secrets,
            queue: BTreeMap::new(),
            serial: 0,
            processes: BTreeMap::new(),
            turns: HashMap::new(),
            checks: BTreeSet::new(),
            asked: BTreeMap::new(),
            objects: BTreeMap::new(),
            orders: BTreeMap::new(),
            folded,
        };
        world.perform(commands);
        world
    }

    pub(super) fn now(&self) -> Now {
        now(self.elapsed)
    }

    /// The engine takes the run.
    pub(super) fn start(&mut self) -> &mut Self {
        let engine = Engine {
            pid: 1,
            host: "host".to_owned(),
            user: "user".to_owned(),
            version: "0".to_owned(),
            attended: self.script.attended,
            parallel: self.script.parallel,
            step_by_step: self.script.step_by_step,
            torn_bytes: 0,
        };
        self.input(Input::Started(engine))
    }

    /// A world in which the engine has begun.
    pub(super) fn begun(plan: &Arc<Plan>, script: Script) -> Self {
        let mut world = Self::new(plan, script);
        world.start();
        world
    }

    /// A run from its begin to its exit.
    pub(super) fn whole(plan: &Arc<Plan>, script: Script) -> Self {
        let mut world = Self::begun(plan, script);
        world.finish();
        world
    }

    /// This will happen, whichever engine is there then.
    pub(super) fn later(&mut self, after: u64, input: Input) -> &mut Self {
        self.plan_for(after, Happening::Outside(input));
        self
    }

    fn plan_for(&mut self, after: u64, happening: Happening) {
        self.serial += 1;
        self.queue.insert((self.elapsed.saturating_add(after), self.serial), happening);
    }

    /// Hands an input to the machine, performs its commands and looks whether all the promises hold.
    pub(super) fn input(&mut self, input: Input) -> &mut Self {
        let now = self.now();
        let was_out = self.machine.exited();
        let commands = self.machine.handle(input, now);
        assert!(!was_out || commands.is_empty(), "a machine that has exited says {commands:?}");
        self.perform(commands);
        if !self.struck {
            self.compare();
        }
        self
    }

    pub(super) fn act(&mut self, name: ActName, step: &str, who: &str, reason: &str) -> &mut Self {
        self.input(Input::Act(act(name, step, who, reason)))
    }

    pub(super) fn signal(&mut self, signal: Signal) -> &mut Self {
        self.input(Input::Signal(signal))
    }

    fn compare(&self) {
        if self.compare {
            assert_eq!(&self.folded, self.machine.state(), "the state is not the fold of the log");
            if !self.machine.exited() {
                assert_eq!(&self.asked, self.machine.questions(), "the person sees other questions than the machine");
            }
        }
    }

    fn perform(&mut self, commands: Vec<Command>) {
        for command in commands {
            assert!(self.exit.is_none(), "a command after the exit: {command:?}");
            if self.perform_one(command) {
                self.struck = true;
                return;
            }
        }
    }

    /// One command; whether the engine died over it.
    fn perform_one(&mut self, command: Command) -> bool {
        match command {
            Command::Append(event, at) => {
                let full = |strike: Strike| strike.records == self.log.len();
                if self.strike.is_some_and(|strike| strike.effects && full(strike)) {
                    return true;
                }
                assert!(
                    !self.log.iter().rev().take(1).any(|(event, _)| matches!(event, Event::RunFinished(_))),
                    "a record after `run-finished`: {event:?}"
                );
                if let Event::RunCreated(_) = event {
                    assert!(self.log.is_empty());
                } else {
                    self.folded.apply(&event, at).expect("every record names steps of the plan");
                }
                self.log.push((event, at));
                return self.strike.is_some_and(|strike| !strike.effects && strike.records == self.log.len());
            }
            Command::Preflight { clusters, .. } => {
                for cluster in clusters {
                    let met = self.script.met(&cluster.name);
                    self.plan_for(1, Happening::Inside(Input::ClusterMet(met)));
                }
                let findings = self.script.findings.clone();
                self.plan_for(1, Happening::Inside(Input::Preflight(findings)));
            }
            Command::StartAction { node, task, attempt, order: Order::Kube(order), prepared } => {
                self.start_in_cluster((node, task, attempt), *order, &prepared);
            }
            Command::StartAction { node, task, attempt, order, .. } => {
                self.start_action((node, task, attempt), &order);
            }
            Command::Proceed { node, task, attempt } => self.proceed((node, task, attempt)),
            Command::MeetClusters(clusters) => {
                for cluster in clusters {
                    let met = self.script.met(&cluster.name);
                    self.plan_for(1, Happening::Inside(Input::ClusterMet(met)));
                }
            }
            Command::StopAction { node, task, attempt, outcome, now } => {
                self.stop_action((node, task, attempt), outcome, now);
            }
            Command::FollowProcess { node, task, pid, .. } => {
                let effect =
                    self.processes.iter().find(|(effect, _)| pid_of(**effect) == pid).map(|(&effect, _)| effect);
                match effect {
                    Some(effect) => {
                        assert_eq!((effect.0, effect.1), (node, task));
                        self.processes.get_mut(&effect).expect("it was just found").followed = true;
                    }
                    None => self.plan_for(1, Happening::Inside(Input::ProcessGone { node, task })),
                }
            }
            Command::RunCheck { run, order, .. } => self.run_check(run, &order),
            Command::CancelCheck { run } => {
                assert!(self.checks.remove(&run), "only a check that runs can be cancelled");
            }
            Command::Arm { timer, after_ms } => self.plan_for(after_ms, Happening::Inside(Input::Timer(timer))),
            Command::Ask(question) => self.ask(question),
            Command::CloseQuestion { step } => {
                self.asked.remove(&step);
            }
            Command::Exit { code, reason } => self.exit = Some((code, reason)),
        }
        false
    }

    fn ask(&mut self, question: Question) {
        assert!(!question.choices.is_empty(), "a question that nothing answers: {question:?}");
        let answers = self.script.answers.clone();
        for (at, (step, kind, after, act)) in answers.into_iter().enumerate() {
            if !self.given[at] && step == question.step && kind == question.kind {
                self.given[at] = true;
                self.later(after, Input::Act(act));
                break;
            }
        }
        self.asked.insert(question.step.clone(), question);
    }

    fn start_action(&mut self, effect: Effect, order: &Order) {
        let (node, task, attempt) = effect;
        let id = self.plan.nodes[node].id.clone();
        // Write-ahead: it is announced, and this is the newest announcement for it.
        let state = self.folded.steps[node].task(task);
        assert_eq!(state.attempts, attempt, "{id}: started without an announcement");
        assert!(!self.compare || !self.starts.iter().any(|&(other, _)| other == effect), "{id}: started twice");
        assert!(
            !self.processes.iter().any(|(other, process)| (other.0, other.1) == (node, task) && !process.orphan),
            "{id}: started while it runs"
        );
        self.starts.push((effect, self.elapsed));
        let attempts = self.script.actions.get(&(id, task));
        let scripted = attempts.and_then(|attempts| attempts.get(attempt as usize - 1).or_else(|| attempts.last()));
        let mut scripted = scripted.cloned().unwrap_or_else(|| well(10));
        let free = matches!(order, Order::Pause { .. });
        if let Order::Pause { duration } = order {
            scripted = well(duration.as_millis());
        }
        if !matches!(scripted.end, End::Never) {
            self.plan_for(scripted.takes, Happening::End(effect));
        }
        let process =
            Process { end: scripted.end, began: self.elapsed, stop: None, followed: false, orphan: false, free };
        self.processes.insert(effect, process);
        let busy = self.processes.values().filter(|process| !process.free && !process.orphan).count();
        self.most_at_once = self.most_at_once.max(busy);
        if self.script.tells_process && matches!(order, Order::Process(_)) {
            let (pid, identity) = (pid_of(effect), "boot".to_owned());
            let told = Input::ProcessStarted { node, task, attempt, pid, identity };
            self.plan_for(0, Happening::Inside(told));
        }
    }

    /// An action in a cluster looks first, and changes nothing before what it found is durable.
    fn start_in_cluster(&mut self, effect: Effect, order: kube::Order, prepared: &[kube::Prepared]) {
        let (node, task, attempt) = effect;
        let state = self.folded.steps[node].task(task);
        assert_eq!(state.attempts, attempt, "started without an announcement");
        self.processes.remove(&effect);
        if !self.starts.iter().any(|&(other, _)| other == effect) {
            self.starts.push((effect, self.elapsed));
        }
        self.orders.insert(effect, order);
        if prepared.iter().any(|known| known.attempt == attempt) {
            return self.proceed(effect);
        }
        let facts = json!({ "attempt": attempt });
        let told = Input::ActionPrepared { node, task, attempt, facts, artifacts: Vec::new() };
        self.plan_for(1, Happening::Inside(told));
    }

    /// It changes something: its object is there from now on, whatever becomes of the engine.
    fn proceed(&mut self, effect: Effect) {
        let (node, task, attempt) = effect;
        let prepared = &self.folded.steps[node].task(task).prepared;
        assert!(prepared.iter().any(|known| known.attempt == attempt), "it changes something, and nobody knows what");
        let order = self.orders.get(&effect).expect("it was started");
        match &order.request {
            kube::Request::Undo { prepared, .. } => {
                assert!(!prepared.is_empty(), "there is nothing to take back");
                self.objects.clear();
            }
            _ => *self.objects.entry(order.object.clone()).or_default() = 1,
        }
        let id = self.plan.nodes[node].id.clone();
        let attempts = self.script.actions.get(&(id, task));
        let scripted = attempts.and_then(|attempts| attempts.get(attempt as usize - 1).or_else(|| attempts.last()));
        let scripted = scripted.cloned().unwrap_or_else(|| well(10));
        if !matches!(scripted.end, End::Never) {
            // Only the engine follows it: when that is gone, nobody hears of its end.
            self.plan_for(scripted.takes, Happening::End(effect));
        }
        let process =
            Process { end: scripted.end, began: self.elapsed, stop: None, followed: false, orphan: false, free: false };
        self.processes.insert(effect, process);
    }

    fn stop_action(&mut self, effect: Effect, outcome: Outcome, now: bool) {
        if let Some(order) = self.orders.get(&effect)
            && !self.processes.contains_key(&effect)
        {
            // It still looks, and has changed nothing.
            assert!(!self.objects.contains_key(&order.object));
            let (node, task, attempt) = effect;
            let (result, error, artifacts) = (Value::Null, Some("stopped".to_owned()), Vec::new());
            let told = Input::ActionFinished {
                node,
                task,
                attempt,
                outcome,
                duration_ms: 1,
                result,
                error,
                artifacts,
                requests: None,
            };
            return self.plan_for(1, Happening::Inside(told));
        }
        let Some(process) = self.processes.get_mut(&effect) else { return };
        process.stop = Some(outcome);
        self.plan_for(if now { 0 } else { 5 }, Happening::End(effect));
    }

    fn run_check(&mut self, run: u64, order: &check::Order) {
        let check::Order::Process(process) = order else { panic!("only programs are checked here, found {order:?}") };
        let name = process.argv[1].clone();
        let turn = self.turns.entry(name.clone()).or_default();
        let at = *turn;
        *turn += 1;
        let passes = match self.script.checks.get(&name) {
            None | Some(Answer::Yes) => Ok(true),
            Some(Answer::No) => Ok(false),
            Some(Answer::Turns(turns)) => Ok(turns.get(at).or_else(|| turns.last()).copied().unwrap_or(true)),
            Some(Answer::Effect(step, task)) => {
                let node = self.folded.node(step).expect("the script names a step of the plan");
                Ok(self.true_now.contains(&node) == (*task == Task::Do))
            }
            Some(Answer::From(time)) => Ok(self.elapsed >= *time),
            Some(Answer::Broken) => Err("connection refused".to_owned()),
            Some(Answer::Silence) => {
                self.checks.insert(run);
                return;
            }
        };
        let observed = passes.map(|passes| json!({"exitCode": i32::from(!passes), "stdout": ""}));
        self.checks.insert(run);
        self.plan_for(1, Happening::Inside(Input::CheckFinished { run, observed }));
    }

    /// The next thing happens; whether there was one.
    pub(super) fn next(&mut self) -> bool {
        let Some(((time, _), happening)) = self.queue.pop_first() else { return false };
        self.elapsed = self.elapsed.max(time);
        self.steps += 1;
        assert!(self.steps < 2_000_000, "it does not end");
        match happening {
            Happening::Outside(input) => {
                self.input(input);
            }
            Happening::Inside(input) => {
                if let Input::CheckFinished { run, .. } = &input
                    && !self.checks.remove(run)
                {
                    return true;
                }
                self.input(input);
            }
            Happening::End(effect) => self.process_ends(effect),
        }
        true
    }

    fn process_ends(&mut self, effect: Effect) {
        let Some(process) = self.processes.remove(&effect) else { return };
        let (node, task, attempt) = effect;
        let succeeded = process.stop.is_none() && matches!(process.end, End::Well(_));
        if succeeded {
            match task {
                Task::Do => self.true_now.insert(node),
                Task::Undo => self.true_now.remove(&node),
            };
        }
        if process.followed {
            self.input(Input::ProcessGone { node, task });
            return;
        }
        if process.orphan {
            return;
        }
        let (outcome, result, error) = match (process.stop, process.end) {
            (Some(outcome), _) => (outcome, Value::Null, Some("stopped".to_owned())),
            (None, End::Well(result)) => (Outcome::Succeeded, result, None),
            (None, _) => (Outcome::Failed, Value::Null, Some("exit code 1".to_owned())),
        };
        let duration_ms = self.elapsed - process.began;
        let artifacts = Vec::new();
        self.input(Input::ActionFinished {
            node,
            task,
            attempt,
            outcome,
            duration_ms,
            result,
            error,
            artifacts,
            requests: None,
        });
    }

    /// On until the engine exits (or dies, where a crash was asked for).
    pub(super) fn finish(&mut self) -> &mut Self {
        while self.exit.is_none() && !self.struck {
            assert!(self.next(), "it hangs: live {:?}, asked {:?}", self.machine.waits_for(), self.asked);
        }
        if self.exit.is_some() && self.compare {
            self.check_log();
        }
        self
    }

    /// On until something is so.
    pub(super) fn until(&mut self, wanted: impl Fn(&Self) -> bool) -> &mut Self {
        while !wanted(self) {
            assert!(self.exit.is_none(), "it left before: {:?}", self.exit);
            assert!(self.next(), "it never comes to that: {:?}, {:#?}", self.machine.waits_for(), self.kinds());
        }
        self
    }

    /// On until nothing more happens by itself.
    pub(super) fn settle(&mut self) -> &mut Self {
        while self.exit.is_none() && self.next() {}
        self
    }

    /// On for so long.
    pub(super) fn pass(&mut self, millis: u64) -> &mut Self {
        let until = self.elapsed + millis;
        while self.exit.is_none() && self.queue.first_key_value().is_some_and(|((time, _), _)| *time <= until) {
            self.next();
        }
        self.elapsed = until;
        self
    }

    /// The engine is gone; its log is there, up to `records`, and its processes have the given fate. A new engine takes
    /// the run after `pause`.
    pub(super) fn resume(&mut self, fate: Fate, pause: u64) -> &mut Self {
        self.resume_with(fate, pause).start()
    }

    /// The same, before the new engine's first input.
    pub(super) fn resume_with(&mut self, fate: Fate, pause: u64) -> &mut Self {
        self.queue.retain(|_, happening| !matches!(happening, Happening::Inside(_)));
        if fate == Fate::Die {
            self.processes.clear();
            self.queue.retain(|_, happening| !matches!(happening, Happening::End(_)));
        }
        for process in self.processes.values_mut() {
            process.orphan = true;
            process.followed = false;
            process.stop = None;
        }
        self.checks.clear();
        self.asked.clear();
        self.exit = None;
        self.struck = false;
        self.strike = None;
        self.elapsed += pause;
        let log = self.log.clone();
        let records = log.iter().map(|(event, now)| (event, *now));
        self.machine = Machine::recover(Arc::clone(&self.plan), records, self.secrets.clone())
            .expect("the log is one of this plan");
        self.folded = self.machine.state().clone();
        self
    }

    /// What every log has to be.
    fn check_log(&self) {
        let whole = fold(&self.plan, self.log.iter().map(|(event, now)| (event, *now))).expect("the log can be read");
        assert_eq!(&whole, self.machine.state());
        let ends = self.log.iter().filter(|(event, _)| matches!(event, Event::RunFinished(_))).count();
        assert!(ends <= 1, "{ends} ends");
        assert!(self.log.is_sorted_by_key(|(_, now)| now.elapsed_ms));
        self.check_as_an_auditor();
    }

    /// What `lifeboat verify` says of the order of events, which is written from their meaning and not from the machine.
    fn check_as_an_auditor(&self) {
        let mut order = verify::Order::new();
        let mut token = 0;
        for (at, (event, now)) in self.log.iter().enumerate() {
            token += u64::from(matches!(event, Event::EngineStarted { .. }));
            let stamp =
                Stamp { seq: at as u64 + 1, at: now.at, elapsed_ms: now.elapsed_ms, token, prev: GENESIS.to_owned() };
            let record = Record { stamp, event: event.clone() };
            if let Err(rule) = order.follow(&record) {
                panic!("record {}: {rule}\n{:#?}", at + 1, self.kinds());
            }
        }
    }
}

fn pid_of((node, task, attempt): Effect) -> u32 {
    let node = u32::try_from(node).expect("test plans are small");
    node * 1000 + u32::from(task == Task::Undo) * 500 + attempt + 1
}

fn now(elapsed_ms: u64) -> Now {
    let begin = Timestamp::from_second(BEGIN).expect("a time in range");
    let after = SignedDuration::from_millis(i64::try_from(elapsed_ms).expect("tests are short"));
    Now { at: begin.checked_add(after).expect("a time in range"), elapsed_ms }
}

pub(super) fn back(at: Timestamp, millis: u64) -> Timestamp {
    at.checked_sub(SignedDuration::from_millis(i64::try_from(millis).expect("tests are short"))).expect("in range")
}
