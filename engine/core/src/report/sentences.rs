//! What all reports say in the same words: the verdict, the objectives, decisions, what to do next.
//!
//! Duty: story → short texts, without layout. It must not escape anything: that is each format's own.

use super::story::{BadGuard, Check, ClockStart, ClusterStory, Decision, Engine, RunState, Step, Story, Unknown};
use crate::{
    duration::Duration,
    evidence::event::{Resolution, Resolved, Task, Verdict},
    machine::state::Status,
    model::{Level, Mode, Then},
    notify::Delivery,
    words::{clip, count, exact, instant, length, line, list},
};

/// How the run stands, in capitals and a few words.
#[must_use]
pub fn headline(story: &Story) -> &'static str {
    match (story.state, story.verdict()) {
        (_, Some(Verdict::Succeeded)) => "PASSED",
        (_, Some(Verdict::ObjectiveMissed)) => "PASSED, OBJECTIVE MISSED",
        (_, Some(Verdict::Failed)) => "FAILED",
        (_, Some(Verdict::PreflightFailed)) => "NOT STARTED, PRE-FLIGHT FAILED",
        (_, Some(Verdict::Aborted)) => "ABORTED, ROLLED BACK",
        (_, Some(Verdict::AbortIncomplete)) => "ABORTED, INCOMPLETE",
        (RunState::Held, None) => "HELD",
        (RunState::Interrupted, None) => "INTERRUPTED",
        (RunState::Paused, None) => "PAUSED",
        (RunState::Aborting, None) => "ABORTING",
        (RunState::CleaningUp, None) => "CLEANING UP",
        (RunState::Created, None) => "NOT STARTED YET",
        (RunState::Running | RunState::Finished, None) => "RUNNING",
    }
}

/// What stands next to the verdict, because the verdict must not be read without it: overrides, a lost proof.
#[must_use]
pub fn caveats(story: &Story) -> Vec<String> {
    let mut caveats = Vec::new();
    if !story.whole {
        caveats.push("LOG DAMAGED: records are missing".to_owned());
    }
    let overrides = story.overrides().count();
    if overrides > 0 {
        caveats.push(count(overrides, "override"));
    }
    if !story.left.is_empty() {
        caveats.push(format!("{} left behind", story.left.len()));
    }
    if story.proven().is_some() {
        let unknown =
            objectives(story).into_iter().filter(|row| row.result == "unknown" || row.result == "not measured");
        caveats.extend(unknown.map(|row| format!("{} {}", row.name, row.result)));
    }
    caveats
}

/// Why the run stands there, in a sentence.
#[must_use]
pub fn reason(story: &Story) -> String {
    if let Some(end) = &story.end {
        return end.reason.clone();
    }
    let aborting = story.abort.as_ref().map(|abort| format!("aborting: {}", abort.reason));
    let left = story.engine().and_then(|engine| engine.left.as_ref());
    // What it waits for is told on its own.
    if aborting.is_none() && left.is_some_and(|left| left.reason.starts_with("held:") && !left.waits_for.is_empty()) {
        return "waits for a person; nobody was there".to_owned();
    }
    let pause = story.pauses.last().filter(|pause| pause.until.is_none());
    match (left, aborting, pause) {
        (Some(left), Some(aborting), _) => format!("{} ({aborting})", left.reason),
        (Some(left), None, _) => left.reason.clone(),
        (None, Some(_), _) => story.abort.as_ref().map(|abort| abort.reason.clone()).unwrap_or_default(),
        (None, None, Some(pause)) => format!("paused: {}", pause.reason),
        (None, None, None) => format!("no verdict yet; the last record is from {}", instant(story.last.at)),
    }
}

/// What became of a notice.
#[must_use]
pub fn delivery(told: &Delivery) -> String {
    let step = told.step.as_ref().map_or_else(String::new, |step| format!(" `{step}`"));
    let tries = if told.attempts == 1 { String::new() } else { format!(" after {} tries", told.attempts) };
    match &told.error {
        _ if told.delivered => format!("{}{step} to {}{tries}", told.what.name(), told.to),
        Some(error) => format!("{}{step} NOT delivered to {}{tries}: {error}", told.what.name(), told.to),
        None => format!("{}{step} NOT delivered to {}{tries}", told.what.name(), told.to),
    }
}

