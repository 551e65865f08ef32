//! `cluster-without-context`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A cluster that nobody names.
///
/// Without `context` it is the current context of a kubeconfig: whichever cluster the person who starts the run has looked
/// at last. On another laptop, or an hour later, the same runbook would act on another cluster. The engine remembers which
/// cluster a run has met and refuses another one, but the first one it meets may be the wrong one already.
///
/// Bad:
///
/// ```yaml
/// clusters:
///   recovery: {}
/// steps:
///   start: {phase: workloads, scale: {cluster: recovery, kind: Deployment, namespace: shop, name: api, replicas: 3}}
/// ```
///
/// Good:
///
/// ```yaml
/// inputs:
///   recoveryContext: {type: string, description: kube context of the recovery cluster}
/// clusters:
///   recovery: {context: "{{inputs.recoveryContext}}"}
/// steps:
///   start: {phase: workloads, scale: {cluster: recovery, kind: Deployment, namespace: shop, name: api, replicas: 3}}
/// ```
pub const RULE: Rule = Rule {
    id: "cluster-without-context",
    severity: Severity::Warning,
    summary: "a cluster that is whichever one the current context means",
    check,
    source: include_str!("cluster_without_context.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (name, cluster) in &context.runbook.clusters {
        if cluster.context.is_some() || cluster.in_cluster || context.is_damaged(&["clusters", name]) {
            continue;
        }
        let span = context.key(&["clusters", name], cluster.span());
        let message = format!(
            "expected `context` for the cluster `{name}`, found none: it is the current one of whoever runs it"
        );
        let help = "write `context:`, by an input if it differs from run to run; or `inCluster: true`";
        findings.push(context.finding(&RULE, span, message).help(help));
    }
}
