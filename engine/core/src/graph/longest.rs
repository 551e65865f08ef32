//! Longest paths: when a node can start at the earliest, and what it waits for.

use super::Graph;

/// For every node, the longest path that ends there. Sums stop at the largest number rather than wrap.
#[derive(Debug, Clone, Default)]
pub struct Longest {
    start: Vec<u64>,
    finish: Vec<u64>,
    via: Vec<Option<usize>>,
}

impl Graph {
    /// The longest paths by the weight of the nodes. `order` must be a topological order, as from [`Graph::order`];
    /// a weight that is missing is 0. Of two paths of the same length, the one by the larger number is taken: in an
    /// order it is the later one, and so the one with the nodes whose weight nobody knows.
    #[must_use]
    pub fn longest(&self, order: &[usize], weight: &[u64]) -> Longest {
        let mut longest =
            Longest { start: vec![0; self.len()], finish: vec![0; self.len()], via: vec![None; self.len()] };
        for node in order.iter().copied() {
            for first in self.predecessors(node) {
                let (finish, via) = (longest.finish[first], longest.via[node]);
                // A predecessor counts even when it takes no time: the path then shows what is waited for.
                if finish > longest.start[node] || (finish == longest.start[node] && via.is_none_or(|via| first > via))
                {
                    longest.start[node] = finish;
                    longest.via[node] = Some(first);
                }
            }
            longest.finish[node] = longest.start[node].saturating_add(weight.get(node).copied().unwrap_or(0));
        }
        longest
    }
}

impl Longest {
    /// The weight of everything before a node.
    #[must_use]
    pub fn start(&self, node: usize) -> u64 {
        self.start.get(node).copied().unwrap_or(0)
    }

    /// The same with the node itself.
    #[must_use]
    pub fn finish(&self, node: usize) -> u64 {
        self.finish.get(node).copied().unwrap_or(0)
    }

    /// The longest path to a node, itself included, first to last.
    #[must_use]
    pub fn path(&self, to: usize) -> Vec<usize> {
        let mut path = vec![to];
        let mut node = to;
        while let Some(before) = self.via.get(node).copied().flatten() {
            path.push(before);
            node = before;
        }
        path.reverse();
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_path_is_by_weight_not_by_count() {
        let mut graph = Graph::new(5);
        for (first, then) in [(0, 1), (1, 4), (0, 2), (2, 3), (3, 4)] {
            graph.edge(first, then);
        }
        let longest = graph.longest(&graph.order(), &[1, 10, 2, 3, 1]);
        assert_eq!(longest.path(4), [0, 1, 4]);
        assert_eq!((longest.start(4), longest.finish(4)), (11, 12));
    }
}
