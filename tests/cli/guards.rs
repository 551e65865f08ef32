//! Guards through the binary: watched while their part of the run goes on, with real checks.

use std::fs;

use crate::harness::{Place, of_kind, runbook, runbook_with};

/// A guard of an included runbook is watched while that one runs, and not before.
#[test]
fn of_an_included_runbook() {
    let place = Place::new();
    let guards = "guards:\n  - {name: g, check: {shell: test ! -e bad}, every: 100ms, failures: 1, then: abort}\n";
    let child = "  one: {phase: data, shell: sleep 0.4, effect: reads, restores: true}\n  \
                 two: {phase: data, needs: [one], shell: 'touch bad; sleep 20', undo: {shell: rm bad}}\n";
    place.file("child.yaml", runbook_with(guards, child));
    let parent = "  before: {phase: provision, shell: 'touch bad; sleep 0.6; rm bad', undo: {shell: 'true'}}\n  \
                  db: {phase: data, runbook: {path: child.yaml}}\n  \
                  after: {phase: validate, effect: reads, restores: true, shell: 'true'}\n";
    let ended = place.run(&runbook(parent)).code(3);
    assert!(!place.path("bad").exists(), "undone: {ended}");
    let records = place.records();
    assert_eq!(of_kind(&records, "guard-tripped")[0]["guard"], "db/g");
    assert_eq!(of_kind(&records, "guard-failing").len(), 1, "it was not looked at before its runbook began: {ended}");
    place.lifeboat(&["report", "@latest"]).code(0).says("db/g bad since");
    place.lifeboat(&["plan", "r.yaml"]).code(0).says("db/g: abort when its shell check does not pass");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

/// Nobody can tell whether it is good: that is not good.
#[test]
fn that_cannot_be_evaluated() {
    let place = Place::new();
    let guards = "guards:\n  - {name: rate, check: {http: {url: 'http://127.0.0.1:1/'}}, every: 50ms, failures: 2, then: abort}\n";
    let steps = "  work: {phase: data, restores: true, shell: 'echo work >> effects; sleep 20', undo: {shell: echo undone >> effects}}\n";
    place.run(&runbook_with(guards, steps)).code(3);
    assert_eq!(fs::read_to_string(place.path("effects")).expect("effects"), "work\nundone\n");
    let records = place.records();
    let tripped = of_kind(&records, "guard-tripped")[0];
    assert_eq!((&tripped["evaluated"], &tripped["failures"]), (&serde_json::json!(false), &serde_json::json!(2)));
    place.lifeboat(&["report", "@latest"]).code(0).says("could not be evaluated");
}
