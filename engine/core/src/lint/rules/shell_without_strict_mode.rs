//! `shell-without-strict-mode`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    script::{Command, Script, Status, Word},
};

/// A script that goes on after a command of it has failed.
///
/// A `shell` step is run by `bash -euo pipefail`. An `interpreter` of one's own, or `bash -c` in an `exec`, has none of that
/// unless it says so: only the last command decides. The backup is not found, the deletion behind it works, and at two in the
/// morning the step is green.
///
/// Bad:
///
/// ```yaml
/// interpreter: [bash]
/// shell: |
///   ./fetch-backup.sh
///   ./replace-data.sh
/// ```
///
/// Good:
///
/// ```yaml
/// shell: |
///   ./fetch-backup.sh
///   ./replace-data.sh
/// ```
///
/// To fix it, leave the interpreter out, give it `-e`, or begin the script with `set -e`.
pub const RULE: Rule = Rule {
    id: "shell-without-strict-mode",
    severity: Severity::Warning,
    summary: "a script goes on after a command of it has failed",
    check,
    source: include_str!("shell_without_strict_mode.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for reading in context.readings() {
        if let Some(interpreter) = reading.interpreter.filter(|_| goes_on(&reading.script, &(0..usize::MAX))) {
            let Some(first) = reading.script.commands.first() else { continue };
            findings.push(
                context
                    .finding(
                        &RULE,
                        interpreter.span(),
                        format!("expected a shell that ends with the first failure, found `{}`", interpreter.join(" ")),
                    )
                    .label("only the last command decides")
                    .related(
                        context.source,
                        context.in_script(reading, &first.range),
                        "nobody learns whether this fails",
                    )
                    .help("leave `interpreter` out, add `-e` to it, or begin the script with `set -e`"),
            );
        }
        for (program, command) in reading.commands() {
            let Some(inner) = inner_script(program, command) else { continue };
            if goes_on(&reading.script, &inner.range) {
                findings.push(
                    context
                        .finding_in(
                            &RULE,
                            reading,
                            &command.name.range,
                            format!("expected a shell that ends with the first failure, found `{program} -c`"),
                        )
                        .label("only the last command decides")
                        .help(format!("write `{program} -e -c`, or use `shell`")),
                );
            }
        }
    }
}

/// Whether a failure goes unnoticed: one command follows another, and nothing has been said about failures.
fn goes_on(script: &Script, within: &std::ops::Range<usize>) -> bool {
    let mut commands = script.commands.iter().filter(|it| {
        let inside = within.start <= it.range.start && it.range.end <= within.end;
        inside && it.function.is_none() && it.pipeline.is_none_or(|it| it.position == 0)
    });
    let unnoticed = |it: &&Command| {
        it.status == Status::Counts
            && !it.options.errexit
            && it.options.relaxed.is_none()
            && !matches!(it.program(), Some("set" | "echo" | "cd" | "export" | "printf"))
    };
    let Some(first) = commands.find(unnoticed) else { return false };
    let end = first.range.end;
    commands.any(|it| it.range.start >= end)
}

/// The script that a shell is given by `-c`.
fn inner_script<'a>(program: &str, command: &'a Command) -> Option<&'a Word> {
    if !["bash", "sh", "dash", "ksh", "zsh"].contains(&program) {
        return None;
    }
    let at = command.arguments.iter().position(|it| {
        let text = it.constant().unwrap_or_default();
        text.starts_with('-') && !text.starts_with("--") && text.ends_with('c')
    })?;
    command.arguments.get(at + 1).filter(|it| it.constant().is_some())
}
