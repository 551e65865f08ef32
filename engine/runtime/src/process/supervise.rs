//! From the start of a process to the end of its last descendant.
//!
//! Duty: who gets which signal when, and what is known at the end. It must not outlast a process that cannot be killed.

use std::{
    process::ExitStatus,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time,
};

use super::{
    DRAIN, KILL_LIMIT, Launch, MARKS, Output, SETTLE, Stream,
    kernel::{self, Found, Process},
};

/// Looking for who is left takes longer the longer they take.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const LAST_LOOK: Duration = Duration::from_millis(100);

/// A wish for the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// From TERM to KILL; zero: KILL at once.
    pub(super) grace: Duration,
}

/// The first process of a group. Dropped before all of it is gone, the whole group is killed: nobody would follow it any
/// more.
pub(super) struct Leader {
    handle: duct::Handle,
    pid: Pid,
    process: Option<Process>,
    marks: Vec<Vec<u8>>,
    /// How it ended, once it is reaped.
    status: Option<Result<ExitStatus, String>>,
    /// Whether nobody has to be killed any more.
    over: bool,
}

impl Leader {
    /// `None` when the handle has no process, which does not happen for a single program.
    pub(super) fn new(handle: duct::Handle, launch: &Launch) -> Option<Self> {
        let number = *handle.pids().first()?;
        let pid = i32::try_from(number).ok().and_then(Pid::from_raw)?;
        let mark = |name: &str| {
            let (_, value) = launch.env.iter().rev().find(|(known, _)| known == name)?;
            Some(format!("{name}={value}").into_bytes())
        };
        // All or none: with one of them missing, too many processes would be meant.
        let marks = if launch.reach_marked { MARKS.iter().map(|name| mark(name)).collect() } else { None };
        Some(Self {
            handle,
            pid,
            process: Process::read(number),
            marks: marks.unwrap_or_default(),
            status: None,
            over: false,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    pub(super) fn identity(&self) -> String {
        kernel::identity(self.process.as_ref())
    }

    /// Who of it is still there; `None` when the system did not answer in time.
    async fn search(&self, strays: bool) -> Option<Found> {
        let group = self.pid();
        // Without a start time everyone would be younger: then nobody is searched beyond the group.
        let since = self.process.as_ref().map(|process| process.started);
        let marks = if strays && since.is_some() { self.marks.clone() } else { Vec::new() };
        let reaped = self.status.is_some();
        let search = move || kernel::search(group, &marks, since.unwrap_or(u64::MAX), reaped);
        // Reading the environment of a process that hangs in the kernel may hang, too.
        time::timeout(KILL_LIMIT, tokio::task::spawn_blocking(search)).await.ok()?.ok()
    }

    fn signal_group(&self, signal: Signal, members: &[Process]) {
        // One that is suspended could not hear TERM.
        let signals = [Some(signal), (signal == Signal::TERM).then_some(Signal::CONT)];
        for signal in signals.into_iter().flatten() {
            match members.first() {
                _ if self.status.is_none() => kernel::signal_group(self.pid, signal),
                Some(member) => kernel::signal_group_of(member, signal),
                None => {}
            }
        }
    }

    /// Takes its exit status; from then on its id is its own only for as long as somebody is in its group.
    fn reap(&mut self) {
        self.status = Some(match self.handle.try_wait() {
            Ok(Some(output)) => Ok(output.status),
            Ok(None) => Err("its exit status could not be read".to_owned()),
            // Somebody reaped it for us: the engine was started with SIGCHLD ignored.
            Err(error) => Err(format!("its exit status could not be read: {error}")),
        });
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        if self.status.is_none() {
            kernel::signal_group(self.pid, Signal::KILL);
        } else if let Some(member) = kernel::search(self.pid(), &[], u64::MAX, true).group.first() {
            kernel::signal_group_of(member, Signal::KILL);
        }
    }
}

/// What is known when all of it is gone.
#[derive(Debug, Default)]
pub(super) struct Departure {
    pub(super) leader_exited: Option<Instant>,
    pub(super) exit_code: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) stopped: bool,
    pub(super) killed: bool,
    pub(super) left_behind: usize,
    pub(super) survived: Vec<u32>,
    pub(super) suspended: bool,
    pub(super) unknown: Option<String>,
}

/// When who is asked to go, and made to.
#[derive(Debug)]
struct Hunt {
    term_at: Instant,
    kill_at: Instant,
    asked: bool,
    killed: Option<Instant>,
    next_look: Instant,
    pause: Duration,
}

impl Hunt {
    fn new(settle: Duration, grace: Duration) -> Self {
        let now = Instant::now();
        let term_at = now + settle;
        // A grace beyond all clocks is as good as a day.
        let kill_at = term_at.checked_add(grace).unwrap_or(term_at + Duration::from_secs(86_400));
        Self { term_at, kill_at, asked: false, killed: None, next_look: now, pause: FIRST_LOOK }
    }

    fn hasten(&mut self, stop: Stop) {
        let sooner = Self::new(Duration::ZERO, stop.grace);
        self.term_at = self.term_at.min(sooner.term_at);
        self.kill_at = self.kill_at.min(sooner.kill_at);
        (self.next_look, self.pause) = (sooner.next_look, FIRST_LOOK);
    }

    fn look_later(&mut self) {
        self.next_look = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LAST_LOOK);
    }
}

/// Follows a process and its group to the end; with a wish for the end, sees to it.
pub(super) async fn follow(
    mut leader: Leader,
    mut commands: mpsc::UnboundedReceiver<Stop>,
    grace: Duration,
) -> Departure {
    let mut departure = Departure::default();
    let mut hunt: Option<Hunt> = None;
    let mut open = true;
    let exited = kernel::exited(leader.pid);
    tokio::pin!(exited);
    loop {
        let next_look = hunt.as_ref().map(|hunt| hunt.next_look.into());
        tokio::select! {
            biased;
            () = &mut exited, if departure.leader_exited.is_none() => {
                departure.leader_exited = Some(Instant::now());
                if hunt.is_none() {
                    // Nearly always it leaves nobody, and one question to the kernel tells. The search through all
                    // processes, for which it would have to stay unreaped, is for when somebody is left.
                    leader.reap();
                    if kernel::nobody_in(leader.pid) {
                        break;
                    }
                }
                hunt.get_or_insert_with(|| Hunt::new(SETTLE, grace)).next_look = Instant::now();
            }
            command = commands.recv(), if open => match command {
                Some(stop) => {
                    // What it did before is done: a service it started by `setsid` is meant to stay.
                    departure.stopped |= departure.leader_exited.is_none();
                    hunt.get_or_insert_with(|| Hunt::new(Duration::ZERO, stop.grace)).hasten(stop);
                }
                None => open = false,
            },
            () = time::sleep_until(next_look.unwrap_or_else(time::Instant::now)), if next_look.is_some() => {}
        }
        if let Some(hunt) = &mut hunt
            && look(&leader, hunt, &mut departure).await
        {
            break;
        }
    }
    if departure.stopped {
        // Where there is no /proc, nobody was seen who is still there.
        leader.signal_group(Signal::KILL, &[]);
    }
    conclude(leader, &mut departure);
    departure
}

/// Looks who is there and sends what is due. `true`: it is over.
async fn look(leader: &Leader, hunt: &mut Hunt, departure: &mut Departure) -> bool {
    let gone = departure.leader_exited.is_some();
    let now = Instant::now();
    let due = if now >= hunt.kill_at {
        Some(Signal::KILL)
    } else if now >= hunt.term_at && !hunt.asked {
        Some(Signal::TERM)
    } else {
        None
    };

    let group = leader.search(false).await;
    if gone && !departure.stopped && group.as_ref().is_some_and(Found::is_empty) {
        return true;
    }
    let group = group.unwrap_or_default();
    if due.is_some() && !hunt.asked {
        hunt.asked = true;
        if departure.stopped {
            departure.suspended = group.group.iter().any(|process| process.state == 'T');
        } else {
            departure.left_behind = group.group.len();
        }
    }
    // The group comes before those who have to be searched by their environment: that search may take its time.
    if let Some(signal) = due {
        leader.signal_group(signal, &group.group);
    }
    let found = if departure.stopped { leader.search(true).await } else { Some(group) };
    if gone && found.as_ref().is_some_and(Found::is_empty) {
        return true;
    }
    let found = found.unwrap_or_default();
    if let Some(signal) = due {
        for process in &found.strays {
            kernel::signal_exactly(process, signal);
        }
    }
    // KILL is repeated at each look: somebody may have been born in between.
    if due == Some(Signal::KILL) {
        departure.killed = true;
        if now.duration_since(*hunt.killed.get_or_insert(now)) > KILL_LIMIT {
            departure.survived = found.group.iter().chain(&found.strays).map(|process| process.pid).collect();
            return true;
        }
    }
    hunt.look_later();
    false
}

fn conclude(mut leader: Leader, departure: &mut Departure) {
    use std::os::unix::process::ExitStatusExt as _;
    if departure.leader_exited.is_none() {
        departure.unknown = Some("it could not be killed".to_owned());
        return;
    }
    if leader.status.is_none() {
        leader.reap();
    }
    leader.over = true;
    match leader.status.take() {
        Some(Ok(status)) => (departure.exit_code, departure.signal) = (status.code(), status.signal()),
        Some(Err(why)) => departure.unknown = Some(why),
        None => {}
    }
}

/// Waits for the ends of the streams; not for long, as somebody who left the group may hold them for ever.
pub(super) async fn collect(readers: [JoinHandle<Output>; 2], cutoff: &watch::Sender<bool>) -> [Output; 2] {
    let [stdout, stderr] = readers;
    let lost = |stream| move |error: tokio::task::JoinError| Output::lost(stream, &error.to_string());
    let both = async move {
        [stdout.await.unwrap_or_else(lost(Stream::Stdout)), stderr.await.unwrap_or_else(lost(Stream::Stderr))]
    };
    tokio::pin!(both);
    if let Ok(outputs) = time::timeout(DRAIN, &mut both).await {
        return outputs;
    }
    cutoff.send_replace(true);
    both.await
}
