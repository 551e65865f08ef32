//! `no-data-integrity-check`.

use crate::{
    action::{self, Kind},
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        facts::{is_in, mutates, only_exists},
    },
    model::Phase,
};

/// Data that is restored, and every check only sees that something is there.
///
/// A volume that is bound, a pod that is ready and a port that is open are so with an empty database, too. Only a check that
/// looks into the data (a count, a checksum, a record that must be there, a journey of a user) shows that it came back. At
/// two in the morning an empty shop looks healthy until the first customer logs in.
///
/// Asked for is one such check anywhere in the runbook: a program or a script, a request, an `expect`, a question to a person,
/// or a job that looks.
///
/// Bad:
///
/// ```yaml
/// steps:
///   restore:
///     phase: data
///     velero-restore: {cluster: dr, namespaces: [shop]}
///     verify: [{kube: {cluster: dr, kind: Pod, namespace: shop}}]
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   restore:
///     phase: data
///     velero-restore: {cluster: dr, namespaces: [shop]}
///     verify:
///       - name: orders are there
///         exec: [./count-orders.sh]
///         expect: json.orders > 1000
/// ```
///
/// To fix it, add a check that counts, compares or uses what was restored.
pub const RULE: Rule = Rule {
    id: "no-data-integrity-check",
    severity: Severity::Warning,
    summary: "data is restored, and every check only sees that something is there",
    check,
    source: include_str!("no_data_integrity_check.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() || context.includes_others() || context.is_damaged(&["steps"]) {
        return;
    }
    let restored = context.sound_steps().find(|(_, _, step)| {
        let kind = action::of_step(step);
        let restores = matches!(kind, Some(Kind::VeleroRestore | Kind::Exec | Kind::Shell | Kind::Http | Kind::Manual));
        is_in(step, &[Phase::Data]) && mutates(step) && restores
    });
    let Some((_, id, _)) = restored else { return };
    let looks = context.runbook.steps.values().any(|step| {
        let reads = !mutates(step) && matches!(action::of_step(step), Some(Kind::Exec | Kind::Shell | Kind::Http));
        reads || step.job.is_some() || step.verify.iter().any(|check| !only_exists(check))
    });
    if !looks {
        let related = context.checks().next().map(|(_, _, check)| check.span());
        let mut finding = context
            .finding(
                &RULE,
                context.id_span(id),
                "expected a check that looks into the restored data, found none in the runbook",
            )
            .label("an empty database would pass")
            .help("add a check that counts, compares or uses what was restored");
        if let Some(span) = related {
            finding = finding.related(context.source, span, "this only sees that something is there");
        }
        findings.push(finding);
    }
}
