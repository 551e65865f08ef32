//! What is wrong with a runbook although it can be read.
//!
//! Duty: to judge one file, offline and at once. It must not change anything, read files (the caller's resolver does),
//! or repeat what `model::parse` has told: what is damaged is skipped, and so is what follows from it.

use crate::{
    diagnostic::{Diagnostic, Severity},
    model::parse::Parsed,
    plan::include::Resolver,
};

mod begun;
pub mod choice;
pub mod config;
mod context;
mod facts;
pub mod fixable;
mod gates;
mod images;
mod includes;
mod memory;
mod names;
pub mod organisation;
pub mod pages;
mod programs;
pub mod registry;
pub mod rules;
mod scripts;
mod silence;
#[cfg(test)]
mod tests;

pub use context::Context;
use memory::Memory;
use organisation::Organisation;

/// One thing that can be wrong.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its kebab-case id: the code of its findings, the name of its file and of its fixtures.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One line for a list of rules.
    pub summary: &'static str,
    /// Finds it.
    pub check: fn(&Context<'_>, &mut Vec<Diagnostic>),
    /// The file of the rule: its doc comment is its page.
    source: &'static str,
}

impl Rule {
    /// Why there is this rule, a bad and a good example: Markdown, from the rule's doc comment.
    #[must_use]
    pub fn explanation(&self) -> String {
        let lines: Vec<&str> = self.source.lines().collect();
        let end = lines.iter().position(|line| line.starts_with("pub const RULE")).unwrap_or_default();
        let start = lines[..end].iter().rposition(|line| !line.starts_with("///")).map_or(0, |at| at + 1);
        let text = lines[start..end].iter().map(|line| line.trim_start_matches("///"));
        text.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }
}

/// Whether a run must not begin with a finding. What is wrong with a comment only matters to who reads it: no runbook
/// may refuse to run because a later version knows a rule by another name.
#[must_use]
pub fn stops_a_run(finding: &Diagnostic) -> bool {
    may_stop_a_run(finding.code, finding.severity)
}

fn may_stop_a_run(code: &str, severity: Severity) -> bool {
    severity == Severity::Error && !silence::is_about_comments(code) && !FOR_AUTHORS.contains(&code)
}

/// Errors that a review should not let pass, and that are no reason not to recover: an objective that will be missed, a proof
/// that will be weaker, a secret that is known already.
const FOR_AUTHORS: [&str; 3] =
    [rules::critical_path_exceeds_rto::RULE.id, rules::level_overclaimed::RULE.id, rules::plaintext_secret::RULE.id];

/// Judges files, and remembers what the texts in them say: what stands in many files is read once.
#[derive(Default)]
pub struct Linter {
    memory: Memory,
}

impl Linter {
    /// Judges one file by every rule, and leaves out what its comments silence; what could not be read at all has no findings
    /// here. Included runbooks are read for what this file says about them, and not judged themselves. `resolve` is asked with
    /// `""` as the directory for what stands in this file. What it finds does not depend on what was judged before.
    #[must_use]
    pub fn lint(&self, organisation: &Organisation, parsed: &Parsed, resolve: &Resolver<'_>) -> Vec<Diagnostic> {
        let Some(context) = Context::new(&self.memory, organisation, parsed, resolve) else { return Vec::new() };
        // Whether a comment silences something shows when all others have told what they found.
        let (last, first): (Vec<&Rule>, Vec<&Rule>) =
            registry::RULES.iter().partition(|rule| rule.id == rules::unused_ignore::RULE.id);
        judge(&context, first.into_iter().chain(last))
    }

    /// Everything that rules look at, read and not judged: what reading a runbook costs, for benchmarks. How much there is.
    #[doc(hidden)]
    #[must_use]
    pub fn read_only(&self, parsed: &Parsed, resolve: &Resolver<'_>) -> usize {
        let organisation = Organisation::default();
        let context = Context::new(&self.memory, &organisation, parsed, resolve);
        context.map_or(0, |context| context.texts.len() + context.readings().len())
    }
}

/// Judges one file alone, for an organisation that decided nothing.
#[must_use]
pub fn lint(parsed: &Parsed, resolve: &Resolver<'_>) -> Vec<Diagnostic> {
    Linter::default().lint(&Organisation::default(), parsed, resolve)
}

/// What keeps a run from beginning: the findings of [`lint`] for which [`stops_a_run`] holds. Only the rules that can find
/// such a thing are asked. None of them reads scripts: the parser of those is foreign code, and has no business between a
/// commander and a recovery.
#[must_use]
pub fn before_a_run(parsed: &Parsed, resolve: &Resolver<'_>) -> Vec<Diagnostic> {
    let (memory, organisation) = (Memory::default(), Organisation::default());
    let Some(context) = Context::new(&memory, &organisation, parsed, resolve) else { return Vec::new() };
    let mut findings = judge(&context, registry::RULES.iter().filter(|rule| may_stop_a_run(rule.id, rule.severity)));
    debug_assert!(context.readings.get().is_none(), "a rule that stops a run has read scripts");
    findings.retain(stops_a_run);
    findings
}

fn judge<'r>(context: &Context<'_>, rules: impl Iterator<Item = &'r Rule>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for rule in rules {
        (rule.check)(context, &mut findings);
    }
    findings.retain(|finding| context.silences.of(finding).is_empty());
    findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    // What is wrong in an incident is mostly wrong in a drill as well.
    findings.dedup_by(|a, b| a.sort_key() == b.sort_key());
    findings
}
