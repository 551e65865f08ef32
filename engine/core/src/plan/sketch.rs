//! The order of one runbook's steps in one mode, as written: before instances and included runbooks are expanded.
//!
//! Duty: from `needs`, `after`, `phase` and `only` to edges, and what is wrong with them. The plan is built from it and
//! lint asks it, so that the two cannot disagree.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use super::nearest::Nearest;
use crate::{
    diagnostic::Diagnostic,
    graph::Graph,
    model::{Mode, Phase, Runbook, Step},
    source::{Source, Span, Spanned},
};

/// How many edges of a cycle are shown; nobody reads more.
const SHOWN: usize = 100;

/// The order of one runbook's steps in one mode. Node `i` is the `i`-th step of the file; behind the steps come the
/// barriers of the phases that something waits for.
#[derive(Debug)]
pub(crate) struct Sketch {
    /// The mode.
    pub(crate) mode: Mode,
    /// Whether each step exists in this mode. Those that do not are still nodes: order goes on through them.
    pub(crate) exists: Vec<bool>,
    /// The phases whose end is a barrier: node `exists.len() + i`.
    pub(crate) barriers: Vec<Phase>,
    /// Of each node, what must have succeeded.
    pub(crate) needs: Vec<Vec<usize>>,
    /// Of each node, what must have ended, without what is in `needs` already.
    pub(crate) after: Vec<Vec<usize>>,
    /// All of it as a graph.
    pub(crate) graph: Graph,
    /// The nodes, predecessors first, otherwise in file order.
    pub(crate) order: Vec<usize>,
    /// Unknown names, inversions and cycles, in this order. With an inversion or a cycle, `order` means nothing.
    pub(crate) problems: Vec<Diagnostic>,
}

impl Sketch {
    /// The order of a runbook's steps.
    pub(crate) fn new(runbook: &Runbook, source: &Arc<Source>, mode: Mode) -> Self {
        let steps: Vec<(&str, &Spanned<Step>)> = runbook.steps.iter().map(|(id, step)| (id.as_str(), step)).collect();
        let exists: Vec<bool> = steps.iter().map(|(_, step)| exists(step, mode)).collect();
        let mut sketch = Self {
            mode,
            exists,
            barriers: Vec::new(),
            needs: vec![Vec::new(); steps.len()],
            after: vec![Vec::new(); steps.len()],
            graph: Graph::default(),
            order: Vec::new(),
            problems: Vec::new(),
        };
        let spans = sketch.written(&steps, source);
        sketch.defaults(&steps);
        sketch.graph = Graph::of_predecessors(
            sketch.needs.iter().zip(&sketch.after).map(|(needs, after)| needs.iter().chain(after).copied()),
        );
        sketch.order = sketch.graph.order();
        sketch.inversions_and_cycles(&Written { steps: &steps, spans: &spans, source });
        sketch
    }

    /// Whether `order` means something: no step waits in a circle, or for a later phase.
    pub(crate) fn is_ordered(&self) -> bool {
        self.problems.iter().all(|problem| problem.code == "unknown-step")
    }

    /// The edges that are written, and where.
    fn written(&mut self, steps: &[(&str, &Spanned<Step>)], source: &Arc<Source>) -> HashMap<(usize, usize), Span> {
        let mut spans = HashMap::new();
        let numbers: HashMap<&str, usize> = steps.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
        let names = Nearest::new(steps.iter().map(|(id, _)| *id));
        for (at, (id, step)) in steps.iter().enumerate() {
            // One map for both lists: what is needed has ended too, and a name given twice is one edge.
            let lists = [(step.needs.as_deref().unwrap_or_default(), &mut self.needs), (&step.after, &mut self.after)];
            for (list, edges) in lists {
                for name in list {
                    match numbers.get(name.as_str()) {
                        Some(other) => {
                            if let Entry::Vacant(place) = spans.entry((at, *other)) {
                                place.insert(name.span());
                                edges[at].push(*other);
                            }
                        }
                        None => self.problems.push(
                            Diagnostic::error(
                                "unknown-step",
                                source,
                                name.span(),
                                format!("expected the id of a step, found `{}`", name.as_str()),
                            )
                            .label(format!("`{id}` cannot wait for it"))
                            .help(names.help(name, "step")),
                        ),
                    }
                }
            }
        }
        spans
    }

    /// The edges that come from phases, through one barrier for each phase.
    fn defaults(&mut self, steps: &[(&str, &Spanned<Step>)]) {
        let mut members: [Vec<usize>; Phase::ALL.len()] = Default::default();
        for (at, (_, step)) in steps.iter().enumerate() {
            if let Some(phase) = step.phase.as_ref().filter(|_| self.exists[at]) {
                members[place(**phase)].push(at);
            }
        }
        let mut barrier_of: [Option<usize>; Phase::ALL.len()] = [None; Phase::ALL.len()];
        for (at, (_, step)) in steps.iter().enumerate() {
            let (None, Some(phase)) = (&step.needs, &step.phase) else { continue };
            let Some(earlier) = (0..place(**phase)).rev().find(|earlier| !members[*earlier].is_empty()) else {
                continue;
            };
            let barrier = *barrier_of[earlier].get_or_insert_with(|| {
                self.barriers.push(Phase::ALL[earlier]);
                self.needs.push(members[earlier].clone());
                self.after.push(Vec::new());
                self.needs.len() - 1
            });
            self.needs[at].push(barrier);
        }
    }

