//! What names may look like.
//!
//! Duty: the forms of ids and names, and saying what is wrong with one. It must not look for what a name refers to.

use super::{Route, tolerant::Decoder};
use crate::source::{Span, Spanned};

/// Whether a text can be a runbook's name or a step's id: `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`.
#[must_use]
pub fn is_id(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = name.bytes().next().is_some_and(fine) && name.bytes().last().is_some_and(fine);
    ends && name.len() <= 63 && name.bytes().all(|byte| fine(byte) || byte == b'-')
}

/// `^[a-zA-Z][a-zA-Z0-9_]{0,62}$`: an input, an output, the `as` of a `forEach`; expressions can write it without quotes.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.len() <= 63
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `^[A-Za-z_][A-Za-z0-9_]*$`: an environment variable.
pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn bad(decoder: &mut Decoder<'_>, span: Span, what: &str, name: &str, form: &str) {
    decoder.error("bad-name", span, format!("expected {what}, found `{name}`"), form);
}

const ID: &str = "use lower-case letters, digits and `-`, at most 63 characters, with a letter or digit at both ends";
const NAME: &str = "use letters, digits and `_`, at most 63 characters, with a letter first";
const VARIABLE: &str = "use letters, digits and `_`, not with a digit first";

/// The runbook's own name.
pub(super) fn runbook(decoder: &mut Decoder<'_>, name: &Spanned<String>) {
    let route = Route::new().key("metadata").key("name");
    if !decoder.damaged.touches(&route) && !is_id(name) {
        bad(decoder, name.span(), "the name of a runbook", name, ID);
    }
}

/// A step's id.
pub(super) fn step(decoder: &mut Decoder<'_>, span: Span, id: &str) {
    if !is_id(id) {
        bad(decoder, span, "the id of a step", id, ID);
    } else if id == "cleanup" {
        bad(
            decoder,
            span,
            "the id of a step",
            id,
            "take another one: `cleanup` is reserved for the steps of that name",
        );
    }
}

/// An input, an output or the element of a `forEach`.
pub(super) fn name(decoder: &mut Decoder<'_>, span: Span, what: &str, name: &str) {
    if !is_name(name) {
        bad(decoder, span, what, name, NAME);
    }
}

/// An environment variable.
pub(super) fn variable(decoder: &mut Decoder<'_>, span: Span, name: &str) {
    if !is_variable(name) {
        bad(decoder, span, "the name of an environment variable", name, VARIABLE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_forms() {
        for id in ["a", "0", "a-b", "x1", &"a".repeat(63)] {
            assert!(is_id(id), "{id}");
        }
        for id in ["", "-", "a-", "-a", "A", "a_b", "a.b", "é", &"a".repeat(64)] {
            assert!(!is_id(id), "{id}");
        }
        assert!(is_name("dbPassword_2") && !is_name("_a") && !is_name("2a") && !is_name("a-b") && !is_name(""));
        assert!(
            is_variable("_A1") && !is_variable("1A") && !is_variable("A-B") && !is_variable("A=B") && !is_variable("")
        );
    }
}
