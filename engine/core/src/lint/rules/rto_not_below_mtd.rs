//! `rto-not-below-mtd`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// An RTO that is not shorter than the maximum tolerable downtime.
///
/// The RTO is the aim, the MTD is where the damage becomes unbearable. Without a margin between them there is no time to
/// notice, to decide and to recover from a recovery that goes wrong.
///
/// Bad:
///
/// ```yaml
/// objectives: {rpo: 15m, rto: 4h, mtd: 4h}
/// ```
///
/// Good:
///
/// ```yaml
/// objectives: {rpo: 15m, rto: 1h, mtd: 4h}
/// ```
pub const RULE: Rule = Rule {
    id: "rto-not-below-mtd",
    severity: Severity::Error,
    summary: "the RTO is not shorter than the MTD",
    check,
    source: include_str!("rto_not_below_mtd.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let objectives = &context.runbook.recovery.objectives;
    let Some(mtd) = objectives.mtd.filter(|mtd| objectives.rto >= *mtd) else { return };
    let keys = ["recovery", "objectives"];
    if context.is_damaged(&keys) {
        return;
    }
    let place = |key: &str| context.value(&[keys[0], keys[1], key], objectives.span());
    findings.push(
        context
            .finding(
                &RULE,
                place("rto"),
                format!("expected an RTO shorter than the MTD ({mtd}), found {}", objectives.rto),
            )
            .related(context.source, place("mtd"), "the MTD")
            .help("plan to be back well before the downtime becomes intolerable"),
    );
}
