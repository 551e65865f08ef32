//! What is wrong, where, and what to do: the one shape of every finding.
//!
//! Duty: the shape, and its order. Renderings live one to a file below; finding things lives in `model` and `lint`.

use std::sync::Arc;

use serde::Serialize;

use crate::source::{Source, Span};

pub mod codes;
mod fix;
pub mod github;
pub mod json;
mod paths;
pub mod sarif;

pub use fix::{Edit, Fix, Safety};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The runbook would fail, or lie.
    Error,
    /// It would be slower, riskier or less provable.
    Warning,
}

/// Another place that is part of the same problem.
#[derive(Debug, Clone)]
pub struct Related {
    /// The file.
    pub source: Arc<Source>,
    /// The place in it.
    pub span: Span,
    /// What this place has to do with it, in a few words.
    pub message: String,
}

/// One finding.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// Stable kebab-case id, for example `unknown-key`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What was expected and what was found, one sentence without a full stop.
    pub message: String,
    /// The file.
    pub source: Arc<Source>,
    /// The place in it.
    pub span: Span,
    /// A few words printed at the span itself.
    pub label: String,
    /// The other halves of the problem.
    pub related: Vec<Related>,
    /// What to do next.
    pub help: Option<String>,
    /// What would mend it, where that is known.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn error(code: &'static str, source: &Arc<Source>, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            source: Arc::clone(source),
            span,
            label: String::new(),
            related: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// A warning at a place.
    #[must_use]
    pub fn warning(code: &'static str, source: &Arc<Source>, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, source, span, message) }
    }

    /// Adds the words printed at the span.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds what would mend it, if that is known.
    #[must_use]
    pub fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, source: &Arc<Source>, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related { source: Arc::clone(source), span, message: message.into() });
        self
    }

    /// The page of the book about this code.
    #[must_use]
    pub fn url(&self) -> String {
        codes::url(self.code)
    }

    /// The order in which findings are told: by file, place, code, text.
    #[must_use]
    pub fn sort_key(&self) -> (&str, Span, &str, &str) {
        (self.source.name(), self.span, self.code, &self.message)
    }
}
