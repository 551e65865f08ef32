//! What would mend a finding: edits of its file, and how sure they are.
//!
//! Duty: the shape. How edits are made so that everything else stays as it is, is the affair of the room `fix`.

use serde::Serialize;

use crate::source::Span;

/// How sure a fix is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// A run means the same afterwards, or what the author must have meant; there is no other reading.
    Safe,
    /// A suggestion: a person has to look at it.
    Unsafe,
}

/// One place, and what stands there afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty where something is put in.
    pub span: Span,
    /// What replaces it; empty where something is removed.
    pub text: String,
}

/// What would mend a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as a person would be told to: `remove the input`.
    pub title: String,
    /// How sure it is.
    pub safety: Safety,
    /// All of it, in the order of the file; no two touch one another.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// A fix that has no other reading.
    #[must_use]
    pub fn safe(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), safety: Safety::Safe, edits }
    }

    /// A suggestion.
    #[must_use]
    pub fn suggestion(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), safety: Safety::Unsafe, edits }
    }
}

impl Edit {
    /// Puts a text in the place of another.
    #[must_use]
    pub fn new(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }

    /// Puts a text in.
    #[must_use]
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::new(Span::new(at, at), text)
    }

    /// Takes a text out.
    #[must_use]
    pub fn remove(span: Span) -> Self {
        Self::new(span, "")
    }
}
