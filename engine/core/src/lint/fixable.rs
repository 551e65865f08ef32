//! Which findings can be mended by `lint --fix`, and how sure that is.
//!
//! Duty: the one list that the reference and `lint --rules` read. Fixtures prove that it is true; a finding of a code in it
//! may still have no fix, where the text is not clear.

use crate::diagnostic::Safety::{self, Safe, Unsafe};

const FIXABLE: &[(&str, &[Safety])] = &[
    ("approval-without-expiry", &[Unsafe]),
    ("delete-without-capture", &[Unsafe]),
    ("disaster-in-incident", &[Unsafe]),
    ("dns-checked-once", &[Unsafe]),
    ("dns-single-resolver", &[Unsafe]),
    ("drill-publishes-traffic", &[Unsafe]),
    ("duplicate-key", &[Safe]),
    ("invalid-value", &[Safe]),
    ("level-overclaimed", &[Unsafe]),
    ("missing-key", &[Safe]),
    ("missing-rollback", &[Unsafe]),
    ("not-a-predecessor", &[Unsafe]),
    ("pointless-every", &[Safe, Unsafe]),
    ("running-is-not-ready", &[Unsafe]),
    ("scale-to-zero-without-undo", &[Unsafe]),
    ("unknown-cluster", &[Unsafe]),
    ("unknown-input", &[Unsafe]),
    ("unknown-key", &[Safe, Unsafe]),
    ("unknown-name", &[Unsafe]),
    ("unknown-period", &[Unsafe]),
    ("unknown-role", &[Unsafe]),
    ("unknown-rule", &[Unsafe]),
    ("unknown-step", &[Unsafe]),
    ("unknown-value", &[Safe, Unsafe]),
    ("unused-ignore", &[Safe]),
    ("unused-input", &[Unsafe]),
    ("wrong-type", &[Safe, Unsafe]),
    ("yaml-key", &[Safe]),
    ("yaml-syntax", &[Safe]),
    ("yaml-tag", &[Safe]),
];

/// Every code with a fix.
pub fn all() -> impl Iterator<Item = (&'static str, &'static [Safety])> {
    FIXABLE.iter().copied()
}

/// How sure the fixes of a code are; empty for one that nothing but a person can mend.
#[must_use]
pub fn of(code: &str) -> &'static [Safety] {
    let found = FIXABLE.binary_search_by_key(&code, |(id, _)| id);
    found.ok().and_then(|at| FIXABLE.get(at)).map_or(&[], |(_, safety)| *safety)
}
