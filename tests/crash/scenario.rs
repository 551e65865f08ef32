//! A runbook of 30 steps in parallel branches. Every step appends `<step> <attempt>` to the file `effects`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Ended, LIMIT, Place, of_kind, records, runbook_with, wait_for, whole_lines};

const PHASES: [&str; 6] = ["provision", "bootstrap", "data", "workloads", "validate", "shift-traffic"];

/// What an engine can find out about a step that was in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It may be done twice.
    Idempotent,
    /// It must not be done twice, but its verification tells whether it was done.
    Verifiable,
    /// Nobody but a person can know.
    Bare,
}

fn kind(phase: usize, branch: usize) -> Kind {
    match branch {
        1 => Kind::Verifiable,
        3 if phase % 3 == 2 => Kind::Bare,
        3 => Kind::Verifiable,
        _ => Kind::Idempotent,
    }
}

/// Every step and its kind.
fn steps() -> BTreeMap<String, Kind> {
    let of_phase =
        |phase: usize| (0..5).map(move |branch| (format!("{}-{branch}", PHASES[phase]), kind(phase, branch)));
    let mut steps: BTreeMap<_, _> = (0..PHASES.len()).flat_map(of_phase).collect();
    steps.insert("cleanup/sweep".to_owned(), Kind::Idempotent);
    steps
}

