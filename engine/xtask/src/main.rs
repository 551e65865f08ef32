//! The project's own chores: `cargo xtask ci | test | gen [--check] | bench [FIGURES] | fuzz [MINUTES] | purity | cluster [--build]`.
//!
//! Duty: everything that a newcomer and CI run, with every install step in it.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

mod bench;
mod cluster;
mod generate;
mod needs;
mod purity;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["ci"] => ci(),
        ["test", rest @ ..] => needs::install().and_then(|()| cluster::build()).and_then(|()| test(rest)),
        ["purity"] => purity::check(),
        ["gen"] => generate::run(false),
        ["gen", "--check"] => generate::run(true),
        ["bench", wanted @ ..] => needs::install_for_bench().and_then(|()| bench(wanted)),
        ["fuzz"] => fuzz("10"),
        ["fuzz", minutes] => fuzz(minutes),
        ["cluster"] => needs::install().and_then(|()| cluster::run()),
        ["cluster", "--build"] => cluster::build(),
        _ => Err("expected `cargo xtask ci`, `test [ARGUMENTS OF cargo test]`, `gen [--check]`, `bench [FIGURES]`, `fuzz [MINUTES]`, \
                  `purity` or `cluster [--build]`"
            .to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            say(&format!("xtask: {reason}"));
            ExitCode::FAILURE
        }
    }
}

/// Everything that must hold before anything is merged; CI runs exactly this.
fn ci() -> Result<(), String> {
    needs::install()?;
    cargo("formatting", &["fmt", "--all", "--check"])?;
    cargo("clippy", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    purity::check()?;
    generate::run(true)?;
    with_env("rustdoc", &["doc", "--workspace", "--no-deps", "--locked"], ("RUSTDOCFLAGS", "-D warnings"))?;
    cluster::build()?;
    // Last, so that what CI shows at its end is the verdict of the tests.
    test(&[])
}

/// What runs inside of this process is only worth timing with optimisation.
fn bench(wanted: &[&str]) -> Result<(), String> {
    let inside = wanted.is_empty() || wanted.iter().any(|name| bench::INSIDE.contains(name));
    if inside && cfg!(debug_assertions) {
        let mut call = vec!["run", "--release", "--locked", "-p", "xtask", "--", "bench"];
        call.extend(wanted);
        return cargo("bench, optimised", &call);
    }
    if wanted.is_empty() || wanted.contains(&bench::WAITS) {
        cluster::build()?;
    }
    bench::run(wanted)
}

/// Damaged runbooks, for so many minutes. Without optimisation, as sums that overflow are told then.
fn fuzz(minutes: &str) -> Result<(), String> {
    let seconds = minutes.parse::<u64>().ok().and_then(|minutes| minutes.checked_mul(60));
    let seconds = seconds.ok_or_else(|| format!("expected a number of minutes, found `{minutes}`"))?;
    let call = ["test", "--locked", "--test", "lifeboat", "--", "--nocapture", "lint::mutated"];
    with_env("damaged runbooks", &call, ("LIFEBOAT_TEST_FUZZ", &seconds.to_string()))
}

fn test(arguments: &[&str]) -> Result<(), String> {
    let mut all = vec!["test", "--workspace", "--locked"];
    all.extend(arguments);
    cargo("tests", &all)
}

fn cargo(what: &str, arguments: &[&str]) -> Result<(), String> {
    with_env(what, arguments, ("LIFEBOAT_XTASK", "1"))
}

fn with_env(what: &str, arguments: &[&str], (name, value): (&str, &str)) -> Result<(), String> {
    say(&format!("── {what}: cargo {}", arguments.join(" ")));
    run(Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())).args(arguments).env(name, value))
        .map_err(|reason| format!("{what}: {reason}"))
}

/// Runs a command from the root of the workspace.
fn run(command: &mut Command) -> Result<(), String> {
    let status = command.current_dir(root()).status().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("ended with {status}")) }
}

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

#[expect(clippy::print_stderr, reason = "this is what a chore says to the person at the terminal")]
fn say(text: &str) {
    eprintln!("{text}");
}
