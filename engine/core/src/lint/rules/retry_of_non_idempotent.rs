//! `retry-of-non-idempotent`.

use crate::{
    action::{self, Kind, http::Method},
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::mutates},
    model::Step,
    source::Spanned,
};

/// Something that is tried again although doing it twice may not be the same as doing it once.
///
/// An attempt that failed, or took too long, may have done half of its work, or all of it. A second one then makes a second
/// instance, a second order, a second promotion; at two in the morning nobody knows which of the two is the right one. Only
/// the author can know that it is safe, and says so with `idempotent: true`. Actions on a cluster find by themselves what an
/// earlier attempt began, and requests with PUT or DELETE are meant to be repeatable.
///
/// Bad:
///
/// ```yaml
/// steps:
///   order: {phase: provision, exec: [./order-machine.sh], retry: {attempts: 3}}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   order: {phase: provision, exec: [./order-machine.sh], retry: {attempts: 3}, idempotent: true}
/// ```
///
/// To fix it, make the program look for what is there already (`LIFEBOAT_RUN_ID` is the same in each attempt), and say
/// `idempotent: true`; say `effect: reads` if it only looks; or take the `retry` away.
pub const RULE: Rule = Rule {
    id: "retry-of-non-idempotent",
    severity: Severity::Warning,
    summary: "something is tried again although doing it twice may not be the same as once",
    check,
    source: include_str!("retry_of_non_idempotent.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (room, id, step) in context.sound() {
        let Some(retry) = step.retry.as_ref().filter(|retry| *retry.attempts > 1) else { continue };
        if step.idempotent || !mutates(step) || !is_repeated_blindly(step) {
            continue;
        }
        let name = action::of_step(step).map_or("", |kind| kind.facts().name);
        let otherwise = step.phase.as_ref().map_or(step.span(), Spanned::span);
        findings.push(
            context
                .finding(
                    &RULE,
                    retry.span(),
                    format!(
                        "expected `idempotent: true` on what is tried again, found {} attempts without it",
                        *retry.attempts
                    ),
                )
                .label("an attempt that failed may have done its work")
                .related(context.source, context.key(&[room, id, name], otherwise), "this would be done again")
                .help("make it safe to repeat and say `idempotent: true`, or take the `retry` away"),
        );
    }
}

fn is_repeated_blindly(step: &Step) -> bool {
    match action::of_step(step) {
        Some(Kind::Exec | Kind::Shell) => true,
        Some(Kind::Http) => {
            let method = step.http.as_ref().and_then(|http| http.method.as_ref());
            method.is_some_and(|method| matches!(**method, Method::Post | Method::Patch))
        }
        _ => false,
    }
}
