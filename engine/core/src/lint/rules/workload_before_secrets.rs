//! `workload-before-secrets`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::around},
    model::Phase,
};

/// A workload that is started without waiting for secrets.
///
/// The runbook brings secrets, and this step starts something without a path to any of them. Pods that mount a Secret which is
/// not there do not start; those that read it once start with an old one, and at two in the morning write to the wrong
/// database. The default order waits by itself; a `needs` of this step, or `needs: []` further up, goes around it.
///
/// Bad:
///
/// ```yaml
/// steps:
///   keys: {phase: secrets, exec: [./fetch-keys.sh]}
///   start: {phase: workloads, needs: [], exec: [./start.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   keys: {phase: secrets, exec: [./fetch-keys.sh]}
///   start: {phase: workloads, exec: [./start.sh]}
/// ```
///
/// To fix it, take the `needs` away, or name the steps of phase `secrets` in it.
pub const RULE: Rule = Rule {
    id: "workload-before-secrets",
    severity: Severity::Warning,
    summary: "a workload is started without waiting for any step of phase `secrets`",
    check,
    source: include_str!("workload_before_secrets.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    around(context, &RULE, Phase::Secrets, "its keys may not be there then", findings);
}
