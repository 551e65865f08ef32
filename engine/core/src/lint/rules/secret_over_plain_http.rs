//! `secret-over-plain-http`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    model::{InputType, SecretTemplate},
};

/// A secret that is sent without encryption.
///
/// The address begins with `http://`, and a header or the body has a secret in it. Everybody on the way can read it, and in a
/// recovery the way goes through networks that were opened at two in the morning. Addresses of this machine are left alone.
///
/// Bad:
///
/// ```yaml
/// http: {url: "http://dns.example.org/shift", method: POST, headers: {Authorization: "Bearer {{inputs.token}}"}}
/// ```
///
/// Good:
///
/// ```yaml
/// http: {url: "https://dns.example.org/shift", method: POST, headers: {Authorization: "Bearer {{inputs.token}}"}}
/// ```
///
/// To fix it, use `https://`; a private authority is trusted by `caFile`.
pub const RULE: Rule = Rule {
    id: "secret-over-plain-http",
    severity: Severity::Warning,
    summary: "a secret is sent without encryption",
    check,
    source: include_str!("secret_over_plain_http.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let secrets: Vec<&str> = context
        .runbook
        .inputs
        .iter()
        .filter(|(_, input)| input.kind == InputType::Secret)
        .map(|(name, _)| name.as_str())
        .collect();
    if secrets.is_empty() {
        return;
    }
    for http in context.requests().into_iter().filter(|http| is_open(http.url.as_str())) {
        let texts = http.headers.values().chain(&http.body).map(SecretTemplate::as_str);
        let sent = secrets.iter().find(|name| texts.clone().any(|text| text.contains(&format!("inputs.{name}"))));
        if let Some(name) = sent {
            let declared = context.key(&["inputs", name], http.span());
            findings.push(
                context
                    .finding(
                        &RULE,
                        http.span(),
                        format!(
                            "expected `https://` for a request with a secret, found `http://` with `inputs.{name}`"
                        ),
                    )
                    .label("can be read on the way")
                    .related(context.source, declared, "declared as a secret here")
                    .help("use `https://`; a private authority is trusted by `caFile`"),
            );
        }
    }
}

/// Whether an address goes over a network without encryption.
fn is_open(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    !["localhost", "127.", "[::1]"].iter().any(|own| rest.starts_with(own))
}
