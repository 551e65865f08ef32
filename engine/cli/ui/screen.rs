//! A run on the screen: a line for everything that happens, a live line for what is happening, questions.
//!
//! Lines go to standard error and stay readable in the scrollback, over SSH and in a log file. Nothing is said by
//! colour alone: every line begins with a word.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    io::IsTerminal as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use lifeboat_core::{
    action::Outcome,
    duration::Duration,
    evidence::{
        Event, Record,
        event::{ActName, AfterFailure, Artifact, Task},
    },
    machine::{Act, Input, Question},
    model::Then,
    plan::{Plan, PlanStep},
    report::sentences,
    words,
};
use lifeboat_runtime::driver::View;
use tokio::sync::mpsc;

use super::prompt::{self, Typed};

/// What the screen knows ahead of time.
pub(crate) struct Screen {
    titles: HashMap<String, String>,
    irreversible: HashSet<String>,
    rto_ms: u64,
    /// When the RTO clock began; with the run when nobody said.
    outage: Option<Timestamp>,
    now: Option<Timestamp>,
    /// When the last record was seen.
    seen: Instant,
    restored: bool,
    estimates: HashMap<String, u64>,
    verbose: bool,
    terminal: bool,
    /// A question is open.
    asking: bool,
    live: ProgressBar,
    /// Whether the live line is on the terminal.
    drawn: Cell<bool>,
    running: BTreeMap<String, u64>,
    last_lines: HashMap<String, VecDeque<String>>,
    elapsed_ms: u64,
    width: usize,
}

/// How many lines of an error are shown after its first one; the evidence has all of them.
const MORE: usize = 12;
/// How often the live line is drawn anew.
const TICK: std::time::Duration = std::time::Duration::from_secs(1);
/// How many of a step's last lines are shown when it fails.
const TAIL: usize = 8;

/// Characters of what a check found: an object of a cluster is long, and the evidence has all of it.
const FOUND: usize = 400;

