//! Which order is gone, which is new, and how the critical path moves.

use std::collections::{BTreeSet, HashMap};

use crate::{
    graph::Graph,
    model::{Mode, Runbook},
    plan::sketch::Sketch,
};

/// Order and time in one mode.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The mode; `None`: it is the same in both.
    pub mode: Option<Mode>,
    /// Pairs that had an order, and have none any more: they may run at the same time.
    pub lost: Vec<Pair>,
    /// Pairs that have an order now, and had none.
    pub gained: Vec<Pair>,
    /// Pairs whose order was the other way round.
    pub turned: Vec<Pair>,
    /// Pairs that keep their order, but the second goes on now although the first has failed.
    pub loosened: Vec<Pair>,
    /// The critical path before; `None`: the steps had no order, as they wait in a circle or for a later phase.
    pub old: Option<Path>,
    /// The critical path now, likewise.
    pub new: Option<Path>,
}

/// Two steps, by their new names: the first comes before the second, or did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair(pub String, pub String);

/// The steps that decide how long it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Their names, first to last.
    pub steps: Vec<String>,
    /// Milliseconds by the authors' estimates, until the capability is back; to the end when no step says `restores`.
    pub millis: u64,
    /// Steps of which nobody said how long they take.
    pub without_estimate: usize,
}

type Side<'a> = (&'a Runbook, &'a Sketch);

impl Order {
    /// Whether nothing of it is different.
    #[must_use]
    pub fn is_same(&self) -> bool {
        let lists = [&self.lost, &self.gained, &self.turned, &self.loosened];
        lists.into_iter().all(Vec::is_empty) && self.old == self.new
    }

    pub(super) fn between(old: &Side<'_>, new: &Side<'_>, renamed: &[(String, String)], mode: Option<Mode>) -> Self {
        let renamed: HashMap<&str, &String> = renamed.iter().map(|(from, to)| (from.as_str(), to)).collect();
        let new_name = |name: &str| renamed.get(name).map_or_else(|| name.to_owned(), |to| (*to).clone());
        let mut order = Self {
            mode,
            lost: Vec::new(),
            gained: Vec::new(),
            turned: Vec::new(),
            loosened: Vec::new(),
            old: path(old),
            new: path(new),
        };
        let (Some(was), Some(_)) = (&mut order.old, &order.new) else { return order };
        was.steps = was.steps.iter().map(|step| new_name(step)).collect();
        let numbers = |side: &Side<'_>| -> HashMap<String, usize> {
            let all = side.0.steps.keys().enumerate().filter(|(at, _)| side.1.exists[*at]);
            all.map(|(at, id)| (id.clone(), at)).collect()
        };
        let (olds, news) = (numbers(old), numbers(new));
        // Both sides by the new name; only steps that are in both.
        let both: Vec<(String, usize, usize)> = olds
            .iter()
            .filter_map(|(id, at)| {
                let name = new_name(id);
                news.get(&name).map(|to| (name, *at, *to))
            })
            .collect();
        let of_old: HashMap<usize, usize> = both.iter().map(|(_, at, to)| (*at, *to)).collect();
        let of_new: HashMap<usize, usize> = both.iter().map(|(_, at, to)| (*to, *at)).collect();
        let name_of: HashMap<usize, &String> = both.iter().map(|(name, _, to)| (*to, name)).collect();
        let pair =
            |first: usize, then: usize| Some(Pair((*name_of.get(&first)?).clone(), (*name_of.get(&then)?).clone()));

