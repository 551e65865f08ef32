//! Processes: they end when they have to, all of them, and may print as much as they like.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::harness::{LIMIT, Place, nap, processes, runbook, wait_for};

#[test]
fn a_time_out_ends_grandchildren_too() {
    let place = Place::new();
    let (nap, other) = (nap(300), nap(301));
    let steps = format!(
        "  restore:\n    phase: data\n    restores: true\n    timeout: 1s\n    onFailure: continue\n    \
         shell: {nap} & setsid {other} & wait\n"
    );
    let began = Instant::now();
    let ended = place.run(&runbook(&steps)).code(1);
    assert!(began.elapsed() < Duration::from_secs(15), "took {:?}: {ended}", began.elapsed());
    wait_for("every process to be gone", Duration::from_secs(3), || {
        (processes(&nap).is_empty() && processes(&other).is_empty()).then_some(())
    });
}

#[test]
fn what_a_step_leaves_in_the_background_does_not_hold_the_run() {
    let place = Place::new();
    let steps = "  restore: {phase: data, restores: true, shell: 'sleep 61.125 & echo started'}\n";
    let began = Instant::now();
    let ended = place.run(&runbook(steps));
    assert!(began.elapsed() < Duration::from_secs(20), "took {:?}: {ended}", began.elapsed());
}

#[test]
fn standard_input_is_empty() {
    Place::new().run(&runbook("  restore: {phase: data, restores: true, shell: test -z \"$(cat)\"}\n")).code(0);
}

/// 1 GiB, or what `LIFEBOAT_TEST_MIB` says.
#[test]
fn however_much_a_step_prints_the_memory_is_bounded() {
    let mib: u64 = std::env::var("LIFEBOAT_TEST_MIB").ok().and_then(|mib| mib.parse().ok()).unwrap_or(1024);
    let place = Place::new();
    let bytes = mib << 20;
    let script = format!("head -c {bytes} /dev/zero");
    place.file(
        "r.yaml",
        runbook(&format!("  restore: {{phase: data, restores: true, timeout: 10m, shell: {script}}}\n")),
    );
    let mut going = place.start(&["run", "r.yaml", "--no-input"]);
    let status = format!("/proc/{}/status", going.child.id());
    let (began, mut peak) = (Instant::now(), 0);
    let limit = LIMIT * 2 + Duration::from_millis(mib * 100);
    while !going.over() && began.elapsed() < limit {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let now = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = now.unwrap_or(peak).max(peak);
        std::thread::sleep(Duration::from_millis(20));
    }
    let ended = going.end(Duration::from_secs(1)).code(0);
    assert!(peak > 0 && peak < 64 << 10, "the engine took {peak} KiB for {mib} MiB: {ended}");
    let artifacts = fs::read_dir(place.only_run().join("artifacts")).expect("artifacts");
    let kept: u64 = artifacts.flatten().map(|entry| entry.metadata().map_or(0, |metadata| metadata.len())).sum();
    assert!(kept <= bytes, "{kept} bytes were kept of {bytes}");
    place.lifeboat(&["verify", "@latest"]).code(0);
}
