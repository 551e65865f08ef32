//! Figures, side by side in one run, as ratios: the machine is noisy, and a ratio is not.

use std::{
    fmt::Write as _,
    fs,
    hint::black_box,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use indexmap::IndexMap;
use lifeboat_core::{
    model::{Mode, parse},
    plan::{self, Request, Unreadable},
    source::Source,
};

use crate::{root, run as run_command, say};

mod lint;
mod waits;

/// Layers of no-op steps, and steps in each.
const LAYERS: usize = 20;
const WIDTH: usize = 50;
/// How often each command is timed; the tools take turns, so that a slow moment hits all of them.
const ROUNDS: usize = 7;

/// Figures that are measured inside of this process, the last one also outside.
pub(crate) const INSIDE: [&str; 2] = ["plans", "lint"];
/// The figure that needs an API server.
pub(crate) const WAITS: &str = "waits";

/// Prints all figures, or only these.
pub(crate) fn run(wanted: &[&str]) -> Result<(), String> {
    const ALL: [&str; 5] = ["steps", "start-up", "plans", "lint", WAITS];
    if let Some(other) = wanted.iter().find(|name| !ALL.contains(name)) {
        return Err(format!("expected {}, found `{other}`", ALL.join(", ")));
    }
    let is = |name: &str| wanted.is_empty() || wanted.contains(&name);
    if wanted != ["plans"] {
        run_command(Command::new("cargo").args(["build", "--release", "--locked", "--bin", "lifeboat"]))?;
    }
    let place = tempfile::tempdir_in(root().join("target")).map_err(|error| error.to_string())?;
    if is("steps") {
        no_ops(place.path())?;
    }
    if is("start-up") {
        start_up()?;
    }
    if is("plans") {
        plans()?;
    }
    if is("lint") {
        lint::run(place.path())?;
    }
    if is(WAITS) {
        waits::run(place.path())?;
    }
    Ok(())
}

fn lifeboat() -> String {
    root().join("target/release/lifeboat").to_string_lossy().into_owned()
}

/// Minimum, median and maximum.
fn spread(mut times: Vec<Duration>) -> (Duration, Duration, Duration) {
    times.sort();
    let pick = |at: usize| times.get(at).copied().unwrap_or_default();
    (pick(0), pick(times.len() / 2), pick(times.len().saturating_sub(1)))
}

fn time(command: &mut Command) -> Result<Duration, String> {
    let began = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(began.elapsed()) } else { Err(format!("{command:?} ended with {status}")) }
}

/// 1,000 steps that do nothing, with durable evidence, against make and ninja on the same graph.
fn no_ops(place: &Path) -> Result<(), String> {
    let (mut book, mut make, mut ninja) = (
        String::from(
            "apiVersion: lifeboat.dev/v1\nkind: Runbook\nmetadata: {name: bench, owner: bench}\nrecovery:\n  capability: \
             x\n  scope: application\n  disaster: data-corruption\n  objectives: {rpo: 1h, rto: 1h}\n  level: L1\nsteps:\n",
        ),
        String::from(".PHONY: all\n"),
        String::from("rule t\n  command = true\n"),
    );
    for layer in 0..LAYERS {
        for at in 0..WIDTH {
            let before: Vec<String> = match layer {
                0 => Vec::new(),
                _ => (0..WIDTH).map(|at| format!("l{}-{at}", layer - 1)).collect(),
            };
            let (listed, spaced) = (before.join(", "), before.join(" "));
            _ = writeln!(book, "  l{layer}-{at}: {{phase: data, needs: [{listed}], exec: [\"true\"], effect: reads}}");
            _ = writeln!(make, ".PHONY: l{layer}-{at}\nl{layer}-{at}: {spaced}\n\t@/bin/true");
            _ = writeln!(ninja, "build l{layer}-{at}: t {spaced}");
        }
    }
    let last: Vec<String> = (0..WIDTH).map(|at| format!("l{}-{at}", LAYERS - 1)).collect();
    _ = writeln!(make, "all: {}", last.join(" "));
    for (name, text) in [("book.yaml", book), ("Makefile", make), ("build.ninja", ninja)] {
        fs::write(place.join(name), text).map_err(|error| error.to_string())?;
    }
    let mut times: IndexMap<&str, Vec<Duration>> = IndexMap::new();
    for _ in 0..ROUNDS {
        let store = tempfile::tempdir_in(place).map_err(|error| error.to_string())?;
        let mut ours = Command::new(lifeboat());
        ours.args(["run", "book.yaml", "--no-input", "--parallel", "8", "--store"]).arg(store.path());
        let mut make = Command::new("make");
        make.args(["-j8", "all"]);
        let mut ninja = Command::new("ninja");
        ninja.arg("-j8");
        for (name, mut command) in [("lifeboat", ours), ("make -j8", make), ("ninja -j8", ninja)] {
            match time(command.current_dir(place)) {
                Ok(took) => {
                    times.entry(name).or_default().push(took);
                    if name == "lifeboat" {
                        times.entry("  its steps").or_default().push(running(store.path())?);
                    }
                }
                Err(reason) if name == "lifeboat" => return Err(reason),
                Err(_) => {}
            }
        }
    }
    say(&format!("\n{} no-op steps, {LAYERS} layers of {WIDTH} ({ROUNDS} rounds, median, min to max)", LAYERS * WIDTH));
    let base = times.get("make -j8").map(|times| spread(times.clone()).1);
    for (name, times) in times {
        let (least, median, most) = spread(times);
        let ratio =
            base.map(|base| format!("{:.2} × make", median.as_secs_f64() / base.as_secs_f64())).unwrap_or_default();
        say(&format!("  {name:<12} {median:>10.1?}  ({least:.1?} to {most:.1?})  {ratio}"));
    }
    Ok(())
}