    fn inversions_and_cycles(&mut self, written: &Written<'_>) {
        let count = written.steps.len();
        // First the cycles that stand in the file edge by edge. An inverted edge inside one is a part of it and not a
        // second finding; a cycle through a phase's default edges that has an inverted edge is that inversion.
        let plain = Graph::of_predecessors(
            (0..count).map(|at| self.needs[at].iter().chain(&self.after[at]).copied().filter(|other| *other < count)),
        );
        let mut component = vec![None; count];
        for (number, nodes) in plain.components().into_iter().enumerate() {
            for node in nodes {
                component[node] = Some(number);
            }
        }
        let of = |node: usize| component.get(node).copied().flatten();
        let together = |a: usize, b: usize| of(a).is_some_and(|here| of(b) == Some(here));
        let inverted = |at: usize, other: usize| {
            written.phase(at).zip(written.phase(other)).is_some_and(|(here, there)| **there > **here)
        };
        for at in 0..count {
            for other in self.needs[at].iter().copied().filter(|other| inverted(at, *other) && !together(at, *other)) {
                self.problems.extend(written.inversion(at, other));
            }
        }
        let rest = Graph::of_predecessors((0..self.needs.len()).map(|at| {
            let needs = self.needs[at].iter().filter(move |other| !inverted(at, **other));
            needs.chain(&self.after[at]).copied().filter(move |other| !together(at, *other))
        }));
        let cycles: Vec<_> = plain.cycles().into_iter().chain(rest.cycles()).collect();
        for cycle in cycles {
            self.problems.push(self.cycle(&cycle, written));
        }
    }

    /// A cycle, each edge of it at its place.
    fn cycle(&self, cycle: &[usize], written: &Written<'_>) -> Diagnostic {
        // The graph goes from what is first to what waits; people write and read it the other way round.
        let mut waits: Vec<usize> = cycle.to_vec();
        waits.reverse();
        let smallest = waits.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(at, _)| at);
        waits.rotate_left(smallest);
        let name = |node: usize| {
            let barrier = || node.checked_sub(written.steps.len()).and_then(|at| self.barriers.get(at));
            let phase = || barrier().map_or_else(String::new, |phase| format!("phase {}", phase.name()));
            written.steps.get(node).map_or_else(phase, |(id, _)| (*id).to_owned())
        };
        let mut shown: Vec<String> = waits.iter().take(SHOWN).map(|node| name(*node)).collect();
        if waits.len() > SHOWN {
            shown.push(format!("({} more)", waits.len() - SHOWN));
        }
        shown.extend(waits.first().map(|node| name(*node)));
        let mut edges = waits.iter().zip(waits.iter().cycle().skip(1)).filter_map(|(at, other)| {
            let (id, step) = written.steps.get(*at)?;
            Some(match written.spans.get(&(*at, *other)) {
                Some(span) if self.needs[*at].contains(other) => (*span, format!("`{id}` needs `{}`", name(*other))),
                Some(span) => (*span, format!("`{id}` comes after `{}`", name(*other))),
                None => {
                    let span = step.phase.as_ref().map_or(step.span(), Spanned::span);
                    (span, format!("`{id}` waits for {}", name(*other)))
                }
            })
        });
        let (span, label) = edges.next().unwrap_or_default();
        let mut problem = Diagnostic::error(
            "dependency-cycle",
            written.source,
            span,
            format!("expected an order, found a cycle: {}", shown.join(" → ")),
        )
        .label(label)
        .help("take one of these edges away: none of the steps could ever start");
        for (span, message) in edges.take(SHOWN) {
            problem = problem.related(written.source, span, message);
        }
        problem
    }
}

/// What stands in the file.
struct Written<'a> {
    steps: &'a [(&'a str, &'a Spanned<Step>)],
    /// Of each written edge, from what waits to what it waits for.
    spans: &'a HashMap<(usize, usize), Span>,
    source: &'a Arc<Source>,
}

impl Written<'_> {
    fn phase(&self, at: usize) -> Option<&Spanned<Phase>> {
        self.steps.get(at)?.1.phase.as_ref()
    }

    /// A step that needs one of a later phase.
    fn inversion(&self, at: usize, other: usize) -> Option<Diagnostic> {
        let (here, there) = (self.phase(at)?, self.phase(other)?);
        let (id, name) = (self.steps.get(at)?.0, self.steps.get(other)?.0);
        let message = format!(
            "expected `{id}` of phase `{}` to need steps of that phase or an earlier one, found `{name}` of phase `{}`",
            here.name(),
            there.name()
        );
        let span = self.spans.get(&(at, other)).copied().unwrap_or_default();
        Some(
            Diagnostic::error("phase-inversion", self.source, span, message)
                .label(format!("phase `{}` comes later", there.name()))
                .related(self.source, there.span(), format!("`{name}` is in this phase"))
                .help(format!("move `{id}` to phase `{}` or a later one, or take the edge away", there.name())),
        )
    }
}

/// Whether a step exists in a mode.
pub(crate) fn exists(step: &Step, mode: Mode) -> bool {
    step.only.as_ref().is_none_or(|only| **only == mode)
}

/// The number of a phase in restore order.
pub(crate) fn place(phase: Phase) -> usize {
    Phase::ALL.iter().position(|other| *other == phase).unwrap_or_default()
}
