//! `bad-input`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    model::InputType,
    plan::inputs::{alone, read},
};

/// A value for an included runbook's input that it does not take.
///
/// Values without a template are checked here by type, pattern and allowed values; those with one when the plan is made. A
/// secret input takes a secret input of this runbook, and nothing that is written down.
///
/// Bad:
///
/// ```yaml
/// steps:
///   db: {phase: data, runbook: {path: db.yaml, inputs: {port: postgres}}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   db: {phase: data, runbook: {path: db.yaml, inputs: {port: 5432}}}
/// ```
pub const RULE: Rule = Rule {
    id: "bad-input",
    severity: Severity::Error,
    summary: "an included runbook does not take a value",
    check,
    source: include_str!("bad_input.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for included in &context.includes.direct {
        let Ok(loaded) = &included.loaded else { continue };
        for (name, template) in &included.include.inputs {
            let Some(input) = loaded.runbook.inputs.get(name) else { continue };
            let text = template.as_str();
            let secret = |name: &str| context.runbook.inputs.get(name).is_some_and(|own| own.kind == InputType::Secret);
            // An unknown name has its own rule.
            let known = |name: &str| context.runbook.inputs.contains_key(name);
            let wrong = match (input.kind, alone(text)) {
                (InputType::Secret, Some(own)) if secret(own) || !known(own) => continue,
                (InputType::Secret, _) => {
                    String::from("expected a secret input alone, found a value that everybody can read")
                }
                (_, Some(own)) if secret(own) => {
                    format!("expected a value that everybody may read, found the secret `{own}`")
                }
                _ if text.contains("{{") => continue,
                _ => match read(input, text) {
                    Ok(_) => continue,
                    Err(message) => message,
                },
            };
            let keys = ["steps", included.step, "runbook", "inputs", name];
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.value(&keys, included.include.path.span()),
                        format!("input `{name}`: {wrong}"),
                    )
                    .related(&loaded.source, input.span(), "declared here"),
            );
        }
    }
}
