//! A starter with somebody's names and objectives in it.
//!
//! Duty: to put values where the runbook has its own, as YAML that means exactly them. It must not change anything else.

use std::fmt::Write as _;

use super::Starter;
use crate::{
    diagnostic::Edit,
    duration::Duration,
    fix::apply,
    model::{
        Scope,
        parse::{Parsed, Route, parse},
    },
    source::Source,
    words::unsafe_to_print,
};

/// What somebody wants a starter to say. What is not there stays as the starter has it.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The runbook's name.
    pub name: String,
    /// One line for people.
    pub title: Option<String>,
    /// The accountable team.
    pub owner: Option<String>,
    /// How much is lost; one of the starter's scopes.
    pub scope: Scope,
    /// Recovery point objective. It is also the oldest backup that a restore takes, where the starter has such a limit.
    pub rpo: Option<Duration>,
    /// Recovery time objective.
    pub rto: Option<Duration>,
}

/// The text of a runbook: the starter's, with these answers.
#[must_use]
pub fn write(starter: &Starter, answers: &Answers) -> String {
    let parsed = parse(Source::new("starter", starter.text));
    let mut edits: Vec<Edit> = Vec::new();
    let mut put = |keys: &[&str], value: Option<String>| {
        let route = keys.iter().fold(Route::new(), |route, key| route.key(*key));
        edits.extend(parsed.span(&route).zip(value).map(|(span, value)| Edit::new(span, value)));
    };
    put(&["metadata", "name"], Some(scalar(&answers.name)));
    put(&["metadata", "title"], answers.title.as_deref().map(scalar));
    put(&["metadata", "owner"], answers.owner.as_deref().map(scalar));
    put(&["recovery", "scope"], Some(answers.scope.name().to_owned()));
    put(&["recovery", "objectives", "rto"], answers.rto.map(|rto| rto.to_string()));
    put(&["recovery", "objectives", "rpo"], answers.rpo.map(|rpo| rpo.to_string()));
    for id in limited(&parsed) {
        put(&["steps", id, "velero-restore", "maxAge"], answers.rpo.map(|rpo| rpo.to_string()));
    }
    apply(starter.text, &edits)
}

/// The steps that restore from a backup of a limited age.
fn limited(parsed: &Parsed) -> impl Iterator<Item = &str> {
    let steps = parsed.runbook.iter().flat_map(|runbook| &runbook.steps);
    let limited = |restore: &crate::action::velero_restore::VeleroRestore| restore.max_age.is_some();
    steps.filter(move |(_, step)| step.velero_restore.as_ref().is_some_and(|it| limited(it))).map(|(id, _)| id.as_str())
}

/// A name for a runbook, made of a text such as the stem of a file's name; `None` when nothing of it can be in a name.
#[must_use]
pub fn name_from(text: &str) -> Option<String> {
    let mut name = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' => name.push(letter),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    // Only ASCII is in there, so it can be cut anywhere.
    name.truncate(63);
    let name = name.trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

/// A text as a YAML scalar that every reader takes for exactly this text.
fn scalar(text: &str) -> String {
    // Words that YAML 1.1 or 1.2 takes for something else.
    let word =
        ["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    let harmless = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.chars().all(harmless);
    if plain && !word && !text.ends_with(' ') {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            letter if unsafe_to_print(letter) => _ = write!(quoted, "\\U{:08X}", u32::from(letter)),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_what_can_be_in_one() {
        for (text, name) in [
            ("shop", Some("shop")),
            ("Shop Failover (old)", Some("shop-failover-old")),
            ("__x__", Some("x")),
            ("Überlauf", Some("berlauf")),
            ("--", None),
            ("", None),
            ("漢字", None),
        ] {
            assert_eq!(name_from(text).as_deref(), name, "{text}");
        }
        let long = name_from(&"ab-".repeat(40)).unwrap();
        assert!(crate::model::parse::is_id(&long) && long.len() <= 63, "{long}");
    }

    #[test]
    fn scalars_are_plain_only_when_nobody_can_mistake_them() {
        assert_eq!(scalar("team-platform"), "team-platform");
        assert_eq!(scalar("Bring it back"), "Bring it back");
        for text in ["no", "Null", "1e3", "a: b", "a #b", "a ", " a", "- a", "", "*a", "{{x}}", "a, b]"] {
            assert_eq!(scalar(text), format!("\"{text}\""));
        }
        assert_eq!(scalar("a\"b\\c\nd\u{202e}"), "\"a\\\"b\\\\c\\nd\\U0000202E\"");
    }
}