/// What became of a guard that was bad, without its name.
#[must_use]
pub fn bad_guard(bad: &BadGuard) -> String {
    let from = instant(bad.from.at);
    let period = match bad.until {
        Some(until) => format!("bad from {from} to {}", instant(until.at)),
        None => format!("bad since {from}"),
    };
    let doubt = if bad.evaluated { "" } else { "could not be evaluated: " };
    let then = match bad.tripped {
        Some((_, Then::Abort)) => "; it aborted the run",
        Some((_, Then::Pause)) => "; it paused the run",
        None => "; not long enough to trip",
    };
    format!("{period}: {doubt}{}{then}", bad.reason)
}

/// An objective against what was achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objective {
    /// `RTO`, `RPO` or `MTD`.
    pub name: &'static str,
    /// What was promised, as authors write it: `15m`.
    pub target: String,
    /// What was achieved.
    pub actual: String,
    /// `met`, `missed`, `not met` (the capability is not back), `open`, `unknown` or `not measured`.
    pub result: &'static str,
    /// By how much, or why it is not known; may be empty.
    pub detail: String,
}

impl Objective {
    /// Result and detail: `met, 45m 55s to spare`.
    #[must_use]
    pub fn outcome(&self) -> String {
        match self.detail.as_str() {
            "" => self.result.to_owned(),
            detail if detail.starts_with("by ") => format!("{} {detail}", self.result),
            detail => format!("{}, {detail}", self.result),
        }
    }
}

/// The objectives, in the order in which people ask for them.
#[must_use]
pub fn objectives(story: &Story) -> Vec<Objective> {
    let (rto, rpo) = (&story.objectives.rto, &story.objectives.rpo);
    let mut rows = vec![recovery_time(story, "RTO", rto.target_ms, rto.met)];
    let (actual, result, detail) = match (rpo.actual_ms, story.verdict()) {
        (Some(actual), _) => compared(rpo.target_ms, actual, rpo.met),
        (None, Some(Verdict::PreflightFailed)) => told("-", "not measured", "nothing was started"),
        (None, None) => told("-", "open", "no step has told a recovery point yet"),
        (None, Some(_)) => told("unknown", "unknown", "no proven step told a recovery point"),
    };
    rows.push(Objective { name: "RPO", target: authored(rpo.target_ms), actual, result, detail });
    if let Some(mtd) = story.created.objectives.mtd.map(Duration::as_millis) {
        rows.push(recovery_time(story, "MTD", mtd, rto.actual_ms.map(|actual| actual <= mtd)));
    }
    rows
}

