//! `identity-probe-as-default`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::is_in},
    model::Phase,
    source::Spanned,
};

/// A job of phase `identity` that runs under the namespace's default service account.
///
/// A job proves what its own service account may do. Without `serviceAccount` that is `default`, which no workload should use: the
/// probe is refused though all is well, or it passes because somebody gave rights to `default`. Either way nothing is known about
/// the identity that the application has, and at two in the morning the application tells.
///
/// Bad:
///
/// ```yaml
/// trust: {phase: identity, job: {cluster: dr, namespace: shop, image: "{{inputs.probe}}", command: [whoami]}}
/// ```
///
/// Good:
///
/// ```yaml
/// trust:
///   phase: identity
///   job: {cluster: dr, namespace: shop, image: "{{inputs.probe}}", command: [whoami], serviceAccount: api}
/// ```
///
/// To fix it, name the service account of the workload.
pub const RULE: Rule = Rule {
    id: "identity-probe-as-default",
    severity: Severity::Warning,
    summary: "a job that probes an identity runs under the default service account",
    check,
    source: include_str!("identity_probe_as_default.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, id, step) in context.sound_steps() {
        let Some(job) = step.job.as_ref().filter(|job| job.service_account.is_none()) else { continue };
        if is_in(step, &[Phase::Identity]) {
            let phase = step.phase.as_ref().map_or(step.span(), Spanned::span);
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.key(&["steps", id, "job"], job.span()),
                        "expected a `serviceAccount` whose identity is probed, found none",
                    )
                    .label("runs as the account `default`")
                    .related(context.source, phase, "this phase is about who may do what")
                    .help("name the service account of the workload: `serviceAccount: api`"),
            );
        }
    }
}
