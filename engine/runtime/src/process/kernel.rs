//! What `/proc` tells about processes, and signals to them.
//!
//! Duty: to name a process so that no other one can be meant. It must not remember anything. Without `/proc` (not
//! Linux) nobody is found: then a stop still reaches the process group.

use std::{sync::LazyLock, time::Duration};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

/// How often a child is looked at when no signal tells of it.
const LOOK_ANYWAY: Duration = Duration::from_millis(500);

/// A process, told from a later one with the same id by its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// Clock ticks since the machine booted.
    pub(super) started: u64,
    pub(super) group: u32,
    /// `R`, `S`, `D`, `T`, `Z`, …
    pub(super) state: char,
}

impl Process {
    /// `None` when there is none with this id.
    pub(super) fn read(pid: u32) -> Option<Self> {
        use std::io::Read as _;
        // One read: the kernel makes the line in one go, and it is never that long. A whole scan asks for hundreds.
        let mut line = [0; 1024];
        let length = std::fs::File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut line).ok()?;
        parse(pid, line.get(..length)?)
    }

    /// A zombie runs no more.
    fn alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// The name of a program stands in brackets and may hold everything, brackets too: what counts is after the last one.
fn parse(pid: u32, stat: &[u8]) -> Option<Process> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let mut fields = std::str::from_utf8(stat.get(end + 1..)?).ok()?.split_ascii_whitespace();
    // Fields are counted from 1 in proc(5); these begin with the third.
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    let started = fields.nth(16)?.parse().ok()?;
    Some(Process { pid, started, group, state })
}

fn everyone() -> impl Iterator<Item = Process> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(Process::read)
        .filter(Process::alive)
}

/// Who must go.
#[derive(Debug, Default, Clone)]
pub(super) struct Found {
    /// Members of the group.
    pub(super) group: Vec<Process>,
    /// Marked processes in other groups.
    pub(super) strays: Vec<Process>,
}

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        self.group.is_empty() && self.strays.is_empty()
    }
}

/// Everyone in the group; and, with marks, everyone outside it who was started after its leader with an environment
/// that has all of them. The leader was started at `since`; within one tick of the clock the lower id is the older one.
/// When the leader is reaped already and somebody has its id, then nobody of its group was left to keep the id taken:
/// that group is a stranger's. It may block for as long as a process holds its own memory map locked.
pub(super) fn search(group: u32, marks: &[Vec<u8>], since: u64, reaped: bool) -> Found {
    let own = std::process::id();
    let mut found = Found::default();
    if reaped && Process::read(group).is_some() {
        return found;
    }
    for process in everyone() {
        if process.group == group {
            found.group.push(process);
        } else if !marks.is_empty()
            && (process.started, process.pid) > (since, group)
            && process.pid != own
            && marked(process.pid, marks)
        {
            found.strays.push(process);
        }
    }
    found
}

/// Of other users' processes nothing can be read: they are not ours.
fn marked(pid: u32, marks: &[Vec<u8>]) -> bool {
    let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else { return false };
    marks.iter().all(|mark| environment.split(|byte| *byte == 0).any(|variable| variable == mark))
}

/// Whether a group has nobody in it. Its leader must be reaped: a zombie counts as one. An id stays taken for as long as
/// it is anybody's group, so this never tells of a group that is there that it is not.
pub(super) fn nobody_in(group: Pid) -> bool {
    rustix::process::test_kill_process_group(group) == Err(rustix::io::Errno::SRCH)
}

/// A signal to all of a group whose leader is reaped, by the word of a member that was seen in it: while that one lives,
/// the group's id is nobody else's.
pub(super) fn signal_group_of(member: &Process, signal: Signal) {
    let same = |now: &Process| now.started == member.started && now.group == member.group;
    if Process::read(member.pid).as_ref().is_some_and(same)
        && let Some(group) = i32::try_from(member.group).ok().and_then(Pid::from_raw)
    {
        signal_group(group, signal);
    }
}

/// A signal to all of a group. Only while its leader is not reaped: then the group's id cannot be somebody else's.
pub(super) fn signal_group(leader: Pid, signal: Signal) {
    // It may be empty, or of another user after `sudo`: what is still there is seen afterwards.
    _ = rustix::process::kill_process_group(leader, signal);
}

