//! `ask`: a person's answer.

use super::Facts;
use crate::action::Field;

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "ask",
    summary: "a person answers yes or no; unattended it fails",
    result: &[
        Field { name: "yes", kind: "bool", about: "the answer" },
        Field { name: "by", kind: "string", about: "who answered" },
    ],
    expect: "yes",
};
