//! `bad-ignore`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A comment for Lifeboat that cannot be understood.
///
/// It looks as if something were silenced, and nothing is. Comments that begin with `lifeboat:` are for the engine.
///
/// Bad:
///
/// ```yaml
/// inputs:
///   zone: {type: string} # lifeboat: ignore unused-input
/// ```
///
/// Good:
///
/// ```yaml
/// inputs:
///   zone: {type: string} # lifeboat: ignore[unused-input] people write it into the minutes
/// ```
pub const RULE: Rule = Rule {
    id: "bad-ignore",
    severity: Severity::Warning,
    summary: "a comment for Lifeboat that cannot be understood",
    check,
    source: include_str!("bad_ignore.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for span in &context.silences.malformed {
        let found = crate::words::clip(context.source.slice(*span), 60);
        findings.push(
            context
                .finding(&RULE, *span, format!("expected `# lifeboat: ignore[rule-id] reason`, found `{found}`"))
                .help("put the ids of rules in brackets, separated by commas; or begin the comment with another word"),
        );
    }
}
