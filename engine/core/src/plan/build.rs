//! From a runbook to a plan: instances, included runbooks, barriers, times, ranks.
//!
//! Duty: the expansion. It must not read files (the caller's resolver does) or run anything. Everything is linear in
//! what comes out: where many wait for many, they meet at a barrier.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use indexmap::IndexMap;

use super::{
    Binding, Node, NodeKind, Plan, PlanScope,
    edges::{Edges, INLINE},
    include::{self, Loaded, Resolver, Unreadable},
    inputs,
    sketch::{self, Sketch},
};
use crate::{
    diagnostic::Diagnostic,
    duration::Duration,
    graph::Graph,
    model::{InputType, Mode, Runbook},
    source::{Source, Span},
};

mod cleanup;
mod expand;
mod step;

/// How many nodes a plan may have.
pub const MOST_NODES: usize = 1_000_000;

/// What a plan is made from.
pub struct Request<'a> {
    /// The runbook that was asked for.
    pub runbook: Arc<Runbook>,
    /// Its file.
    pub source: Arc<Source>,
    /// Incident or drill.
    pub mode: Mode,
    /// The values of its inputs; defaults are filled in, and a secret is `Binding::Secret` of its own name.
    pub inputs: IndexMap<String, Binding>,
    /// Reads included runbooks.
    pub resolve: &'a Resolver<'a>,
}

/// Expands a runbook for one run.
///
/// # Errors
/// All that was found wrong, sorted: with edges, inputs, lists of `forEach`, included runbooks.
pub fn build(request: Request<'_>) -> Result<Plan, Vec<Diagnostic>> {
    let Request { runbook, source, mode, mut inputs, resolve } = request;
    // The value of a secret is nobody's business here, so none has to be there yet.
    for (name, _) in runbook.inputs.iter().filter(|(_, input)| input.kind == InputType::Secret) {
        inputs.entry(name.clone()).or_insert_with(|| Binding::Secret(name.clone()));
    }
    let inputs = inputs::complete(&runbook, &source, inputs, None)?;
    let mut build = Build {
        mode,
        resolve,
        read: HashMap::new(),
        scopes: Vec::new(),
        nodes: Vec::new(),
        lead: Vec::new(),
        groups: 0,
        cleanup: Vec::new(),
        full: false,
        problems: Vec::new(),
    };
    build.scopes.push(PlanScope {
        runbook: Arc::clone(&runbook),
        prefix: String::new(),
        directory: String::new(),
        inputs,
    });
    let way = vec![include::identity("", source.name())];
    let expanded = build.scope(expand::Frame { scope: 0, source, entry: Edges::default(), lead: None, way });
    build.cleanups();
    build.finish(&expanded.in_file_order)
}

/// A plan in the making. Nodes are made after all that they wait for, so their order is topological as it is.
struct Build<'a> {
    mode: Mode,
    resolve: &'a Resolver<'a>,
    /// What was read, by directory and path: instances of an include ask for the same again and again.
    read: HashMap<(String, String), Result<Arc<Loaded>, Unreadable>>,
    scopes: Vec<PlanScope>,
    nodes: Vec<Node>,
    /// Of each node, the place of the phase by which it ranks: that of the outermost step it belongs to.
    lead: Vec<usize>,
    /// How many groups of instances there are.
    groups: usize,
    /// The scopes whose `cleanup` is to be appended, each with its file.
    cleanup: Vec<(usize, Arc<Source>)>,
    /// Whether there are too many nodes; it is said once.
    full: bool,
    problems: Vec<Diagnostic>,
}

