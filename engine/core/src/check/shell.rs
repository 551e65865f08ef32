//! `shell` as a check: the same as the action, and only looking.

use super::Facts;

pub use crate::action::shell::Shell;

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "shell",
    summary: "runs a script with `bash -euo pipefail`; it must only look",
    example: r#"shell: test "$(wc -l < "$FILE")" -gt 100
env: {FILE: /srv/orders.csv}"#,
    result: crate::action::exec::RESULT,
    expect: "exitCode == 0",
};