impl Screen {
    /// A screen for a plan.
    pub(crate) fn new(plan: &Plan, rto_ms: u64, outage: Option<Timestamp>, verbose: bool) -> Self {
        let titles = plan
            .nodes
            .iter()
            .filter_map(|node| Some((node.id.clone(), node.step()?.spec.title.clone().unwrap_or_default())))
            .collect();
        let width = plan.nodes.iter().filter(|node| node.step().is_some()).map(|node| node.id.len()).max().unwrap_or(0);
        let live = ProgressBar::hidden();
        // A template of ours, so it cannot be malformed; the default one would do as well.
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            live.set_style(style);
        }
        let estimated = plan.nodes.iter().filter(|node| node.step().is_some_and(PlanStep::is_estimated));
        let estimates = estimated.map(|node| (node.id.clone(), node.estimate.as_millis())).collect();
        let irreversible = plan
            .nodes
            .iter()
            .filter(|node| node.step().is_some_and(|step| step.spec.irreversible))
            .map(|node| node.id.clone())
            .collect();
        Self {
            titles,
            irreversible,
            rto_ms,
            outage,
            now: None,
            seen: Instant::now(),
            restored: false,
            estimates,
            verbose,
            terminal: std::io::stderr().is_terminal(),
            asking: false,
            live,
            drawn: Cell::new(false),
            running: BTreeMap::new(),
            last_lines: HashMap::new(),
            elapsed_ms: 0,
            width: width.clamp(8, 32),
        }
    }

    fn say(&self, text: &str) {
        let text = super::plain(text);
        self.live.suspend(|| super::err(&format!("{text}\n")));
    }

    /// One line. Of a longer text only its first line: the rest is what the step printed, and that is shown below it.
    fn line(&self, word: &str, step: &str, rest: &str) {
        let clock = clock(self.elapsed_ms);
        let rest = rest.lines().next().unwrap_or_default();
        self.say(format!("{clock}  {word:<8} {step:<width$}  {rest}", width = self.width).trim_end());
    }

    fn title(&self, step: &str) -> &str {
        self.titles.get(step).map_or("", String::as_str)
    }

    /// One record.
    #[expect(clippy::too_many_lines, reason = "one arm an event; splitting it would hide what is not shown")]
    pub(crate) fn record(&mut self, record: &Record) {
        self.look_at_clock(record);
        let undo = |task: Task| if task == Task::Undo { "undo: " } else { "" };
        match &record.event {
            Event::EngineStarted { torn_bytes, .. } if *torn_bytes > 0 => {
                self.line("note", "", &format!("an unfinished last record ({torn_bytes} bytes) was cut off the log"));
            }
            Event::PreflightFinished { passed, findings } => {
                let all = findings.len();
                let met = findings.iter().filter(|finding| finding.passed).count();
                let missing = findings.iter().filter(|finding| finding.blocks()).count();
                if *passed && all > 0 {
                    self.line("ready", "", &format!("pre-flight: {met} of {all} true"));
                } else if !passed {
                    self.line("FAIL", "", &format!("pre-flight: {missing} of {all} missing"));
                }
                for finding in findings.iter().filter(|finding| !finding.passed) {
                    let word = if finding.blocks() { "missing" } else { finding.severity.name() };
                    self.say(&format!("       {word:<9}  {}", finding.title()));
                    self.say(&format!("       found      {}", finding.found));
                    if let Some(help) = &finding.help {
                        self.say(&format!("       do         {help}"));
                    }
                }
            }
            Event::RunPaused { reason } => self.line("pause", "", reason),
            Event::RunContinued {} => self.line("go on", "", ""),
            Event::ClusterMet(met) => {
                let context = met.context.as_ref().map_or_else(String::new, |context| format!(", context {context}"));
                self.line("cluster", "", &format!("{}: {}{context}, UID {}", met.cluster, met.version, met.uid));
            }
            Event::ClusterRefused { cluster, expected, found } => self.line(
                "CLUSTER",
                "",
                &format!(
                    "`{cluster}` is another one than before: expected {expected}, found {found}; nothing is done there"
                ),
            ),
            // An outage is told at its beginning and then ever more seldom; the log has every try.
            Event::ApiRetried { cluster, step, request, reason, wait_ms, failures } if failures.is_power_of_two() => {
                let step = step.as_deref().unwrap_or_default();
                let wait = length(*wait_ms);
                let try_number = if *failures == 1 { String::new() } else { format!(" (try {failures})") };
                self.line("api", step, &format!("{cluster}: {request}: {reason}; again in {wait}{try_number}"));
            }
            Event::GuardFailing { guard, reason, evaluated, .. } => {
                let doubt = if *evaluated { "" } else { "it could not be evaluated: " };
                self.line("guard", "", &format!("`{guard}` is bad: {doubt}{reason}"));
            }
            Event::GuardRecovered { guard, duration_ms } => {
                self.line("guard", "", &format!("`{guard}` is good again, after {}", length(*duration_ms)));
            }
            Event::GuardTripped { guard, then, failures, duration_ms, .. } => {
                let bad =
                    format!("{failures} bad look{} in a row, {}", plural(u64::from(*failures)), length(*duration_ms));
                self.line(
                    "GUARD",
                    "",
                    &format!(
                        "`{guard}`: {bad}; {}",
                        match then {
                            Then::Abort => "the run is aborted",
                            Then::Pause => "the run is paused",
                        }
                    ),
                );
            }
            Event::TerminalLost {} => self.line("note", "", "the terminal is gone; the run goes on unattended"),
            Event::ApprovalRequested { step, by, count, .. } => {
                let who = by.as_ref().map_or_else(|| "the commander".to_owned(), |by| format!("role {by}"));
                self.line("gate", step, &format!("waits for {count} approval{} of {who}", plural(u64::from(*count))));
            }
            Event::ApprovalGiven { step, who, .. } => self.line("approve", step, &format!("by {who}")),
            Event::ApprovalDenied { step, who, reason, .. } => self.line("deny", step, &format!("by {who}: {reason}")),
            Event::ApprovalExpired { step, .. } => self.line("deny", step, "nobody answered in time"),
            Event::StepSkipped { step, reason, .. } => self.line("skip", step, reason),
            Event::StepBlocked { step, because } => {
                self.line("blocked", step, &format!("needs {}", because.join(", ")));
            }
            Event::NegativeControl { step, name, failed_as_it_must: true, .. } => {
                self.line("control", step, &format!("{name}: fails before the action, as it must"));
            }
            Event::ActionStarted { step, task, attempt, .. } => {
                self.running.insert(step.clone(), self.elapsed_ms);
                self.last_lines.remove(step);
                let again = if *attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
                let irreversible = *task == Task::Do && self.irreversible.contains(step);
                let warning = if irreversible { "IRREVERSIBLE: " } else { "" };
                self.line("start", step, &format!("{warning}{}{}{again}", undo(*task), self.title(step)));
            }
            Event::VerificationStarted { step, .. } => {
                self.running.entry(step.clone()).or_insert(self.elapsed_ms);
            }
            Event::ActionFinished(end) if end.outcome != Outcome::Succeeded => {
                self.running.remove(&end.step);
                let error = end.error.as_deref().unwrap_or("it failed");
                self.line("failed", &end.step, &format!("{}{error}", undo(end.task)));
                let printed = self.last_lines.get(&end.step).filter(|_| !self.verbose);
                // What a process printed is part of its error, too: once is enough.
                let new = |line: &&str| {
                    !printed.is_some_and(|lines| lines.iter().any(|printed| printed.trim() == line.trim()))
                };
                for more in error.lines().skip(1).filter(new).take(MORE) {
                    self.say(&format!("         {more}"));
                }
                for line in printed.into_iter().flatten() {
                    self.say(&format!("         | {line}"));
                }
            }
            Event::RetryScheduled { step, attempt, delay_ms, .. } => {
                let delay = Duration::from_millis(*delay_ms);
                self.line("retry", step, &format!("attempt {attempt} in {delay}"));
            }
            Event::CheckPassed { step, name, tries, .. } => {
                let tries = if *tries > 1 { format!(" (after {tries} tries)") } else { String::new() };
                self.line("check", step, &format!("{name}: ok{tries}"));
            }
            Event::CheckFailed { step, name, expected, observed, reason, .. } => {
                self.line("failed", step, &format!("check {name}: {reason}"));
                // Some checks say all of it in their own words.
                let told = observed["why"].as_str().is_some_and(|why| !why.is_empty() && reason.starts_with(why));
                if !told {
                    self.say(&format!("         expected {expected}"));
                }
                if !told && !observed.is_null() {
                    self.say(&format!("         found    {}", words::clip(&observed.to_string(), FOUND)));
                }
            }
            Event::StepSucceeded { step, duration_ms, accepted_by } => {
                self.running.remove(step);
                match accepted_by {
                    Some(who) => self.line("accept", step, &format!("taken as done by {who}")),
                    None => self.line("done", step, &length(*duration_ms)),
                }
            }
            Event::StepFailed { step, reason, then } => {
                self.running.remove(step);
                let then = match then {
                    AfterFailure::Pause => "waits for a decision",
                    AfterFailure::Abort => "the run is aborted",
                    AfterFailure::Continue => "the run goes on without it",
                };
                let reason = reason.lines().next().unwrap_or_default();
                self.line("FAIL", step, &format!("{}; {then}", reason.trim_end_matches(':')));
            }
            Event::StepUnknown { step, task, .. } => {
                self.running.remove(step);
                self.line("unknown", step, &format!("{}it was in flight when its engine stopped", undo(*task)));
            }
            Event::UnknownResolved { step, way, outcome, .. } => {
                self.line("known", step, &sentences::resolved(*way, *outcome));
            }
            Event::OutageMarked { step, .. } => self.line("outage", step, "the RTO clock starts here"),
            Event::CapabilityRestored { step, .. } => self.line("RESTORED", step, "the capability is back"),
            Event::RecoveryPoint { step, at } => self.line("point", step, &format!("data as of {at}")),
            Event::Act { act, who, accepted, refusal, reason, .. } => {
                let word = prompt::word(*act);
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                if *accepted {
                    self.line("act", "", &format!("{who}: {word}{reason}"));
                } else {
                    let refusal = refusal.as_deref().unwrap_or_default();
                    self.line("refused", "", &format!("{who}: {word}: {refusal}"));
                }
            }
            Event::AbortStarted { reason, undo, stays } => {
                self.line("ABORT", "", reason);
                self.say(&format!(
                    "         undo: {}",
                    if undo.is_empty() { "nothing".to_owned() } else { undo.join(", ") }
                ));
                for stays in stays {
                    self.say(&format!("         stays: {}: {}", stays.step, stays.why));
                }
            }
            Event::UndoStarted { step } => self.line("undo", step, self.title(step)),
            Event::UndoFinished { step, duration_ms } => {
                self.running.remove(step);
                self.line("undone", step, &length(*duration_ms));
            }
            Event::UndoFailed { step, reason } => {
                self.running.remove(step);
                self.line("FAIL", step, &format!("not undone: {reason}"));
            }
            Event::CleanupStarted { .. } => self.line("clean", "", "cleaning up"),
            _ => {}
        }
        self.refresh();
    }

    /// A record of the past that is not shown: only what runs is noted.
    pub(crate) fn forward(&mut self, record: &Record) {
        self.look_at_clock(record);
        match &record.event {
            Event::ActionStarted { step, .. } => drop(self.running.insert(step.clone(), self.elapsed_ms)),
            Event::ActionFinished(end) => drop(self.running.remove(&end.step)),
            Event::StepSucceeded { step, .. } | Event::StepFailed { step, .. } => drop(self.running.remove(step)),
            _ => {}
        }
    }

    fn look_at_clock(&mut self, record: &Record) {
        self.elapsed_ms = record.stamp.elapsed_ms;
        self.now = Some(record.stamp.at);
        self.seen = Instant::now();
        match &record.event {
            Event::OutageMarked { at, .. } => self.outage = Some(*at),
            // The clock has stopped.
            Event::CapabilityRestored { .. } => self.restored = true,
            _ => self.outage = self.outage.or(Some(record.stamp.at)),
        }
    }

    /// How much of the RTO is left, in words; nothing when the capability is back.
    fn budget(&self) -> String {
        let (Some(outage), Some(now), false) = (self.outage, self.now, self.restored) else { return String::new() };
        let spent = u64::try_from(now.as_millisecond().saturating_sub(outage.as_millisecond())).unwrap_or(0);
        let spent = spent + self.passed();
        match self.rto_ms.checked_sub(spent) {
            Some(left) => format!("RTO: {} left", glance(left)),
            None => format!("RTO MISSED by {}", glance(spent - self.rto_ms)),
        }
    }

    fn refresh(&self) {
        // Nothing is drawn where a person may be typing.
        let draw = self.terminal && !self.asking && !self.running.is_empty();
        if draw != self.drawn.replace(draw) {
            if draw {
                self.live.reset();
                self.live.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
            } else {
                self.live.finish_and_clear();
                self.live.set_draw_target(ProgressDrawTarget::hidden());
            }
        }
        if !draw {
            return;
        }
        let passed = self.passed();
        let now: Vec<String> = self
            .running
            .iter()
            .map(|(step, began)| {
                let took = glance((self.elapsed_ms + passed).saturating_sub(*began));
                match self.estimates.get(step) {
                    Some(estimate) => format!("{step} {took} of {}", glance(*estimate)),
                    None => format!("{step} {took}"),
                }
            })
            .collect();
        let budget = self.budget();
        let before = if budget.is_empty() { String::new() } else { format!("{budget} · ") };
        // The budget comes first: where the line is too long, steps are cut off.
        self.live.set_message(format!("{before}running: {}", now.join(", ")));
        self.live.tick();
    }

    /// Milliseconds since the last record, by this process's own clock.
    fn passed(&self) -> u64 {
        u64::try_from(self.seen.elapsed().as_millis()).unwrap_or(0)
    }

    /// A line that a step printed.
    pub(crate) fn printed(&mut self, step: &str, text: &str, missed: u64) {
        let tail = self.last_lines.entry(step.to_owned()).or_default();
        tail.push_back(text.to_owned());
        if tail.len() > TAIL {
            tail.pop_front();
        }
        if self.verbose {
            if missed > 0 {
                self.say(&format!("         {step} | ({missed} lines not shown; the evidence has them)"));
            }
            self.say(&format!("         {step} | {text}"));
        }
    }

    /// Whether a person may be typing at any time, so that nothing must be drawn where they do.
    pub(crate) fn typing(&mut self, typing: bool) {
        self.asking = typing;
    }

    /// A question, and how much time there is for it.
    fn ask(&mut self, text: Option<String>, asking: bool) {
        self.asking = asking;
        self.refresh();
        if let Some(text) = text {
            let text = super::plain(&text);
            let budget = self.budget();
            self.live.suspend(|| super::err(&format!("{text}{budget}{}> ", if budget.is_empty() { "" } else { " " })));
        }
    }

    /// Takes the live line away.
    pub(crate) fn finish(&self) {
        self.live.finish_and_clear();
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// `mm:ss`, or `h:mm:ss`.
fn clock(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds / 3600 {
        0 => format!("{:02}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// A length of time in whole seconds: what changes every second needs no more.
fn glance(millis: u64) -> String {
    Duration::from_millis(millis / 1000 * 1000).to_string()
}

/// A length of time as it is read at a glance.
pub(crate) fn length(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis}ms"),
        1_000..60_000 => format!("{}.{}s", millis / 1000, millis % 1000 / 100),
        _ => Duration::from_millis(millis / 1000 * 1000).to_string(),
    }
}

/// Shows views until there are no more, and turns typed lines into acts. Runs on a thread of its own, so that a slow
/// terminal never holds the run up.
pub(crate) fn follow(
    mut screen: Screen,
    mut views: mpsc::UnboundedReceiver<View>,
    waiting: &Arc<AtomicUsize>,
    questions: &Questions,
    handle: &tokio::runtime::Handle,
) {
    loop {
        let view = if screen.drawn.get() {
            // Time passes on the live line although nothing happens.
            let Ok(view) = handle.block_on(async { tokio::time::timeout(TICK, views.recv()).await }) else {
                screen.refresh();
                continue;
            };
            view
        } else {
            views.blocking_recv()
        };
        let Some(view) = view else { break };
        match view {
            View::Record(record) => screen.record(&record),
            View::Line { step, text, missed, .. } => {
                waiting.fetch_sub(1, Ordering::Relaxed);
                screen.printed(&step, &text, missed);
            }
            View::Ask(question) => {
                let text = questions.open(question);
                screen.ask(text, true);
            }
            View::Close(step) => {
                let text = questions.close(&step);
                screen.ask(text, !questions.all().is_empty());
            }
        }
    }
    screen.finish();
}

/// The questions that are open, oldest first; the first one is the one on the screen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Questions(Arc<std::sync::Mutex<VecDeque<Question>>>);

impl Questions {
    fn with<T>(&self, change: impl FnOnce(&mut VecDeque<Question>) -> T) -> T {
        // A thread that panicked with the list in its hands has left it whole: every change is one call.
        change(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Adds one; what to show when it is the first.
    fn open(&self, question: Question) -> Option<String> {
        self.with(|open| {
            open.retain(|other| other.step != question.step);
            open.push_back(question);
            (open.len() == 1).then(|| open.front().map(|first| prompt::show(first, 0, super::width()))).flatten()
        })
    }

    /// Takes one away (all, for an empty step); what to show when another one comes to the front.
    fn close(&self, step: &str) -> Option<String> {
        self.with(|open| {
            let first = open.front().map(|question| question.step.clone());
            if step.is_empty() {
                open.clear();
            } else {
                open.retain(|question| question.step != step);
            }
            let now = open.front()?;
            (first.as_ref() != Some(&now.step)).then(|| prompt::show(now, open.len() - 1, super::width()))
        })
    }

    fn all(&self) -> Vec<Question> {
        self.with(|open| open.iter().cloned().collect())
    }
}

/// Makes an artifact of a file, under a name.
pub(crate) type Keep = dyn Fn(&str, Option<&str>) -> Result<Artifact, String>;

/// Reads lines from standard input and turns them into acts. Ends with the input, which for a terminal means that it
/// is gone. `preview` tells what an abort would undo, `keep` makes an artifact of a file.
pub(crate) fn listen(
    questions: &Questions,
    who: &str,
    inputs: &mpsc::UnboundedSender<Input>,
    preview: &dyn Fn() -> String,
    keep: &Keep,
) {
    while let Some(typed) = prompt::line() {
        let open = questions.all();
        if typed.trim().is_empty() && open.is_empty() {
            continue;
        }
        let shown = match prompt::read(&open, &typed, who) {
            Ok(Typed::Act(act)) => {
                if inputs.send(Input::Act(act)).is_err() {
                    return;
                }
                continue;
            }
            Ok(Typed::Again) => String::new(),
            Ok(Typed::Everything) => match open.first() {
                Some(question) if !question.details.is_empty() => format!("{}\n", question.details),
                _ => "there is no step on the screen\n".to_owned(),
            },
            Ok(Typed::Preview) => format!("{}  `abort REASON` does it\n", preview()),
            Ok(Typed::Help) => prompt::HELP.to_owned(),
            Ok(Typed::Attach { file, name, step }) => match keep(&file, name.as_deref()) {
                Ok(artifact) => {
                    let act = Act::at_the_terminal(ActName::AttachFile, step, who.to_owned(), None);
                    if inputs.send(Input::Act(Act { artifacts: vec![artifact], ..act })).is_err() {
                        return;
                    }
                    continue;
                }
                Err(reason) => format!("{reason}\n"),
            },
            Err(reason) => format!("{reason}\n"),
        };
        let again = match open.first() {
            Some(question) if typed.trim().is_empty() => prompt::show(question, open.len() - 1, super::width()),
            _ => String::new(),
        };
        super::err(&format!("{shown}{again}> "));
    }
    drop(inputs.send(Input::Signal(lifeboat_core::machine::Signal::Hangup)));
}