type Outcome = (String, &'static str, String);

fn told(actual: &str, result: &'static str, detail: &str) -> Outcome {
    (actual.to_owned(), result, detail.to_owned())
}

fn authored(millis: u64) -> String {
    Duration::from_millis(millis).to_string()
}

fn recovery_time(story: &Story, name: &'static str, target: u64, met: Option<bool>) -> Objective {
    let down = story.down_for_ms().unwrap_or(0);
    let over = down.checked_sub(target).filter(|&over| over > 0).map(exact);
    let left = exact(target.saturating_sub(down));
    let (actual, result, detail) = match (story.objectives.rto.actual_ms, story.verdict(), over) {
        (Some(actual), _, _) => compared(target, actual, met),
        (None, Some(Verdict::PreflightFailed), _) => told("-", "not measured", "nothing was started"),
        _ if !story.measures_rto() => told("-", "not measured", "no step says `restores`"),
        // Not back when the run ended. The clock of an incident goes on: people need to know what is left of it.
        (None, Some(_), _) if story.created.mode == Mode::Drill => told("not restored", "not met", ""),
        (None, Some(_), None) => told("not restored", "not met", &format!("{left} left at the end")),
        (None, Some(_), Some(over)) => told("not restored", "not met", &format!("over by {over} at the end")),
        (None, None, None) => told(&format!("{} so far", exact(down)), "open", &format!("{left} left")),
        // Nothing that is still to come can make it good.
        (None, None, Some(over)) => told(&format!("{} so far", exact(down)), "missed", &format!("by {over}")),
    };
    Objective { name, target: authored(target), actual, result, detail }
}

fn compared(target: u64, actual: u64, met: Option<bool>) -> Outcome {
    let (result, detail) = match met {
        Some(true) => ("met", format!("{} to spare", exact(target.saturating_sub(actual)))),
        Some(false) => ("missed", format!("by {}", exact(actual.saturating_sub(target)))),
        None => ("unknown", String::new()),
    };
    (exact(actual), result, detail)
}

/// By what rule the clock of the outage started and stopped; none when the run never began.
#[must_use]
pub fn clock(story: &Story) -> Option<[String; 2]> {
    if story.verdict() == Some(Verdict::PreflightFailed) {
        return None;
    }
    let marks = &story.marks;
    let by = match &marks.outage_from {
        ClockStart::Given => "as given when the run was started".to_owned(),
        ClockStart::Step(step) => format!("caused by step `{step}`"),
        ClockStart::RunStart => "the start of the run: no outage was given".to_owned(),
    };
    let stop = match &marks.restored {
        Some((at, step)) => format!("{}, proven by step `{step}`", instant(*at)),
        None if story.end.is_some() => "not stopped: the capability was not restored".to_owned(),
        None => "not stopped yet".to_owned(),
    };
    Some([format!("{}, {by}", instant(marks.outage)), stop])
}

/// The parts of the RTO clock, each with its share of the actual.
#[must_use]
pub fn split(story: &Story) -> Vec<(String, u64, Option<u64>)> {
    let rto = &story.objectives.rto;
    let share = |millis: u64| {
        rto.actual_ms.filter(|&all| all > 0).map(|all| millis.saturating_mul(100).saturating_add(all / 2) / all)
    };
    rto.split.iter().map(|(name, &millis)| (name.clone(), millis, share(millis))).collect()
}

/// What a level means, for a reader who does not know the scale.
#[must_use]
pub const fn meaning(level: Level) -> &'static str {
    match level {
        Level::L0 => "a backup job succeeded",
        Level::L1 => "a backup object exists",
        Level::L2 => "restored into an empty namespace",
        Level::L3 => "restored into a clean cluster",
        Level::L4 => "restored into a clean cluster, and the business journey works",
        Level::L5 => "regional failover with traffic shifted",
    }
}

/// The level that was proven, against the one that was claimed.
#[must_use]
pub fn level(story: &Story) -> String {
    let overrides = story.overrides().count();
    match story.proven() {
        Some(level) if overrides > 0 => {
            format!("{level:?} ({}), but with {}", meaning(level), count(overrides, "override"))
        }
        Some(level) => format!("{level:?} ({})", meaning(level)),
        None if story.end.is_some() => {
            format!("none; {:?} was to be proven ({})", story.claimed(), meaning(story.claimed()))
        }
        None => format!("none yet; {:?} is to be proven ({})", story.claimed(), meaning(story.claimed())),
    }
}

/// A decision as a sentence without its reason: ``alice approved `promote` (1 of 2)``.
#[must_use]
pub fn decision(decision: &Decision) -> String {
    let step = decision.step.as_ref().map(|step| format!(" `{step}`")).unwrap_or_default();
    let note = decision.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    let refused = if decision.refused.is_some() { ": REFUSED" } else { "" };
    format!("{} {}{step}{note}{refused}", decision.who, decision.did)
}

/// Why a check failed, where that says more than what was expected.
#[must_use]
pub fn told_apart(check: &Check) -> Option<&str> {
    let repeated = check.expected.as_ref().map(|expected| format!("expected `{expected}`"));
    check.reason.as_deref().filter(|reason| repeated.as_deref() != Some(*reason))
}

