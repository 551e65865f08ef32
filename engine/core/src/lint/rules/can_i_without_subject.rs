//! `can-i-without-subject`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::is_in},
    model::Phase,
    source::Spanned,
};

/// A check of rights that asks about the engine itself.
///
/// In phase `identity` the question is what the workloads may do. `can-i` without `serviceAccount` and without `user` asks about
/// whoever runs Lifeboat, who may do nearly everything: the check passes, and at two in the morning the application is refused. What
/// the engine needs is looked at before the run anyway.
///
/// Bad:
///
/// ```yaml
/// verify: [{can-i: {cluster: dr, verb: get, resource: secrets, namespace: shop}}]
/// ```
///
/// Good:
///
/// ```yaml
/// verify: [{can-i: {cluster: dr, verb: get, resource: secrets, namespace: shop, serviceAccount: shop/api}}]
/// ```
///
/// To fix it, say who is asked about by `serviceAccount` or `user`.
pub const RULE: Rule = Rule {
    id: "can-i-without-subject",
    severity: Severity::Warning,
    summary: "rights of a workload are asked of the engine itself",
    check,
    source: include_str!("can_i_without_subject.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (id, step, check) in context.checks().filter(|(_, step, _)| is_in(step, &[Phase::Identity])) {
        let Some(ask) = &check.can_i else { continue };
        if ask.service_account.is_none() && ask.user.is_none() {
            let phase = step.phase.as_ref().map_or_else(|| context.id_span(id), Spanned::span);
            findings.push(
                context
                    .finding(
                        &RULE,
                        ask.span(),
                        "expected whose rights are asked about, found neither `serviceAccount` nor `user`",
                    )
                    .label("asks about the engine itself")
                    .related(context.source, phase, "this phase is about the workloads")
                    .help("add `serviceAccount: <namespace>/<name>`"),
            );
        }
    }
}
