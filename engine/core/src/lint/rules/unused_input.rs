//! `unused-input`.

use std::collections::HashSet;

use crate::{
    diagnostic::{Diagnostic, Fix, Severity},
    lint::{
        Context, Rule,
        context::{Text, route},
    },
};

/// An input that nothing uses.
///
/// People are asked for it under pressure, for nothing; or a text that should use it does not. Scripts of `shell` see inputs
/// only by `env`.
///
/// Bad:
///
/// ```yaml
/// inputs: {zone: {type: string}}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh, eu-2]}
/// ```
///
/// Good:
///
/// ```yaml
/// inputs: {zone: {type: string}}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh, "{{inputs.zone}}"]}
/// ```
pub const RULE: Rule = Rule {
    id: "unused-input",
    severity: Severity::Warning,
    summary: "an input that nothing uses",
    check,
    source: include_str!("unused_input.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    // What cannot be read may be what uses it.
    if !context.parsed.damaged.is_empty() || context.texts.iter().any(|text| text.references.is_err()) {
        return;
    }
    let references = context.texts.iter().flat_map(Text::references);
    let inputs = references.filter(|reference| reference.path.first().is_some_and(|top| top == "inputs"));
    let used: HashSet<Option<&String>> = inputs.map(|reference| reference.path.get(1)).collect();
    // `inputs` as a whole is an error of its own, and may be any of them.
    if used.contains(&None) {
        return;
    }
    for (name, input) in &context.runbook.inputs {
        if !used.contains(&Some(name)) {
            let span = context.key(&["inputs", name], input.span());
            let edits = context.editor.remove(&route(&["inputs", name]));
            let fix = edits.map(|edits| Fix::suggestion("remove the input", edits));
            findings.push(
                context
                    .finding(&RULE, span, format!("expected every input to be used, found no use of `{name}`"))
                    .help(format!("use it as `{{{{inputs.{name}}}}}`, or remove it"))
                    .fix(fix),
            );
        }
    }
}
