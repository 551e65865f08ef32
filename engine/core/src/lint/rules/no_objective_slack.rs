//! `no-objective-slack`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    duration::Duration,
    lint::{Context, Rule, facts::Slowest},
};

/// Estimates in a row that leave less than a fifth of the RTO.
///
/// The clock begins with the outage and not with the run: noticing it, waking somebody and deciding come first, and one
/// attempt that fails comes in between. A chain of steps that takes more than four fifths of the objective when all goes well
/// misses it at two in the morning. What is counted is the same as for `critical-path-exceeds-rto`.
///
/// Bad:
///
/// ```yaml
/// recovery:
///   objectives: {rpo: 15m, rto: 40m}
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
    id: "no-objective-slack",
    severity: Severity::Warning,
    summary: "the estimates in a row leave less than a fifth of the RTO",
    check,
    source: include_str!("no_objective_slack.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let rto = context.runbook.recovery.objectives.rto;
    let most = rto.as_millis() / 5 * 4;
    let Some(slowest) = Slowest::of(context).filter(|slowest| slowest.millis > most) else { return };
    // More than all of it is an error of its own.
    if slowest.millis > rto.as_millis() {
        return;
    }
    let sum = Duration::from_millis(slowest.millis);
    let objectives = context.runbook.recovery.objectives.span();
    let span = context.value(&["recovery", "objectives", "rto"], objectives);
    let most = Duration::from_millis(most);
    let finding = context
        .finding(
            &RULE,
            span,
            format!("expected estimates in a row of at most {most}, four fifths of the RTO, found {sum}"),
        )
        .label("nothing is left to notice, to decide, and to try again")
        .help("shorten the chain, let steps run side by side, or promise a longer RTO");
    findings.push(slowest.tell(context, finding));
}
