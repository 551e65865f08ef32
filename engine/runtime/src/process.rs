//! Processes: started, read, followed to their end, and stopped with everything they began.
//!
//! Duty: the only user of `duct`, and the only sender of signals. It must not decide anything: when to stop a process
//! is the machine's, what its output means is the caller's.
//!
//! Each process leads its own process group. The leader is watched *without being reaped* (`waitid` with `WNOWAIT`): as
//! long as it is not reaped, neither its id nor its group's can belong to anybody else, so a signal to the group can
//! never hit a stranger. It is reaped at the very end.
//!
//! - `program`: the word in a runbook to a file, and why something could not be started
//! - `kernel`: what `/proc` tells, and signals
//! - `ended`: what is known at the end
//! - `stream`: a pipe to a file, a digest, a few lines
//! - `supervise`: from the start to the last descendant
//! - `environment`: what a process inherits

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use lifeboat_core::action::ProcessOrder;
use tokio::{
    io::AsyncWriteExt as _,
    net::unix::pipe,
    sync::{mpsc, oneshot, watch},
};

mod ended;
mod environment;
mod kernel;
mod program;
mod stream;
mod supervise;

pub use ended::Ended;
pub(crate) use environment::marked;
pub use environment::{BASE_NAMES, BASE_PREFIXES, base_environment};
pub use kernel::{gone, still_running, stop_left_behind};
pub use program::{Missing, StartError, find_program};
pub use stream::{Line, Output, Stream};

/// Takes secrets out of a stream of bytes. What may be the beginning of a secret is held back until it is known.
pub trait ByteFilter {
    /// Appends to `out` what of `bytes`, and of what was held back, may be seen.
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>);
    /// Appends what was held back: the stream is over.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// Makes a filter for each stream.
pub type Filters = Arc<dyn Fn() -> Box<dyn ByteFilter + Send> + Send + Sync>;

/// What to start. It cannot be printed: arguments, variables and input may hold secrets.
#[derive(Clone)]
pub struct Launch {
    /// The program and its arguments. A program without `/` is searched on the `PATH` of `env`; a relative path is
    /// relative to `cwd`.
    pub argv: Vec<String>,
    /// The whole environment: nothing is inherited.
    pub env: Vec<(String, String)>,
    /// Working directory, absolute.
    pub cwd: PathBuf,
    /// Standard input; `None`: the null device.
    pub stdin: Option<String>,
    /// How long what must go may take between TERM and KILL, where nobody says: for what the leader left behind in its
    /// group, and when `Running` is dropped.
    pub grace: Duration,
    /// Whether a stop reaches further than the process group: to every process that was started since, and whose
    /// environment has the same values of [`MARKS`] as `env`. True for actions. False for checks: several run at once
    /// under the same marks, and stopping one must not stop the others.
    pub reach_marked: bool,
}

/// The variables that together tell whose child a process is.
pub const MARKS: [&str; 3] = ["LIFEBOAT_RUN_ID", "LIFEBOAT_STEP", "LIFEBOAT_ATTEMPT"];

/// How long a group may take to become empty by itself after its leader ended: `tee` in a process substitution and the
/// like write their last lines in that time.
pub const SETTLE: Duration = Duration::from_millis(500);

/// How long the ends of stdout and stderr are waited for after the group is empty.
pub const DRAIN: Duration = Duration::from_millis(500);

/// How long KILL may take. A process that survives it hangs in the kernel (a dead NFS server, a broken disk).
pub const KILL_LIMIT: Duration = Duration::from_secs(5);

/// How much of a stream is kept for `result`, in bytes.
pub const HEAD: usize = 1 << 20;

impl Launch {
    /// The launch that an order asks for.
    ///
    /// `environment` is the base and `LIFEBOAT_*`; the order's own variables go on top. `directory` is the runbook's.
    #[must_use]
    pub fn of(order: &ProcessOrder, environment: &BTreeMap<String, String>, directory: &Path, grace: Duration) -> Self {
        let mut env = environment.clone();
        env.extend(order.env.iter().map(|(name, value)| (name.clone(), value.clone())));
        Self {
            argv: order.argv.clone(),
            env: env.into_iter().collect(),
            cwd: order.cwd.as_ref().map_or_else(|| directory.to_owned(), |cwd| directory.join(cwd)),
            stdin: order.stdin.clone(),
            grace,
            reach_marked: true,
        }
    }
}