        let was = near(&old.1.graph, &old.1.order, |at| of_old.contains_key(&at));
        let asked: Vec<(usize, usize)> = was.iter().map(|(first, then)| (of_old[first], of_old[then])).collect();
        let turned: Vec<(usize, usize)> = asked.iter().map(|(first, then)| (*then, *first)).collect();
        let still = new.1.graph.come_before(&new.1.order, &asked);
        let other_way = new.1.graph.come_before(&new.1.order, &turned);
        for (at, (first, then)) in asked.iter().enumerate() {
            if other_way[at] {
                order.turned.extend(pair(*then, *first));
            } else if !still[at] {
                order.lost.extend(pair(*first, *then));
            }
        }
        let is = near(&new.1.graph, &new.1.order, |at| of_new.contains_key(&at));
        let asked: Vec<(usize, usize)> = is.iter().map(|(first, then)| (of_new[first], of_new[then])).collect();
        let turned: Vec<(usize, usize)> = asked.iter().map(|(first, then)| (*then, *first)).collect();
        let already = old.1.graph.come_before(&old.1.order, &asked);
        let other_way = old.1.graph.come_before(&old.1.order, &turned);
        for (at, (first, then)) in is.iter().enumerate() {
            if !already[at] && !other_way[at] {
                order.gained.extend(pair(*first, *then));
            }
        }
        // The same with what must have succeeded, and not only ended.
        let was = near(&strict(old.1), &old.1.order, |at| of_old.contains_key(&at));
        let asked: Vec<(usize, usize)> = was.iter().map(|(first, then)| (of_old[first], of_old[then])).collect();
        let still = new.1.graph.come_before(&new.1.order, &asked);
        let strictly = strict(new.1).come_before(&new.1.order, &asked);
        for (at, (first, then)) in asked.iter().enumerate() {
            if still[at] && !strictly[at] {
                order.loosened.extend(pair(*first, *then));
            }
        }
        for list in [&mut order.lost, &mut order.gained, &mut order.turned, &mut order.loosened] {
            list.sort();
            list.dedup();
        }
        order
    }
}

/// What must have succeeded, without what must only have ended.
fn strict(sketch: &Sketch) -> Graph {
    Graph::of_predecessors(sketch.needs.iter().map(|needs| needs.iter().copied()))
}

/// Pairs of steps that follow each other with nothing in between that stays: barriers, and what is not in both, are
/// gone through.
fn near(graph: &Graph, order: &[usize], stays: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); graph.len()];
    let mut pairs = Vec::new();
    for node in order.iter().copied() {
        let mut nearest = BTreeSet::new();
        for first in graph.predecessors(node) {
            if stays(first) {
                nearest.insert(first);
            } else {
                nearest.extend(&before[first]);
            }
        }
        if stays(node) {
            pairs.extend(nearest.iter().map(|first| (*first, node)));
        }
        before[node] = nearest;
    }
    pairs
}

fn path((runbook, sketch): &Side<'_>) -> Option<Path> {
    if !sketch.is_ordered() {
        return None;
    }
    let steps: Vec<_> = runbook.steps.iter().collect();
    let estimate = |at: usize| {
        let (_, step) = steps.get(at).filter(|_| sketch.exists.get(at) == Some(&true))?;
        step.estimated().map(crate::duration::Duration::as_millis)
    };
    let weight: Vec<u64> = (0..sketch.graph.len()).map(|at| estimate(at).unwrap_or(0)).collect();
    let longest = sketch.graph.longest(&sketch.order, &weight);
    let there = |at: &usize| sketch.exists[*at];
    let all = (0..steps.len()).filter(there);
    let restores: Vec<usize> = all.clone().filter(|at| steps[*at].1.restores).collect();
    let ends = if restores.is_empty() { all.clone().collect() } else { restores };
    let end = ends.into_iter().max_by_key(|at| (longest.finish(*at), std::cmp::Reverse(*at)));
    let outage = all.clone().find(|at| sketch.mode == Mode::Drill && steps[*at].1.injects_outage);
    let from = outage.map_or(0, |at| longest.start(at));
    let on_path = end.map(|end| longest.path(end)).unwrap_or_default();
    Some(Path {
        steps: on_path.into_iter().filter(|at| *at < steps.len() && there(at)).map(|at| steps[at].0.clone()).collect(),
        millis: end.map_or(0, |end| longest.finish(end)).saturating_sub(from),
        without_estimate: all.filter(|at| steps[*at].1.estimated().is_none()).count(),
    })
}
