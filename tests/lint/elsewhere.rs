//! Where authors are: the GitHub Action and the hooks for pre-commit do what they say.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use serde_json::Value;

use crate::harness::{Ended, Place, repository, runbook};

fn yaml(name: &str) -> Value {
    let text = fs::read_to_string(repository().join(name)).expect("a file");
    lifeboat_core::kube::text::value(&text).expect("YAML")
}

/// A sound runbook, one with a mistake, and a file that is none.
fn files(place: &Place) {
    let steps = "  a: {phase: data, exec: [a], effect: reads, restores: true}\n";
    let sound = runbook(steps).replace("level: L2", "level: L1");
    place.file("with space/runbooks/sound.yaml", &sound);
    place.file("runbooks/sound.yaml", &sound);
    place.file("runbooks/broken.yaml", sound.replace("phase: data", "phase: date"));
    place.file("other.yaml", "kind: ConfigMap\n");
}

/// Runs a script of the action as a runner does: `shell: bash` is `bash --noprofile --norc -eo pipefail`.
fn step(place: &Place, inputs: [(&str, &str); 3]) -> Ended {
    let action = yaml(".github/actions/lint/action.yml");
    let steps = action["runs"]["steps"].as_array().expect("steps");
    let lint = steps.iter().find(|step| step["name"] == "Lint").expect("the step");
    // Where the step before it installs the program.
    let bin = place.path("temp/lifeboat/bin");
    if !bin.exists() {
        fs::create_dir_all(&bin).expect("a directory");
        symlink(env!("CARGO_BIN_EXE_lifeboat"), bin.join("lifeboat")).expect("a link");
    }
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", lint["run"].as_str().expect("a script")]);
    command.current_dir(place.path("")).env("RUNNER_TEMP", place.path("temp"));
    for (name, value) in lint["env"].as_object().expect("an environment") {
        let input =
            value.as_str().and_then(|it| it.strip_prefix("${{ inputs.")?.strip_suffix(" }}")).expect("an input");
        let default = action["inputs"][input]["default"].as_str().expect("a default");
        let given = inputs.iter().find(|(name, _)| *name == input).map_or(default, |(_, value)| value);
        command.env(name, given);
    }
    let out = command.output().expect("bash");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = out.status.code().unwrap_or(128);
    Ended { call: String::from("the action"), code, out: text(&out.stdout), err: text(&out.stderr) }
}

#[test]
fn the_action_annotates_and_fails() {
    let place = Place::new();
    files(&place);
    let none = ("", "");
    let ended = step(&place, [("paths", "runbooks other-runbooks"), none, none]);
    assert_eq!(ended.code, 2, "a path that is not there is no success: {ended}");
    let ended = step(&place, [("paths", "runbooks"), none, none]).code(2);
    assert!(ended.out.starts_with("::error file=runbooks/broken.yaml,line="), "{ended}");
    step(&place, [("paths", "runbooks/sound.yaml"), ("arguments", "--deny warnings"), none]).code(0);
    // Nothing of an input is a command.
    step(&place, [("paths", "runbooks/sound.yaml; touch owned $(touch owned)"), none, none]).code(2);
    assert!(!place.path("owned").exists());
}

#[test]
fn the_action_writes_sarif() {
    let place = Place::new();
    files(&place);
    step(&place, [("paths", "runbooks"), ("sarif", "true"), ("", "")]).code(2);
    let log = fs::read_to_string(place.path("temp/lifeboat.sarif")).expect("a log");
    let log: Value = serde_json::from_str(&log).expect("JSON");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "unknown-value", "{log:#}");
    // It is sent also when something was found.
    let action = yaml(".github/actions/lint/action.yml");
    let send = action["runs"]["steps"].as_array().and_then(|steps| steps.last()).expect("a step");
    assert!(send["if"].as_str().is_some_and(|when| when.contains("always()")), "{send}");
    let temp = send["with"]["sarif_file"].as_str().unwrap_or_default();
    assert_eq!(Path::new(temp).file_name().and_then(|name| name.to_str()), Some("lifeboat.sarif"));
}

/// pre-commit calls the entry with the names of the files of a commit that have the types.
#[test]
fn hooks_leave_other_files_alone() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let hooks = hooks.as_array().expect("hooks");
    assert_eq!(hooks.len(), 2);
    for hook in hooks {
        let entry = hook["entry"].as_str().and_then(|entry| entry.strip_prefix("lifeboat ")).expect("our program");
        let call = |place: &Place, files: &[&str]| {
            let arguments: Vec<&str> = entry.split_whitespace().chain(files.iter().copied()).collect();
            place.lifeboat(&arguments)
        };
        let place = Place::new();
        files(&place);
        call(&place, &["other.yaml"]).code(0).says("in 0 runbooks");
        call(&place, &["other.yaml", "runbooks/sound.yaml", "with space/runbooks/sound.yaml"])
            .code(0)
            .says("in 2 runbooks");
        call(&place, &["other.yaml", "runbooks/broken.yaml"]).code(2).says("unknown-value");
        call(&place, &["gone.yaml"]).code(2).says("gone.yaml");
    }
}
