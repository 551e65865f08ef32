//! `template-in-script`.

use std::ops::Range;

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        names::{CLOCK, RUN, STEP},
        scripts::Reading,
    },
};

/// A reference to an input or an output in a script, where it is not replaced.
///
/// A `shell` is given to the shell as it stands: what is put into a script could end a quote and begin a command of its own. So
/// `{{inputs.zone}}` reaches the program with its braces, and in the middle of a recovery a record is looked for in the zone
/// `{{inputs.zone}}`. Values come in by the environment, and the shell quotes them. Braces of others, such as those of
/// `docker inspect --format '{{.State}}'`, are nothing to this rule.
///
/// Bad:
///
/// ```yaml
/// shell: ./shift.sh "{{inputs.zone}}"
/// ```
///
/// Good:
///
/// ```yaml
/// env: {ZONE: "{{inputs.zone}}"}
/// shell: ./shift.sh "$ZONE"
/// ```
///
/// To fix it, take the value in by `env`, or use `exec`, whose arguments are templates.
pub const RULE: Rule = Rule {
    id: "template-in-script",
    severity: Severity::Warning,
    summary: "a script has a template in it, which stays as it is written",
    check,
    source: include_str!("template_in_script.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for reading in context.readings().iter().filter(|reading| reading.is_shell) {
        for (range, path) in braces(reading) {
            if !is_ours(context, path) {
                continue;
            }
            let name = path.rsplit('.').next().unwrap_or(path).to_uppercase().replace('-', "_");
            let help = match path {
                "run.id" => "write `\"$LIFEBOAT_RUN_ID\"`: every script has it".to_owned(),
                _ => format!("write `env: {{{name}: \"{{{{{path}}}}}\"}}`, and `\"${name}\"` here"),
            };
            findings.push(
                context
                    .finding_in(
                        &RULE,
                        reading,
                        &range,
                        format!("expected `{path}` to come in by `env`, found it in the script"),
                    )
                    .label("the shell gets the braces")
                    .help(help),
            );
        }
    }
}

/// What stands between two braces each, and where, the braces included.
fn braces<'r>(reading: &'r Reading<'_>) -> Vec<(Range<usize>, &'r str)> {
    let text = reading.all();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find("{{")).map(|at| from + at) {
        let Some(length) = text.get(start..).and_then(|rest| rest.find("}}")) else { break };
        from = start + length + 2;
        found
            .push((start..from, text.get(start + 2..start + length).unwrap_or_default().trim_matches([' ', '~', '{'])));
    }
    found
}

/// Whether a path means something here. Other tools have `{{inputs.…}}` and `{{steps.…}}` as well, of other names.
fn is_ours(context: &Context<'_>, path: &str) -> bool {
    let mut names = path.split('.');
    match (names.next(), names.next(), names.next()) {
        (Some("inputs"), Some(name), None) => context.runbook.inputs.contains_key(name),
        (Some("steps"), Some(id), Some(of)) => context.runbook.steps.contains_key(id) && STEP.contains(&of),
        (Some("run"), Some(of), None) => RUN.contains(&of),
        (Some("clock"), Some(of), None) => CLOCK.contains(&of),
        _ => false,
    }
}
