//! The runbooks that a file includes, as far as they can be read.
//!
//! Duty: to read each once and to find circles. It must not judge them.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use crate::{
    action::runbook::Include,
    model::{Runbook, parse::Parsed},
    plan::include::{Loaded, Resolver, Unreadable, identity},
    source::Spanned,
};

/// How many files are read at most: more than any tree of runbooks that a plan would take.
const MOST: usize = 1_000;

/// What a file includes.
#[derive(Default)]
pub(crate) struct Includes<'a> {
    /// Include by include, in file order.
    pub(crate) direct: Vec<Included<'a>>,
    /// Every runbook that was read, also those that only the included ones include.
    pub(crate) reached: Vec<Arc<Loaded>>,
    /// Whether all could be read.
    pub(crate) complete: bool,
}

/// A step that includes a runbook.
pub(crate) struct Included<'a> {
    /// The id of the step.
    pub(crate) step: &'a str,
    /// What it says.
    pub(crate) include: &'a Include,
    /// The runbook.
    pub(crate) loaded: Result<Arc<Loaded>, Unreadable>,
    /// The way back to where it began, when this include closes a circle.
    pub(crate) circle: Option<(Vec<String>, String)>,
}

/// Reads what a file includes.
pub(crate) fn read<'a>(parsed: &'a Parsed, runbook: &'a Runbook, resolve: &Resolver<'_>) -> Includes<'a> {
    let mut includes = Includes { complete: true, ..Includes::default() };
    let top = identity("", parsed.source.name());
    let mut seen = HashSet::new();
    for (id, step) in &runbook.steps {
        let Some(include) = &step.runbook else { continue };
        let route = [String::from("steps"), id.clone(), String::from("runbook")];
        if parsed.damaged.touches(&route.into_iter().map(crate::model::parse::Segment::Key).collect()) {
            includes.complete = false;
            continue;
        }
        let loaded = resolve("", &include.path);
        let mut circle = None;
        match &loaded {
            Ok(first) => {
                let name = identity(&first.directory, &include.path);
                circle = follow(first, &name, &top, resolve, &mut seen, &mut includes);
            }
            Err(_) => includes.complete = false,
        }
        includes.direct.push(Included { step: id, include, loaded, circle });
    }
    includes
}

/// Reads on from one include, nearest first, until it comes back to the file itself or to that include.
fn follow(
    first: &Arc<Loaded>,
    name: &str,
    top: &str,
    resolve: &Resolver<'_>,
    seen: &mut HashSet<String>,
    includes: &mut Includes<'_>,
) -> Option<(Vec<String>, String)> {
    if name == top {
        return Some((vec![top.to_owned()], top.to_owned()));
    }
    if !seen.insert(name.to_owned()) {
        return None;
    }
    includes.reached.push(Arc::clone(first));
    let mut circle = None;
    // Each with the way to it. A circle further down that comes back to neither is told when that file is judged.
    let mut queue = VecDeque::from([(Arc::clone(first), vec![top.to_owned(), name.to_owned()])]);
    while let Some((loaded, way)) = queue.pop_front() {
        for include in loaded.runbook.steps.values().filter_map(|step| step.runbook.as_ref()) {
            let path: &Spanned<String> = &include.path;
            let Ok(next) = resolve(&loaded.directory, path) else {
                includes.complete = false;
                continue;
            };
            let next_name = identity(&next.directory, path);
            if next_name == top || next_name == name {
                circle.get_or_insert_with(|| (way.clone(), next_name));
            } else if includes.reached.len() < MOST && seen.insert(next_name.clone()) {
                includes.reached.push(Arc::clone(&next));
                queue.push_back((next, way.iter().cloned().chain([next_name]).collect()));
            }
        }
    }
    circle
}