/// How an unknown outcome became known, or that it did not.
#[must_use]
pub fn unknown(unknown: &Unknown) -> String {
    let what = match unknown.task {
        Task::Do => "attempt",
        Task::Undo => "attempt of the undo",
    };
    let begun = format!("{what} {} was cut off at {}", unknown.attempt, instant(unknown.at.at));
    let Some((at, way, outcome)) = &unknown.resolved else {
        return format!("{begun}, and what it did was never found out");
    };
    format!("{begun}; {} at {}", resolved(*way, *outcome), instant(at.at))
}

/// What an unknown outcome was found to be, and how: `run again because it is idempotent`.
#[must_use]
pub fn resolved(way: Resolution, outcome: Resolved) -> String {
    let way = match way {
        Resolution::Verification => "by its verification",
        Resolution::Idempotent => "because it is idempotent",
        Resolution::Reads => "because it only reads",
        Resolution::Person => "by a person",
        Resolution::Action => "by asking the action",
    };
    let outcome = match outcome {
        Resolved::Done => "found to be done",
        Resolved::RunAgain => "run again",
        Resolved::Failed => "found to have failed",
        Resolved::Followed => "gone on with",
    };
    format!("{outcome} {way}")
}

/// Who a cluster is, and how well it answered.
#[must_use]
pub fn cluster(one: &ClusterStory) -> Vec<String> {
    let met = &one.met;
    let context = met.context.as_ref().map_or_else(|| "from inside".to_owned(), |name| format!("context {name}"));
    let mut told = vec![
        format!("{}: {} at {}, {context}", line(&met.cluster), line(&met.version), line(&met.server)),
        format!("UID {}, met {}", line(&met.uid), instant(one.at.at)),
    ];
    let requests = usize::try_from(one.requests).unwrap_or(usize::MAX);
    told.push(match &one.last_retry {
        None => count(requests, "request"),
        Some((at, what)) => format!(
            "{}, {} asked again; the last of them at {}: {}",
            count(requests, "request"),
            one.retries,
            instant(at.at),
            clip(&line(what), 200)
        ),
    });
    if let Some((at, found)) = &one.refused {
        told.push(format!("REFUSED at {}: another cluster answered under this name, {}", instant(at.at), line(found)));
    }
    told
}

/// What became of the undo of a step, in a few words.
#[must_use]
pub fn undo(step: &Step) -> Option<String> {
    let undo = step.undo.as_ref()?;
    Some(match (step.status, &undo.failed, undo.duration_ms) {
        (_, Some(why), _) => format!("its undo failed: {why}"),
        (Status::Undone, None, Some(millis)) => format!("undone in {}", length(millis)),
        (Status::Undone, None, None) => "undone".to_owned(),
        _ => "its undo has not ended".to_owned(),
    })
}

/// A process that had the run: what it was, and how it left.
#[must_use]
pub fn engine(story: &Story, at: usize, engine: &Engine) -> Vec<String> {
    let mut lines = vec![format!(
        "token {}: {}@{} pid {}, {}, since {}",
        engine.began.token,
        engine.user,
        engine.host,
        engine.pid,
        if engine.attended { "attended" } else { "unattended" },
        instant(engine.began.at)
    )];
    if engine.version != story.created.engine {
        lines.push(format!("another version: lifeboat {}", engine.version));
    }
    if engine.torn_bytes > 0 {
        lines.push(format!("cut off {} of an unfinished last record", count_bytes(engine.torn_bytes)));
    }
    if let Some(lost) = engine.terminal_lost {
        lines.push(format!("lost its terminal at {}", instant(lost.at)));
    }
    match &engine.left {
        Some(left) => {
            lines.push(format!("left at {} with exit code {}: {}", instant(left.at.at), left.exit_code, left.reason));
        }
        None if story.went_silent(at) => {
            let next = story.engines.get(at + 1).map_or(engine.last, |next| next.began);
            let gap = next.at.as_millisecond().saturating_sub(engine.last.at.as_millisecond());
            lines.push(format!(
                "went silent after {} (no farewell: it died or was killed); taken over {} later",
                instant(engine.last.at),
                exact(u64::try_from(gap).unwrap_or(0))
            ));
        }
        None => {}
    }
    lines
}

