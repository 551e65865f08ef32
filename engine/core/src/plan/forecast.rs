//! What can be said about a plan before it runs: what starts together, how long it takes, from where there is no way back.
//!
//! Duty: facts about a plan, for every rendering of it. It must not word them. Times are the authors' estimates, with
//! as many steps at a time as the order allows: a limit on how many run at a time, or a lock, can only make it longer.

use super::Plan;
use crate::{
    duration::Duration,
    graph::{Graph, Longest},
    model::{Mode, Objectives},
};

/// What can be said about a plan before it runs. Numbers are indices into `Plan::nodes`.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// Steps that can start together, by the longest way to them; each in the order in which they would start.
    /// Without barriers and without `cleanup`.
    pub waves: Vec<Vec<usize>>,
    /// The steps that decide how long it takes, first to last.
    pub critical_path: Vec<usize>,
    /// From the start of the run, or of the step that is the disaster in a drill, to the moment when the capability is
    /// back; to the end of the plan when no step says `restores`.
    pub total: Duration,
    /// The step after which the capability is back; the last one, when there are several.
    pub restored_by: Option<usize>,
    /// In a drill, the step that is the disaster.
    pub outage_by: Option<usize>,
    /// Steps of which nobody said how long they take; they count as no time at all.
    pub without_estimate: Vec<usize>,
    /// Steps that can be waited for by a lock or a limit on instances, which the forecast leaves out.
    pub contended: bool,
    /// The first irreversible steps: none of what comes before them is irreversible.
    pub no_return: Vec<usize>,
    /// What those need, and what so is not undone either once they have run.
    pub kept: Vec<usize>,
    longest: Longest,
}

impl Forecast {
    /// Of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let graph = plan.graph();
        let order: Vec<usize> = (0..plan.nodes.len()).collect();
        let weight: Vec<u64> = plan.nodes.iter().map(|node| node.estimate.as_millis()).collect();
        let longest = graph.longest(&order, &weight);
        let main = |at: &usize| plan.nodes[*at].step().is_some_and(|step| !step.cleanup);
        let steps: Vec<usize> = order.iter().copied().filter(main).collect();
        let last = |candidates: &mut dyn Iterator<Item = usize>| {
            candidates.fold(None, |best: Option<usize>, at| match best {
                Some(best) if longest.finish(best) >= longest.finish(at) => Some(best),
                _ => Some(at),
            })
        };
        let says =
            |at: &usize, what: fn(&crate::model::Step) -> bool| plan.nodes[*at].step().is_some_and(|s| what(&s.spec));
        let restored_by = last(&mut steps.iter().copied().filter(|at| says(at, |step| step.restores)));
        let end = restored_by.or_else(|| last(&mut steps.iter().copied()));
        let outage_by =
            steps.iter().copied().find(|at| plan.mode == Mode::Drill && says(at, |step| step.injects_outage));
        let from = outage_by.map_or(0, |at| longest.start(at));
        let path = end.map(|end| longest.path(end)).unwrap_or_default();
        let (no_return, kept) = no_return(plan);
        Self {
            waves: waves(plan, &graph),
            critical_path: path.into_iter().filter(main).collect(),
            total: Duration::from_millis(end.map_or(0, |end| longest.finish(end)).saturating_sub(from)),
            restored_by,
            outage_by,
            without_estimate: steps
                .iter()
                .copied()
                .filter(|at| plan.nodes[*at].step().is_some_and(|step| !step.is_estimated()))
                .collect(),
            contended: steps.iter().any(|at| {
                plan.nodes[*at].step().is_some_and(|step| step.group.is_some() || !step.spec.locks.is_empty())
            }),
            no_return,
            kept,
            longest,
        }
    }

    /// When a node starts at the earliest, from the start of the run.
    #[must_use]
    pub fn start(&self, node: usize) -> Duration {
        Duration::from_millis(self.longest.start(node))
    }

    /// When it ends at the earliest.
    #[must_use]
    pub fn finish(&self, node: usize) -> Duration {
        Duration::from_millis(self.longest.finish(node))
    }
}

impl Plan {
    /// The objectives of the runbook that was asked for.
    #[must_use]
    pub fn objectives(&self) -> Option<Objectives> {
        self.scopes.first().map(|scope| *scope.runbook.recovery.objectives)
    }
}

/// Steps by how many steps come before them on the longest way.
fn waves(plan: &Plan, graph: &Graph) -> Vec<Vec<usize>> {
    let weight: Vec<u64> = plan.nodes.iter().map(|node| u64::from(node.step().is_some())).collect();
    let order: Vec<usize> = (0..plan.nodes.len()).collect();
    let longest = graph.longest(&order, &weight);
    let mut waves: Vec<Vec<usize>> = Vec::new();
    for at in order.into_iter().filter(|at| plan.nodes[*at].step().is_some_and(|step| !step.cleanup)) {
        let wave = usize::try_from(longest.start(at)).unwrap_or(usize::MAX);
        if waves.len() <= wave {
            waves.resize_with(wave + 1, Vec::new);
        }
        waves[wave].push(at);
    }
    for wave in &mut waves {
        wave.sort_by_key(|at| plan.nodes[*at].rank);
    }
    waves
}

/// The first irreversible steps, and the steps that they need.
fn no_return(plan: &Plan) -> (Vec<usize>, Vec<usize>) {
    let irreversible = |at: usize| plan.nodes[at].step().is_some_and(|step| step.spec.irreversible && !step.cleanup);
    let mut behind = vec![false; plan.nodes.len()];
    let mut first = Vec::new();
    for (at, node) in plan.nodes.iter().enumerate() {
        behind[at] = node.needs.iter().chain(&node.after).any(|before| behind[*before] || irreversible(*before));
        if irreversible(at) && !behind[at] {
            first.push(at);
        }
    }
    // Only what is needed is kept: what a step merely comes after can be undone without it.
    let needs = Graph::of_predecessors(plan.nodes.iter().map(|node| node.needs.iter().copied()));
    let kept = needs.ancestors(first.iter().copied());
    let kept = (0..plan.nodes.len()).filter(|at| kept[*at] && plan.nodes[*at].step().is_some()).collect();
    (first, kept)
}
