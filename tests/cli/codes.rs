//! Every exit code, by a run that ends with it.

use crate::harness::{Place, of_kind, runbook, runbook_with};

const GOOD: &str = "  restore: {phase: data, restores: true, shell: echo restored >> effects, undo: {shell: echo undone >> effects}}\n";

#[test]
fn succeeded() {
    Place::new().run(&runbook(GOOD)).code(0).says("PASSED");
}

#[test]
fn failed_but_went_on() {
    let place = Place::new();
    let steps = format!("{GOOD}  extra: {{phase: validate, shell: exit 9, onFailure: continue}}\n");
    let ended = place.run(&runbook(&steps)).code(1);
    assert!(ended.out.contains("extra"), "the failed step is named: {ended}");
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(1);
}

#[test]
fn a_lint_error_touches_nothing() {
    let place = Place::new();
    place.run(&runbook("  restore: {phase: data, restores: true, shel: touch effects}\n")).code(2).says("shel");
    assert!(place.runs().is_empty() && !place.path("effects").exists(), "something was touched");
}

#[test]
fn a_missing_input_touches_nothing() {
    let place = Place::new();
    let inputs = "inputs: {zone: {type: string, description: where}}\n";
    let steps = "  restore: {phase: data, restores: true, exec: [touch, \"{{inputs.zone}}\"]}\n";
    place.run(&runbook_with(inputs, steps)).code(2).says("zone");
    assert!(place.runs().is_empty() && !place.path("effects").exists(), "something was touched");
}

#[test]
fn a_missing_tool_touches_nothing() {
    let place = Place::new();
    let requires = "requires: {tools: {no-such-tool-here: \"*\", nor-this: \">=1.2\"}, env: [NO_SUCH_VARIABLE]}\n";
    let ended = place.run(&runbook_with(requires, GOOD)).code(2).says("no-such-tool-here").says("nor-this");
    assert!(ended.err.contains("NO_SUCH_VARIABLE") || ended.out.contains("NO_SUCH_VARIABLE"), "all at once: {ended}");
    assert!(!place.path("effects").exists(), "something was touched");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn aborted_and_all_of_it_undone() {
    let place = Place::new();
    place.run(&runbook(&format!("{GOOD}  bad: {{phase: validate, effect: reads, shell: exit 9}}\n"))).code(3);
    let effects = std::fs::read_to_string(place.path("effects")).expect("effects");
    assert_eq!(effects, "restored\nundone\n");
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(3);
}

#[test]
fn aborted_and_not_all_of_it_undone() {
    let place = Place::new();
    let steps =
        "  restore: {phase: data, restores: true, shell: echo restored}\n  bad: {phase: validate, shell: exit 9}\n";
    place.run(&runbook(steps)).code(4).says("restore");
    let place = Place::new();
    let failing = GOOD.replace("echo undone >> effects", "exit 3");
    place.run(&runbook(&format!("{failing}  bad: {{phase: validate, effect: reads, shell: exit 9}}\n"))).code(4);
}

#[test]
fn held_at_an_approval() {
    let place = Place::new();
    let gate = "roles: {boss: [alice@example.org]}\n";
    let steps = "  restore: {phase: data, restores: true, approval: {by: boss}, shell: touch effects}\n";
    place.run(&runbook_with(gate, steps)).code(5).says("`restore`");
    assert!(!place.path("effects").exists(), "nobody has approved");
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(5).says("`restore`");
    assert!(!place.path("effects").exists(), "nobody has approved");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

/// What a gate does when nobody is there, in both modes.
#[test]
fn every_policy_of_a_gate() {
    for (policy, incident, drill) in [("hold", 5, 5), ("deny", 4, 4), ("drill-only", 5, 0)] {
        for (mode, code) in [("run", incident), ("drill", drill)] {
            let place = Place::new();
            let steps = format!(
                "  first: {{phase: provision, shell: 'true'}}\n  restore: {{phase: data, restores: true, approval: {{unattended: {policy}}}, shell: touch effects}}\n"
            );
            place.file("r.yaml", runbook(&steps));
            let ended = place.lifeboat(&[mode, "r.yaml", "--no-input"]).code(code);
            assert_eq!(place.path("effects").exists(), code == 0, "{policy} in a {mode}: {ended}");
            if code == 0 {
                let records = place.records();
                assert_eq!(of_kind(&records, "approval-given")[0]["who"], "policy:drill-only");
            }
            place.lifeboat(&["verify", "@latest"]).code(0);
        }
    }
}

#[test]
fn an_objective_was_missed() {
    let place = Place::new();
    place.file("r.yaml", runbook(GOOD));
    let ended = place.lifeboat(&["run", "r.yaml", "--no-input", "--outage-at", "-2h"]).code(6);
    assert!(ended.out.contains("RTO") && ended.out.contains("missed"), "{ended}");
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(6);
}

#[test]
fn evidence_cannot_be_written() {
    let place = Place::new();
    place.file("r.yaml", runbook(GOOD));
    place.file("taken", "a file where the store should be");
    place.lifeboat(&["run", "r.yaml", "--no-input", "--store", "taken"]).code(7);
    assert!(!place.path("effects").exists(), "nothing may be done without evidence");
}

/// Evidence that is lost while the run goes on stops it.
#[test]
fn evidence_is_lost() {
    let place = Place::new();
    let steps = "  first: {phase: data, restores: true, shell: rm -rf store/runs/*}\n  \
                 second: {phase: validate, shell: touch effects}\n";
    let ended = place.run(&runbook(steps)).code(7).says("evidence");
    assert!(!place.path("effects").exists(), "nothing may be done without evidence: {ended}");
}

#[test]
fn a_wrong_command_line() {
    let place = Place::new();
    place.file("r.yaml", runbook(GOOD));
    let wrong: [&[&str]; 8] = [
        &["no-such-command"],
        &["run"],
        &["run", "r.yaml", "--parallel", "0"],
        &["run", "r.yaml", "--input", "x=1"],
        &["run", "r.yaml", "--outage-at", "yesterday"],
        &["run", "r.yaml", "--inputs", "missing.yaml"],
        &["show", "@latest"],
        &["resume", "20261121"],
    ];
    for arguments in wrong {
        let ended = place.lifeboat(arguments).code(2);
        assert!(!ended.err.is_empty(), "says why: {ended}");
    }
    assert!(place.runs().is_empty() && !place.path("effects").exists(), "something was touched");
}

#[test]
fn resuming_a_finished_run_changes_nothing() {
    let place = Place::new();
    place.run(&runbook(GOOD)).code(0);
    let log = place.only_run().join("evidence.jsonl");
    let before = std::fs::read(&log).expect("a log");
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(0);
    assert_eq!(before, std::fs::read(&log).expect("a log"));
    assert_eq!(of_kind(&place.records(), "run-finished").len(), 1);
}
