//! Order as a graph: numbered nodes, and edges from what comes first to what waits for it.
//!
//! Duty: order, cycles, longest paths, ancestors: each linear in nodes and edges, each without recursion, because a
//! chain of a hundred thousand steps is a legal runbook. It must not know what a node means.

use petgraph::{
    Direction,
    graph::{DiGraph, NodeIndex},
    visit::{Dfs, DfsPostOrder, Reversed},
};

mod cycle;
mod longest;
mod reach;

pub use longest::Longest;

/// A directed graph over the nodes `0..len`.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    inner: DiGraph<(), ()>,
}

impl Graph {
    /// A graph of that many nodes, without edges.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        let mut inner = DiGraph::with_capacity(nodes, nodes);
        for _ in 0..nodes {
            inner.add_node(());
        }
        Self { inner }
    }

    /// A graph from each node's predecessors; a predecessor that is not a node is left out.
    #[must_use]
    pub fn of_predecessors<I: IntoIterator<Item = usize>>(predecessors: impl ExactSizeIterator<Item = I>) -> Self {
        let mut graph = Self::new(predecessors.len());
        for (node, before) in predecessors.enumerate() {
            for first in before {
                graph.edge(first, node);
            }
        }
        graph
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.node_count()
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds that `first` comes before `then`. Nothing is added when one of them is not a node.
    pub fn edge(&mut self, first: usize, then: usize) {
        if first < self.len() && then < self.len() {
            self.inner.add_edge(NodeIndex::new(first), NodeIndex::new(then), ());
        }
    }

    /// What comes directly before a node, the edge that was added last first.
    pub fn predecessors(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.inner.neighbors_directed(NodeIndex::new(node), Direction::Incoming).map(NodeIndex::index)
    }

    /// What waits directly for a node, the edge that was added last first.
    pub fn successors(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.inner.neighbors_directed(NodeIndex::new(node), Direction::Outgoing).map(NodeIndex::index)
    }

    /// Every node once, after all of its predecessors, and otherwise in the order of the numbers: when the numbers are
    /// a possible order already, that is the order. In a graph with cycles their nodes come in some fixed order.
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        let backwards = Reversed(&self.inner);
        let mut order = Vec::with_capacity(self.len());
        let mut visit = DfsPostOrder::empty(backwards);
        for node in self.inner.node_indices() {
            visit.move_to(node);
            while let Some(next) = visit.next(backwards) {
                order.push(next.index());
            }
        }
        order
    }

    /// For each node, whether it comes before one of `nodes`, which are not in the answer unless they come before
    /// another one of them.
    #[must_use]
    pub fn ancestors(&self, nodes: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let backwards = Reversed(&self.inner);
        let mut found = vec![false; self.len()];
        let mut visit = Dfs::empty(backwards);
        for node in nodes.into_iter().filter(|node| *node < self.len()) {
            for first in self.predecessors(node) {
                visit.move_to(NodeIndex::new(first));
                while let Some(next) = visit.next(backwards) {
                    found[next.index()] = true;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        let mut graph = Graph::new(nodes);
        for (first, then) in edges {
            graph.edge(*first, *then);
        }
        graph
    }

    #[test]
    fn order_keeps_the_numbers_where_it_can() {
        assert_eq!(graph(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]).order(), [0, 1, 2, 3]);
        assert_eq!(graph(4, &[(3, 0), (2, 0)]).order(), [3, 2, 0, 1]);
        assert_eq!(graph(0, &[]).order(), [0; 0]);
    }

    #[test]
    fn order_is_complete_even_with_cycles() {
        let mut order = graph(3, &[(0, 1), (1, 0), (1, 2)]).order();
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2]);
    }

    #[test]
    fn ancestors_are_what_comes_before() {
        let graph = graph(5, &[(0, 1), (1, 2), (3, 2), (2, 4)]);
        assert_eq!(graph.ancestors([2]), [true, true, false, true, false]);
        assert_eq!(graph.ancestors([1, 2]), [true, true, false, true, false]);
        assert_eq!(graph.ancestors([9]), [false; 5]);
    }

    #[test]
    fn a_long_chain_does_not_overflow_the_stack() {
        const LENGTH: usize = 100_000;
        let mut graph = Graph::new(LENGTH);
        // Backwards, so that the depth-first search has to go all the way down at once.
        for node in 1..LENGTH {
            graph.edge(node, node - 1);
        }
        let order = graph.order();
        assert_eq!((order.first(), order.last()), (Some(&(LENGTH - 1)), Some(&0)));
        assert!(graph.cycles().is_empty());
        assert_eq!(graph.longest(&order, &vec![1; LENGTH]).finish(0), LENGTH as u64);
        assert!(graph.ancestors([0]).iter().skip(1).all(|found| *found));
        graph.edge(0, LENGTH - 1);
        assert_eq!(graph.cycles().first().map(Vec::len), Some(LENGTH));
    }
}
