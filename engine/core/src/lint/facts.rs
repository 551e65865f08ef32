//! What several rules ask about steps.
//!
//! Duty: to find it out in one way for all of them, when a rule asks and not before. It must not judge.

use super::{Context, Rule, context::route};
use crate::{
    action::http::Http,
    diagnostic::{Diagnostic, Fix},
    duration::Duration,
    graph::Graph,
    model::{Check, Effect, Level, Mode, Phase, Step, Undo, parse::Route},
    plan::sketch::{Sketch, exists},
    policy::effect,
    source::{Span, Spanned},
};

/// A step, its number and its id.
pub(crate) type Numbered<'a> = (usize, &'a str, &'a Spanned<Step>);

impl<'a> Context<'a> {
    /// Whether the runbook says that it restores something: below L2 a run proves only that there are backups.
    pub(crate) fn claims_to_restore(&self) -> bool {
        self.runbook.recovery.level >= Level::L2 && !self.is_damaged(&["recovery"])
    }

    /// The steps of `steps` that could be read as a whole, and are not another runbook.
    pub(crate) fn sound_steps(&self) -> impl Iterator<Item = Numbered<'a>> + use<'a, '_> {
        let steps = self.runbook.steps.iter().enumerate().map(|(at, (id, step))| (at, id.as_str(), step));
        steps.filter(|(_, id, step)| step.runbook.is_none() && !self.is_damaged(&["steps", id]))
    }

    /// The steps of `steps` and `cleanup` that could be read as a whole.
    pub(crate) fn sound(&self) -> impl Iterator<Item = (&'static str, &'a str, &'a Spanned<Step>)> + use<'a, '_> {
        self.steps().filter(|(room, id, _)| !self.is_damaged(&[room, id]))
    }

    /// Where the id of a step stands.
    pub(crate) fn id_span(&self, id: &str) -> Span {
        let otherwise = self.runbook.steps.get(id).map(Spanned::span).unwrap_or_default();
        self.key(&["steps", id], otherwise)
    }

    /// The orders that mean something: all of the steps could be read, and nothing is wrong with their edges.
    pub(crate) fn sound_orders(&self) -> impl Iterator<Item = &Sketch> {
        let damaged = self.is_damaged(&["steps"]);
        self.sketches.iter().filter(move |sketch| !damaged && sketch.problems.is_empty())
    }

    /// Every check of `steps` that could be read, with the step it belongs to.
    pub(crate) fn checks(
        &self,
    ) -> impl Iterator<Item = (&'a str, &'a Spanned<Step>, &'a Spanned<Check>)> + use<'a, '_> {
        self.sound_steps().flat_map(|(_, id, step)| step.verify.iter().map(move |check| (id, step, check)))
    }

    /// Every HTTP request that could be read: of actions and undos, of their checks, of guards and of what is required.
    pub(crate) fn requests(&self) -> Vec<&'a Spanned<Http>> {
        let of_checks = |checks: &'a [Spanned<Check>]| checks.iter().filter_map(|check| check.http.as_ref());
        let mut found = Vec::new();
        for (_, _, step) in self.sound() {
            found.extend(&step.http);
            found.extend(of_checks(&step.verify));
            if let Some(Undo::Action(undo)) = step.undo.as_deref() {
                found.extend(&undo.http);
                found.extend(of_checks(&undo.verify));
            }
        }
        if !self.is_damaged(&["requires"]) {
            found.extend(of_checks(&self.runbook.requires.checks));
        }
        if !self.is_damaged(&["guards"]) {
            found.extend(self.runbook.guards.iter().filter_map(|guard| guard.check.as_ref()?.http.as_ref()));
        }
        found
    }

    /// Whether a step shifts traffic, or looks right behind one that does.
    pub(crate) fn is_about_a_shift(&self, step: &Step) -> bool {
        let shifts = |step: &Step| is_in(step, &[Phase::ShiftTraffic]) && mutates(step);
        let needed = step.needs.iter().flatten().filter_map(|name| self.runbook.steps.get(name.as_str()));
        shifts(step) || is_in(step, &[Phase::ShiftTraffic]) && needed.into_iter().any(|other| shifts(other))
    }

    /// A suggestion to put a key into a step of `steps`, behind another one.
    pub(crate) fn suggest_key(&self, id: &str, beside: &str, key: &str, value: &str) -> Option<Fix> {
        let edits = self.editor.add(&route(&["steps", id]), beside, key, value)?;
        Some(Fix::suggestion(format!("add `{key}: {value}`"), edits))
    }

    /// A suggestion to write another name where one stands.
    pub(crate) fn suggest_name(&self, span: Span, found: &str, meant: Option<&str>) -> Option<Fix> {
        let meant = meant?;
        let edits = self.editor.replace(span, found, meant)?;
        Some(Fix::suggestion(format!("write `{meant}`"), edits))
    }

    /// Whether another runbook is included, of which this file does not say what it does.
    pub(crate) fn includes_others(&self) -> bool {
        self.runbook.steps.values().any(|step| step.runbook.is_some())
    }
}

impl Sketch {
    /// Whether the step of this number exists in this order's mode.
    pub(crate) fn has(&self, at: usize) -> bool {
        self.exists.get(at).copied().unwrap_or(false)
    }

    /// The edges by which a node waits for the success of others, without those that wait for the end only.
    pub(crate) fn needed(&self) -> Graph {
        Graph::of_predecessors(self.needs.iter().map(|needs| needs.iter().copied()))
    }
}

