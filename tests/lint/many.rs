//! `lint` of many files: what is found in one does not depend on the others, nor on how many are read at once.

use std::fs;

use serde_json::Value;

use crate::harness::{Place, repository};

/// Every fixture of every rule, clean and faulty: several hundred files, some with many texts in common.
fn fixtures(place: &Place) -> Vec<String> {
    let mut names = Vec::new();
    for folder in fs::read_dir(repository().join("tests/fixtures/lint")).expect("fixtures").flatten() {
        for kind in ["bad", "ok"] {
            if let Ok(text) = fs::read_to_string(folder.path().join(format!("{kind}.yaml"))) {
                let name = format!("{}-{kind}.yaml", folder.file_name().to_string_lossy());
                place.file(&name, &text);
                names.push(name);
            }
        }
    }
    names.sort();
    names
}

fn found(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let report = place.lifeboat(&[&["lint", "--format", "json"], arguments].concat()).json();
    report["diagnostics"].as_array().expect("a list").clone()
}

#[test]
fn many_files_are_judged_as_each_alone() {
    let place = Place::new();
    let names = fixtures(&place);
    assert!(names.len() > 200, "{}", names.len());
    let together = found(&place, &names.iter().map(String::as_str).collect::<Vec<_>>());
    // Neither the order in which they are named nor chance changes anything.
    let backwards: Vec<&str> = names.iter().rev().map(String::as_str).collect();
    assert_eq!(together, found(&place, &backwards));
    for name in names.iter().filter(|name| name.ends_with("-bad.yaml")) {
        let alone = found(&place, &[name]);
        let of_it: Vec<&Value> = together.iter().filter(|it| it["path"] == name.as_str()).collect();
        assert_eq!(alone.iter().collect::<Vec<_>>(), of_it, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_read_keeps_no_other_one_from_being_judged() {
    let place = Place::new();
    let mut names = fixtures(&place);
    names.truncate(100);
    let whole = found(&place, &names.iter().map(String::as_str).collect::<Vec<_>>());
    names.insert(50, "not-there.yaml".to_owned());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let run = place.lifeboat(&[&["lint", "--format", "json"], names.as_slice()].concat());
    assert_eq!(run.code, 2);
    assert!(run.err.contains("not-there.yaml"), "{}", run.err);
    assert_eq!(run.json()["diagnostics"].as_array(), Some(&whole));
}
