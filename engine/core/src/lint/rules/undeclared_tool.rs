//! `undeclared-tool`.

use std::collections::BTreeSet;

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, programs::CLIENTS, scripts::Role},
    script::Word,
};

/// A client is used that `requires.tools` does not name.
///
/// The pre-flight looks for every tool that is named, and for its version, before anything is touched. One that is not named is
/// missed when its step begins: at two in the morning, half an hour into the recovery, on a machine that nobody has
/// prepared. Looked for are well-known clients (`aws`, `helm`, `kubectl`, `psql`, `terraform`, `velero` and the like), each once.
/// A check in `requires` that looks for one by `command -v` is as good; so is a script that has a way without it.
///
/// Runbooks of level L0 and L1, which restore nothing, are not asked for it.
///
/// Bad:
///
/// ```yaml
/// steps:
///   nodes: {phase: provision, exec: [terraform, "-chdir=infra", apply, dr.tfplan]}
/// ```
///
/// Good:
///
/// ```yaml
/// requires: {tools: {terraform: ">=1.9"}}
/// steps:
///   nodes: {phase: provision, exec: [terraform, "-chdir=infra", apply, dr.tfplan]}
/// ```
///
/// To fix it, name it in `requires.tools` with the versions that will do, or `"*"`.
pub const RULE: Rule = Rule {
    id: "undeclared-tool",
    severity: Severity::Warning,
    summary: "a client is used that `requires.tools` does not name",
    check,
    source: include_str!("undeclared_tool.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() || context.is_damaged(&["requires"]) {
        return;
    }
    let mut known: BTreeSet<&str> = context.runbook.requires.tools.keys().map(String::as_str).collect();
    for reading in context.readings().iter().filter(|it| it.role == Role::Requires) {
        known.extend(reading.commands().flat_map(|(program, command)| looked_for(program, &command.arguments)));
    }
    for reading in context.readings() {
        let own: BTreeSet<&str> =
            reading.commands().flat_map(|(program, command)| looked_for(program, &command.arguments)).collect();
        for (program, command) in reading.commands() {
            let Some(client) = CLIENTS.iter().find(|it| **it == program) else { continue };
            if own.contains(program) || !known.insert(client) {
                continue;
            }
            findings.push(
                context
                    .finding_in(
                        &RULE,
                        reading,
                        &command.name.range,
                        format!("expected `{program}` in `requires.tools`, found no word of it there"),
                    )
                    .label("whether it is there shows only now")
                    .help(format!("add `requires: {{tools: {{{program}: \"*\"}}}}`, or the versions that will do")),
            );
        }
    }
}

/// The programs that a command looks for.
fn looked_for<'a>(program: &str, arguments: &'a [Word]) -> Vec<&'a str> {
    if !matches!(program, "command" | "type" | "which" | "hash") {
        return Vec::new();
    }
    arguments.iter().filter_map(Word::constant).filter(|it| !it.starts_with('-')).collect()
}
