//! How a process ended, for expressions, for the evidence and for people.
//!
//! Duty: what is known, in the three forms it is wanted in. It must not judge more than "it succeeded".

use std::time::Duration;

use lifeboat_core::evidence::event::Artifact;
use serde_json::{Value, json};

#[cfg(doc)]
use super::KILL_LIMIT;
use super::{Output, kernel};

/// How a process ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether a stop was asked for before it ended.
    pub stopped: bool,
    /// Whether KILL was needed.
    pub killed: bool,
    /// From its start to the exit of the leader, by the monotonic clock.
    pub duration: Duration,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// Processes that the leader left in its group and that had to be stopped; 0 when a stop was asked for.
    pub left_behind: usize,
    /// Processes that survived KILL for [`KILL_LIMIT`].
    pub survived: Vec<u32>,
    /// Whether it was suspended when it was stopped: it had tried to use a terminal.
    pub suspended: bool,
    /// Why it is not known how it ended.
    pub unknown: Option<String>,
}

impl Ended {
    pub(super) fn lost(why: &str) -> Self {
        Self {
            exit_code: None,
            signal: None,
            stopped: false,
            killed: false,
            duration: Duration::ZERO,
            stdout: Output::default(),
            stderr: Output::default(),
            left_behind: 0,
            survived: Vec::new(),
            suspended: false,
            unknown: Some(why.to_owned()),
        }
    }

    /// Whether it ended by itself with exit code 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.exit_code == Some(0) && !self.stopped
    }

    /// What expressions see: exactly the fields of `core::action::exec::RESULT`.
    #[must_use]
    pub fn result(&self) -> Value {
        let json =
            if self.stdout.truncated() { None } else { serde_json::from_slice::<Value>(self.stdout.head()).ok() };
        json!({
            "exitCode": self.exit_code,
            "signal": self.signal,
            "stdout": self.stdout.text(),
            "stderr": self.stderr.text(),
            "json": json,
            "truncated": self.stdout.truncated() || self.stderr.truncated(),
            "durationMs": u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// The files that were written, without the empty ones.
    #[must_use]
    pub fn artifacts(&self) -> Vec<Artifact> {
        [("stdout", &self.stdout), ("stderr", &self.stderr)]
            .into_iter()
            .filter(|(_, output)| output.file.is_some() && output.bytes > 0)
            .map(|(name, output)| Artifact { name: name.into(), sha256: output.sha256.clone(), bytes: output.bytes })
            .collect()
    }

    /// Why an artifact is not whole on disk, if so. The run must not go on as if it were.
    #[must_use]
    pub fn evidence_lost(&self) -> Option<String> {
        self.stdout.error.clone().or_else(|| self.stderr.error.clone())
    }

    /// Why it did not succeed, with the last lines it printed; `None` when it did.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        if self.succeeded() {
            return None;
        }
        let mut text = match (&self.unknown, self.exit_code, self.signal) {
            (Some(why), ..) => why.clone(),
            (None, Some(code), _) if self.stopped => format!("it was stopped and ended with exit code {code}"),
            (None, Some(code), _) => format!("exit code {code}"),
            (None, None, Some(signal)) => {
                let who = if self.stopped { "it was stopped: " } else { "" };
                format!("{who}ended by signal {signal}{}", kernel::signal_name(signal))
            }
            (None, None, None) => "it did not end".to_owned(),
        };
        if self.suspended {
            text.push_str("; it was suspended, probably because it asked something on the terminal: a step has none");
        }
        if !self.survived.is_empty() {
            let pids: Vec<String> = self.survived.iter().map(ToString::to_string).collect();
            text.push_str("; still there after KILL, stuck in the kernel: ");
            text.push_str(&pids.join(", "));
        }
        let tail = if self.stderr.tail.is_empty() { &self.stdout.tail } else { &self.stderr.tail };
        for line in tail {
            text.push('\n');
            text.push_str(line);
        }
        Some(text)
    }
}