impl Build<'_> {
    fn read(&mut self, directory: &str, path: &str) -> Result<Arc<Loaded>, Unreadable> {
        let key = (directory.to_owned(), path.to_owned());
        self.read.entry(key).or_insert_with_key(|(directory, path)| (self.resolve)(directory, path)).clone()
    }

    /// Adds a node. When there is no room for it, the number of one that is there already.
    fn push(&mut self, id: String, kind: NodeKind, edges: Edges, estimate: Duration, lead: usize) -> usize {
        if self.nodes.len() >= MOST_NODES {
            self.full = true;
            return 0;
        }
        let Edges { needs, after } = edges.sorted();
        self.nodes.push(Node {
            id,
            kind,
            needs,
            after,
            dependents: Vec::new(),
            estimate,
            tail: Duration::default(),
            rank: 0,
        });
        self.lead.push(lead);
        self.nodes.len() - 1
    }

    fn barrier(&mut self, id: String, edges: Edges, lead: usize) -> usize {
        self.push(id, NodeKind::Barrier, edges, Duration::default(), lead)
    }

    /// The same edges for several nodes: as they are when they are few, otherwise through a barrier.
    fn shared(&mut self, edges: Edges, users: usize, id: impl FnOnce() -> String, lead: usize) -> Edges {
        if users <= 1 || edges.len() <= INLINE {
            return edges;
        }
        Edges::need(self.barrier(id(), edges, lead))
    }

    /// Whether there is no more room; said at the first place where it matters.
    fn no_room(&mut self, source: &Arc<Source>, span: Span) -> bool {
        if self.full && !self.problems.iter().any(|problem| problem.code == "too-many-nodes") {
            let message = format!("expected at most {MOST_NODES} steps and barriers in a plan, found more");
            self.problems.push(Diagnostic::error("too-many-nodes", source, span, message).help("split the runbook"));
        }
        self.full
    }

    fn sketch(&mut self, runbook: &Runbook, source: &Arc<Source>) -> Option<Sketch> {
        let mut sketch = Sketch::new(runbook, source, self.mode);
        let problems = std::mem::take(&mut sketch.problems);
        let good = problems.is_empty();
        self.problems.extend(problems);
        good.then_some(sketch)
    }

    /// Everything that can be said only when all nodes are there.
    fn finish(mut self, in_file_order: &[usize]) -> Result<Plan, Vec<Diagnostic>> {
        if let Some((_, source)) = self.cleanup.first().cloned() {
            // The very last node may have been the one too many.
            self.no_room(&source, Span::default());
        }
        self.unique();
        if !self.problems.is_empty() {
            self.problems.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
            // One mistake in a runbook that is included many times is one mistake.
            self.problems.dedup_by(|a, b| a.sort_key() == b.sort_key());
            return Err(self.problems);
        }
        let mut nodes = self.nodes;
        for at in 0..nodes.len() {
            let waits: Vec<usize> = nodes[at].needs.iter().chain(&nodes[at].after).copied().collect();
            for before in waits {
                nodes[before].dependents.push(at);
            }
        }
        for at in (0..nodes.len()).rev() {
            let longest = nodes[at].dependents.iter().map(|next| nodes[*next].tail.as_millis()).max().unwrap_or(0);
            nodes[at].tail = Duration::from_millis(longest.saturating_add(nodes[at].estimate.as_millis()));
        }
        let mut place = vec![usize::MAX; nodes.len()];
        for (number, node) in in_file_order.iter().enumerate() {
            place[*node] = number;
        }
        let mut ranked: Vec<usize> = (0..nodes.len()).collect();
        ranked.sort_by_key(|at| (self.lead[*at], Reverse(nodes[*at].tail), place[*at], *at));
        for (rank, at) in ranked.into_iter().enumerate() {
            nodes[at].rank = rank;
        }
        Ok(Plan { mode: self.mode, scopes: self.scopes, nodes })
    }

    /// Ids of nodes are keys everywhere after this, so two that are equal must never get past here.
    fn unique(&mut self) {
        let mut seen: HashSet<&str> = HashSet::with_capacity(self.nodes.len());
        let twice: Vec<String> =
            self.nodes.iter().filter(|node| !seen.insert(&node.id)).map(|node| node.id.clone()).take(10).collect();
        let Some((_, source)) = self.cleanup.first().filter(|_| !twice.is_empty()) else { return };
        let source = Arc::clone(source);
        for id in twice {
            let message = format!("expected every step of a plan to have its own name, found `{id}` twice");
            self.problems.push(Diagnostic::error("duplicate-node", &source, Span::default(), message));
        }
    }
}

impl Plan {
    /// The nodes as a graph, edges of `needs` and of `after` alike.
    #[must_use]
    pub fn graph(&self) -> Graph {
        Graph::of_predecessors(self.nodes.iter().map(|node| node.needs.iter().chain(&node.after).copied()))
    }

    /// The nodes by id.
    #[must_use]
    pub fn index(&self) -> HashMap<&str, usize> {
        self.nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), at)).collect()
    }
}

/// Rank of a phase; what has none comes last.
fn lead(phase: Option<crate::model::Phase>) -> usize {
    phase.map_or(crate::model::Phase::ALL.len(), sketch::place)
}