/// How long the only run of a store took by its own log: without reading, linting and planning before it, and telling
/// what came of it after it.
fn running(store: &Path) -> Result<Duration, String> {
    let mut runs = fs::read_dir(store.join("runs")).map_err(|error| error.to_string())?.flatten();
    let run = runs.next().ok_or("the run left nothing")?.path();
    let log = fs::read_to_string(run.join("evidence.jsonl")).map_err(|error| error.to_string())?;
    let last: serde_json::Value =
        serde_json::from_str(log.lines().next_back().unwrap_or_default()).map_err(|error| error.to_string())?;
    let millis = last.get("elapsedMs").and_then(serde_json::Value::as_u64).ok_or("the last record has no elapsedMs")?;
    Ok(Duration::from_millis(millis))
}

fn start_up() -> Result<(), String> {
    let (mut ours, mut base) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        ours.push(time(Command::new(lifeboat()).arg("version"))?);
        base.push(time(&mut Command::new("true"))?);
    }
    let (ours, base) = (spread(ours).1, spread(base).1);
    say(&format!(
        "\nstart-up: `lifeboat version` {ours:.2?}, `true` {base:.2?}: {:.1} ×",
        ours.as_secs_f64() / base.as_secs_f64()
    ));
    Ok(())
}

fn chain(steps: usize) -> String {
    let mut text = String::from(
        "apiVersion: lifeboat.dev/v1\nkind: Runbook\nmetadata: {name: b, owner: b}\nrecovery: {capability: x, scope: \
         application, disaster: data-corruption, objectives: {rpo: 1h, rto: 1h}, level: L1}\nsteps:\n",
    );
    for at in 0..steps {
        let needs = if at == 0 { String::new() } else { format!("s{}", at - 1) };
        _ = writeln!(text, " s{at}: {{phase: data, needs: [{needs}], exec: [x]}}");
    }
    text
}

/// Planning: is it linear?
fn plans() -> Result<(), String> {
    say("\nplanning (in this process; a file may have 4 MiB, so 100,000 steps are read as one without that limit)");
    let mut first = None;
    for steps in [1_000, 10_000, 100_000] {
        // 100,000 steps do not fit in one file: the model is read in tenths and put together.
        let part = Source::new("bench", chain(steps.min(10_000)));
        let Some(mut runbook) = parse::parse(Arc::clone(&part)).runbook else { return Err("no runbook".to_owned()) };
        if let Some((_, step)) = runbook.steps.first().map(|(id, step)| (id.clone(), step.clone())) {
            for at in runbook.steps.len()..steps {
                let before =
                    lifeboat_core::source::Spanned::new(format!("s{}", at - 1), lifeboat_core::source::Span::default());
                let mut next = step.clone().into_inner();
                next.needs = Some(vec![before]);
                runbook.steps.insert(
                    format!("s{at}"),
                    lifeboat_core::source::Spanned::new(next, lifeboat_core::source::Span::default()),
                );
            }
        }
        let runbook = Arc::new(runbook);
        let times = (0..5)
            .map(|_| {
                let began = Instant::now();
                let request = Request {
                    runbook: Arc::clone(&runbook),
                    source: Arc::clone(&part),
                    mode: Mode::Incident,
                    inputs: IndexMap::new(),
                    resolve: &|_, _| Err(Unreadable::Missing(String::new())),
                };
                _ = black_box(plan::build(request).is_ok());
                began.elapsed()
            })
            .collect();
        let median = spread(times).1;
        let each = median.as_secs_f64() / f64::from(u32::try_from(steps).unwrap_or(u32::MAX));
        let base = *first.get_or_insert(each);
        say(&format!("  {steps:>7} steps {median:>10.2?}  {:.2} × the time a step at 1,000", each / base));
    }
    Ok(())
}
