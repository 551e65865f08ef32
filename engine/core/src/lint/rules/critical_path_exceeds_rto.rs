//! `critical-path-exceeds-rto`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    duration::Duration,
    lint::{Context, Rule, facts::Slowest},
};

/// Estimates that add up to more than the RTO.
///
/// The longest chain of steps that wait for each other, up to the one that restores the capability, takes longer than the
/// objective allows, by the runbook's own estimates. Such a run cannot meet its RTO, however well it goes, and it says so in
/// its report at two in the morning. Steps with a `when` count nothing, as they may be left out, and neither do included
/// runbooks nor steps without an estimate: the real path is longer still.
///
/// Bad:
///
/// ```yaml
/// recovery:
///   objectives: {rpo: 15m, rto: 30m}
/// steps:
///   restore: {phase: data, exec: [./restore.sh], estimate: 25m, timeout: 1h}
///   start: {phase: workloads, exec: [./start.sh], estimate: 10m, restores: true}
/// ```
///
/// Good:
///
/// ```yaml
/// recovery:
///   objectives: {rpo: 15m, rto: 1h}
/// steps:
///   restore: {phase: data, exec: [./restore.sh], estimate: 25m, timeout: 1h}
///   start: {phase: workloads, exec: [./start.sh], estimate: 10m, restores: true}
/// ```
///
/// To fix it, let steps run side by side, prepare more before the disaster, or promise what can be kept.
pub const RULE: Rule = Rule {
    id: "critical-path-exceeds-rto",
    severity: Severity::Error,
    summary: "the estimates of steps that wait for each other add up to more than the RTO",
    check,
    source: include_str!("critical_path_exceeds_rto.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let rto = context.runbook.recovery.objectives.rto;
    let Some(slowest) = Slowest::of(context).filter(|slowest| slowest.millis > rto.as_millis()) else { return };
    let sum = Duration::from_millis(slowest.millis);
    let objectives = context.runbook.recovery.objectives.span();
    let span = context.value(&["recovery", "objectives", "rto"], objectives);
    let finding = context
        .finding(&RULE, span, format!("expected an RTO of at least {sum}, the estimates in a row, found {rto}"))
        .label("cannot be met")
        .help("shorten the chain, let steps run side by side, or promise a longer RTO");
    findings.push(slowest.tell(context, finding));
}
