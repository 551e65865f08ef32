//! What all reports say in the same words: the verdict, the objectives, decisions, what to do next.
//!
//! Duty: story → short texts, without layout. It must not escape anything: that is each format's own.

use super::{
    story::{ClockStart, Decision, Engine, RunState, Step, Story, Unknown},
    words::{count, exact, instant, length, list},
};
use crate::{
    evidence::event::{Resolution, Resolved, Task, Verdict},
    machine::state::Status,
    model::Level,
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
    let overrides = story.overrides().count();
    if overrides > 0 {
        caveats.push(count(overrides, "override"));
    }
    if !story.left.is_empty() {
        caveats.push(format!("{} left behind", story.left.len()));
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
    let pause = story.pauses.last().filter(|pause| pause.until.is_none());
    match (left, aborting, pause) {
        (Some(left), Some(aborting), _) => format!("{} ({aborting})", left.reason),
        (Some(left), None, _) => left.reason.clone(),
        (None, Some(aborting), _) => aborting,
        (None, None, Some(pause)) => format!("paused: {}", pause.reason),
        (None, None, None) => format!("no verdict yet; the last record is from {}", instant(story.last.at)),
    }
}

/// An objective against what was achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objective {
    /// `RTO`, `RPO` or `MTD`.
    pub name: &'static str,
    /// What was promised.
    pub target: String,
    /// What was achieved.
    pub actual: String,
    /// `met …`, `missed …`, or why it is not known.
    pub result: String,
}

/// The objectives, in the order in which people ask for them.
#[must_use]
pub fn objectives(story: &Story) -> Vec<Objective> {
    let (rto, rpo) = (&story.objectives.rto, &story.objectives.rpo);
    let mut rows = vec![recovery_time(story, "RTO", rto.target_ms, rto.met)];
    let (actual, result) = match rpo.actual_ms {
        Some(actual) => (exact(actual), compared(rpo.target_ms, actual, rpo.met)),
        None => ("unknown".to_owned(), "unknown: no proven step told a recovery point".to_owned()),
    };
    rows.push(Objective { name: "RPO", target: exact(rpo.target_ms), actual, result });
    if let Some(mtd) = story.created.objectives.mtd.map(crate::duration::Duration::as_millis) {
        rows.push(recovery_time(story, "MTD", mtd, rto.actual_ms.map(|actual| actual <= mtd)));
    }
    rows
}

fn recovery_time(story: &Story, name: &'static str, target: u64, met: Option<bool>) -> Objective {
    let said = |actual: &str, result: &str| (actual.to_owned(), result.to_owned());
    let (actual, result) = match (story.objectives.rto.actual_ms, story.verdict(), story.down_for_ms()) {
        (Some(actual), _, _) => (exact(actual), compared(target, actual, met)),
        (None, Some(Verdict::PreflightFailed), _) => said("-", "not measured: nothing was started"),
        _ if !story.measures_rto() => said("-", "not measured: no step says `restores`"),
        (None, Some(_), _) => said("not restored", "not met: the capability was not restored"),
        (None, None, Some(down)) if down > target => {
            (format!("{} so far", exact(down)), format!("target passed by {}", exact(down - target)))
        }
        (None, None, down) => {
            let down = down.unwrap_or(0);
            (format!("{} so far", exact(down)), format!("{} left at the last record", exact(target - down.min(target))))
        }
    };
    Objective { name, target: exact(target), actual, result }
}

fn compared(target: u64, actual: u64, met: Option<bool>) -> String {
    match met {
        Some(true) => format!("met, {} to spare", exact(target.saturating_sub(actual))),
        Some(false) => format!("missed by {}", exact(actual.saturating_sub(target))),
        None => "unknown".to_owned(),
    }
}

/// By what rule the clock of the outage started and stopped.
#[must_use]
pub fn clock(story: &Story) -> [String; 2] {
    let marks = &story.marks;
    let by = match &marks.outage_from {
        ClockStart::Given => "as given when the run was started".to_owned(),
        ClockStart::Step(step) => format!("caused by step `{step}`"),
        ClockStart::RunStart => "the start of the run: no outage was given".to_owned(),
    };
    let stop = match &marks.restored {
        Some((at, step)) => format!("{}, proven by step `{step}`", instant(*at)),
        None => "not stopped: the capability was not restored".to_owned(),
    };
    [format!("{}, {by}", instant(marks.outage)), stop]
}

