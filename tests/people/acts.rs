//! Acts through the run's inbox: taken, acknowledged, refused with the reason, kept for the next engine.

use std::fs;

use serde_json::Value;

use crate::harness::{Ended, Going, LIMIT, Place, of_kind, runbook, runbook_with, wait_for};

/// Starts a run that has a step which waits for something, beside one that keeps the engine there until `go` exists.
fn waiting(more: &str, steps: &str) -> (Place, Going) {
    let place = Place::new();
    let keeper = "  keeper: {phase: data, shell: 'until test -e go; do sleep 0.05; done', effect: reads}\n";
    place.file("r.yaml", runbook_with(more, &format!("{keeper}{steps}")));
    let going = place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the run", LIMIT, || {
        let run = place.runs().pop().filter(|run| run.join("evidence.jsonl").exists())?;
        let records = crate::harness::records(&run);
        (!of_kind(&records, "action-started").is_empty()).then_some(())
    });
    (place, going)
}

fn go(place: &Place, going: Going) -> Ended {
    place.file("go", "");
    going.end(LIMIT)
}

fn until(place: &Place, event: &str, step: &str) {
    wait_for(event, LIMIT, || {
        place.records().iter().any(|record| record["event"] == event && record["step"] == step).then_some(())
    });
}

const GATE: &str =
    "  promote: {phase: data, restores: true, approval: {by: dba, count: 2}, shell: echo done >> effects}\n";
const ROLES: &str = "roles: {dba: [alice@example.org, bob@example.org]}\n";

