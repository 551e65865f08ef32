//! Reports of real runs, read by people, and of damaged logs, read by nobody.

mod any;
mod log;
mod logs;

pub(crate) use log::created;

use std::time::Instant;

use super::{
    json::{full, show},
    markdown,
    story::{RunState, Story},
    summary, text,
};
use crate::evidence::Event;

fn story(records: &[crate::evidence::Record]) -> Story {
    Story::of(records, Some(&log::plan())).unwrap_or_else(|| panic!("there is a run-created"))
}

fn in_snapshots(check: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(check);
}

#[test]
fn people_read_them() {
    in_snapshots(|| {
        for (name, records) in logs::all() {
            let story = story(&records);
            insta::assert_snapshot!(format!("{name}.text"), text(&story));
            insta::assert_snapshot!(format!("{name}.summary"), summary(&story));
            let hash = crate::evidence::chain::digest(name.as_bytes());
            insta::assert_snapshot!(
                format!("{name}.markdown"),
                markdown(&story, Some((story.last.seq, hash.as_str())))
            );
        }
    });
}

#[test]
fn machines_read_them() {
    in_snapshots(|| {
        for (name, records) in logs::all() {
            let story = story(&records);
            insta::assert_snapshot!(format!("{name}.show"), format!("{:#}", show(&story)));
        }
        insta::assert_snapshot!("unknown_resolved.full", format!("{:#}", full(&story(&logs::unknown_resolved()))));
        insta::assert_snapshot!("abort_incomplete.full", format!("{:#}", full(&story(&logs::abort_incomplete()))));
    });
}

#[test]
fn without_a_plan_ids_do() {
    in_snapshots(|| {
        let story = Story::of(&logs::failed_after_retries(), None).unwrap_or_else(|| panic!("there is a run-created"));
        insta::assert_snapshot!("no_plan.text", text(&story));
    });
}

#[test]
fn a_page_is_80_columns_and_a_summary_12_lines() {
    for (name, records) in logs::all() {
        let story = story(&records);
        for line in text(&story).lines().chain(summary(&story).lines()) {
            assert!(line.chars().count() <= 80, "{name}: {line}");
            assert!(!line.chars().any(char::is_control), "{name}: {line:?}");
            assert_eq!(line.trim_end(), line, "{name}");
        }
        assert!(summary(&story).lines().count() <= 12, "{name}: {}", summary(&story));
    }
}

/// A person at the terminal may give the reason that a guard would.
#[test]
fn who_paused_is_told_by_the_records() {
    for (name, who) in [("guard", "engine"), ("person", "ops@bastion-1 (terminal)")] {
        let mut log = log::Log::running(created(), true);
        if name == "guard" {
            log.trip("lag", "the replica lags");
        }
        log.push(Event::RunPaused { reason: "guard `lag`: the replica lags".into() });
        let story = story(&log.records);
        let told = story.decisions.last().map(|decision| (decision.did, decision.who.as_str()));
        assert_eq!(told, Some(("paused the run", who)));
    }
}

#[test]
fn nothing_leaves_its_place_in_markdown() {
    let page = markdown(&story(&logs::hostile()), None);
    assert!(!page.contains("<script>"), "{page}");
    assert!(!page.lines().any(|line| line == "# PASSED"), "{page}");
    assert!(!page.chars().any(|c| c != '\n' && c.is_control()), "{page}");
    for (name, records) in logs::all() {
        let page = markdown(&story(&records), None);
        let mut columns = None;
        for line in page.lines() {
            // A bar that is not escaped is a border.
            let bars = line.replace("\\|", "").matches('|').count();
            columns = line.starts_with('|').then(|| columns.unwrap_or(bars));
            assert_eq!(columns.unwrap_or(bars), bars, "{name}: {line}");
        }
        assert_eq!(page.matches("<details>").count(), page.matches("</details>").count(), "{name}");
    }
}

#[test]
fn the_shape_of_show_is_the_documented_one() {
    for (name, records) in logs::all() {
        let value = show(&story(&records));
        for pointer in [
            "/version",
            "/run/id",
            "/run/runbook",
            "/run/mode",
            "/run/status",
            "/run/verdict",
            "/run/exitCode",
            "/run/startedAt",
            "/run/finishedAt",
            "/objectives/rto/target",
            "/objectives/rto/actual",
            "/objectives/rto/split",
            "/objectives/rpo/target",
            "/objectives/rpo/actual",
            "/steps",
            "/acts",
        ] {
            assert!(value.pointer(pointer).is_some(), "{name}: {pointer}");
        }
        for step in value["steps"].as_object().into_iter().flat_map(serde_json::Map::values) {
            for key in ["status", "attempts", "startedAt", "finishedAt", "durationMs"] {
                assert!(step.get(key).is_some(), "{name}: {key}");
            }
        }
    }
}

#[test]
fn a_level_is_proven_only_by_a_pass() {
    for (name, records) in logs::all() {
        let story = story(&records);
        let passed = ["passed_drill", "objective_missed", "overridden"].contains(&name);
        assert_eq!(story.proven().is_some(), passed, "{name}");
    }
}

#[test]
fn overrides_are_what_weakens_the_proof() {
    let of = |records: &[crate::evidence::Record]| -> Vec<(String, String)> {
        story(records).overrides().map(|one| (one.did.to_owned(), one.step.clone().unwrap_or_default())).collect()
    };
    let pair = |did: &str, step: &str| (did.to_owned(), step.to_owned());
    assert_eq!(of(&logs::passed_drill()), [pair("approved", "shift")]);
    assert_eq!(of(&logs::overridden()), [pair("took as done", "restore-cases"), pair("skipped", "journey")]);
    assert_eq!(of(&logs::unknown_resolved()), [pair("retried", "workloads")]);
    assert_eq!(of(&logs::objective_missed()), [pair("approved", "shift")]);
    assert_eq!(of(&logs::refused_acts()), []);
}

#[test]
fn where_the_run_is() {
    let state = |records: &[crate::evidence::Record]| story(records).state;
    assert_eq!(state(&logs::no_steps()), RunState::Created);
    assert_eq!(state(&logs::held_at_a_gate()), RunState::Held);
    assert_eq!(state(&logs::unknown_resolved()), RunState::Running);
    assert_eq!(state(&logs::refused_acts()), RunState::Paused);
    assert_eq!(state(&logs::interrupted()), RunState::Interrupted);
    assert_eq!(state(&logs::aborting()), RunState::Aborting);
    assert_eq!(state(&logs::passed_drill()), RunState::Finished);
    assert_eq!(Story::of(&[], None), None);
    assert_eq!(Story::of(&logs::passed_drill()[1..], None), None);
}

#[test]
fn ten_thousand_steps_are_quick() {
    let mut log = log::Log::running(log::created(), false);
    for step in 0..10_000 {
        log.done(&format!("step-{step}"), 1_000);
    }
    let begun = Instant::now();
    let story = Story::of(&log.records, None).unwrap_or_else(|| panic!("there is a run-created"));
    assert_eq!(story.steps.len(), 10_000);
    let written = text(&story).len() + markdown(&story, None).len() + full(&story).to_string().len();
    assert!(written > 1_000_000);
    // Generous: a debug build on a busy machine. What it must find is a pass in each step over all the others.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