/// Where the output goes.
#[derive(Clone)]
pub struct Sinks {
    /// File for standard output; made anew, readable by its owner only. `None`: it is not kept on disk.
    pub stdout: Option<PathBuf>,
    /// File for standard error, likewise.
    pub stderr: Option<PathBuf>,
    /// Whole lines as they come, for a display. When it is full, lines are left out *here* and counted in
    /// [`Line::missed`]; the files have all of them.
    pub lines: Option<mpsc::Sender<Line>>,
    /// Takes secrets out, before anything is kept anywhere.
    pub filter: Filters,
}

/// A process that was started.
///
/// Dropping it, or the future of [`Running::ended`], stops the process with the grace of its [`Launch`]; the stopping
/// goes on in the background, and when the runtime itself is dropped the whole group is killed.
#[derive(Debug)]
pub struct Running {
    /// Process id, and id of its group.
    pub pid: u32,
    /// Boot id and start time in clock ticks, joined by `:`; see [`still_running`].
    pub identity: String,
    control: Control,
    end: Option<oneshot::Receiver<Ended>>,
}

/// Stops a process from elsewhere.
#[derive(Debug, Clone)]
pub struct Control {
    sender: mpsc::UnboundedSender<supervise::Stop>,
    grace: Duration,
}

impl Control {
    /// Asks for the end: TERM to the group (and to marked processes), KILL when `grace` is over, or at once with `now`.
    /// Does not wait, can be repeated (the sooner end counts), and does nothing when all is over.
    pub fn stop(&self, grace: Duration, now: bool) {
        // An error means that there is nothing left to stop.
        _ = self.sender.send(supervise::Stop { grace: if now { Duration::ZERO } else { grace } });
    }
}

impl Running {
    /// To stop it while somebody else waits for its end.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// See [`Control::stop`].
    pub fn stop(&self, grace: Duration, now: bool) {
        self.control.stop(grace, now);
    }

