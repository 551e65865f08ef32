//! Files that no sane person would write: a clear error or success, never a panic, never a hang.

use std::{fmt::Write as _, process::Command, time::Duration};

use crate::harness::{Ended, Place, runbook};

/// For a build without optimisation on a very busy machine; on an idle one each call takes at most three seconds.
const HOSTILE: Duration = Duration::from_secs(60);

fn each(place: &Place, name: &str) -> Vec<Ended> {
    let calls: [&[&str]; 3] = [&["lint", name], &["plan", name], &["run", name, "--no-input"]];
    calls.iter().map(|call| place.start(call).end(HOSTILE).sound()).collect()
}

#[track_caller]
fn refused(place: &Place, name: &str) {
    for ended in each(place, name) {
        assert_eq!(ended.code, 2, "{ended}");
        assert!(!ended.err.trim().is_empty(), "it says why: {ended}");
        assert!(ended.err.len() < 256 << 10, "it says too much: {} bytes: {}", ended.err.len(), &ended.err[..2000]);
    }
    assert!(place.runs().is_empty(), "nothing was touched");
}

#[test]
fn what_is_no_runbook_is_refused() {
    let place = Place::new();
    let good = runbook("  restore: {phase: data, restores: true, exec: [true]}\n");
    let bomb = (1..12).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |mut text, level| {
        let before = format!("*a{}", level - 1);
        let all = vec![before; 9].join(", ");
        _ = writeln!(text, "a{level}: &a{level} [{all}]");
        text
    });
    let deep = format!("{}steps: {}{}\n", "apiVersion: lifeboat.dev/v1\n", "[".repeat(100_000), "]".repeat(100_000));
    let deep_block = (0..3000).fold(String::new(), |mut text, level| {
        _ = writeln!(text, "{}a:", " ".repeat(level));
        text
    });
    let deep_cel = format!("  s: {{phase: data, restores: true, exec: [ls], when: \"{}true\"}}\n", "!".repeat(50_000));
    let files: [(&str, Vec<u8>); 12] = [
        ("empty.yaml", Vec::new()),
        ("comment.yaml", b"# nothing\n".to_vec()),
        ("nul.yaml", good.replace("metadata", "meta\0data").into_bytes()),
        ("nuls.yaml", vec![0; 4096]),
        ("latin1.yaml", [good.as_bytes(), b"# caf\xe9\n"].concat()),
        ("binary.yaml", (0..=255).cycle().take(100_000).collect()),
        ("bomb.yaml", bomb.into_bytes()),
        ("deep.yaml", deep.into_bytes()),
        ("deep-block.yaml", deep_block.into_bytes()),
        ("deep-cel.yaml", runbook(&deep_cel).into_bytes()),
        ("two.yaml", format!("{good}---\n{good}").into_bytes()),
        ("tabs.yaml", b"apiVersion:\tlifeboat.dev/v1\n\tkind: Runbook\n".to_vec()),
    ];
    for (name, bytes) in files {
        place.file(name, bytes);
        refused(&place, name);
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let place = Place::new();
    std::fs::create_dir(place.path("directory.yaml")).expect("a directory");
    let fifo = Command::new("mkfifo").arg(place.path("fifo.yaml")).status().expect("mkfifo runs");
    assert!(fifo.success());
    std::os::unix::fs::symlink("loop.yaml", place.path("loop.yaml")).expect("a link");
    for name in ["directory.yaml", "fifo.yaml", "loop.yaml", "missing.yaml", "/dev/null", "/dev/zero", "", "."] {
        refused(&place, name);
    }
}

#[test]
fn a_file_of_4_mib_is_read_and_a_longer_one_is_refused() {
    let place = Place::new();
    let good = runbook("  restore: {phase: data, restores: true, exec: [\"true\"]}\n");
    let filled = |bytes: usize| {
        let mut text = good.clone();
        while text.len() + 81 <= bytes {
            _ = writeln!(text, "#{}", "-".repeat(79));
        }
        text.push_str(&"#".repeat(bytes - text.len()));
        text
    };
    place.file("full.yaml", filled(4 << 20));
    for ended in each(&place, "full.yaml") {
        ended.code(0);
    }
    let place = Place::new();
    place.file("over.yaml", filled((4 << 20) + 1));
    refused(&place, "over.yaml");
}

fn many_steps(count: usize, needs: impl Fn(usize) -> String) -> String {
    let mut steps = String::new();
    for at in 0..count {
        let restores = if at == 0 { ", restores: true" } else { "" };
        _ = writeln!(
            steps,
            "  s{at}: {{phase: data, needs: [{}], effect: reads, exec: [\"true\"]{restores}}}",
            needs(at)
        );
    }
    runbook(&steps)
}

#[test]
fn ten_thousand_steps_are_linted_and_planned() {
    let place = Place::new();
    place.file("many.yaml", many_steps(10_000, |_| String::new()));
    for call in [&["lint", "many.yaml"][..], &["plan", "many.yaml"], &["plan", "many.yaml", "--format", "json"]] {
        place.start(call).end(HOSTILE).code(0);
    }
    // As a chain: one waits for the other.
    let chain = many_steps(10_000, |at| at.checked_sub(1).map(|before| format!("s{before}")).unwrap_or_default());
    place.file("chain.yaml", chain);
    place.start(&["lint", "chain.yaml"]).end(HOSTILE).code(0);
    place.start(&["plan", "chain.yaml"]).end(HOSTILE).code(0);
}

/// As many mistakes as lines: told, but not for hours.
#[test]
fn a_file_of_mistakes_is_told_in_time() {
    let place = Place::new();
    let mistakes = (0..2000).fold(String::new(), |mut text, at| {
        _ = writeln!(text, "  s{at}: {{phase: dat, exek: [ls], needs: [nobody]}}");
        text
    });
    place.file("mistakes.yaml", runbook(&mistakes));
    let ended = place.start(&["lint", "mistakes.yaml", "--format", "json"]).end(HOSTILE).code(2);
    let errors = ended.json()["summary"]["errors"].as_u64();
    assert!(errors.is_some_and(|errors| errors >= 2000), "{errors:?} errors");
}

/// 1,000, or what `LIFEBOAT_TEST_STEPS` says.
#[test]
fn a_wide_layer_runs() {
    let steps = std::env::var("LIFEBOAT_TEST_STEPS").ok().and_then(|steps| steps.parse().ok()).unwrap_or(1000);
    let limit = HOSTILE + Duration::from_millis(20) * u32::try_from(steps).expect("not that many");
    let place = Place::new();
    place.file("wide.yaml", many_steps(steps, |_| String::new()));
    place.start(&["run", "wide.yaml", "--no-input", "--parallel", "64"]).end(limit).code(0);
    place.start(&["verify", "@latest"]).end(limit).code(0);
    place.start(&["show", "@latest"]).end(limit).code(0);
}
