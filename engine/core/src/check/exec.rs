//! `exec` as a check: the same as the action, and only looking.

use super::Facts;

pub use crate::action::exec::Exec;

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "exec",
    summary: "runs a program, no shell; it must only look",
    example: "exec: [pg_isready, --host, db.example.org]
within: 2m",
    result: crate::action::exec::RESULT,
    expect: "exitCode == 0",
};