    /// Waits until the process, its group and its streams have ended.
    pub async fn ended(mut self) -> Ended {
        let ended = match self.end.as_mut() {
            Some(end) => end.await.ok(),
            None => None,
        };
        self.end = None;
        ended.unwrap_or_else(|| Ended::lost("the engine is shutting down and did not see how it ended"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.end.is_some() {
            self.control.stop(self.control.grace, false);
        }
    }
}

/// Starts a process. When it returns `Ok` the process is there; its streams are read and its end is watched whether or
/// not anybody waits. Must be called in a tokio runtime.
///
/// # Errors
/// When it could not be started; then nothing of it is there.
pub async fn start(launch: Launch, sinks: Sinks) -> Result<Running, StartError> {
    let grace = launch.grace;
    // Looking for files, forking and waiting for `exec` may block on a slow file system.
    let spawned = match tokio::task::spawn_blocking(move || spawn(&launch, &sinks)).await {
        Ok(spawned) => spawned?,
        Err(_) => return Err(StartError::Ending),
    };
    let Spawned { leader, identity, stdin, stdout, stderr, began } = spawned;
    let pid = leader.pid();

    let (cutoff, cut) = watch::channel(false);
    let readers = [stdout, stderr].map(|(pipe, capture)| tokio::spawn(stream::read(pipe, capture, cut.clone())));
    let writer = stdin.map(|(mut pipe, bytes)| {
        tokio::spawn(async move {
            // A child that does not read all of it, or none, is its own business.
            drop(pipe.write_all(bytes.as_bytes()).await);
        })
    });

    let (sender, commands) = mpsc::unbounded_channel();
    let (tell, end) = oneshot::channel();
    tokio::spawn(async move {
        let departure = supervise::follow(leader, commands, grace).await;
        let duration = departure.leader_exited.unwrap_or_else(Instant::now).duration_since(began);
        if let Some(writer) = writer {
            writer.abort();
        }
        let [stdout, stderr] = supervise::collect(readers, &cutoff).await;
        // Nobody waits for it any more: then nobody has to be told.
        drop(tell.send(Ended {
            exit_code: departure.exit_code,
            signal: departure.signal,
            stopped: departure.stopped,
            killed: departure.killed,
            duration,
            stdout,
            stderr,
            left_behind: departure.left_behind,
            survived: departure.survived,
            suspended: departure.suspended,
            unknown: departure.unknown,
        }));
    });
    Ok(Running { pid, identity, control: Control { sender, grace }, end: Some(end) })
}

struct Spawned {
    leader: supervise::Leader,
    identity: String,
    stdin: Option<(pipe::Sender, String)>,
    stdout: (pipe::Receiver, stream::Capture),
    stderr: (pipe::Receiver, stream::Capture),
    began: Instant,
}

fn spawn(launch: &Launch, sinks: &Sinks) -> Result<Spawned, StartError> {
    program::check(launch)?;
    let program = program::locate(launch)?;
    // The files come first: evidence that cannot be kept is a reason not to begin.
    let open = |stream, file: &Option<PathBuf>| {
        stream::Capture::open(stream, file.clone(), (sinks.filter)(), sinks.lines.clone())
            .map_err(|error| StartError::Evidence { file: file.clone().unwrap_or_default(), error })
    };
    let captures = [open(Stream::Stdout, &sinks.stdout)?, open(Stream::Stderr, &sinks.stderr)?];
    let [out, err] = captures;

    let (stdout, stdout_writer) = receiver()?;
    let (stderr, stderr_writer) = receiver()?;
    let arg0 = launch.argv.first().cloned().unwrap_or_default();
    let mut expression = duct::cmd(&program, launch.argv.iter().skip(1))
        .full_env(launch.env.iter().map(|(name, value)| (name, value)))
        .dir(&launch.cwd)
        .stdout_file(stdout_writer)
        .stderr_file(stderr_writer)
        .unchecked()
        .before_spawn(move |command| {
            use std::os::unix::process::CommandExt as _;
            // The word as it was written: programs that look at their name (busybox, virtualenvs) depend on it.
            command.arg0(&arg0).process_group(0);
            Ok(())
        });
    let stdin = if let Some(bytes) = launch.stdin.clone() {
        let (reader, writer) = std::io::pipe().map_err(StartError::Pipe)?;
        expression = expression.stdin_file(reader);
        Some((pipe::Sender::from_owned_fd(writer.into()).map_err(StartError::Pipe)?, bytes))
    } else {
        expression = expression.stdin_null();
        None
    };

    let began = Instant::now();
    let handle = expression.start().map_err(|error| program::explain(launch, &program, &error))?;
    // It holds our copies of the pipes' other ends: while it lives the streams have no end.
    drop(expression);
    let leader = supervise::Leader::new(handle, launch).ok_or(StartError::Ending)?;
    let identity = leader.identity();
    Ok(Spawned { leader, identity, stdin, stdout: (stdout, out), stderr: (stderr, err), began })
}

fn receiver() -> Result<(pipe::Receiver, std::io::PipeWriter), StartError> {
    let (reader, writer) = std::io::pipe().map_err(StartError::Pipe)?;
    Ok((pipe::Receiver::from_owned_fd(reader.into()).map_err(StartError::Pipe)?, writer))
}

#[cfg(test)]
mod tests;

/// What a short command answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it ended with exit code 0.
    pub succeeded: bool,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

/// Hands bytes to a short command of ours and waits for its answer. It blocks.
///
/// # Errors
/// When it could not be started.
pub fn ask(program: &str, arguments: &[&str], stdin: &[u8]) -> Result<Answer, String> {
    let run = duct::cmd(program, arguments).stdin_bytes(stdin).stdout_capture().stderr_capture().unchecked().run();
    let output = run.map_err(|error| format!("{program} could not be started: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Answer { succeeded: output.status.success(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
}

/// The standard output of a short command that only looks, or `None` when it fails.
#[must_use]
pub fn quick(directory: &Path, program: &str, arguments: &[&str]) -> Option<String> {
    duct::cmd(program, arguments).dir(directory).stdin_null().stderr_null().read().ok()
}
