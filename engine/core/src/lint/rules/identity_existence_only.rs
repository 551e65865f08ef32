//! `identity-existence-only`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        facts::{is_in, literal},
    },
    model::Phase,
    source::Spanned,
};

/// Identities that are only seen to exist.
///
/// A `ServiceAccount` or a binding that is there says nothing about what may be done with it: the role may be another one, the
/// issuer of the new cluster may be unknown to the cloud, the namespace may not match. Pods then start and are refused, and at
/// two in the morning it looks like a broken application. `can-i` asks the API server as the account, and a `job` under the
/// account asks the cloud.
///
/// Bad:
///
/// ```yaml
/// verify: [{kube: {cluster: dr, kind: ServiceAccount, namespace: shop, name: api}}]
/// ```
///
/// Good:
///
/// ```yaml
/// verify:
///   - can-i: {cluster: dr, verb: get, resource: secrets, namespace: shop, serviceAccount: shop/api}
/// ```
///
/// To fix it, add a `can-i` check for what the account needs, or a `job` that uses it.
pub const RULE: Rule = Rule {
    id: "identity-existence-only",
    severity: Severity::Warning,
    summary: "identities are only seen to exist",
    check,
    source: include_str!("identity_existence_only.rs"),
};

const KINDS: [&str; 5] = ["serviceaccount", "role", "rolebinding", "clusterrole", "clusterrolebinding"];

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if context.includes_others() || context.is_damaged(&["steps"]) {
        return;
    }
    let proves = context.runbook.steps.values().any(|step| {
        let opaque = step.exec.is_some() || step.shell.is_some() || step.manual.is_some();
        let looks = step.verify.iter().any(|check| {
            let opaque = check.exec.is_some() || check.shell.is_some() || check.ask.is_some();
            check.can_i.is_some() || opaque && is_in(step, &[Phase::Identity])
        });
        step.job.is_some() || looks || opaque && is_in(step, &[Phase::Identity])
    });
    if proves {
        return;
    }
    for (id, step, check) in context.checks().filter(|(_, step, _)| is_in(step, &[Phase::Identity])) {
        let Some(kube) = check.kube.as_ref().filter(|kube| check.expect.is_none() && !kube.absent) else { continue };
        let kind = literal(kube.kind.as_str()).unwrap_or_default().to_ascii_lowercase();
        let kind = kind.split('.').next().unwrap_or_default();
        if KINDS.iter().any(|it| kind == *it || kind.strip_suffix('s') == Some(it)) {
            let phase = step.phase.as_ref().map_or_else(|| context.id_span(id), Spanned::span);
            findings.push(
                context
                    .finding(&RULE, kube.span(), "expected a check of what an identity may do, found that it exists")
                    .label("says nothing about its rights")
                    .related(context.source, phase, "nothing in the runbook tries them")
                    .help("add a `can-i` check with `serviceAccount`, or a `job` that runs under it"),
            );
        }
    }
}
