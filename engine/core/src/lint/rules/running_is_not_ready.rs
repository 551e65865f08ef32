//! `running-is-not-ready`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// Pods that run are taken for pods that are ready.
///
/// `Running` says that a container was started. A pod that crashes every ten seconds, or that waits for its database, runs; only
/// its `Ready` condition says that it takes requests. At two in the morning such a check is green while nobody is served. A
/// `kube` check without `expect` judges by readiness already.
///
/// Bad:
///
/// ```yaml
/// verify:
///   - kube: {cluster: dr, kind: Pod, namespace: shop, selector: ""}
///     expect: objects.all(it, it.status.phase == 'Running')
/// ```
///
/// Good:
///
/// ```yaml
/// verify: [{kube: {cluster: dr, kind: Pod, namespace: shop, selector: "", ready: all}, within: 5m}]
/// ```
///
/// To fix it, use `ready: all`, or `count == ready` in the expression.
pub const RULE: Rule = Rule {
    id: "running-is-not-ready",
    severity: Severity::Warning,
    summary: "pods that run are taken for pods that are ready",
    check,
    source: include_str!("running_is_not_ready.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, _, check) in context.checks() {
        let (Some(kube), Some(expect)) = (&check.kube, &check.expect) else { continue };
        let kind = kube.kind.as_str();
        let text = expect.as_str();
        let dense: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let runs = ["phase=='Running'", "phase==\"Running\""].iter().any(|it| dense.contains(it));
        let ready = text.to_ascii_lowercase().contains("ready") || dense.contains("ok&&") || dense.contains("&&ok");
        if runs && !ready && kube.condition.is_none() && ["Pod", "pod", "Pods", "pods"].contains(&kind) {
            findings.push(
                context
                    .finding(&RULE, expect.span(), "expected pods that are ready, found a look at whether they run")
                    .label("a pod that crashes again and again runs, too")
                    .related(context.source, kube.span(), "these pods")
                    .help("use `ready: all`, or `count == ready`"),
            );
        }
    }
}
