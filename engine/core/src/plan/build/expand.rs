//! One runbook into the plan: its steps in order, each with what it waits for.

use std::sync::Arc;

use super::{
    super::{
        edges::{Edges, INLINE, Target},
        sketch::Sketch,
    },
    Build,
};
use crate::{model::Phase, source::Source};

/// A runbook to expand.
pub(super) struct Frame {
    /// Its scope.
    pub(super) scope: usize,
    /// Its file.
    pub(super) source: Arc<Source>,
    /// What its first steps wait for.
    pub(super) entry: Edges,
    /// The phase of the outermost step that includes it.
    pub(super) lead: Option<Phase>,
    /// The runbooks on the way to it, itself last.
    pub(super) way: Vec<String>,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Expanded {
    /// What to wait for to wait for all of it to succeed.
    pub(super) all: Vec<usize>,
    /// The nodes that must have ended when all of it has.
    pub(super) ended: Vec<usize>,
    /// Its nodes in file order.
    pub(super) in_file_order: Vec<usize>,
}

impl Build<'_> {
    /// Expands one runbook.
    pub(super) fn scope(&mut self, frame: Frame) -> Expanded {
        let runbook = Arc::clone(&self.scopes[frame.scope].runbook);
        self.cleanup.push((frame.scope, Arc::clone(&frame.source)));
        let Some(sketch) = self.sketch(&runbook, &frame.source) else { return Expanded::default() };
        let prefix = self.scopes[frame.scope].prefix.clone();
        let lead = super::lead(frame.lead);
        let steps = sketch.exists.len();
        let awaited = end_is_awaited(&sketch);
        let entry = self.shared(frame.entry.clone(), steps, || format!("{}:start", prefix.trim_end_matches('/')), lead);
        let frame = Frame { entry, ..frame };
        let mut targets: Vec<Target> = vec![Target::default(); sketch.needs.len()];
        let mut made: Vec<Vec<usize>> = vec![Vec::new(); sketch.needs.len()];
        for at in sketch.order.iter().copied() {
            let edges = self.edges(&sketch, at, &mut targets, lead);
            let Some((id, step)) = runbook.steps.get_index(at) else {
                targets[at] = self.phase(&sketch, at, &prefix, edges, lead);
                continue;
            };
            if self.no_room(&frame.source, step.span()) {
                break;
            }
            targets[at] = if sketch.exists[at] {
                self.step(&frame, id, step, edges, &mut made[at])
            } else {
                let mut ended = edges.after.clone();
                for other in sketch.needs[at].iter().filter(|_| awaited[at]) {
                    ended.extend(self.ended(&mut targets[*other], lead));
                }
                self.absent(
                    &frame,
                    format!("{prefix}{id}"),
                    edges,
                    Edges { needs: ended, ..Edges::default() }.sorted().needs,
                )
            };
        }
        let mut expanded = Expanded::default();
        for at in (0..steps).filter(|at| sketch.exists[*at]) {
            expanded.all.extend_from_slice(&targets[at].succeeded.needs);
            expanded.ended.append(&mut targets[at].ended);
            expanded.in_file_order.append(&mut made[at]);
        }
        expanded
    }

    /// What a step waits for, as nodes. Steps of the other mode have handed on what they waited for.
    fn edges(&mut self, sketch: &Sketch, at: usize, targets: &mut [Target], lead: usize) -> Edges {
        let mut edges = Edges::default();
        for other in &sketch.needs[at] {
            edges.add(&targets[*other].succeeded);
        }
        for other in &sketch.after[at] {
            edges.after.extend(self.ended(&mut targets[*other], lead));
        }
        edges
    }

    /// The nodes that have ended when a target has, few of them: many are put behind a barrier of their own, which
    /// must not be the one for `needs`, because that one is blocked as soon as the first of them fails.
    fn ended(&mut self, target: &mut Target, lead: usize) -> Vec<usize> {
        if target.ended.len() > 1 && !target.name.is_empty() {
            let after = std::mem::take(&mut target.ended);
            let name = format!("{}:ended", target.name);
            target.ended = vec![self.barrier(name, Edges { needs: Vec::new(), after }, lead)];
        }
        target.ended.clone()
    }

    /// The end of a phase.
    fn phase(&mut self, sketch: &Sketch, at: usize, prefix: &str, edges: Edges, lead: usize) -> Target {
        let phase = at.checked_sub(sketch.exists.len()).and_then(|at| sketch.barriers.get(at)).copied();
        let name = phase.map_or("", Phase::name);
        let lead = if prefix.is_empty() { super::lead(phase) } else { lead };
        Target::node(self.barrier(format!("{prefix}phase:{name}"), edges, lead))
    }

    /// A step of the other mode: what waits for it waits for what it would have waited for.
    fn absent(&mut self, frame: &Frame, name: String, mut edges: Edges, ended: Vec<usize>) -> Target {
        let lead = super::lead(frame.lead);
        let succeeded = if edges.len() > INLINE {
            // Behind a barrier nobody sees any more that nothing in here is needed, so the entry is added now.
            if edges.needs.is_empty() {
                edges.add(&frame.entry);
            }
            Edges::need(self.barrier(name.clone(), edges, lead))
        } else {
            edges
        };
        Target { succeeded, name: if ended.len() > INLINE { name } else { String::new() }, ended }
    }
}

/// For each step that does not exist in this mode, whether somebody waits for its end (and not for its success).
fn end_is_awaited(sketch: &Sketch) -> Vec<bool> {
    let mut awaited = vec![false; sketch.needs.len()];
    for at in sketch.order.iter().rev().copied() {
        let goes_on = sketch.exists.get(at) == Some(&false) && awaited[at];
        for other in sketch.needs[at].iter().filter(|_| goes_on) {
            awaited[*other] = true;
        }
        for other in &sketch.after[at] {
            awaited[*other] = true;
        }
    }
    awaited
}
