//! Running the binary: in a place of its own, with nobody at the terminal, and never for ever.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// How long one call may take. Generous, because a machine that runs tests is busy; what hangs does so for ever.
const LIMIT: Duration = Duration::from_secs(120);

/// A place of its own: runbooks, a store, a directory for temporary files.
pub(crate) struct Place {
    directory: tempfile::TempDir,
}

/// What a call gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(directory.path().join("tmp")).expect("a directory in it");
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file in a temporary directory");
        path
    }

    /// The command, ready to be started; its store is in this place.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env("LIFEBOAT_STORE", self.path("store"))
            .env("TMPDIR", self.path("tmp"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        wait(self.command(arguments).spawn().expect("the binary starts"), arguments)
    }

    /// Runs, and wants this exit code.
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "lifeboat {}\n{}\n{}", arguments.join(" "), ran.out, ran.err);
        ran
    }

    /// The directory of the only run.
    pub(crate) fn run_dir(&self) -> PathBuf {
        let mut runs: Vec<PathBuf> = fs::read_dir(self.path("store/runs"))
            .expect("a store with runs")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.run_dir().join("evidence.jsonl")
    }

    /// The records of the only run.
    pub(crate) fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.log()).expect("a log");
        text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
    }

    /// The records of one kind.
    pub(crate) fn events(&self, kind: &str) -> Vec<Value> {
        self.records().into_iter().filter(|record| record["event"] == kind).collect()
    }
}

/// Waits for a call to end, but not for ever.
pub(crate) fn wait(mut child: Child, arguments: &[&str]) -> Ran {
    // Read on threads: a child whose pipe is full would wait for us.
    let mut out = child.stdout.take().expect("it is piped");
    let mut err = child.stderr.take().expect("it is piped");
    let out = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        out.read_to_end(&mut bytes).map(|_| bytes)
    });
    let err = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        err.read_to_end(&mut bytes).map(|_| bytes)
    });
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if began.elapsed() > LIMIT {
            child.kill().expect("a child");
            panic!("lifeboat {} did not end in {LIMIT:?}", arguments.join(" "));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = |bytes: std::io::Result<Vec<u8>>| String::from_utf8_lossy(&bytes.expect("a pipe")).into_owned();
    let ran = Ran {
        code: status.code().unwrap_or(-1),
        out: text(out.join().expect("a thread")),
        err: text(err.join().expect("a thread")),
    };
    assert!(!ran.err.contains("panicked"), "lifeboat {}\n{}", arguments.join(" "), ran.err);
    ran
}

/// Waits until something is so.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "never came: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// How many whole lines a file has.
pub(crate) fn lines(path: &Path) -> usize {
    fs::read(path).map_or(0, |bytes| bytes.split(|&byte| byte == b'\n').count() - 1)
}

/// A runbook with these steps (indented by two), and what else stands at the top.
pub(crate) fn runbook(top: &str, steps: &str) -> String {
    format!(
        "apiVersion: lifeboat.dev/v1\nkind: Runbook\nmetadata: {{name: test, owner: tests}}\nrecovery:\n  capability: \
         The thing under test\n  scope: application\n  disaster: data-corruption\n  objectives: {{rpo: 1h, rto: \
         1h}}\n  level: L1\n{top}\nsteps:\n{steps}"
    )
}

/// Signals a process.
pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().expect("kill(1)");
    assert!(status.success(), "kill -{name} {pid}");
}