fn count_bytes(bytes: u64) -> String {
    if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// In words; may be empty when the command says it.
    pub what: String,
    /// The command, on a line of its own so that it can be copied.
    pub command: Option<String>,
}

/// What to do next.
#[must_use]
pub fn next(story: &Story) -> Next {
    let run = &story.created.run;
    let then =
        |what: &str, command: &str| Next { what: what.to_owned(), command: Some(format!("lifeboat {command} {run}")) };
    match (story.state, story.verdict()) {
        (_, Some(Verdict::Succeeded)) => then("file the evidence", "report"),
        (_, Some(Verdict::ObjectiveMissed)) => match story.longest_part() {
            Some((part, millis)) if story.objectives.rto.met == Some(false) => {
                then(&format!("see why `{part}` took {}, the longest part", exact(millis)), "report")
            }
            _ => then("see how old the restored data was, and why", "report"),
        },
        (_, Some(Verdict::Failed)) => then("fix the cause and start a new run; nothing was rolled back", "report"),
        (_, Some(Verdict::PreflightFailed)) => {
            Next { what: "put in place what is missing and start again".to_owned(), command: None }
        }
        (_, Some(Verdict::Aborted)) => then("fix the cause and start a new run", "report"),
        (_, Some(Verdict::AbortIncomplete)) => then("put right by hand what is left", "report"),
        (RunState::Held | RunState::Interrupted, None) => then("", "resume"),
        (RunState::Paused, None) => then("", "continue"),
        (_, None) => then("look on, or, if its engine died, `resume` instead of `attach`", "attach"),
    }
}

/// What somebody has to follow up, one task a line: it is derived from the records and from nothing else.
#[must_use]
pub fn follow_up(story: &Story) -> Vec<String> {
    let mut tasks = Vec::new();
    for finding in story.preflight.iter().flat_map(|preflight| &preflight.findings).filter(|finding| !finding.passed) {
        let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        let verb = if finding.blocks() { "Provide" } else { "Look at" };
        tasks.push(format!("{verb} {}: found {}{help}", finding.title(), finding.found));
    }
    for objective in objectives(story).iter().filter(|objective| objective.result == "missed") {
        let longest = story.longest_part().filter(|_| objective.name != "RPO");
        let longest = longest.map(|(part, millis)| format!("; the longest part is `{part}`, {}", exact(millis)));
        let (name, target, actual) = (objective.name, &objective.target, &objective.actual);
        tasks.push(format!("{name}: {actual} against {target}{}", longest.unwrap_or_default()));
    }
    for left in &story.left {
        tasks.push(format!("Put right what is left of `{}`: {}", left.step, left.why));
    }
    for step in story.failed().filter(|step| !step.failures.is_empty() || step.status != Status::UndoFailed) {
        let reason = step.failures.last().map(|failure| &failure.reason).or(step.reason.as_ref());
        let reason = reason.map_or_else(|| "its outcome is unknown".to_owned(), Clone::clone);
        tasks.push(format!("Find the cause of `{}`: {reason}", step.id));
    }
    // A policy is in the runbook, and its review with it.
    for decision in story.overrides().filter(|decision| !decision.who.starts_with("policy:")) {
        let step = decision.step.as_ref().map(|step| format!(" of `{step}`")).unwrap_or_default();
        let (who, why) = (&decision.who, decision.overrides.unwrap_or_default());
        tasks.push(format!("Review the override{step} by {who}: {why}"));
    }
    tasks
}

/// The steps that failed, and those of which nobody knows what they did, by name, for a line each.
#[must_use]
pub fn failed_and_unknown(story: &Story, most: usize) -> [Option<String>; 2] {
    let (unknown, failed): (Vec<&Step>, Vec<&Step>) = story.failed().partition(|step| step.status == Status::Unknown);
    [failed, unknown].map(|steps| {
        let names: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
        (!names.is_empty()).then(|| list(&names, most))
    })
}

/// `once`, `3 times`.
#[must_use]
pub fn times(tries: u32) -> String {
    if tries == 1 { "once".to_owned() } else { format!("{tries} times") }
}
