//! `plaintext-secret`.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    source::Span,
};

/// A credential that stands in the runbook.
///
/// The form of the text says that it is one: a token of GitHub, GitLab or Slack, an access key of AWS, a key of Google, an age
/// key, a signed web token, or a private key. Runbooks are kept in Git, copied into evidence and read on shared screens at two
/// in the morning, so whatever it opens is open. It counts as known to others from the moment it was committed, also when it
/// is taken out again.
///
/// Bad:
///
/// ```yaml
/// env: {GITHUB_TOKEN: ghp_0123456789abcdefghijklmnopqrstuvwxyz}
/// ```
///
/// Good:
///
/// ```yaml
/// inputs: {token: {type: secret, from: {env: GITHUB_TOKEN}}}
/// ```
///
/// To fix it, revoke it, make a new one, and take that one in by an input of type `secret`.
pub const RULE: Rule = Rule {
    id: "plaintext-secret",
    severity: Severity::Error,
    summary: "a credential stands in the runbook",
    check,
    source: include_str!("plaintext_secret.rs"),
};

/// Forms that are given out by those who check them, long enough that no word has them.
const FORMS: &str = concat!(
    r"(?P<github>gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})",
    r"|(?P<gitlab>glpat-[A-Za-z0-9_-]{20,})",
    r"|(?P<aws>A[KS]IA[A-Z2-7]{16})",
    r"|(?P<slack>xox[abprs]-[0-9]+-[0-9A-Za-z-]{10,})",
    r"|(?P<google>AIza[0-9A-Za-z_-]{35})",
    r"|(?P<age>AGE-SECRET-KEY-1[0-9A-Z]{58})",
    r"|(?P<jwt>eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})",
    r"|(?P<key>-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----)",
);
static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(FORMS).ok());

const NAMES: [(&str, &str); 8] = [
    ("github", "a token of GitHub"),
    ("gitlab", "a token of GitLab"),
    ("aws", "an access key of AWS"),
    ("slack", "a token of Slack"),
    ("google", "a key of Google"),
    ("age", "a key of age"),
    ("jwt", "a signed web token"),
    ("key", "a private key"),
];

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(form) = FORM.as_ref() else { return };
    let text = context.source.text();
    // Comments as well: they are committed like everything else.
    for found in form.captures_iter(text) {
        let Some((name, place)) = NAMES.iter().find_map(|(key, name)| Some((*name, found.name(key)?))) else {
            continue;
        };
        let before = text[..place.start()].chars().next_back();
        let after = text[place.end()..].chars().next();
        let inside =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        // The keys of the vendor's own documentation open nothing.
        if name != "a private key" && (inside(before) || inside(after)) || place.as_str().ends_with("EXAMPLE") {
            continue;
        }
        findings.push(
            context
                .finding(
                    &RULE,
                    Span::new(place.start(), place.end()),
                    format!("expected no credential in the runbook, found {name} by its form"),
                )
                .label("everybody who can read this file has it")
                .help("revoke it, and take a new one in by an input of type `secret`"),
        );
    }
}
