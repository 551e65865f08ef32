//! `unknown-cluster`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    plan::nearest::Nearest,
};

/// A cluster that the runbook does not have.
///
/// Steps, checks and requirements name a cluster as it is called under `clusters`, and never a context of somebody's
/// kubeconfig: the runbook says once which cluster each name means. An included runbook has clusters of its own.
///
/// Bad:
///
/// ```yaml
/// clusters:
///   recovery: {context: dr-eu-2}
/// steps:
///   start: {phase: workloads, scale: {cluster: dr-eu-2, kind: Deployment, namespace: shop, name: api, replicas: 3}}
/// ```
///
/// Good:
///
/// ```yaml
/// clusters:
///   recovery: {context: dr-eu-2}
/// steps:
///   start: {phase: workloads, scale: {cluster: recovery, kind: Deployment, namespace: shop, name: api, replicas: 3}}
/// ```
pub const RULE: Rule = Rule {
    id: "unknown-cluster",
    severity: Severity::Error,
    summary: "a cluster that the runbook does not have",
    check,
    source: include_str!("unknown_cluster.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if context.is_damaged(&["clusters"]) {
        return;
    }
    let clusters = &context.runbook.clusters;
    let known = Nearest::new(clusters.keys().map(String::as_str));
    for name in context.clusters() {
        // An empty name stands where one is missing, which has been told.
        if name.is_empty() || clusters.contains_key(name.as_str()) {
            continue;
        }
        let text = name.as_str();
        let help = if clusters.is_empty() {
            format!("declare it: `clusters: {{{text}: {{context: <a context of the kubeconfig>}}}}`")
        } else {
            known.help(text, "cluster")
        };
        let message = format!("expected a cluster of this runbook, found `{text}`");
        let fix = context.suggest_name(name.span(), text, known.only(text));
        findings.push(context.finding(&RULE, name.span(), message).help(help).fix(fix));
    }
}
