//! `missing-input`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// An included runbook that does not get an input it needs.
///
/// Inputs without a default must be handed on by the runbook that includes: nobody is asked for them. Secrets too, so that
/// it can be seen from the top which secrets a run needs.
///
/// Bad:
///
/// ```yaml
/// steps:
///   db: {phase: data, runbook: {path: db.yaml}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   db: {phase: data, runbook: {path: db.yaml, inputs: {host: "{{inputs.host}}"}}}
/// ```
pub const RULE: Rule = Rule {
    id: "missing-input",
    severity: Severity::Error,
    summary: "an included runbook does not get an input it needs",
    check,
    source: include_str!("missing_input.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for included in &context.includes.direct {
        let Ok(loaded) = &included.loaded else { continue };
        if context.is_damaged(&["steps", included.step, "runbook"]) {
            continue;
        }
        for (name, input) in &loaded.runbook.inputs {
            if input.default.is_none() && !included.include.inputs.contains_key(name) {
                let message = format!("expected a value for the input `{name}`, found none");
                findings.push(
                    context
                        .finding(&RULE, included.include.path.span(), message)
                        .related(&loaded.source, input.span(), "declared here, without a default")
                        .help(format!("add `inputs: {{{name}: ...}}` next to `path`")),
                );
            }
        }
    }
}
