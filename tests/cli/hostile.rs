//! Files that nobody means well with: a clear error or a clean run, never a panic or a hang.

use std::{fmt::Write as _, process::Command};

use crate::harness::{Place, runbook};

fn refused(name: &str, content: &[u8]) {
    let place = Place::new();
    place.write("book.yaml", content);
    for arguments in [["lint", "book.yaml"].as_slice(), &["plan", "book.yaml"], &["run", "book.yaml", "--no-input"]] {
        let ran = place.expect(2, arguments);
        assert!(ran.err.contains("expected"), "{name}: {}", ran.err);
    }
    assert!(!place.path("store").exists(), "{name}: nothing was touched");
}

#[test]
fn broken_texts_are_refused() {
    refused("empty", b"");
    refused("nul", b"apiVersion: lifeboat.dev/v1\0\n");
    refused("utf-8", b"apiVersion: lifeboat.dev/v1\nkind: \xff\xfe\n");
    refused("deep", "[".repeat(100_000).as_bytes());
    refused("deep braces", "{a: ".repeat(50_000).as_bytes());
    refused("too large", runbook(&format!("# {}", "x".repeat(5 << 20)), "  a: {phase: data, exec: [x]}\n").as_bytes());
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (name, before) in ('b'..='i').zip('a'..='h') {
        let _ = writeln!(
            bomb,
            "{name}: &{name} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}]"
        );
    }
    refused("bomb", bomb.as_bytes());
}

#[test]
fn what_is_no_file_is_refused() {
    let place = Place::new();
    std::fs::create_dir(place.path("dir.yaml")).expect("a directory");
    let made = Command::new("mkfifo").arg(place.path("pipe.yaml")).status().expect("mkfifo");
    assert!(made.success());
    for name in ["dir.yaml", "pipe.yaml", "/dev/null", "/dev/zero", "missing.yaml"] {
        let ran = place.expect(2, &["plan", name]);
        assert!(ran.err.contains("expected"), "{name}: {}", ran.err);
    }
}

#[test]
fn ten_thousand_steps_are_planned() {
    let place = Place::new();
    let mut steps = String::new();
    for at in 0..10_000 {
        let _ = write!(
            steps,
            "  s{at}:\n    phase: data\n    needs: [{}]\n    exec: [\"true\"]\n    effect: reads\n",
            match at {
                0 => String::new(),
                at => format!("s{}", at - 1),
            }
        );
    }
    place.write("book.yaml", runbook("", &steps));
    place.expect(0, &["lint", "book.yaml"]);
    let ran = place.expect(0, &["plan", "book.yaml", "--format", "json"]);
    assert!(ran.out.contains("s9999"));
}
