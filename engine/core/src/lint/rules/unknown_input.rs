//! `unknown-input`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    plan::{inputs, nearest::Nearest},
};

/// An input handed to an included runbook that does not declare it.
///
/// It would be ignored, and what was meant would have its default.
///
/// Bad:
///
/// ```yaml
/// steps:
///   db: {phase: data, runbook: {path: db.yaml, inputs: {hots: pg-1}}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   db: {phase: data, runbook: {path: db.yaml, inputs: {host: pg-1}}}
/// ```
pub const RULE: Rule = Rule {
    id: "unknown-input",
    severity: Severity::Error,
    summary: "an included runbook does not declare an input",
    check,
    source: include_str!("unknown_input.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for included in &context.includes.direct {
        let Ok(loaded) = &included.loaded else { continue };
        let declared = &loaded.runbook.inputs;
        let names = Nearest::new(declared.keys().map(String::as_str));
        for name in included.include.inputs.keys().filter(|name| !declared.contains_key(*name)) {
            let keys = ["steps", included.step, "runbook", "inputs", name];
            let span = context.key(&keys, included.include.path.span());
            // What is given already cannot be given again.
            let meant = names.only(name).filter(|meant| !included.include.inputs.contains_key(*meant));
            let fix = context.suggest_name(span, name, meant);
            findings.push(inputs::unknown(context.source, span, name, &names).fix(fix));
        }
    }
}
