//! `secret-misplaced`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, context::Part},
    model::{InputType, TextKind},
    plan::inputs::alone,
};

/// A secret where it would be seen.
///
/// Secrets may stand in `env`, `stdin`, HTTP headers and HTTP bodies. Arguments are seen by everybody who can list
/// processes, titles and questions are printed, addresses are logged by proxies. To hand a secret on to an included runbook,
/// its template is the whole value: `"{{inputs.token}}"`.
///
/// Bad:
///
/// ```yaml
/// inputs: {token: {type: secret, from: {env: TOKEN}}}
/// steps:
///   login: {phase: data, exec: [login, "{{inputs.token}}"]}
/// ```
///
/// Good:
///
/// ```yaml
/// inputs: {token: {type: secret, from: {env: TOKEN}}}
/// steps:
///   login: {phase: data, shell: login "$TOKEN", env: {TOKEN: "{{inputs.token}}"}}
/// ```
pub const RULE: Rule = Rule {
    id: "secret-misplaced",
    severity: Severity::Error,
    summary: "a secret stands where it would be seen",
    check,
    source: include_str!("secret_misplaced.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for text in context.texts.iter().filter(|text| text.kind() != TextKind::SecretTemplate) {
        for reference in text.references() {
            let [top, name, ..] = reference.path.as_slice() else { continue };
            let Some(input) = context.runbook.inputs.get(name).filter(|input| input.kind == InputType::Secret) else {
                continue;
            };
            let handed_on = matches!(text.part, Part::IncludeInput) && alone(&text.found.text) == Some(name);
            if top != "inputs" || handed_on {
                continue;
            }
            let help = match text.part {
                Part::IncludeInput => format!("hand it on alone: `\"{{{{inputs.{name}}}}}\"`"),
                _ => String::from("use it in `env`, `stdin`, or the headers or body of `http`"),
            };
            let span = context.place(text, reference.range.clone());
            let declared = context.key(&["inputs", name], input.span());
            findings.push(
                context
                    .finding(&RULE, span, format!("expected no secret where it can be seen, found `inputs.{name}`"))
                    .related(context.source, declared, "declared as a secret here")
                    .help(help),
            );
        }
    }
}