#[test]
fn two_people_are_two_and_one_person_is_one() {
    let (place, going) = waiting(ROLES, GATE);
    until(&place, "approval-requested", "promote");
    let alice = ["approve", "@latest", "promote", "--as", "alice@example.org"];
    place.lifeboat(&alice).code(0).says("1 approval so far");
    place.lifeboat(&alice).code(2).says("has approved already");
    place.lifeboat(&["approve", "@latest", "promote", "--as", "mallory@example.org"]).code(2).says("role `dba`");
    assert!(!place.path("effects").exists(), "one person is not two");
    place.lifeboat(&["approve", "@latest", "promote", "--as", "bob@example.org"]).code(0).says("2 approvals so far");
    until(&place, "step-succeeded", "promote");
    go(&place, going).code(0);
    let records = place.records();
    let acts = of_kind(&records, "act");
    let taken: Vec<bool> = acts.iter().filter_map(|act| act["accepted"].as_bool()).collect();
    assert_eq!(taken, [true, false, false, true], "{acts:#?}");
    assert!(acts.iter().all(|act| act["how"] == "inbox"), "{acts:#?}");
    assert!(fs::read_dir(place.only_run().join("inbox")).expect("an inbox").next().is_none(), "letters are put away");
    let report = place.lifeboat(&["report", "@latest"]).code(0);
    for part in ["alice@example.org approved", "mallory@example.org tried to approve", "bob@example.org approved"] {
        assert!(report.out.contains(part), "no `{part}` in {report}");
    }
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn denied_with_a_reason() {
    let (place, going) = waiting(ROLES, &GATE.replace("approval:", "onFailure: continue, approval:"));
    until(&place, "approval-requested", "promote");
    place.lifeboat(&["deny", "@latest", "promote", "--as", "bob@example.org"]).code(2).says("expected a reason");
    let deny = ["deny", "@latest", "promote", "--as", "bob@example.org", "--reason", "the replica lags"];
    place.lifeboat(&deny).code(0).says("the replica lags");
    go(&place, going).code(1).says("promote");
    assert!(!place.path("effects").exists());
}

#[test]
fn an_answer_after_the_expiry_is_refused_and_the_next_engine_asks_anew() {
    let gate = GATE.replace("count: 2", "count: 1, expires: 300ms");
    let (place, going) = waiting(ROLES, &gate);
    until(&place, "approval-requested", "promote");
    std::thread::sleep(std::time::Duration::from_millis(400));
    let approve = ["approve", "@latest", "promote", "--as", "alice@example.org"];
    place.lifeboat(&approve).code(2).says("the time to answer was over at");
    go(&place, going).code(5);
    assert!(!place.path("effects").exists());
    place.lifeboat(&approve).code(5);
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(0);
    assert!(place.path("effects").exists());
}

#[test]
fn one_step_is_retried_and_another_left_out_while_the_rest_runs() {
    let steps = "  flaky: {phase: data, onFailure: pause, restores: true, shell: 'test -e fixed && echo fixed >> effects'}\n  \
                 extra: {phase: data, onFailure: pause, shell: exit 4}\n  \
                 needs-extra: {phase: data, needs: [extra], shell: echo wrong >> effects}\n";
    let (place, going) = waiting("", steps);
    until(&place, "step-failed", "flaky");
    until(&place, "step-failed", "extra");
    place.lifeboat(&["skip", "@latest", "extra", "--as", "alice"]).code(2).says("expected a reason");
    let skip = ["skip", "@latest", "extra", "--as", "alice", "--reason", "not needed tonight"];
    place.lifeboat(&skip).code(0).says("`extra` is left out").says("`needs-extra` is blocked");
    place.file("fixed", "");
    place.lifeboat(&["retry", "@latest", "flaky", "--as", "alice"]).code(0).says("`flaky` starts");
    until(&place, "step-succeeded", "flaky");
    place.lifeboat(&["retry", "@latest", "flaky", "--as", "alice"]).code(2).says("does not wait for that");
    place.lifeboat(&["retry", "@latest", "nobody", "--as", "alice"]).code(2).says("expected a step of the plan");
    go(&place, going).code(1);
    assert_eq!(fs::read_to_string(place.path("effects")).expect("effects"), "fixed\n");
}

#[test]
fn paused_and_continued_and_handed_over() {
    let (place, going) = waiting("", "  later: {phase: validate, restores: true, shell: echo later >> effects}\n");
    place
        .lifeboat(&["pause", "@latest", "--as", "alice", "--reason", "call with the vendor"])
        .code(0)
        .says("nothing new starts");
    place.lifeboat(&["pause", "@latest", "--as", "alice"]).code(2).says("paused already");
    place
        .lifeboat(&["handover", "@latest", "--as", "alice", "--to", "bob@example.org"])
        .code(0)
        .says("to bob@example.org");
    place.lifeboat(&["continue", "@latest", "--as", "bob@example.org"]).code(0).says("the run goes on");
    go(&place, going).code(0);
    let report = place.lifeboat(&["report", "@latest"]).code(0);
    for part in ["alice paused the run", "call with the vendor", "alice passed command on", "to bob@example.org"] {
        assert!(report.out.contains(part), "no `{part}` in {report}");
    }
}

#[test]
fn aborted_from_elsewhere_after_a_look_at_what_that_does() {
    let steps = "  made: {phase: provision, title: Make it, shell: echo made >> effects, undo: {shell: echo unmade >> effects}}\n  \
                 sent: {phase: provision, irreversible: true, shell: echo sent >> effects}\n";
    let place = Place::new();
    let keeper = "  keeper: {phase: data, restores: true, shell: 'until test -e go; do sleep 0.05; done', undo: {shell: 'true', estimate: 2m}}\n";
    place.file("r.yaml", runbook(&format!("{steps}{keeper}")));
    let going = place.start(&["run", "r.yaml", "--no-input"]);
    wait_for("the keeper", LIMIT, || {
        let run = place.runs().pop().filter(|run| run.join("evidence.jsonl").exists())?;
        let records = crate::harness::records(&run);
        of_kind(&records, "action-started").iter().any(|record| record["step"] == "keeper").then_some(())
    });
    let preview = place.lifeboat(&["abort", "@latest", "--preview"]).code(0);
    for part in ["stop   keeper", "1. keeper", "2m", "2. made", "Make it", "STAYS  sent", "irreversible", "exit code 4"]
    {
        assert!(preview.out.contains(part), "no `{part}` in {preview}");
    }
    assert_eq!(of_kind(&place.records(), "act").len(), 0, "a preview changes nothing");
    let aborted = place.lifeboat(&["abort", "@latest", "--as", "alice", "--reason", "wrong region"]).code(0);
    assert!(aborted.out.contains("keeper, made") && aborted.out.contains("STAYS sent"), "{aborted}");
    going.end(LIMIT).code(4);
    assert_eq!(fs::read_to_string(place.path("effects")).expect("effects").lines().last(), Some("unmade"));
    place.lifeboat(&["abort", "@latest"]).code(2).says("is over");
    place.lifeboat(&["abort", "@latest", "--preview"]).code(0).says("is over");
}

/// Nobody has the run: what was said is kept, and comes first when somebody takes it.
#[test]
fn an_answer_without_an_engine_is_taken_by_the_next_one() {
    let place = Place::new();
    place.run(&runbook_with(ROLES, &GATE.replace("count: 2", "count: 1"))).code(5);
    let approve = ["approve", "@latest", "promote", "--as", "alice@example.org"];
    place.lifeboat(&approve).code(5).says("no engine has the run").says("lifeboat resume");
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(0);
    assert_eq!(fs::read_to_string(place.path("effects")).expect("effects"), "done\n");
    place.lifeboat(&approve).code(2).says("is over");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn what_is_no_act_is_put_aside() {
    let place = Place::new();
    place.run(&runbook_with(ROLES, &GATE.replace("count: 2", "count: 1"))).code(5);
    let inbox = place.only_run().join("inbox");
    for (name, text) in [("1.json", "{"), ("2.json", "{\"payload\": \"{}\"}"), ("3.json", ""), ("4.txt", "x")] {
        fs::write(inbox.join(name), text).expect("it can be written");
    }
    fs::write(inbox.join("5.json"), " ".repeat(1 << 20)).expect("it can be written");
    fs::create_dir(inbox.join("6.json")).expect("a directory");
    let pipe = std::process::Command::new("mkfifo").arg(inbox.join("7.json")).status().expect("mkfifo runs");
    assert!(pipe.success());
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(5);
    let mut left: Vec<String> = fs::read_dir(&inbox)
        .expect("an inbox")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    let unreadable = |number: u32| format!("{number}.unreadable");
    let wanted: Vec<String> =
        (1..=3).map(unreadable).chain(["4.txt".to_owned()]).chain((5..=7).map(unreadable)).collect();
    assert_eq!(left, wanted);
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn files_become_evidence() {
    let (place, going) = waiting("", "");
    place.file("photo.txt", "the cable, unplugged\n");
    let attach =
        ["attach-file", "@latest", "photo.txt", "--step", "keeper", "--as", "alice", "--reason", "as seen in row 4"];
    place.lifeboat(&attach).code(0).says("was taken");
    place.file("empty.txt", "");
    place.lifeboat(&["attach-file", "@latest", "empty.txt"]).code(2).says("found nothing").says("look whether");
    for unreadable in ["missing.txt", "."] {
        let told = place.lifeboat(&["attach-file", "@latest", unreadable]).code(2);
        told.says(&format!("expected a file at {unreadable}")).says("give the path of a file that this user can read");
    }
    go(&place, going);
    let records = place.records();
    let artifact: &Value = &of_kind(&records, "act")[0]["artifacts"][0];
    assert_eq!((artifact["name"].as_str(), artifact["bytes"].as_u64()), (Some("photo.txt"), Some(21)));
    place.lifeboat(&["report", "@latest"]).code(0).says("alice attached a file to `keeper`").says("photo.txt (SHA-256");
    place.lifeboat(&["verify", "@latest"]).code(0);
    let path = place.only_run().join("artifacts").join(artifact["sha256"].as_str().expect("a digest"));
    fs::remove_file(path).expect("it is there");
    place.lifeboat(&["verify", "@latest"]).code(7).says("record ");
}

/// A guard paused the run, and nobody was there: an act for the run as a whole waits as well.
#[test]
fn a_held_run_is_continued_or_aborted_from_elsewhere() {
    let guard = "guards: [{name: bell, during: {from: first}, check: {shell: test ! -e ring}, every: 100ms, failures: 1, then: pause}]\n";
    let steps = "  first: {phase: data, shell: 'touch ring; sleep 1; echo first >> effects', undo: {shell: echo undone >> effects}}\n  \
                 second: {phase: validate, restores: true, shell: echo second >> effects, undo: {shell: 'true'}}\n";
    for (act, code, wanted) in [("continue", 0, "first\nsecond\n"), ("abort", 3, "first\nundone\n")] {
        let place = Place::new();
        place.run(&runbook_with(guard, steps)).code(5).says("the run is paused");
        let text = fs::read_to_string(place.path("effects")).expect("effects");
        assert_eq!(text, "first\n", "what ran has ended, and nothing new began");
        place
            .lifeboat(&[act, "@latest", "--as", "alice", "--reason", "I have looked"])
            .code(5)
            .says("waits in its inbox");
        place.lifeboat(&["resume", "@latest", "--no-input"]).code(code);
        assert_eq!(fs::read_to_string(place.path("effects")).expect("effects"), wanted);
        let report = place.lifeboat(&["report", "@latest"]).code(0).says("engine paused the run");
        assert!(report.out.contains("alice") && report.out.contains("I have looked"), "{report}");
        place.lifeboat(&["verify", "@latest"]).code(0);
    }
}

#[test]
fn a_slip_of_the_pen_is_told_at_once() {
    let place = Place::new();
    place.run(&runbook_with(ROLES, &GATE.replace("count: 2", "count: 1"))).code(5);
    place
        .lifeboat(&["approve", "@latest", "promot", "--as", "alice@example.org"])
        .code(2)
        .says("its steps are promote");
    assert!(fs::read_dir(place.only_run().join("inbox")).expect("an inbox").next().is_none());
}

/// What somebody writes is shown to others, and not obeyed by their terminals.
#[test]
fn a_reason_cannot_take_over_a_terminal() {
    let (place, going) = waiting("", "");
    let reason = "\u{1b}[2J\u{1b}]0;owned\u{7}look\rhere";
    place.lifeboat(&["pause", "@latest", "--as", "mal\u{1b}[31mlory", "--reason", reason]).code(0);
    place.lifeboat(&["continue", "@latest"]).code(0);
    let ended = go(&place, going);
    assert!(ended.err.contains("mallory: pause: look·here"), "{ended}");
    for told in [&ended, &place.lifeboat(&["report", "@latest"]), &place.lifeboat(&["show", "@latest"])] {
        assert!(!told.out.contains('\u{1b}') && !told.err.contains('\u{1b}') && !told.out.contains('\r'), "{told}");
    }
}