/// The way to a check of a step that could be read.
pub(crate) fn check_route(id: &str, step: &Step, check: &Spanned<Check>) -> Option<Route> {
    let number = step.verify.iter().position(|other| std::ptr::eq(other, check))?;
    Some(route(&["steps", id, "verify"]).index(number))
}

/// Whether a step's own action changes something.
pub(crate) fn mutates(step: &Step) -> bool {
    effect::of(step) == Effect::Mutates
}

/// Whether a step is in one of these phases.
pub(crate) fn is_in(step: &Step, phases: &[Phase]) -> bool {
    step.phase.as_ref().is_some_and(|phase| phases.contains(phase))
}

/// Whether a step exists in drills only.
pub(crate) fn is_for_drills(step: &Step) -> bool {
    !exists(step, Mode::Incident)
}

/// The undo of a step that is an action of its own.
pub(crate) fn own_undo(step: &Step) -> Option<&crate::model::UndoAction> {
    match step.undo.as_deref() {
        Some(Undo::Action(undo)) => Some(undo),
        Some(Undo::Auto(_)) | None => None,
    }
}

/// A text in which there is no template: what it will be is known.
pub(crate) fn literal(text: &str) -> Option<&str> {
    (!text.contains("{{")).then_some(text)
}

/// Whether a check can only tell that something is there, that it says it is ready, or that it answers at all.
pub(crate) fn only_exists(check: &Check) -> bool {
    let looks = check.exec.is_some() || check.shell.is_some() || check.http.is_some() || check.ask.is_some();
    check.expect.is_none() && check.expr.is_none() && !looks
}

/// The chain of steps up to the one that restores the capability that takes longest by the authors' estimates.
pub(crate) struct Slowest {
    /// How long, at least.
    pub(crate) millis: u64,
    /// Its steps, those that count nothing included.
    path: Vec<usize>,
}

impl Slowest {
    /// That of an incident; `None` when there is none, or nobody can know.
    pub(crate) fn of(context: &Context<'_>) -> Option<Self> {
        let steps = &context.runbook.steps;
        if context.is_damaged(&["recovery"]) || !steps.values().any(|step| step.restores) {
            return None;
        }
        let sketch = context.sound_orders().next()?;
        let counted = |at: usize| steps.get_index(at).filter(|_| sketch.has(at)).map(|(_, step)| step);
        let weights: Vec<u64> = (0..steps.len()).map(|at| counted(at).map_or(0, |step| weight(step))).collect();
        let longest = sketch.graph.longest(&sketch.order, &weights);
        // The clock stops at the last of several.
        let last = (0..steps.len())
            .filter(|at| counted(*at).is_some_and(|step| step.restores && step.when.is_none()))
            .max_by_key(|at| longest.finish(*at))?;
        Some(Self { millis: longest.finish(last), path: longest.path(last) })
    }

    /// Shows the steps that count.
    pub(crate) fn tell(&self, context: &Context<'_>, mut finding: Diagnostic) -> Diagnostic {
        for (id, step) in self.path.iter().filter_map(|at| context.runbook.steps.get_index(*at)) {
            let millis = weight(step);
            if millis > 0 {
                let key = if step.estimate.is_some() { "estimate" } else { "pause" };
                let span = context.value(&["steps", id, key], step.span());
                finding =
                    finding.related(context.source, span, format!("`{id}` takes {}", Duration::from_millis(millis)));
            }
        }
        finding
    }
}

/// How long a step takes for sure, as far as its author says: one with a condition may be left out.
fn weight(step: &Step) -> u64 {
    if step.when.is_some() || step.runbook.is_some() || step.for_each.is_some() {
        return 0;
    }
    step.estimated().map_or(0, Duration::as_millis)
}

/// Tells of every workload that is started without waiting for any step of an earlier phase, although there are some.
pub(crate) fn around(context: &Context<'_>, rule: &Rule, phase: Phase, why: &str, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() {
        return;
    }
    let steps = &context.runbook.steps;
    for sketch in context.sound_orders() {
        let step = |at: usize| steps.get_index(at).filter(|_| sketch.has(at));
        let first = (0..steps.len()).find_map(|at| step(at).filter(|(_, step)| is_in(step, &[phase])));
        let Some((name, there)) = first else { continue };
        // Whether each node comes after such a step, or after one that has been told.
        let mut waits = vec![false; sketch.graph.len()];
        for node in sketch.order.iter().copied() {
            waits[node] = step(node).is_some_and(|(_, step)| is_in(step, &[phase]))
                || sketch.graph.predecessors(node).any(|before| waits[before]);
            let Some((id, step)) = step(node).filter(|(_, step)| is_in(step, &[Phase::Workloads])) else { continue };
            // What is included has an order of its own.
            if waits[node] || step.runbook.is_some() || !mutates(step) {
                continue;
            }
            waits[node] = true;
            let span = there.phase.as_ref().map_or(there.span(), Spanned::span);
            findings.push(
                context
                    .finding(
                        rule,
                        context.id_span(id),
                        format!(
                            "expected `{id}` to come after a step of phase `{}`, found no path to one",
                            phase.name()
                        ),
                    )
                    .label(why)
                    .related(context.source, span, format!("`{name}` is one"))
                    .help(format!("take its `needs` away, or let it need the steps of phase `{}`", phase.name())),
            );
        }
    }
}
