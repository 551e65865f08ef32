//! Which rules count, and how much: `--select`, `--ignore` and `lifeboat.toml`.
//!
//! Duty: from what people chose to what is told. It must not read files, and it never touches mistakes of the text.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rule, config::Config, pages, registry};
use crate::diagnostic::{Diagnostic, Severity};

/// Rules and how much each counts; `None` is not at all.
pub type Levels = BTreeMap<&'static str, Option<Severity>>;

/// What was chosen on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Only these rules, when there are any.
    pub select: BTreeSet<&'static str>,
    /// None of these.
    pub ignore: BTreeSet<&'static str>,
}

/// A name that no rule has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoRule {
    /// The name.
    pub id: String,
    /// What to do about it.
    pub help: String,
}

/// A rule by its name.
///
/// # Errors
/// When there is none, with what to do.
pub fn rule(id: &str) -> Result<&'static Rule, NoRule> {
    registry::find(id).ok_or_else(|| NoRule { id: id.to_owned(), help: pages::rule_suggestion(id) })
}

impl Choice {
    /// From the names that were given.
    ///
    /// # Errors
    /// Every name that no rule has.
    pub fn new(select: &[String], ignore: &[String]) -> Result<Self, Vec<NoRule>> {
        let (mut choice, mut wrong) = (Self::default(), Vec::new());
        for (names, set) in [(select, &mut choice.select), (ignore, &mut choice.ignore)] {
            for name in names {
                match rule(name.trim()) {
                    Ok(rule) => _ = set.insert(rule.id),
                    Err(no) if wrong.contains(&no) => {}
                    Err(no) => wrong.push(no),
                }
            }
        }
        if wrong.is_empty() { Ok(choice) } else { Err(wrong) }
    }
}

/// What is told, and what is not although a run would stop at it.
#[derive(Debug, Default)]
pub struct Judged {
    /// The findings that count, as much as they count.
    pub findings: Vec<Diagnostic>,
    /// Rules that are errors, and of which something was found that was left out or made a warning.
    pub hushed: BTreeSet<&'static str>,
}

/// Takes what the rules found in a file, and leaves what counts. `path` is the file's, seen from the configuration.
#[must_use]
pub fn judge(found: Vec<Diagnostic>, choice: &Choice, config: &Config, path: &str) -> Judged {
    let at_path = config.at(path);
    let mut judged = Judged::default();
    for mut finding in found {
        let Some(rule) = registry::find(finding.code) else {
            judged.findings.push(finding);
            continue;
        };
        let level = level(rule, choice, config, &at_path);
        // Who asks for some rules only knows that there are others.
        let asked_for_less = !choice.select.is_empty() && !choice.select.contains(rule.id);
        if super::stops_a_run(&finding) && level != Some(Severity::Error) && !asked_for_less {
            judged.hushed.insert(rule.id);
        }
        if let Some(level) = level {
            finding.severity = level;
            judged.findings.push(finding);
        }
    }
    judged
}

fn level(rule: &Rule, choice: &Choice, config: &Config, at_path: &Levels) -> Option<Severity> {
    let configured = at_path.get(rule.id).or_else(|| config.rules.get(rule.id)).copied();
    if choice.ignore.contains(rule.id) {
        return None;
    }
    if !choice.select.is_empty() {
        // What is asked for by its name is told, also when the configuration leaves it out.
        let asked = choice.select.contains(rule.id);
        return asked.then(|| configured.flatten().unwrap_or(rule.severity));
    }
    if config.ignore.contains(rule.id) || config.select.as_ref().is_some_and(|select| !select.contains(rule.id)) {
        return None;
    }
    configured.unwrap_or(Some(rule.severity))
}
