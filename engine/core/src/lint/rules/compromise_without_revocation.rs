//! `compromise-without-revocation`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, programs::words},
    model::Disaster,
};

/// A runbook for a secret that is known to others, in which the old one is never made worthless.
///
/// A new password next to the old one recovers nothing: whoever has the old one is still in, and so is everybody with a session
/// or a token that was made with it. At two in the morning it is easily taken for done when the application runs again.
///
/// A step counts whose id, title, description, instructions or commands say that something is revoked, rotated, invalidated, disabled
/// or deleted.
///
/// Bad:
///
/// ```yaml
/// recovery: {disaster: secret-compromise}
/// steps:
///   new-password: {phase: secrets, exec: [./set-password.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// recovery: {disaster: secret-compromise}
/// steps:
///   new-password: {phase: secrets, exec: [./set-password.sh]}
///   revoke-sessions: {phase: secrets, exec: [./end-all-sessions.sh]}
/// ```
///
/// To fix it, add a step that revokes the old secret and ends the sessions that were opened with it, and a check that it opens
/// nothing any more.
pub const RULE: Rule = Rule {
    id: "compromise-without-revocation",
    severity: Severity::Warning,
    summary: "a known secret is replaced and never revoked",
    check,
    source: include_str!("compromise_without_revocation.rs"),
};

const ENDS: [&str; 11] = [
    "revoke",
    "revocation",
    "rotat",
    "invalidat",
    "disable",
    "delete",
    "expire",
    "end-session",
    "end session",
    "terminate",
    "log out",
];

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let recovery = &context.runbook.recovery;
    let damaged = context.is_damaged(&["recovery"]) || context.is_damaged(&["steps"]);
    if damaged || recovery.disaster != Disaster::SecretCompromise || context.includes_others() {
        return;
    }
    let ends = |text: &str| {
        let text = text.to_lowercase();
        ENDS.iter().any(|it| text.contains(it))
    };
    let by_step = context.runbook.steps.iter().any(|(id, step)| {
        let manual = step.manual.as_ref().map(|it| it.instructions.as_str());
        let texts = [step.title.as_deref(), step.description.as_deref(), manual];
        ends(id) || texts.into_iter().flatten().any(ends) || step.delete.is_some()
    });
    let by_command = context.commands().any(|(_, program, command)| ends(program) || ends(&words(command)));
    if !by_step && !by_command {
        let otherwise = context.key(&["recovery"], crate::source::Span::default());
        findings.push(
            context
                .finding(
                    &RULE,
                    context.value(&["recovery", "disaster"], otherwise),
                    "expected a step that revokes the secret that is known to others, found none",
                )
                .label("whoever has the old one is still in")
                .help("add a step that revokes it and ends its sessions, with a check that it opens nothing any more"),
        );
    }
}
