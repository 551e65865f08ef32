//! `certificate-unchecked`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        facts::{is_in, mutates},
    },
    model::{Level, Phase},
};

/// Traffic that is shifted to an endpoint whose certificate nobody has looked at.
///
/// The recovery region has certificates of its own. They were made once, for names that may have changed, and nobody notices
/// when they expire, because nobody goes there: until all users do, at two in the morning, and every browser warns them. A
/// `tls` check looks at the chain, the name and the days left, and a request to an `https` address looks at the first two.
/// Where a program or a person looks, nobody here knows at what, and nothing is said.
///
/// Bad:
///
/// ```yaml
/// recovery: {level: L5}
/// steps:
///   shift: {phase: shift-traffic, http: {url: "https://dns.example.org/shift", method: POST}}
/// ```
///
/// Good:
///
/// ```yaml
/// recovery: {level: L5}
/// steps:
///   certificate: {phase: validate, verify: [{tls: {address: "dr.example.org:443", serverName: shop.example.org}}]}
///   shift: {phase: shift-traffic, http: {url: "https://dns.example.org/shift", method: POST}}
/// ```
///
/// To fix it, add a `tls` check of the new endpoint, by the name that users will use.
pub const RULE: Rule = Rule {
    id: "certificate-unchecked",
    severity: Severity::Warning,
    summary: "traffic is shifted to an endpoint whose certificate nobody has looked at",
    check,
    source: include_str!("certificate_unchecked.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let below = context.runbook.recovery.level < Level::L5;
    if !context.claims_to_restore() || below || context.includes_others() || context.is_damaged(&["steps"]) {
        return;
    }
    let looks = context.runbook.steps.values().any(|step| {
        let opaque = step.job.is_some() || step.exec.is_some() || step.shell.is_some() || step.manual.is_some();
        opaque && is_in(step, &[Phase::Validate])
            || step.verify.iter().any(|check| {
                let request = check.http.as_ref();
                let trusted = request.is_some_and(|http| !http.insecure && !http.url.as_str().starts_with("http://"));
                check.tls.is_some() || trusted || check.exec.is_some() || check.shell.is_some() || check.ask.is_some()
            })
    });
    let shift = context.sound_steps().find(|(_, _, step)| is_in(step, &[Phase::ShiftTraffic]) && mutates(step));
    if let Some((_, id, _)) = shift.filter(|_| !looks) {
        let level = context.value(&["recovery", "level"], context.runbook.recovery.objectives.span());
        findings.push(
            context
                .finding(&RULE, context.id_span(id), "expected a `tls` check before users are sent here, found none")
                .label("its certificate may be an old one, or another's")
                .related(context.source, level, "this says that users can be sent there")
                .help("add a step of phase `validate` with a `tls` check of the new endpoint"),
        );
    }
}
