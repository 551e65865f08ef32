//! `expr`: nothing but CEL.

use super::Facts;

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "expr",
    summary: "evaluates CEL over what the run knows",
    example: "expr: int(steps.count.outputs.rows) > 0",
    result: &[],
    expect: "true",
};
