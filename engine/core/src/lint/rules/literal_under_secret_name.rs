//! `literal-under-secret-name`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::literal},
    model::{TextKind, parse::Segment},
};

/// A variable or a header that is named like a secret, and has its value in the runbook.
///
/// A password that stands here is in Git, in every copy of the evidence, and on shared screens at two in the morning. When it is
/// changed, the runbook fails, and that is found out in an incident. Values that come from an input, and paths of files, are
/// left alone, and so are names that end otherwise: `TOKEN_FILE`, `SECRET_NAME`.
///
/// Bad:
///
/// ```yaml
/// env: {DB_PASSWORD: correct-horse-battery}
/// ```
///
/// Good:
///
/// ```yaml
/// inputs: {dbPassword: {type: secret, from: {env: DB_PASSWORD}}}
/// steps:
///   restore: {phase: data, exec: [./restore.sh], env: {DB_PASSWORD: "{{inputs.dbPassword}}"}}
/// ```
///
/// To fix it, take the value in by an input of type `secret`, and change it where it is used.
pub const RULE: Rule = Rule {
    id: "literal-under-secret-name",
    severity: Severity::Warning,
    summary: "a variable or a header that is named like a secret has its value in the runbook",
    check,
    source: include_str!("literal_under_secret_name.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for text in context.texts.iter().filter(|text| text.kind() == TextKind::SecretTemplate) {
        let mut keys = text.found.route.segments().iter().rev().map(|segment| match segment {
            Segment::Key(key) => key.as_str(),
            Segment::Index(_) => "",
        });
        let (Some(name), Some(room)) = (keys.next(), keys.next()) else { continue };
        let secret = match room {
            "env" => is_secret_variable(name),
            "headers" => {
                ["authorization", "proxy-authorization", "x-api-key"].contains(&name.to_ascii_lowercase().as_str())
            }
            _ => false,
        };
        let Some(value) = literal(&text.found.text).map(str::trim).filter(|_| secret) else { continue };
        let path = value.starts_with(['/', '.', '~', '$']);
        if value.len() < 6 || path || value.chars().all(|letter| letter.is_ascii_digit()) {
            continue;
        }
        findings.push(
            context
                .finding(
                    &RULE,
                    text.found.span,
                    format!("expected `{name}` to come from a secret input, found a literal"),
                )
                .label("stands in Git, and in every copy of the evidence")
                .help("declare an input of type `secret`, and write `\"{{inputs.name}}\"` here"),
        );
    }
}

fn is_secret_variable(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    [
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "PASS",
        "TOKEN",
        "PRIVATE_KEY",
        "API_KEY",
        "APIKEY",
        "CLIENT_SECRET",
        "SECRET_ACCESS_KEY",
        "SECRET_KEY",
    ]
    .iter()
    .any(|end| name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('_') || rest == "PG"))
}