/// The parts of the RTO clock, each with its share of the actual.
#[must_use]
pub fn split(story: &Story) -> Vec<(String, u64, Option<u64>)> {
    let rto = &story.objectives.rto;
    let share = |millis: u64| rto.actual_ms.filter(|&all| all > 0).map(|all| millis.saturating_mul(100) / all);
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
    // What was refused did not happen, and must not read as if it had.
    let did = match (&decision.refused, decision.did) {
        (None, did) => did.to_owned(),
        (Some(_), did) => format!("REFUSED: {did}"),
    };
    format!("{} {did}{step}{note}", decision.who)
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
    };
    format!("{begun}; {outcome} {way} at {}", instant(at.at))
}

/// What became of the undo of a step.
#[must_use]
pub fn undo(step: &Step) -> Option<String> {
    let undo = step.undo.as_ref()?;
    Some(match (step.status, &undo.failed, undo.duration_ms) {
        (_, Some(_), _) => "its undo failed".to_owned(),
        (Status::Undone, None, Some(millis)) => format!("undone in {}", length(millis)),
        (Status::Undone, None, None) => "undone".to_owned(),
        _ => "its undo has not ended".to_owned(),
    })
}

/// A process that had the run: what it was, and how it left.
#[must_use]
pub fn engine(story: &Story, at: usize, engine: &Engine) -> Vec<String> {
    let mut lines = vec![format!(
        "token {}: {}@{} (pid {}, lifeboat {}, {}), from {}",
        engine.began.token,
        engine.user,
        engine.host,
        engine.pid,
        engine.version,
        if engine.attended { "attended" } else { "unattended" },
        instant(engine.began.at)
    )];
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

/// What to do next, in a line.
#[must_use]
pub fn next(story: &Story) -> String {
    let run = &story.created.run;
    match (story.state, story.verdict()) {
        (_, Some(Verdict::Succeeded)) => format!("file the evidence: `lifeboat report {run}`"),
        (_, Some(Verdict::ObjectiveMissed)) => match story.longest_part() {
            Some((part, millis)) => format!("shorten `{part}`, the longest part of the clock ({})", exact(millis)),
            None => format!("see what it restored: `lifeboat report {run}`"),
        },
        (_, Some(Verdict::Failed)) => {
            format!("nothing was rolled back; `lifeboat report {run}` has the details; fix it and start a new run")
        }
        (_, Some(Verdict::PreflightFailed)) => "put in place what is missing and start again".to_owned(),
        (_, Some(Verdict::Aborted)) => format!("`lifeboat report {run}` has the details; fix it and start a new run"),
        (_, Some(Verdict::AbortIncomplete)) => {
            format!("put right by hand what is left; `lifeboat report {run}` has the details")
        }
        (RunState::Held | RunState::Interrupted, None) => format!("`lifeboat resume {run}`"),
        (RunState::Paused, None) => format!("`lifeboat continue {run} --as WHO`"),
        (_, None) => format!("`lifeboat attach {run}`; if its engine died, `lifeboat resume {run}`"),
    }
}

/// What somebody has to follow up, one task a line: it is derived from the records and from nothing else.
#[must_use]
pub fn follow_up(story: &Story) -> Vec<String> {
    let mut tasks = Vec::new();
    for finding in story.preflight.iter().flat_map(|preflight| &preflight.findings).filter(|finding| !finding.passed) {
        let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        tasks.push(format!("Provide {}: found {}{help}", finding.requirement, finding.found));
    }
    for objective in objectives(story).iter().filter(|objective| objective.result.starts_with("missed")) {
        let longest = story.longest_part().filter(|_| objective.name != "RPO");
        let longest = longest.map(|(part, millis)| format!("; the longest part is `{part}`, {}", exact(millis)));
        let (name, target, actual) = (objective.name, &objective.target, &objective.actual);
        tasks.push(format!("{name}: {actual} against {target}{}", longest.unwrap_or_default()));
    }
    for left in &story.left {
        tasks.push(format!("Put right what is left of `{}`: {}", left.step, left.why));
    }
    for step in story.failed() {
        let reason = step.failures.last().map(|failure| &failure.reason).or(step.reason.as_ref());
        let reason = reason.map_or_else(|| "its outcome is unknown".to_owned(), Clone::clone);
        tasks.push(format!("Find the cause of `{}`: {reason}", step.id));
    }
    for decision in story.overrides() {
        let step = decision.step.as_ref().map(|step| format!(" of `{step}`")).unwrap_or_default();
        let (who, why) = (&decision.who, decision.overrides.unwrap_or_default());
        tasks.push(format!("Review the override{step} by {who}: {why}"));
    }
    tasks
}

/// Failed steps by name, for a line.
#[must_use]
pub fn failed(story: &Story, most: usize) -> Option<String> {
    let names: Vec<&str> = story.failed().map(|step| step.id.as_str()).collect();
    (!names.is_empty()).then(|| list(&names, most))
}
