//! The shipped drills, against real servers.

use std::{net::TcpListener, process::Command};

use crate::harness::Place;

/// A port that was free a moment ago.
fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn etcd_is_snapshot_and_restored() {
    let there = Command::new("sh").args(["-c", "command -v etcd && command -v etcdctl"]).output().expect("a shell");
    assert!(
        there.status.success(),
        "no etcd on the PATH: run `cargo xtask ci`, it installs etcd-server and etcd-client"
    );
    let place = Place::new();
    let book = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/etcd-snapshot-restore.yaml");
    let inputs = [format!("clientPort={}", port()), format!("peerPort={}", port())];
    let ran = place.expect(0, &["drill", book, "--no-input", "--input", &inputs[0], "--input", &inputs[1]]);
    assert!(ran.out.contains("RTO") && ran.out.contains("RPO"), "{}", ran.out);
    place.expect(0, &["verify", "@latest"]);
    let left = Command::new("pgrep").args(["-f", &format!("etcd.*{}", place.path("").display())]).output();
    assert_eq!(String::from_utf8_lossy(&left.expect("pgrep").stdout), "", "an etcd is left");
}
