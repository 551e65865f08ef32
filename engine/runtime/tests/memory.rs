//! Memory stays bounded whatever a process prints. In a test binary of its own, as it looks at all of the process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lifeboat_runtime::process::{self, ByteFilter, HEAD, Launch, Sinks};

/// Lets everything through.
struct Clear;

impl ByteFilter for Clear {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

/// Bytes of this process in memory.
#[expect(clippy::unwrap_used, reason = "this is a test's, outside of a test function")]
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// One line without an end on one stream, lines without number on the other; nobody looks at the display.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_bounded_whatever_is_printed() {
    // `LIFEBOAT_TEST_MIB=1024` for the whole gibibyte: hashing it takes long in a build that is not optimised.
    let mebibytes: u64 = std::env::var("LIFEBOAT_TEST_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(256);
    let much = mebibytes << 20;
    let directory = tempfile::tempdir().unwrap();
    let (lines, _nobody_looks) = tokio::sync::mpsc::channel(16);
    let before = resident();
    let launch = Launch {
        argv: ["bash", "-c", &format!("head -c {much} /dev/zero; yes | head -c 4000000 >&2")].map(str::to_owned).into(),
        env: vec![("PATH".to_owned(), std::env::var("PATH").unwrap())],
        cwd: directory.path().to_owned(),
        stdin: None,
        grace: Duration::from_secs(1),
        reach_marked: false,
    };
    let sinks = Sinks {
        stdout: None,
        stderr: Some(directory.path().join("stderr")),
        lines: Some(lines),
        filter: Arc::new(|| Box::new(Clear)),
    };
    let running = process::start(launch, sinks).await.unwrap();
    let most = Arc::new(AtomicU64::new(0));
    let watcher = {
        let most = Arc::clone(&most);
        tokio::spawn(async move {
            loop {
                most.fetch_max(resident(), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    };
    let ended = running.ended().await;
    watcher.abort();
    let grown = most.load(Ordering::Relaxed).saturating_sub(before);
    assert_eq!((ended.exit_code, ended.stdout.bytes), (Some(0), much));
    assert_eq!((ended.stdout.head().len(), ended.stderr.bytes), (HEAD, 4_000_000));
    assert_eq!(ended.stderr.missed, 2_000_000 - 16);
    assert_eq!(ended.result()["truncated"], true);
    assert!(ended.result()["json"].is_null());
    assert!(grown < 32 << 20, "it grew by {} MiB", grown >> 20);
}
