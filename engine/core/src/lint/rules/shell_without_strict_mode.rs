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
/// morning the step is green. A failure that the script ends with by itself (`|| exit 1`) has been thought of.
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
        let first = reading.interpreter.and_then(|it| Some((it, passed_over(&reading.script, &(0..usize::MAX))?)));
        if let Some((interpreter, first)) = first {
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
            if passed_over(&reading.script, &inner.range).is_some() {
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

/// What a shell does itself and hardly fails at, or what comes before a script says how it takes failures.
const HARMLESS: [&str; 13] =
    [":", "cd", "echo", "exit", "export", "printf", "return", "set", "shopt", "trap", "true", "umask", "unset"];

/// The first command whose failure goes unnoticed: another one follows it, and nothing has been said about failures.
fn passed_over<'a>(script: &'a Script, within: &std::ops::Range<usize>) -> Option<&'a Command> {
    let commands: Vec<&Command> = script
        .commands
        .iter()
        .filter(|it| {
            let inside = within.start <= it.range.start && it.range.end <= within.end;
            inside && it.function.is_none() && it.pipeline.is_none_or(|it| it.position == 0)
        })
        .collect();
    let unnoticed = |it: &Command| {
        it.status == Status::Counts
            && !it.options.errexit
            && it.options.relaxed.is_none()
            && !it.program().is_some_and(|name| HARMLESS.contains(&name) || ends(script, name))
    };
    commands.iter().enumerate().find_map(|(at, command)| {
        let mut behind = commands.get(at + 1..)?.iter().filter(|it| it.range.start >= command.range.end);
        let next = behind.next()?;
        // What is told before the script ends anyway is no failure that it goes on behind.
        let well = next.arguments.first().is_some_and(|it| it.constant() == Some("0"));
        let ended = !well && next.program().is_some_and(|name| ends(script, name));
        (unnoticed(command) && !ended).then_some(*command)
    })
}

/// Whether the script ends with this command: `exit`, or a function of it that has one (`die`).
fn ends(script: &Script, program: &str) -> bool {
    matches!(program, "exit" | "return")
        || script.functions.iter().any(|name| name == program)
            && script
                .commands
                .iter()
                .any(|it| it.function.as_deref() == Some(program) && matches!(it.program(), Some("exit")))
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
