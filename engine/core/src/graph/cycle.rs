//! Cycles, so that a person can see and break them.

use std::collections::VecDeque;

use petgraph::algo::kosaraju_scc;

use super::Graph;

/// From how many nodes of a component a shortest cycle is looked for. All of them would be quadratic; people write
/// components of a handful of steps, for which this is all of them.
const STARTS: usize = 16;

impl Graph {
    /// The nodes of each strongly connected component in which there is a cycle, sorted.
    #[must_use]
    pub fn components(&self) -> Vec<Vec<usize>> {
        // Kosaraju's algorithm because petgraph's version of it has no recursion; its version of Tarjan's has.
        let mut components: Vec<Vec<usize>> = kosaraju_scc(&self.inner)
            .into_iter()
            .map(|component| component.into_iter().map(petgraph::graph::NodeIndex::index).collect())
            .filter(|nodes: &Vec<usize>| match nodes.as_slice() {
                [node] => self.successors(*node).any(|next| next == *node),
                _ => true,
            })
            .collect();
        for nodes in &mut components {
            nodes.sort_unstable();
        }
        components.sort_unstable();
        components
    }

    /// One cycle for each strongly connected component, a shortest one: `[a, b, c]` when `a` comes before `b`, `b`
    /// before `c` and `c` before `a`. Each begins with its smallest number; they are sorted.
    #[must_use]
    pub fn cycles(&self) -> Vec<Vec<usize>> {
        let components = self.components();
        let mut of_node = vec![usize::MAX; self.len()];
        for (number, nodes) in components.iter().enumerate() {
            for node in nodes {
                of_node[*node] = number;
            }
        }
        let mut search = Search { graph: self, of_node: &of_node, via: vec![None; self.len()], seen: Vec::new() };
        let mut cycles = Vec::new();
        for (number, nodes) in components.iter().enumerate() {
            let mut best: Option<Vec<usize>> = None;
            for start in nodes.iter().take(STARTS) {
                if let Some(cycle) = search.shortest(*start, number)
                    && best.as_ref().is_none_or(|best| cycle.len() < best.len())
                {
                    best = Some(cycle);
                }
                if best.as_ref().is_some_and(|best| best.len() <= 1) {
                    break;
                }
            }
            if let Some(mut cycle) = best {
                let smallest = cycle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(at, _)| at);
                cycle.rotate_left(smallest);
                cycles.push(cycle);
            }
        }
        cycles.sort_unstable();
        cycles
    }
}

/// A breadth-first search that is used many times without paying for the whole graph each time.
struct Search<'a> {
    graph: &'a Graph,
    of_node: &'a [usize],
    via: Vec<Option<usize>>,
    seen: Vec<usize>,
}

impl Search<'_> {
    /// The shortest way from a node back to itself inside its component.
    fn shortest(&mut self, start: usize, component: usize) -> Option<Vec<usize>> {
        let mut queue = VecDeque::from([start]);
        let mut found = None;
        'search: while let Some(node) = queue.pop_front() {
            for next in self.graph.successors(node) {
                if next == start {
                    found = Some(node);
                    break 'search;
                }
                if self.of_node[next] == component && self.via[next].is_none() {
                    self.via[next] = Some(node);
                    self.seen.push(next);
                    queue.push_back(next);
                }
            }
        }
        let cycle = found.map(|last| {
            let mut cycle = vec![last];
            let mut node = last;
            while let Some(before) = self.via[node].filter(|_| node != start) {
                cycle.push(before);
                node = before;
            }
            cycle.reverse();
            cycle
        });
        for node in self.seen.drain(..) {
            self.via[node] = None;
        }
        cycle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycles(nodes: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let mut graph = Graph::new(nodes);
        for (first, then) in edges {
            graph.edge(*first, *then);
        }
        graph.cycles()
    }

    #[test]
    fn finds_every_component_once_and_its_shortest_cycle() {
        assert_eq!(cycles(3, &[(0, 1), (1, 2)]), [[0; 0]; 0]);
        assert_eq!(cycles(2, &[(1, 1), (0, 1)]), [[1]]);
        assert_eq!(cycles(4, &[(3, 2), (2, 1), (1, 3), (0, 1)]), [[1, 3, 2]]);
        // A ring of four with a short cut: the short cut is what to show.
        assert_eq!(cycles(4, &[(0, 1), (1, 2), (2, 3), (3, 0), (3, 2)]), [[2, 3]]);
        assert_eq!(cycles(5, &[(4, 3), (3, 4), (0, 1), (1, 0)]), [[0, 1], [3, 4]]);
    }
}
