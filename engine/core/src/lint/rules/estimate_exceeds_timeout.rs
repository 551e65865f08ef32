//! `estimate-exceeds-timeout`.

use crate::{
    action::{self, Kind},
    diagnostic::{Diagnostic, Severity},
    duration::Duration,
    lint::{Context, Rule},
    model::Check,
};

/// A step that is expected to take longer than it may.
///
/// Whoever wrote the `estimate` knows how long it usually takes, and the step is stopped before that: by its own `timeout`, by
/// the one under `defaults`, or by the ten minutes that hold without both. It fails every time, and at two in the morning it
/// does so after ten minutes of waiting. What the checks may wait for by `within` and `holds` is counted, and so are attempts.
///
/// Bad:
///
/// ```yaml
/// steps:
///   machines: {phase: provision, exec: [./make-machines.sh], estimate: 20m}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   machines: {phase: provision, exec: [./make-machines.sh], estimate: 20m, timeout: 45m}
/// ```
///
/// To fix it, give the step a `timeout` that is well above its estimate.
pub const RULE: Rule = Rule {
    id: "estimate-exceeds-timeout",
    severity: Severity::Warning,
    summary: "a step is expected to take longer than it may",
    check,
    source: include_str!("estimate_exceeds_timeout.rs"),
};

/// What holds when neither the step nor `defaults` says anything.
const OTHERWISE: Duration = Duration::from_secs(10 * 60);
/// What a check may take that does not wait.
const TRY: Duration = Duration::from_secs(30);

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if context.is_damaged(&["defaults"]) {
        return;
    }
    let defaults = &context.runbook.defaults;
    for (room, id, step) in context.sound() {
        let Some(estimate) = step.estimate else { continue };
        // A person has a limit of its own, and what waits on purpose is not late.
        if matches!(action::of_step(step), None | Some(Kind::Manual | Kind::Pause | Kind::Runbook)) {
            continue;
        }
        let timeout = step.timeout.or(defaults.timeout).unwrap_or(OTHERWISE);
        let retry = step.retry.as_deref().or(defaults.retry.as_ref());
        let attempts = retry.map_or(1, |retry| u64::from(*retry.attempts));
        let checks: u64 = step.verify.iter().map(|check| longest(check)).fold(0, u64::saturating_add);
        let most = timeout.as_millis().saturating_mul(attempts).saturating_add(checks);
        if estimate.as_millis() > most {
            let (place, says) = if step.timeout.is_some() {
                (context.value(&[room, id, "timeout"], step.span()), "its own time-out")
            } else if defaults.timeout.is_some() {
                (context.value(&["defaults", "timeout"], step.span()), "the time-out of every step")
            } else {
                (context.key(&[room, id], step.span()), "has no time-out of its own: it is 10m")
            };
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.value(&[room, id, "estimate"], step.span()),
                        format!("expected an estimate of at most {}, found {estimate}", Duration::from_millis(most)),
                    )
                    .label("it would be stopped before")
                    .related(context.source, place, says)
                    .help("give the step a `timeout` well above its estimate"),
            );
        }
    }
}

fn longest(check: &Check) -> u64 {
    let of = |time: Option<Duration>| time.map_or(0, Duration::as_millis);
    let within = check.within.as_ref().map(|within| **within);
    let holds = check.holds.as_ref().map(|holds| **holds);
    of(within).saturating_add(of(holds)).saturating_add(of(check.timeout.or(Some(TRY))))
}