/// The runbook.
fn text() -> String {
    let mut steps = String::new();
    for (at, phase) in PHASES.iter().enumerate() {
        for branch in 0..5 {
            let id = format!("{phase}-{branch}");
            _ = write!(steps, "  {id}:\n    phase: {phase}\n    interpreter: [sh, -eu]\n");
            let mut script = r#"echo "$LIFEBOAT_STEP $LIFEBOAT_ATTEMPT" >> effects"#.to_owned();
            match branch {
                0 => _ = writeln!(steps, "    outputs: {{word: {{text: true}}}}"),
                3 => {
                    _ = writeln!(
                        steps,
                        "    needs: [{phase}-0]\n    env: {{WORD: \"{{{{steps.{phase}-0.outputs.word}}}}\"}}"
                    );
                }
                4 => {
                    // The first attempt fails after its effect; another one is an attempt of its own.
                    let needs = if at == 2 { "bootstrap-0".to_owned() } else { format!("{phase}-1") };
                    _ = writeln!(steps, "    needs: [{needs}]\n    after: [{phase}-2]");
                    _ = writeln!(steps, "    retry: {{attempts: 100, delay: 5ms, factor: 1}}");
                    script.push_str(r#"; test "$LIFEBOAT_ATTEMPT" -ge 2"#);
                }
                _ => {}
            }
            if branch == 0 {
                script.push_str("; echo word");
            }
            _ = writeln!(steps, "    shell: {script}");
            if kind(at, branch) == Kind::Idempotent {
                _ = writeln!(steps, "    idempotent: true");
            }
            if kind(at, branch) == Kind::Verifiable || branch == 2 {
                _ = writeln!(steps, "    verify: [{{name: it was done, shell: \"grep -q '^{id} ' effects\"}}]");
            }
            if id == "shift-traffic-2" {
                _ = writeln!(steps, "    restores: true");
            }
        }
    }
    steps.push_str(
        "cleanup:\n  sweep: {idempotent: true, shell: 'echo \"$LIFEBOAT_STEP $LIFEBOAT_ATTEMPT\" >> effects'}\n",
    );
    runbook_with("", &steps)
}

/// A run of the scenario that is killed again and again.
pub(crate) struct Scenario {
    pub(crate) place: Place,
    all: BTreeMap<String, Kind>,
    in_flight: BTreeSet<String>,
}

impl Scenario {
    pub(crate) fn new() -> Self {
        Self::of(&text(), steps())
    }

    /// The same with steps that may all be done twice, so that nothing ever has to be held.
    pub(crate) fn of_idempotent_steps() -> Self {
        let text = text()
            .replace("    idempotent: true\n", "")
            .replace("    interpreter", "    idempotent: true\n    interpreter");
        Self::of(&text, steps().into_keys().map(|step| (step, Kind::Idempotent)).collect())
    }

    fn of(text: &str, all: BTreeMap<String, Kind>) -> Self {
        let place = Place::new();
        place.file("r.yaml", text);
        Self { place, all, in_flight: BTreeSet::new() }
    }

    fn lines(&self) -> usize {
        let log = self.place.runs().pop().and_then(|run| fs::read(run.join("evidence.jsonl")).ok());
        log.map_or(0, |log| whole_lines(&log))
    }

    /// Starts the engine, and kills it as soon as the log has so many lines. Tells how the engine ended.
    pub(crate) fn kill_at(&mut self, lines: usize, arguments: &[&str]) -> Ended {
        let mut going = self.place.start(arguments);
        let began = Instant::now();
        while !going.over() && self.lines() < lines && began.elapsed() < LIMIT {
            std::hint::spin_loop();
        }
        if !going.over() {
            going.signal(Signal::KILL);
        }
        let ended = going.end(Duration::from_secs(10)).sound();
        self.in_flight.extend(self.begun_and_not_ended());
        ended
    }

    fn begun_and_not_ended(&self) -> BTreeSet<String> {
        let Some(run) = self.place.runs().pop().filter(|run| run.join("evidence.jsonl").exists()) else {
            return BTreeSet::new();
        };
        let mut begun = BTreeSet::new();
        for record in records(&run) {
            let step = record["step"].as_str().unwrap_or_default().to_owned();
            match record["event"].as_str() {
                Some("action-started") => _ = begun.insert(step),
                Some("action-finished" | "unknown-resolved") => _ = begun.remove(&step),
                _ => {}
            }
        }
        begun
    }

    /// Resumes the run to where it ends or holds, and asserts that everything is as promised.
    #[track_caller]
    pub(crate) fn finish(&self) -> i32 {
        let ended = self.place.lifeboat(&["resume", "@latest", "--no-input"]);
        let records = self.place.records();
        let told = format!("in flight: {:?}\n{ended}\n{}", self.in_flight, Self::story(&records));
        let all = &self.all;
        let held = ended.code == 5;
        assert!(held || ended.code == 0, "expected 0 or 5 from the resumed run; {told}");
        self.settled();
        let effects = fs::read_to_string(self.place.path("effects")).unwrap_or_default();
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for line in effects.lines() {
            *counts.entry(line.split_once(' ').expect("a step and an attempt")).or_default() += 1;
        }
        let announced: BTreeSet<(String, String)> = of_kind(&records, "action-started")
            .iter()
            .map(|record| (record["step"].as_str().unwrap_or_default().to_owned(), record["attempt"].to_string()))
            .collect();
        for (attempt, count) in &counts {
            let is_announced = announced.contains(&(attempt.0.to_owned(), attempt.1.to_owned()));
            assert!(is_announced, "the attempt {attempt:?} took effect, but no record announced it; {told}");
            assert_eq!(*count, 1, "the attempt {attempt:?} was begun twice; {told}\n{effects}");
        }
        for (step, kind) in all {
            let times = counts.keys().filter(|(of, _)| of == step).count();
            let usual = if step.ends_with("-4") { 2 } else { 1 };
            let was_in_flight = self.in_flight.contains(step);
            let repeatable = was_in_flight && *kind == Kind::Idempotent;
            let most = if repeatable { usize::MAX } else { usual };
            assert!(times <= most, "`{step}` took effect {times} times; {told}\n{effects}");
            assert!(held || was_in_flight || times == usual, "`{step}` took effect {times} times; {told}\n{effects}");
            assert!(held || times >= 1, "`{step}` never took effect; {told}\n{effects}");
        }
        let finished = of_kind(&records, "run-finished").len();
        assert_eq!(finished, usize::from(!held), "run-finished; {told}");
        if held {
            let unsure: Vec<_> = self.in_flight.iter().filter(|step| all[*step] != Kind::Idempotent).collect();
            let named = unsure.iter().any(|step| ended.out.contains(&format!("`{step}`")));
            assert!(named, "held, but the text names none of {unsure:?}; {told}");
        } else {
            let bare = self.in_flight.iter().find(|step| all[*step] == Kind::Bare);
            assert!(bare.is_none(), "nobody could know whether {bare:?} was done, but the run went on; {told}");
        }
        self.place.lifeboat(&["verify", "@latest"]).code(0);
        ended.code
    }

    /// Waits until no process of the scenario runs any more, so that its effects are all there.
    fn settled(&self) {
        let here = self.place.path("");
        let here = here.to_string_lossy().trim_end_matches('/').to_owned();
        wait_for("the steps that a killed engine left", Duration::from_secs(10), || {
            let working = fs::read_dir("/proc").ok()?.flatten().any(|entry| {
                fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.to_string_lossy() == here.as_str())
            });
            (!working).then_some(())
        });
    }

    fn story(records: &[Value]) -> String {
        let line = |record: &Value| format!("{} {} {}\n", record["seq"], record["event"], record["step"]);
        records.iter().map(line).collect()
    }
}
