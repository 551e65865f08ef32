//! `ask`: a person's answer.

use super::Facts;
use crate::action::Field;

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "ask",
    summary: "a person answers yes or no; unattended it fails",
    example: r#"ask: "Do support agents see new orders come in?""#,
    result: &[
        Field { name: "yes", kind: "bool", about: "the answer" },
        Field { name: "by", kind: "string", about: "who answered" },
    ],
    expect: "yes",
};
