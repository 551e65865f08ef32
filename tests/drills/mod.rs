//! The shipped runbooks, drilled for real.

use std::{fs, net::TcpListener, path::Path, time::Duration};

use crate::harness::{LIMIT, Place, processes, repository};

fn shipped(name: &str) -> String {
    repository().join("runbooks").join(name).to_string_lossy().into_owned()
}

fn left(directory: &Path, name: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("it can be read").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|entry| entry.contains(name)).collect()
}

#[test]
fn quickstart() {
    let place = Place::new();
    let own = place.path("tmp");
    fs::create_dir(&own).expect("a directory");
    let place = place.env("TMPDIR", &own.to_string_lossy());
    let ended = place.lifeboat(&["drill", &shipped("quickstart.yaml"), "--no-input"]).code(0);
    let (rto, rpo) = (ended.out.contains("RTO        met"), ended.out.contains("RPO        met"));
    assert!(rto && rpo && ended.out.contains("PASSED"), "{ended}");
    let run = place.only_run();
    let id = run.file_name().expect("a run has a name").to_string_lossy();
    for directory in [own.as_path(), Path::new("/tmp")] {
        let left = left(directory, &id);
        assert!(left.is_empty(), "left in {}: {left:?}", directory.display());
    }
    assert!(left(&own, "").is_empty(), "left in TMPDIR: {:?}", left(&own, ""));
    let show = place.lifeboat(&["show", "@latest", "--format", "json"]).code(0).json();
    assert_eq!(show["level"]["proven"], "L2", "{show:#}");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn quickstart_is_for_drills_only() {
    let place = Place::new();
    let ended = place.lifeboat(&["run", &shipped("quickstart.yaml"), "--no-input"]);
    assert_ne!(ended.code, 0, "without its disaster nothing is proven: {ended}");
    let run = place.only_run();
    let id = run.file_name().expect("a run has a name").to_string_lossy().into_owned();
    assert!(left(Path::new("/tmp"), &id).is_empty(), "an aborted run leaves nothing: {ended}");
}

fn free_ports() -> (u16, u16) {
    let listeners = [TcpListener::bind("127.0.0.1:0"), TcpListener::bind("127.0.0.1:0")];
    let [one, other] =
        listeners.map(|listener| listener.and_then(|it| it.local_addr()).expect("a port is free").port());
    (one, other)
}

#[test]
fn etcd_snapshot_restore() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |tool: &str| std::env::split_paths(&path).any(|directory| directory.join(tool).is_file());
    assert!(there("etcd") && there("etcdctl"), "run `cargo xtask ci`, it installs etcd-server and etcd-client");
    let place = Place::new();
    let base = place.path("etcd");
    fs::create_dir(&base).expect("a directory");
    let (client, peer) = free_ports();
    let inputs =
        [format!("clientPort={client}"), format!("peerPort={peer}"), format!("directory={}", base.to_string_lossy())];
    let runbook = shipped("etcd-snapshot-restore.yaml");
    let mut call = vec!["drill", runbook.as_str(), "--no-input"];
    call.extend(inputs.iter().flat_map(|input| ["--input", input.as_str()]));
    let ended = place.start(&call).end(LIMIT * 3).code(0);
    assert!(ended.out.contains("RTO        met") && ended.out.contains("RPO        met"), "{ended}");
    let here = base.to_string_lossy().into_owned();
    let gone = || processes(&here).into_iter().filter(|line| line.contains("etcd ")).collect::<Vec<_>>();
    crate::harness::wait_for("every etcd to be gone", Duration::from_secs(2), || gone().is_empty().then_some(()));
    assert!(left(&base, "").is_empty(), "left: {:?}", left(&base, ""));
    place.lifeboat(&["verify", "@latest"]).code(0);
}
