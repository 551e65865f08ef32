//! `expr`: nothing but CEL.

use super::Facts;

/// What is known about it.
pub const FACTS: Facts =
    Facts { name: "expr", summary: "evaluates CEL over what the run knows", result: &[], expect: "true" };
