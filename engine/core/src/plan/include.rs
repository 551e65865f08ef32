//! Runbooks that include others: what is read, and what cannot be said on the step that includes.
//!
//! Duty: shapes and judgements that the plan and lint share. It must not read files: the caller's resolver does.

use std::{fmt, sync::Arc};

use crate::{
    diagnostic::Diagnostic,
    model::{Runbook, Step},
    source::{Source, Span, Spanned},
};

/// How deep runbooks may include each other.
pub const DEEPEST: usize = 16;

/// A runbook that was read.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What was written.
    pub runbook: Arc<Runbook>,
    /// Its file.
    pub source: Arc<Source>,
    /// Its directory, relative to the directory of the runbook that was asked for, normal (no `.`, and `..` only at
    /// its beginning); empty for the same.
    pub directory: String,
}

/// Reads an included runbook: from the directory of the runbook that includes it (as in [`Loaded::directory`]) and the
/// path as written there.
pub type Resolver<'a> = dyn Fn(&str, &str) -> Result<Arc<Loaded>, Unreadable> + 'a;

/// Why an included runbook cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// There is no such file, or it cannot be read; with the reason.
    Missing(String),
    /// It is not a valid runbook; with what is wrong, in a few words.
    Invalid(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(reason) | Self::Invalid(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Unreadable {}

impl Unreadable {
    /// The finding, at the path of the include.
    pub(crate) fn diagnostic(&self, source: &Arc<Source>, path: &Spanned<String>) -> Diagnostic {
        let name = path.as_str();
        match self {
            Self::Missing(reason) => Diagnostic::error(
                "include-missing",
                source,
                path.span(),
                format!("expected a runbook that can be read, found none at `{name}`: {reason}"),
            )
            .help("give the path relative to the directory of this runbook"),
            Self::Invalid(reason) => Diagnostic::error(
                "include-invalid",
                source,
                path.span(),
                format!("expected a valid runbook, found errors in `{name}`: {reason}"),
            )
            .help(format!("run `lifeboat lint` on `{name}`")),
        }
    }
}

/// What tells one runbook from another while includes are followed: directory and file name. Two ways to write the
/// same path give the same directory, so they give the same identity.
pub(crate) fn identity(directory: &str, path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// A runbook that includes itself, at the path that closes the circle.
pub(crate) fn cycle(source: &Arc<Source>, path: &Spanned<String>, way: &[String], again: &str) -> Diagnostic {
    let from = way.iter().position(|name| name == again).unwrap_or_default();
    let mut names: Vec<&str> = way.iter().skip(from).map(String::as_str).collect();
    names.push(again);
    Diagnostic::error(
        "include-cycle",
        source,
        path.span(),
        format!("expected runbooks that do not include themselves, found a cycle: {}", names.join(" → ")),
    )
    .help("take one of these includes away")
}

/// The keys of a step that mean nothing on a step that includes a runbook, each with its place as far as it is known.
pub(crate) fn ignored_on_include(step: &Spanned<Step>) -> Vec<(&'static str, Span)> {
    let whole = step.span();
    let at = |there: bool| there.then_some(whole);
    [
        ("when", step.when.as_ref().map(Spanned::span)),
        ("locks", at(!step.locks.is_empty())),
        ("env", at(!step.env.is_empty())),
        ("cwd", at(step.cwd.is_some())),
        ("stdin", at(step.stdin.is_some())),
        ("interpreter", step.interpreter.as_ref().map(Spanned::span)),
        ("effect", step.effect.as_ref().map(Spanned::span)),
        ("timeout", at(step.timeout.is_some())),
        ("retry", step.retry.as_ref().map(Spanned::span)),
        ("idempotent", at(step.idempotent)),
        ("irreversible", at(step.irreversible)),
        ("estimate", at(step.estimate.is_some())),
        ("outputs", at(!step.outputs.is_empty())),
        ("recoveryPoint", step.recovery_point.as_ref().map(Spanned::span)),
        ("verify", at(!step.verify.is_empty())),
        ("undo", step.undo.as_ref().map(Spanned::span)),
        ("approval", step.approval.as_ref().map(Spanned::span)),
        ("onFailure", step.on_failure.as_ref().map(Spanned::span)),
        ("restores", at(step.restores)),
        ("injectsOutage", at(step.injects_outage)),
        // Instances of an include are many steps each: a limit of steps at a time would not be one of instances.
        ("forEach.parallel", step.for_each.as_ref().and_then(|each| each.parallel.as_ref()).map(Spanned::span)),
    ]
    .into_iter()
    .filter_map(|(key, span)| Some((key, span?)))
    .collect()
}

/// A key that would be ignored on a step that includes a runbook.
pub(crate) fn not_on_include(source: &Arc<Source>, span: Span, id: &str, key: &str) -> Diagnostic {
    Diagnostic::error(
        "not-on-include",
        source,
        span,
        format!("expected nothing but order on a step that includes a runbook, found `{key}` on `{id}`"),
    )
    .help(format!("say `{key}` on the steps of the included runbook, or on a step of its own before or after it"))
}