/// A signal to this process and to no other one.
pub(super) fn signal_exactly(process: &Process, signal: Signal) {
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else { return };
    let same = || Process::read(process.pid).is_some_and(|now| now.started == process.started);
    // The descriptor holds on to whatever process has the id *now*; if that one is ours, it stays ours.
    #[cfg(target_os = "linux")]
    match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        Ok(descriptor) => {
            if same() {
                _ = rustix::process::pidfd_send_signal(descriptor, signal);
            }
            return;
        }
        Err(rustix::io::Errno::SRCH) => return,
        // An old kernel, or a sandbox that does not know it.
        Err(_) => {}
    }
    if same() {
        _ = rustix::process::kill_process(pid, signal);
    }
}

/// Waits for a child's exit without reaping it, and without a thread for it.
pub(super) async fn exited(child: Pid) {
    // Listening comes before looking, so that no exit falls between. (A pidfd would be nicer; tokio registers a foreign
    // descriptor only by an unsafe function.)
    let mut children = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::child()).ok();
    loop {
        match rustix::process::waitid(
            WaitId::Pid(child),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG,
        ) {
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            // An error means that it is not our child any more: reaped by the kernel, as SIGCHLD was ignored.
            Ok(Some(_)) | Err(_) => return,
        }
        let heard = async {
            match &mut children {
                Some(children) => drop(children.recv().await),
                None => std::future::pending().await,
            }
        };
        // The signal may be blocked in an engine that was started by something odd: looking now and then as well.
        _ = tokio::time::timeout(LOOK_ANYWAY, heard).await;
    }
}

/// Boot id and start time in clock ticks, joined by `:`; empty parts where they cannot be read.
pub(super) fn identity(process: Option<&Process>) -> String {
    static BOOT: LazyLock<String> =
        LazyLock::new(|| std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default());
    let started = process.map_or_else(String::new, |process| process.started.to_string());
    format!("{}:{started}", BOOT.trim())
}

/// Whether the process with this id is still the one that had this identity, and runs. One of another boot, or of
/// another host, does not run *here*.
#[must_use]
pub fn still_running(pid: u32, identity: &str) -> bool {
    Process::read(pid).is_some_and(|process| process.alive() && self::identity(Some(&process)) == identity)
}

/// Waits until such a process, left by an earlier engine, runs no more; looks every `poll`.
pub async fn gone(pid: u32, identity: &str, poll: Duration) {
    while still_running(pid, identity) {
        tokio::time::sleep(poll).await;
    }
}

/// Stops a process that an earlier engine left, and its group: TERM, grace, KILL. Returns when it is gone, or when even
/// KILL did not end it.
pub async fn stop_left_behind(pid: u32, identity: &str, grace: Duration) {
    let Some(leader) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    // While the leader runs, its id is its group's and nobody else's.
    if still_running(pid, identity) {
        signal_group(leader, Signal::TERM);
        _ = tokio::time::timeout(grace, gone(pid, identity, Duration::from_millis(50))).await;
    }
    if still_running(pid, identity) {
        signal_group(leader, Signal::KILL);
        _ = tokio::time::timeout(super::KILL_LIMIT, gone(pid, identity, Duration::from_millis(20))).await;
    }
}

/// ` (SIGKILL)` and the like; empty for the rare ones.
pub(super) fn signal_name(signal: i32) -> &'static str {
    const NAMES: [(Signal, &str); 13] = [
        (Signal::HUP, " (SIGHUP)"),
        (Signal::INT, " (SIGINT)"),
        (Signal::QUIT, " (SIGQUIT)"),
        (Signal::ILL, " (SIGILL)"),
        (Signal::ABORT, " (SIGABRT)"),
        (Signal::BUS, " (SIGBUS)"),
        (Signal::FPE, " (SIGFPE)"),
        (Signal::KILL, " (SIGKILL)"),
        (Signal::SEGV, " (SIGSEGV)"),
        (Signal::PIPE, " (SIGPIPE)"),
        (Signal::ALARM, " (SIGALRM)"),
        (Signal::TERM, " (SIGTERM)"),
        (Signal::XCPU, " (SIGXCPU)"),
    ];
    NAMES.iter().find(|(known, _)| known.as_raw() == signal).map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_may_hold_brackets() {
        let stat = b"12 (a) R 1 (x) S 1 77 77 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 2";
        assert_eq!(parse(12, stat), Some(Process { pid: 12, started: 4711, group: 77, state: 'S' }));
        assert_eq!(parse(12, b"12 (x"), None);
        assert_eq!(parse(12, b"12 (x) S 1"), None);
    }

    #[test]
    fn knows_this_very_process() {
        let own = std::process::id();
        let identity = identity(Process::read(own).as_ref());
        assert!(still_running(own, &identity), "{identity}");
        assert!(!still_running(own, &format!("{identity}0")));
        assert!(!still_running(own, ""));
    }
}
