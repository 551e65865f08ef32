//! `verify`: every change of the evidence is found, and told with its record.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command};

use serde_json::Value;

use crate::harness::{Ended, Place, repository, runbook};

/// A finished run of a runbook that has artifacts.
fn finished() -> (Place, PathBuf) {
    let place = Place::new();
    let steps = "  restore:\n    phase: data\n    restores: true\n    shell: seq 1000\n    \
                 verify: [{name: well, shell: 'true'}]\n  look:\n    phase: validate\n    exec: [echo, again]\n    \
                 effect: reads\n";
    place.run(&runbook(steps)).code(0);
    let run = place.only_run();
    (place, run)
}

fn verify(place: &Place) -> Ended {
    place.lifeboat(&["verify", "@latest"])
}

#[track_caller]
fn broken(place: &Place, what: &str) -> Ended {
    let ended = verify(place);
    assert_eq!(ended.code, 7, "{what}: {ended}");
    ended.sound()
}

#[track_caller]
fn broken_at_a_record(place: &Place, what: &str) {
    let ended = broken(place, what);
    let named = ended.err.split("record ").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    assert!(named, "{what}: no `record N` in {ended}");
}

/// The quickstart's log, where every byte matters.
#[test]
fn every_change_of_the_log_is_found() {
    let place = Place::new();
    let quickstart = repository().join("runbooks/quickstart.yaml");
    place.lifeboat(&["drill", &quickstart.to_string_lossy(), "--no-input"]).code(0);
    verify(&place).code(0).says("whole");
    let log = place.only_run().join("evidence.jsonl");
    let good = fs::read(&log).expect("a log");
    let mode = fs::metadata(&log).expect("a log").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner may read the evidence");

    let newlines: Vec<usize> = (0..good.len()).filter(|&at| good[at] == b'\n').collect();
    let mut positions: Vec<usize> = (0..150).map(|nth| nth * good.len() / 150).collect();
    for &newline in newlines.iter().step_by(6) {
        positions.extend([newline - 1, newline, (newline + 1).min(good.len() - 1)]);
    }
    for at in positions {
        let mut bad = good.clone();
        bad[at] ^= if at % 2 == 0 { 0x01 } else { 0x20 };
        fs::write(&log, &bad).expect("a log can be written");
        broken_at_a_record(&place, &format!("byte {at} of {} flipped", good.len()));
    }
    let lines: Vec<&[u8]> = good.split_inclusive(|&byte| byte == b'\n').collect();
    let middle = lines.len() / 2;
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().concat();
    let swapped = {
        let mut lines = lines.clone();
        lines.swap(middle, middle + 1);
        lines.concat()
    };
    let changes = [
        ("the first record removed", without(0)),
        ("a record in the middle removed", without(middle)),
        ("the last record removed", without(lines.len() - 1)),
        ("half of it removed", lines[..middle].concat()),
        ("the last record torn", good[..good.len() - 40].to_vec()),
        ("the last newline removed", good[..good.len() - 1].to_vec()),
        ("two records swapped", swapped),
        ("a record twice", [&lines[..=middle], &lines[middle..]].concat().concat()),
        ("an empty line put in", [&lines[..middle], &[&b"\n"[..]], &lines[middle..]].concat().concat()),
        ("a line added at the end", [&good[..], b"{}\n"].concat()),
    ];
    for (what, bad) in changes {
        fs::write(&log, bad).expect("a log can be written");
        broken_at_a_record(&place, what);
    }
    fs::write(&log, b"").expect("a log can be written");
    broken(&place, "everything removed");
    fs::write(&log, &good).expect("a log can be written");
    verify(&place).code(0);
}

#[test]
fn what_belongs_to_the_log_is_looked_at_too() {
    let (place, run) = finished();
    let artifact = fs::read_dir(run.join("artifacts")).expect("artifacts").flatten().next().expect("one").path();
    let frozen = run.join("runbook/r.yaml");
    for file in [artifact, run.join("plan.json"), frozen, run.join("head")] {
        let good = fs::read(&file).expect("it is there");
        let mut changed = good.clone();
        changed[good.len() / 2] ^= 1;
        for (what, bad) in [("changed", Some(changed)), ("longer", Some([&good[..], b" "].concat())), ("removed", None)]
        {
            let whole_head = what == "longer" && file.ends_with("head");
            match bad {
                Some(bad) => fs::write(&file, bad).expect("it can be written"),
                None => fs::remove_file(&file).expect("it can be removed"),
            }
            if !whole_head {
                let what = format!("{} {what}", file.display());
                if file.ends_with("head") {
                    drop(broken(&place, &what));
                } else {
                    broken_at_a_record(&place, &what);
                }
            }
            fs::write(&file, &good).expect("it can be written");
        }
    }
    fs::write(run.join("runbook/more.yaml"), "a: 1").expect("it can be written");
    broken(&place, "a file added to the frozen runbook");
    fs::remove_file(run.join("runbook/more.yaml")).expect("it can be removed");
    verify(&place).code(0);
}

/// An auditor needs no Lifeboat.
#[test]
fn sha256sum_of_a_line_is_the_next_ones_prev() {
    let (place, run) = finished();
    let log = run.join("evidence.jsonl");
    let records = place.records();
    let hash = |line: usize| {
        let script = format!("sed -n {line}p '{}' | sha256sum", log.display());
        let output = Command::new("sh").args(["-c", &script]).output().expect("sh runs");
        String::from_utf8_lossy(&output.stdout).chars().take(64).collect::<String>()
    };
    assert_eq!(records[0]["prev"], "0".repeat(64));
    for (at, next) in records.iter().enumerate().skip(1) {
        assert_eq!(next["prev"].as_str(), Some(hash(at).as_str()), "line {at}, and `prev` of the next one");
    }
    let head: Value = serde_json::from_slice(&fs::read(run.join("head")).expect("a head")).expect("JSON");
    assert_eq!(head["hash"].as_str(), Some(hash(records.len()).as_str()), "{head}");
}
