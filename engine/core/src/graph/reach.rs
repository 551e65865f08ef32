//! Whether one node comes before another, for many pairs at once.

use std::collections::BTreeMap;

use super::Graph;

/// How many nodes are followed through the graph in one pass.
const LANES: usize = 256;
type Bits = [u64; LANES / 64];

impl Graph {
    /// For each pair `(first, then)`, whether `first` comes before `then`. `order` must be a topological order.
    ///
    /// Up to 256 different firsts cost one pass over the part of the graph between them and what asks for them, so
    /// this stays near linear for texts that look a few steps back, which is what people write.
    #[must_use]
    pub fn come_before(&self, order: &[usize], pairs: &[(usize, usize)]) -> Vec<bool> {
        let mut position = vec![0_usize; self.len()];
        for (at, node) in order.iter().enumerate() {
            position[*node] = at;
        }
        let mut answers = vec![false; pairs.len()];
        // By position, so that the firsts of one pass lie close together and the pass is short.
        let mut by_first: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, (first, then)) in pairs.iter().enumerate() {
            if *first < self.len() && *then < self.len() && position[*first] < position[*then] {
                by_first.entry(position[*first]).or_default().push(number);
            }
        }
        let firsts: Vec<(usize, Vec<usize>)> = by_first.into_iter().collect();
        let mut bits: Vec<Bits> = vec![Bits::default(); self.len()];
        for batch in firsts.chunks(LANES) {
            let Some((from, _)) = batch.first() else { continue };
            let last = batch.iter().flat_map(|(_, asking)| asking).map(|number| position[pairs[*number].1]).max();
            let part = &order[*from..=last.unwrap_or(*from)];
            for (lane, (at, _)) in batch.iter().enumerate() {
                bits[order[*at]][lane / 64] |= 1 << (lane % 64);
            }
            for node in part.iter().copied() {
                let mut sum = bits[node];
                for first in self.predecessors(node) {
                    for (sum, more) in sum.iter_mut().zip(bits[first]) {
                        *sum |= more;
                    }
                }
                bits[node] = sum;
            }
            for (lane, (_, asking)) in batch.iter().enumerate() {
                for number in asking {
                    answers[*number] = bits[pairs[*number].1][lane / 64] >> (lane % 64) & 1 == 1;
                }
            }
            for node in part {
                bits[*node] = Bits::default();
            }
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_ancestors() {
        // A fixed scatter of edges, more firsts than fit into one pass.
        const NODES: usize = 700;
        let mut graph = Graph::new(NODES);
        let mut seed = 7_usize;
        for then in 1..NODES {
            for _ in 0..2 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if !(seed >> 33).is_multiple_of(3) {
                    graph.edge((seed >> 40) % then, then);
                }
            }
        }
        let order = graph.order();
        for then in [0, 1, 350, 699] {
            let pairs: Vec<_> = (0..NODES).map(|first| (first, then)).collect();
            assert_eq!(graph.come_before(&order, &pairs), graph.ancestors([then]), "{then}");
        }
    }
}
