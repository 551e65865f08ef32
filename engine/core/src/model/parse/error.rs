//! Why something could not be decoded, with all that serde knows about it and the place where it happened.
//!
//! Duty: to keep the structure that a message would lose. Turning it into a diagnostic is `tolerant`'s business.

use std::fmt;

use serde::de;

use super::route::Route;
use crate::source::Span;

/// What is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Problem {
    /// A key that the mapping around it does not have; `known` are all that it has.
    UnknownKey { known: &'static [&'static str] },
    /// The mapping lacks a key that it must have.
    MissingKey(&'static str),
    /// A key or element without a value.
    MissingValue,
    /// A value of the wrong type.
    WrongType { expected: String, found: String },
    /// A word that is not among those that are known here.
    UnknownValue { known: &'static [&'static str], found: String },
    /// A value of the right type that is no good.
    InvalidValue { expected: String, found: String },
    /// Whatever a type of ours had to say.
    Custom(String),
    /// It has been told already.
    Told,
}

/// What the author must have meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meant {
    /// The same text without its quotes.
    WithoutQuotes,
    /// `true` or `false`; whether it was a word for it, and not a number.
    Boolean { value: bool, word: bool },
    /// The same text as the only element of a list.
    OneElement,
}

/// Where it happened.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) route: Route,
    pub(super) span: Span,
    /// It happened in a value that we made up for one that is missing.
    pub(super) placeholder: bool,
}

/// What to do about it.
#[derive(Debug)]
pub(super) struct Advice {
    pub(super) help: Option<String>,
    pub(super) meant: Option<Meant>,
}

#[derive(Debug)]
struct Inner {
    problem: Problem,
    help: Option<String>,
    meant: Option<Meant>,
    at: Option<At>,
}

/// Why a value could not be decoded.
// Boxed, because every call of a deserializer moves it.
#[derive(Debug)]
pub(super) struct Error(Box<Inner>);

impl Error {
    pub(super) fn new(problem: Problem) -> Self {
        Self(Box::new(Inner { problem, help: None, meant: None, at: None }))
    }

    pub(super) fn help(mut self, help: Option<String>) -> Self {
        self.0.help = help;
        self
    }

    pub(super) fn meant(mut self, meant: Option<Meant>) -> Self {
        self.0.meant = meant;
        self
    }

    /// Adds the place, unless a deeper one is known.
    pub(super) fn or_at(mut self, at: impl FnOnce() -> At) -> Self {
        self.0.at.get_or_insert_with(at);
        self
    }

    /// The problem, with what is told to do about it.
    pub(super) fn into_parts(self) -> (Problem, Advice, Option<At>) {
        let Inner { problem, help, meant, at } = *self.0;
        (problem, Advice { help, meant }, at)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.problem)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Problem::Custom(message.to_string()))
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(Problem::WrongType { expected: expected.to_string(), found: words(found) })
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(Problem::InvalidValue { expected: expected.to_string(), found: words(found) })
    }

    fn invalid_length(length: usize, expected: &dyn de::Expected) -> Self {
        Self::new(Problem::InvalidValue { expected: expected.to_string(), found: format!("{length} elements") })
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        Self::new(Problem::UnknownValue { known, found: found.to_owned() })
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(Problem::UnknownKey { known })
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(Problem::MissingKey(key))
    }
}

fn words(found: de::Unexpected<'_>) -> String {
    match found {
        de::Unexpected::Bool(value) => format!("`{value}`"),
        de::Unexpected::Unsigned(value) => format!("the number {value}"),
        de::Unexpected::Signed(value) => format!("the number {value}"),
        de::Unexpected::Float(value) => format!("the number {value}"),
        de::Unexpected::Str(text) => text_words(text),
        de::Unexpected::Unit | de::Unexpected::Option => "nothing".to_owned(),
        de::Unexpected::Seq => "a list".to_owned(),
        de::Unexpected::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

/// A text for a message: short, and on one line.
pub(super) fn text_words(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(LONGEST).collect();
    let more = if short.len() < text.trim_end().len() { "…" } else { "" };
    if text.is_empty() { "an empty text".to_owned() } else { format!("the text `{short}{more}`") }
}
