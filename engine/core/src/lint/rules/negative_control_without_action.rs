//! `negative-control-without-action`.

use crate::{
    action,
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A negative control on a step that does nothing.
///
/// `mustFailFirst` runs the check before the action, where it has to fail, and after it, where it has to pass: that shows that the
/// action made the difference. A step without an action makes none. The check fails first and then passes only because time went
/// by, or the step fails at two in the morning because all is well already.
///
/// Bad:
///
/// ```yaml
/// answers: {phase: validate, verify: [{exec: [./answers.sh], mustFailFirst: true}]}
/// ```
///
/// Good:
///
/// ```yaml
/// start:
///   phase: workloads
///   exec: [./start.sh]
///   verify: [{exec: [./answers.sh], mustFailFirst: true, within: 5m}]
/// ```
///
/// To fix it, move the check to the step whose action makes it pass, or take `mustFailFirst` away.
pub const RULE: Rule = Rule {
    id: "negative-control-without-action",
    severity: Severity::Warning,
    summary: "a negative control stands on a step that does nothing",
    check,
    source: include_str!("negative_control_without_action.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (id, step, check) in context.checks() {
        if check.must_fail_first && action::of_step(step).is_none() {
            findings.push(
                context
                    .finding(
                        &RULE,
                        check.span(),
                        "expected an action that makes this check pass, found a step without one",
                    )
                    .label("nothing happens between its failure and its success")
                    .related(context.source, context.id_span(id), "this step has no action")
                    .help("move the check to the step whose action makes it pass, or take `mustFailFirst` away"),
            );
        }
    }
}
