//! `data-after-workloads`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::around},
    model::Phase,
};

/// A workload that is started without waiting for data.
///
/// The runbook restores data, and this step starts something without a path to any of it. An application that finds an empty
/// database makes its tables, its first user and its first records: at two in the morning the restore meets objects that exist
/// already, and what it keeps is not what was backed up. The default order waits by itself; a `needs` goes around it.
///
/// Bad:
///
/// ```yaml
/// steps:
///   restore: {phase: data, exec: [./restore.sh]}
///   start: {phase: workloads, needs: [], exec: [./start.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   restore: {phase: data, exec: [./restore.sh]}
///   start: {phase: workloads, exec: [./start.sh]}
/// ```
///
/// To fix it, take the `needs` away, or name the steps of phase `data` in it.
pub const RULE: Rule = Rule {
    id: "data-after-workloads",
    severity: Severity::Warning,
    summary: "a workload is started without waiting for any step of phase `data`",
    check,
    source: include_str!("data_after_workloads.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    around(context, &RULE, Phase::Data, "it may find nothing, and write to it", findings);
}
