//! What an auditor does with the evidence of a run.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use crate::harness::Place;

fn quickstart() -> Place {
    let place = Place::new();
    let book = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/quickstart.yaml");
    let ran = place.expect(0, &["drill", book, "--no-input"]);
    assert!(ran.out.contains("RTO") && ran.out.contains("RPO"), "{}", ran.out);
    place
}

#[test]
fn a_drill_is_whole_and_every_change_is_found() {
    let place = quickstart();
    place.expect(0, &["verify", "@latest"]);
    let log = place.log();
    assert_eq!(fs::metadata(&log).expect("a log").permissions().mode() & 0o777, 0o600);
    let good = fs::read(&log).expect("a log");

    // Spread over the file, and the bytes at which lines begin and end. Every byte is flipped in core's own tests.
    let ends = good.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    let mut places: Vec<usize> = (0..good.len()).step_by(good.len() / 60).chain(ends.step_by(9)).collect();
    places.push(good.len() - 1);
    for at in places {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&log, &bad).expect("a log");
        let ran = place.expect(7, &["verify", "@latest"]);
        assert!(ran.err.contains("record "), "byte {at}: {}", ran.err);
    }
    let lines: Vec<&[u8]> = good.split_inclusive(|&byte| byte == b'\n').collect();
    let mut swapped = lines.clone();
    swapped.swap(4, 5);
    for bad in [swapped.concat(), lines[..lines.len() - 1].concat(), [&lines[..3], &lines[4..]].concat().concat()] {
        fs::write(&log, bad).expect("a log");
        place.expect(7, &["verify", "@latest"]);
    }
    fs::write(&log, &good).expect("a log");
    place.expect(0, &["verify", "@latest"]);

    let run = place.run_dir();
    let artifact =
        fs::read_dir(run.join("artifacts")).expect("artifacts").next().expect("one").expect("an entry").path();
    let moved = place.path("moved");
    fs::rename(&artifact, &moved).expect("a file");
    let ran = place.expect(7, &["verify", "@latest"]);
    assert!(ran.err.contains("record "), "{}", ran.err);
    fs::rename(&moved, &artifact).expect("a file");
    for name in ["plan.json", "runbook/quickstart.yaml"] {
        let path = run.join(name);
        let good = fs::read(&path).expect("a file");
        fs::write(&path, [good.as_slice(), b" "].concat()).expect("a file");
        place.expect(7, &["verify", "@latest"]);
        fs::write(&path, good).expect("a file");
    }
    place.expect(0, &["verify", "@latest"]);
}

#[test]
fn stock_tools_follow_the_chain() {
    let place = quickstart();
    let records = place.records();
    for (at, next) in records.iter().enumerate().skip(1) {
        let script = format!("sed -n {at}p '{}' | sha256sum | cut -d' ' -f1", place.log().display());
        let sum = Command::new("sh").args(["-c", &script]).output().expect("a shell");
        assert_eq!(String::from_utf8_lossy(&sum.stdout).trim(), next["prev"].as_str().unwrap_or_default());
    }
}

#[test]
fn a_drill_leaves_nothing_behind() {
    let place = quickstart();
    let left: Vec<_> = fs::read_dir(place.path("tmp")).expect("a directory").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_secret_is_nowhere() {
    let place = Place::new();
    let steps = "  use:\n    phase: data\n    shell: |\n      echo \"plain $PW\"\n      printf %s \"$PW\" | base64\n      \
                 printf '%s' \"${PW%??????}\"; sleep 0.05; printf '%s\\n' \"${PW#????????????}\"\n      echo \"$PW\" >&2; exit 0\n    env: {PW: \"{{inputs.pw}}\"}\n    \
                 effect: reads\n    outputs: {all: {text: true}}\n";
    place.write("book.yaml", crate::harness::runbook("inputs: {pw: {type: secret, from: {env: TEST_PW}}}", steps));
    let secret = "s3cr3t-p4ssw0rd-42";
    let mut command = place.command(&["run", "book.yaml", "--no-input", "-v"]);
    let ran = crate::harness::wait(command.env("TEST_PW", secret).spawn().expect("the binary starts"), &["run"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert!(ran.err.contains("***"), "{}", ran.err);
    let found = Command::new("grep")
        .args(["-r", "-l", "-e", secret, "-e", "czNjcjN0LXA0c3N3MHJkLTQy"])
        .arg(place.path("store"))
        .output();
    assert_eq!(String::from_utf8_lossy(&found.expect("grep").stdout), "");
    assert!(!ran.err.contains(secret) && !ran.out.contains(secret));
}
