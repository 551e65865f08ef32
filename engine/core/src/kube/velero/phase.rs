//! The phases of a Backup and of a Restore.
//!
//! Duty: what each means for somebody who waits. New versions add phases in between, so one that is not known is
//! pending.

use serde_json::Value;

use crate::kube::object;

/// What a phase means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Velero has not begun: no phase, `New`, `Queued`, `ReadyToStart`.
    Waiting,
    /// It is under way, or in a phase that is not known here.
    Running,
    /// It is under way, and it is clear already that it will end as `PartiallyFailed`.
    RunningPartly,
    /// It has ended well, as far as the phase says.
    Completed,
    /// It has ended, and something is missing.
    PartiallyFailed,
    /// It has failed.
    Failed,
    /// Velero refused it.
    FailedValidation,
    /// The backup is on its way out.
    Deleting,
}

impl Phase {
    /// The phase of an object.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        match object::text(object, "/status/phase") {
            "" | "New" | "Queued" | "ReadyToStart" => Self::Waiting,
            "WaitingForPluginOperationsPartiallyFailed" | "FinalizingPartiallyFailed" => Self::RunningPartly,
            "Completed" => Self::Completed,
            "PartiallyFailed" => Self::PartiallyFailed,
            "Failed" => Self::Failed,
            "FailedValidation" => Self::FailedValidation,
            "Deleting" => Self::Deleting,
            _ => Self::Running,
        }
    }

    /// Whether nothing more comes.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::PartiallyFailed | Self::Failed | Self::FailedValidation)
    }
}
