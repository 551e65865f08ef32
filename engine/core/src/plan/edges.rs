//! What a node waits for, while a plan is made.
//!
//! Duty: two lists that stay small and sorted. It must not know what nodes are.

/// How many edges are copied to several nodes before they meet at a barrier instead.
pub(crate) const INLINE: usize = 16;

/// Nodes that must have succeeded, and nodes that must have ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edges {
    /// Must have succeeded.
    pub(crate) needs: Vec<usize>,
    /// Must have ended.
    pub(crate) after: Vec<usize>,
}

impl Edges {
    /// One node that must have succeeded.
    pub(crate) fn need(node: usize) -> Self {
        Self { needs: vec![node], after: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.needs.len() + self.after.len()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.needs.extend_from_slice(&other.needs);
        self.after.extend_from_slice(&other.after);
    }

    /// Ascending, each node once, and in `after` only what is not needed anyway.
    pub(crate) fn sorted(mut self) -> Self {
        self.needs.sort_unstable();
        self.needs.dedup();
        self.after.sort_unstable();
        self.after.dedup();
        let needs = &self.needs;
        self.after.retain(|node| needs.binary_search(node).is_err());
        self
    }
}

/// What others wait for when they wait for a step as it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    /// For `needs`.
    pub(crate) succeeded: Edges,
    /// For `after`: the nodes that must have ended.
    pub(crate) ended: Vec<usize>,
    /// The name of the barrier behind which `ended` is put as soon as somebody waits for so many.
    pub(crate) name: String,
}

impl Target {
    /// A single node.
    pub(crate) fn node(node: usize) -> Self {
        Self { succeeded: Edges::need(node), ended: vec![node], name: String::new() }
    }
}
