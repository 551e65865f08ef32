//! `drill-interval-too-long`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    duration::Duration,
    lint::{Context, Rule},
    model::Level,
};

/// A runbook of level L4 or L5 that is drilled less than once a quarter, or of which nobody says how often.
///
/// What is not rehearsed rots: credentials expire, names change, people leave. The higher the claim, the more parts there are
/// that rot. A runbook that was last run half a year ago fails at two in the morning at the first of them. `drillEvery` is what
/// a schedule and a report can be held against; a month is good, a quarter (92 days) is the most.
///
/// Bad:
///
/// ```yaml
/// recovery: {level: L5, drillEvery: 365d}
/// ```
///
/// Good:
///
/// ```yaml
/// recovery: {level: L5, drillEvery: 30d}
/// ```
///
/// With `drill-every` under `[organisation]` in `lifeboat.toml`, that is the most, and it counts from level L2 on.
///
/// To fix it, say `drillEvery`, and drill that often.
pub const RULE: Rule = Rule {
    id: "drill-interval-too-long",
    severity: Severity::Warning,
    summary: "a runbook of level L4 or L5 is drilled less than once a quarter, or nobody says how often",
    check,
    source: include_str!("drill_interval_too_long.rs"),
};

/// A quarter.
const MOST: Duration = Duration::from_secs(92 * 86_400);

/// What is good.
const MONTH: Duration = Duration::from_secs(30 * 86_400);

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let recovery = &context.runbook.recovery;
    let (from, most) = context.organisation.drill_every.map_or((Level::L4, MOST), |every| (Level::L2, every));
    if recovery.level < from || context.is_damaged(&["recovery"]) {
        return;
    }
    let level = context.value(&["recovery", "level"], recovery.objectives.span());
    let (span, found) = match recovery.drill_every {
        None => (level, String::from("none")),
        Some(every) if every > most => {
            (context.value(&["recovery", "drillEvery"], recovery.objectives.span()), every.to_string())
        }
        Some(_) => return,
    };
    findings.push(
        context
            .finding(&RULE, span, format!("expected a `drillEvery` of at most {most} for this level, found {found}"))
            .label("what is not rehearsed rots")
            .related(context.source, level, "this much is claimed")
            .help(format!("say `drillEvery: {}`, and drill that often", most.min(MONTH))),
    );
}
