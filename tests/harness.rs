//! Runs the binary, with a hard limit of time, in a directory of its own.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::{
        fs::FileExt as _,
        process::{CommandExt as _, ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

/// Longest time one call of the binary may take, unless a test says otherwise. Generous: the machine may be busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// How a call ended. A signal is told as 128 and its number, as a shell does.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) call: String,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Fails the test unless the exit code is this one, and if the engine has panicked.
    #[track_caller]
    pub(crate) fn code(self, expected: i32) -> Self {
        assert_eq!(self.code, expected, "exit code of {self}");
        self.sound()
    }

    /// Fails the test if the engine has panicked.
    #[track_caller]
    pub(crate) fn sound(self) -> Self {
        assert!(!self.err.contains("panicked"), "a panic: {self}");
        self
    }

    /// Fails the test unless one of the outputs contains this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        // Errors are wrapped to the width of the terminal, with a bar before each line.
        let flat = |text: &str| text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        let wanted = flat(text);
        assert!(flat(&self.out).contains(&wanted) || flat(&self.err).contains(&wanted), "expected `{text}` in {self}");
        self
    }

    /// Standard output, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("not JSON: {error}: {self}"))
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { call, code, out, err } = self;
        write!(f, "`{call}` (exit code {code})\n--- stdout\n{out}\n--- stderr\n{err}\n---")
    }
}

/// A call of the binary that goes on.
pub(crate) struct Going {
    pub(crate) child: Child,
    call: String,
    out: File,
    err: File,
}

impl Going {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the engine can be signalled");
    }

    /// Whether it has ended.
    pub(crate) fn over(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_some()
    }

    /// What it has said so far, on both streams.
    pub(crate) fn so_far(&self) -> String {
        let text = |file: &File| {
            // From here on, and not by moving the offset: that is the writer's, too.
            let mut bytes = vec![0; file.metadata().map_or(0, |it| usize::try_from(it.len()).unwrap_or(0))];
            let read = file.read_at(&mut bytes, 0).expect("a file of ours can be read");
            String::from_utf8_lossy(&bytes[..read]).into_owned()
        };
        text(&self.out) + &text(&self.err)
    }

    /// Waits for its end; at the limit it is killed, and the test fails.
    #[track_caller]
    pub(crate) fn end(mut self, limit: Duration) -> Ended {
        let began = Instant::now();
        let mut in_time = true;
        while in_time && !self.over() {
            in_time = began.elapsed() < limit;
            thread::sleep(Duration::from_millis(2));
        }
        if !in_time {
            _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
        let status = self.child.wait().expect("a child can be waited for");
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        let ended = Ended { call: self.call, code, out: text(&mut self.out), err: text(&mut self.err) };
        assert!(in_time, "hangs: not over after {limit:?}: {ended}");
        ended
    }
}

// The offset is shared with the process that wrote the file.
fn text(file: &mut File) -> String {
    use std::io::{Seek as _, SeekFrom};
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes)).expect("a file of ours can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A directory of a test's own, with a store in it. What is left of its engines is none of the next test's business.
pub(crate) struct Place {
    root: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("lifeboat-test-").tempdir().expect("a directory can be made");
        Self { root, env: Vec::new() }
    }

    /// Sets an environment variable of every later call.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory can be made");
        fs::write(&path, text).expect("a file can be written");
        path
    }

    /// A call of the binary in this directory: standard input is empty.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command.args(arguments).current_dir(self.root.path()).stdin(Stdio::null()).process_group(0);
        command.env("LIFEBOAT_STORE", self.path("store")).env("NO_COLOR", "1").env_remove("RUST_BACKTRACE");
        for name in ["LIFEBOAT_AS", "LIFEBOAT_SIGN_KEY", "LIFEBOAT_ALLOWED_SIGNERS"] {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    #[track_caller]
    pub(crate) fn start(&self, arguments: &[&str]) -> Going {
        // Files and no pipes: nobody has to read them meanwhile, and a left process cannot hold them open.
        let (out, err) = (tempfile::tempfile().expect("a file"), tempfile::tempfile().expect("a file"));
        let twin = |file: &File| file.try_clone().expect("a file has a twin");
        let mut command = self.command(arguments);
        command.stdout(twin(&out)).stderr(twin(&err));
        let child = command.spawn().expect("the binary starts");
        Going { child, call: arguments.join(" "), out, err }
    }

    /// Runs the binary to its end.
    #[track_caller]
    pub(crate) fn lifeboat(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end(LIMIT).sound()
    }

    /// Writes a runbook, and runs it unattended: an incident.
    #[track_caller]
    pub(crate) fn run(&self, runbook: &str) -> Ended {
        self.file("r.yaml", runbook);
        self.lifeboat(&["run", "r.yaml", "--no-input"])
    }

    /// The directories of the runs, oldest first.
    pub(crate) fn runs(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path("store/runs")) else { return Vec::new() };
        let mut runs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        runs.sort();
        runs
    }

    /// The directory of the only run.
    #[track_caller]
    pub(crate) fn only_run(&self) -> PathBuf {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "expected one run: {runs:?}");
        runs[0].clone()
    }

    /// The records of the only run.
    #[track_caller]
    pub(crate) fn records(&self) -> Vec<Value> {
        records(&self.only_run())
    }
}

/// The whole records of a run.
#[track_caller]
pub(crate) fn records(run: &Path) -> Vec<Value> {
    let log = fs::read_to_string(run.join("evidence.jsonl")).expect("a run has a log");
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    whole.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
}

/// How many whole lines there are.
pub(crate) fn whole_lines(bytes: &[u8]) -> usize {
    bytes.split(|&byte| byte == b'\n').count() - 1
}

/// The records of one kind.
pub(crate) fn of_kind<'a>(records: &'a [Value], event: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["event"] == event).collect()
}

/// Polls until something is there; fails the test at the limit.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut there: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(began.elapsed() < limit, "waited {limit:?} for {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A runbook around these steps (indented by two), with the objectives of an hour.
pub(crate) fn runbook(steps: &str) -> String {
    runbook_with("", steps)
}

/// The same with more top-level keys.
pub(crate) fn runbook_with(more: &str, steps: &str) -> String {
    format!(
        "apiVersion: lifeboat.dev/v1\nkind: Runbook\nmetadata: {{name: test, title: A test, owner: team-test}}\n\
         recovery:\n  capability: The test\n  scope: application\n  disaster: data-corruption\n  \
         objectives: {{rpo: 1h, rto: 1h, mtd: 8h}}\n  level: L2\n  drillEvery: 30d\n{more}steps:\n{steps}"
    )
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A long sleep that no other test run has, so that what is found of it is ours.
pub(crate) fn nap(seconds: u32) -> String {
    format!("sleep {seconds}.{:07}1", std::process::id())
}

/// Every process whose command line contains this.
pub(crate) fn processes(needle: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|entry| {
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.contains(needle).then(|| format!("{} {line}", entry.file_name().to_string_lossy()))
        })
        .collect()
}
