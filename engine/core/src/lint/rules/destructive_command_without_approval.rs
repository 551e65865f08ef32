//! `destructive-command-without-approval`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        gates::Ungated,
        programs::{destroys, drops_data},
        scripts::Reading,
    },
    script::{Command, Input},
};

/// A command that destroys data or a whole environment, and nobody has to say yes to it.
///
/// `terraform destroy`, the deletion of a namespace, a volume or a database server, `DROP DATABASE`: what is gone is gone, and it
/// may be the last copy. At two in the morning a wrong input is enough, and the run does what it was told. A gate shows
/// whoever approves the rendered command, and puts their name into the evidence. It may be on the step, or on one that it needs;
/// an undo may have one of its own. Steps that exist in drills only, and `cleanup`, are left alone.
///
/// Bad:
///
/// ```yaml
/// exec: [dropdb, --if-exists, cases]
/// ```
///
/// Good:
///
/// ```yaml
/// exec: [dropdb, --if-exists, cases]
/// approval: {by: database-owner, expires: 30m, unattended: drill-only}
/// ```
///
/// To fix it, add an `approval`, or move it aside instead of destroying it (rename, detach, scale to zero).
pub const RULE: Rule = Rule {
    id: "destructive-command-without-approval",
    severity: Severity::Warning,
    summary: "a command destroys data or an environment, and nobody has to say yes",
    check,
    source: include_str!("destructive_command_without_approval.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for Ungated { reading, program, command, what } in context.ungated(says) {
        findings.push(
            context
                .finding_in(
                    &RULE,
                    reading,
                    &command.range,
                    format!("expected an `approval` before `{program}` destroys {what}, found none on the way to it"),
                )
                .label("cannot be taken back")
                .help("add an `approval`; an undo may have one of its own; `unattended: drill-only` lets drills pass"),
        );
    }
}

fn says(reading: &Reading<'_>, program: &str, command: &Command) -> Option<&'static str> {
    destroys(program, command).or_else(|| {
        // A client of a database reads from standard input what it has to do.
        let Input::Text(range) = &command.stdin else { return None };
        let reads = matches!(program, "psql" | "mysql") && drops_data(reading.text(range));
        reads.then_some("data in a database")
    })
}
