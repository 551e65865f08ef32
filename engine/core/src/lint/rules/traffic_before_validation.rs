//! `traffic-before-validation`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Context, Rule,
        facts::{is_in, mutates},
    },
    model::Phase,
    plan::sketch::Sketch,
    source::Spanned,
};

/// Traffic that is shifted before what was restored has been validated.
///
/// A step that shifts traffic must wait for the success of a step in phase `validate`, and that one must come after
/// everything that restores data or starts workloads. Without it, at two in the morning users are sent to an empty or a
/// half restored system: it takes their writes, and then there are two truths. `after` is not enough, since it waits for the
/// end of a step however it ended.
///
/// Steps that only look, and runbooks of level L0 and L1, which restore nothing, are not asked for it.
///
/// Bad:
///
/// ```yaml
/// steps:
///   restore: {phase: data, exec: [./restore.sh]}
///   shift: {phase: shift-traffic, exec: [./shift.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   restore: {phase: data, exec: [./restore.sh]}
///   orders-are-there: {phase: validate, verify: [{exec: [./count-orders.sh]}]}
///   shift: {phase: shift-traffic, exec: [./shift.sh]}
/// ```
///
/// To fix it, add a step of phase `validate` with checks, or let the step that shifts traffic need the one that is there.
pub const RULE: Rule = Rule {
    id: "traffic-before-validation",
    severity: Severity::Warning,
    summary: "traffic is shifted before the recovery is validated",
    check,
    source: include_str!("traffic_before_validation.rs"),
};

/// For how many steps that shift traffic the graph is walked: more than anybody writes.
const MOST: usize = 64;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() {
        return;
    }
    for sketch in context.sound_orders() {
        of_one(context, sketch, findings);
    }
}

fn of_one(context: &Context<'_>, sketch: &Sketch, findings: &mut Vec<Diagnostic>) {
    let steps = &context.runbook.steps;
    let there = |at: usize, phases: &[Phase]| {
        let step = steps.get_index(at).filter(|(_, step)| sketch.has(at) && is_in(step, phases));
        step.map(|(id, step)| (id.as_str(), step))
    };
    // An included runbook may validate what it restores, and may restore what has to be validated: nobody knows here.
    let validates = |at: usize| {
        there(at, &[Phase::Validate]).is_some_and(|(_, step)| step.pause.is_none() || !step.verify.is_empty())
            || steps.get_index(at).is_some_and(|(_, step)| step.runbook.is_some())
    };
    let needed = sketch.needed();
    let mut blamed = vec![false; steps.len()];
    let shifts = (0..steps.len()).filter(|at| {
        there(*at, &[Phase::ShiftTraffic]).is_some_and(|(_, step)| step.runbook.is_none() && mutates(step))
    });
    for at in shifts.take(MOST) {
        let Some((id, step)) = steps.get_index(at) else { continue };
        let before = needed.ancestors([at]);
        if (0..steps.len()).any(|other| before[other] && blamed[other]) {
            continue;
        }
        let place = step.phase.as_ref().map_or(step.span(), Spanned::span);
        let validators: Vec<usize> = (0..steps.len()).filter(|other| before[*other] && validates(*other)).collect();
        if validators.is_empty() {
            blamed[at] = true;
            let mut finding = context
                .finding(
                    &RULE,
                    place,
                    format!("expected `{id}` to need a step of phase `validate`, found none before it"),
                )
                .label("users are sent to what nobody has looked at")
                .help("add a step of phase `validate` with checks, and let this one need it");
            if let Some((other, (_, check))) = (0..steps.len())
                .filter(|other| validates(*other))
                .find_map(|other| Some((other, steps.get_index(other)?)))
            {
                let name = steps.get_index(other).map_or("", |(id, _)| id.as_str());
                let span = check.phase.as_ref().map_or(check.span(), Spanned::span);
                finding =
                    finding.related(context.source, span, format!("`{name}` validates, but nothing waits for it here"));
            }
            findings.push(finding);
            continue;
        }
        let covered = needed.ancestors(validators.iter().copied());
        let open = (0..steps.len()).find_map(|other| {
            let (name, step) = there(other, &[Phase::Data, Phase::Workloads])?;
            (before[other] && !covered[other] && mutates(step)).then_some((name, step))
        });
        if let Some((name, other)) = open {
            blamed[at] = true;
            let span = other.phase.as_ref().map_or(other.span(), Spanned::span);
            findings.push(
                context
                    .finding(
                        &RULE,
                        place,
                        format!("expected a step of phase `validate` between `{name}` and `{id}`, found none"),
                    )
                    .label("comes after this without a look at it")
                    .related(context.source, span, format!("`{name}` is validated by nothing that comes before"))
                    .help(format!("let a step of phase `validate` need `{name}`")),
            );
        }
    }
}
