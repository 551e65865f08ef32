//! `workload-before-identity`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::around},
    model::Phase,
};

/// A workload that is started without waiting for identities.
///
/// The runbook restores identities, and this step starts something without a path to any of them. What starts without its
/// identity cannot read its secrets or its buckets: it crashes, backs off, and at two in the morning is healthy ten minutes
/// after the identity is, or never. The default order waits by itself; a `needs` of this step, or `needs: []` further up,
/// goes around it.
///
/// Bad:
///
/// ```yaml
/// steps:
///   trust: {phase: identity, exec: [./trust-cluster.sh]}
///   start: {phase: workloads, needs: [], exec: [./start.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   trust: {phase: identity, exec: [./trust-cluster.sh]}
///   start: {phase: workloads, exec: [./start.sh]}
/// ```
///
/// To fix it, take the `needs` away, or name the steps of phase `identity` in it.
pub const RULE: Rule = Rule {
    id: "workload-before-identity",
    severity: Severity::Warning,
    summary: "a workload is started without waiting for any step of phase `identity`",
    check,
    source: include_str!("workload_before_identity.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    around(context, &RULE, Phase::Identity, "who it is to the cloud and the cluster is not settled then", findings);
}
