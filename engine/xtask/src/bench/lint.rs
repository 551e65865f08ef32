//! What linting a thousand runbooks costs.
//!
//! Each is another one: its names differ, all of its scripts, and a third of its expressions. (In our 19 runbooks and starters
//! 61 % of the expressions, 30 % of the templates and 95 % of the scripts stand nowhere else; the more files there are, the
//! fewer are new.) `lint` reads what is the same once, so one stage has a reader that knows nothing for each file: what linting
//! costs when no two files have anything in common.

use std::{
    fs,
    hint::black_box,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use lifeboat_core::{
    lint::{Linter, organisation::Organisation},
    model::{parse, yaml},
    plan::Unreadable,
    source::Source,
};

use super::{ROUNDS, lifeboat, spread, time};
use crate::{root, say};

/// How many runbooks.
const RUNBOOKS: usize = 1_000;

/// The stages, each of which does what those before it do, and more; the last one is the program itself.
#[derive(Clone, Copy)]
enum Stage {
    /// The YAML alone.
    Yaml,
    /// The model, which is to parse a runbook.
    Parse,
    /// Every template, expression and script.
    Read,
    /// Every rule.
    Lint,
    /// The same, with a reader that knows nothing.
    Alone,
    /// `lifeboat lint`, with all cores: files are opened and read, and the result is printed.
    Process,
}

type Round = [Duration; 6];
type Work<'a> = &'a dyn Fn(Arc<Source>) -> usize;

/// Measures and prints.
pub(super) fn run(place: &Path) -> Result<(), String> {
    let text = fs::read_to_string(root().join("engine/xtask/src/bench/typical.yaml")).map_err(|it| it.to_string())?;
    let another = |number: usize| text.replace("shop", &format!("shop{number}")).replace("1000", &number.to_string());
    let texts: Vec<String> = (0..RUNBOOKS).map(another).collect();
    let directory = place.join("lint");
    fs::create_dir_all(&directory).map_err(|it| it.to_string())?;
    for (number, text) in texts.iter().enumerate() {
        fs::write(directory.join(format!("{number}.yaml")), text).map_err(|it| it.to_string())?;
    }
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut round = inside(&texts);
        round[Stage::Process as usize] = time(Command::new(lifeboat()).arg("lint").arg(&directory))?;
        rounds.push(round);
    }
    tell(&rounds, text.lines().count());
    Ok(())
}

/// All stages with each runbook in turn, so that a slow moment of the machine meets all of them.
fn inside(texts: &[String]) -> Round {
    let missing = |_: &str, _: &str| Err(Unreadable::Missing(String::new()));
    let none = Organisation::default();
    let (reader, linter) = (Linter::default(), Linter::default());
    let parsed = |source| parse::parse(source);
    let stages: [(Stage, Work<'_>); 5] = [
        (Stage::Yaml, &|source| usize::from(yaml::parse(&source).0.is_some())),
        (Stage::Parse, &|source| parsed(source).diagnostics.len()),
        (Stage::Read, &|source| reader.read_only(&parsed(source), &missing)),
        (Stage::Lint, &|source| linter.lint(&none, &parsed(source), &missing).len()),
        (Stage::Alone, &|source| Linter::default().lint(&none, &parsed(source), &missing).len()),
    ];
    let mut round = Round::default();
    for text in texts {
        for (stage, work) in stages {
            let source = Source::new("bench", text.clone());
            let began = Instant::now();
            black_box(work(source));
            round[stage as usize] += began.elapsed();
        }
    }
    round
}

fn tell(rounds: &[Round], lines: usize) {
    // The ratio of each round, and of those the middle one.
    let ratio = |of: Stage, to: Stage| {
        let each = rounds.iter().map(|it| it[of as usize].as_secs_f64() / it[to as usize].as_secs_f64());
        let mut all: Vec<f64> = each.collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let time = |stage: Stage| spread(rounds.iter().map(|it| it[stage as usize]).collect()).1;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    say(&format!(
        "\n`lifeboat lint` of {RUNBOOKS} runbooks of {lines} lines, one process on {cores} cores: {:.2?}\n  {:.2} × parsing them, one \
         after the other ({:.2?})\nthe work of it, one after the other: {:.2?}\n  {:.2} × parsing them\n  {:.2} × parsing them and their \
         templates, expressions and scripts ({:.2?})\n  {:.2} × reading their YAML ({:.2?})\nthe work if no two had a text in \
         common: {:.2?}\n  {:.2} × parsing them",
        time(Stage::Process),
        ratio(Stage::Process, Stage::Parse),
        time(Stage::Parse),
        time(Stage::Lint),
        ratio(Stage::Lint, Stage::Parse),
        ratio(Stage::Lint, Stage::Read),
        time(Stage::Read),
        ratio(Stage::Lint, Stage::Yaml),
        time(Stage::Yaml),
        time(Stage::Alone),
        ratio(Stage::Alone, Stage::Parse),
    ));
}
