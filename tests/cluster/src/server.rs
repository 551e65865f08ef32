//! A server process: started so that it cannot outlive this process, stopped, paused, and its log.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        mpsc::{self, Sender},
    },
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::Error;

/// As much of a log's end as is ever read.
const TAIL: u64 = 256 * 1024;

/// What is run.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// What errors call it; also the name of its log.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(String, OsString)>,
}

impl Program {
    pub(crate) fn new(name: &str, path: PathBuf) -> Self {
        Self { name: name.to_owned(), path, arguments: Vec::new(), environment: Vec::new() }
    }

    /// Adds `--name=value`.
    pub(crate) fn flag(mut self, name: &str, value: impl Into<OsString>) -> Self {
        let mut text = OsString::from(format!("--{name}="));
        text.push(value.into());
        self.arguments.push(text);
        self
    }

    pub(crate) fn argument(mut self, value: impl Into<OsString>) -> Self {
        self.arguments.push(value.into());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    fn command(&self, log: &File, directory: &Path) -> io::Result<Command> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(&self.path).args(&self.arguments);
        // A developer's own clusters, proxies and credentials are none of its business.
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // Sockets and half-made archives, too, shall go with the cluster.
        command.env("HOME", directory).env("TMPDIR", directory.join("tmp"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // A group of its own: Ctrl-C at the terminal is for the test, which then stops the servers in their order.
        command.current_dir(directory).process_group(0).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log.try_clone()?);
        Ok(command)
    }
}

/// A program that runs, or has run.
#[derive(Debug)]
pub(crate) struct Server {
    program: Program,
    log: PathBuf,
    directory: PathBuf,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// Starts a program; its log is appended to `<directory>/<name>.log`.
    pub(crate) fn start(program: Program, directory: &Path) -> Result<Self, Error> {
        let server = Self {
            log: directory.join(format!("{}.log", program.name)),
            program,
            directory: directory.to_owned(),
            child: Mutex::new(None),
        };
        server.restart()?;
        Ok(server)
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it again, with the same arguments; nothing happens while it runs.
    pub(crate) fn restart(&self) -> Result<(), Error> {
        let mut child = self.child();
        if let Some(running) = child.as_mut()
            && matches!(running.try_wait(), Ok(None))
        {
            return Ok(());
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(Error::io(format!("opening {}", self.log.display())))?;
        let command = self.program.command(&log, &self.directory).map_err(Error::io("preparing a process"))?;
        *child = Some(spawn(command).map_err(Error::io(format!(
            "starting {} ({}) by setpriv of util-linux",
            self.program.name,
            self.program.path.display()
        )))?);
        Ok(())
    }

    /// Kills it, as a lost machine would, and waits until it is gone. Works on a paused one, too.
    pub(crate) fn stop(&self) {
        if let Some(mut child) = self.child().take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Asks it to end (SIGTERM), and waits until it has.
    pub(crate) fn terminate(&self) -> Result<(), Error> {
        self.signal(Signal::TERM)?;
        if let Some(mut child) = self.child().take() {
            drop(child.wait());
        }
        Ok(())
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Error> {
        let child = self.child();
        let child = child.as_ref().ok_or_else(|| Error::Input(format!("{} does not run", self.program.name)))?;
        kill_process(Pid::from_child(child), signal)
            .map_err(|error| Error::io(format!("signalling {}", self.program.name))(error.into()))
    }

    /// Its process id, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        let mut child = self.child();
        let child = child.as_mut()?;
        matches!(child.try_wait(), Ok(None)).then(|| child.id())
    }

    /// The last lines of its log.
    pub(crate) fn tail(&self, lines: usize) -> String {
        let read = || -> io::Result<String> {
            let mut file = File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().map_or_else(|error| format!("(no log: {error})"), |text| last_lines(&text, lines))
    }

    /// Everything it has printed.
    pub(crate) fn log(&self) -> String {
        fs::read(&self.log).map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// An error about this server, with the end of its log.
    pub(crate) fn error(&self, why: impl Into<String>) -> Error {
        Error::Server { server: self.program.name.clone(), why: why.into(), tail: self.tail(12) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The last lines of a text, long ones cut.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(count)..];
    let cut = |line: &&str| -> String { format!("  {}", line.chars().take(400).collect::<String>()) };
    last.iter().map(cut).collect::<Vec<_>>().join("\n")
}

type Job = (Command, Sender<io::Result<Child>>);

/// Starts a process from a thread that lives as long as this process.
///
/// The signal that a process gets when its parent dies comes when the parent's *thread* ends, and a test's thread ends
/// with the test; a cluster that several tests share would die with the first of them.
fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, orders) = mpsc::channel::<Job>();
        drop(thread::Builder::new().name("spawner".into()).spawn(move || {
            for (mut command, answer) in orders {
                drop(answer.send(command.spawn()));
            }
        }));
        Mutex::new(jobs)
    });
    let gone = || io::Error::other("the thread that starts processes is gone");
    let (answer, child) = mpsc::channel();
    spawner.lock().unwrap_or_else(PoisonError::into_inner).send((command, answer)).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}
