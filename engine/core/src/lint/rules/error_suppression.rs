//! `error-suppression`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, programs::changes, scripts::counts},
    script::{Sink, Status},
};

/// A command that changes something may fail, and nobody learns of it.
///
/// With `|| true`, `|| echo …` or behind `set +e` the step goes on as if it had worked, and is green at its end. With `2> /dev/null` it fails,
/// and nobody can say why: what it printed is not in the evidence. At two in the morning the recovery is complete by all
/// that is shown, and something is missing.
///
/// Steps of `cleanup`, undos and checks are left alone, as are commands whose status decides something, or is read from `$?`
/// right behind them.
///
/// Bad:
///
/// ```yaml
/// shell: helm --kube-context "$DR" upgrade --install shop ./shop || true
/// ```
///
/// Good:
///
/// ```yaml
/// shell: helm --kube-context "$DR" upgrade --install shop ./shop
/// onFailure: pause
/// ```
///
/// To fix it, let it fail, and say by `onFailure` and `retry` what happens then. What may be there already is better asked for
/// (`if ! … get …`) or made so that it does not matter (`apply`, `--ignore-not-found`).
pub const RULE: Rule = Rule {
    id: "error-suppression",
    severity: Severity::Warning,
    summary: "a command that changes something may fail, and nobody learns of it",
    check,
    source: include_str!("error_suppression.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (reading, program, command) in context.commands().filter(|(it, _, _)| it.is_action()) {
        if !changes(program, command) {
            continue;
        }
        let name = &command.name.range;
        if let Status::Ignored(by) = &command.status {
            findings.push(
                context
                    .finding_in(
                        &RULE,
                        reading,
                        by,
                        format!(
                            "expected a failure of `{program}` to fail the step, found `{}`",
                            reading.text(by).trim()
                        ),
                    )
                    .label("goes on as if it had worked")
                    .related(context.source, context.in_script(reading, name), "this changes something")
                    .help("take it away; `onFailure` and `retry` say what happens after a failure"),
            );
        } else if let (Some(by), Status::Counts, false) = (&command.options.relaxed, &command.status, counts(command)) {
            findings.push(
                context
                    .finding_in(
                        &RULE,
                        reading,
                        name,
                        format!(
                            "expected a failure of `{program}` to fail the step, found it behind `{}`",
                            reading.text(by).trim()
                        ),
                    )
                    .label("goes on as if it had worked")
                    .related(context.source, context.in_script(reading, by), "from here on failures do not count")
                    .help("take `set +e` away, or `set -e` again before this"),
            );
        } else if command.stderr == Sink::Null {
            findings.push(
                context
                    .finding_in(
                        &RULE,
                        reading,
                        name,
                        format!("expected what `{program}` says of a failure to be kept, found its errors thrown away"),
                    )
                    .label("nobody can say why it failed")
                    .help("take the redirection of standard error away"),
            );
        }
    }
}
