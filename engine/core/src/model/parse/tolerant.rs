//! Decoding that goes on after a mistake.
//!
//! Duty: to decode one part of a document; at a mistake to say it, to leave the place out (or make something up for a
//! key that is missing), and to decode again. A part is small (a step, an input), so this stays linear in the file.

use std::{collections::BTreeSet, sync::Arc};

use serde::de::DeserializeOwned;

use super::{
    deserializer::{Notes, Path, Place, listed, one_of},
    error::{Advice, At, Error, Problem},
    fixes::Fixes,
    meant, not_yet,
    route::{Damaged, Route, Segment},
    spelling::Near,
};
use crate::{
    diagnostic::{Diagnostic, Fix},
    duration::DurationError,
    fix::Editor,
    model::yaml::{Core, Entry, Node, NodeKind},
    source::{Source, Span},
};

/// How many values may be looked at for one part, all its tries taken together. Thousands of mistakes in one step fit.
/// Tests are built without optimization, so they have less of it.
const PATIENCE: u64 = if cfg!(test) { 2_000_000 } else { 20_000_000 };

/// Decodes parts of one document and keeps what it has to say about them.
pub(super) struct Decoder<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) root: &'a Node,
    pub(super) notes: Notes,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) damaged: Damaged,
    pub(super) editor: Editor<'a>,
    /// The mappings that have keys which are not known.
    odd: BTreeSet<Route>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(source: &'a Arc<Source>, root: &'a Node) -> Self {
        Self {
            source,
            root,
            notes: Notes::default(),
            diagnostics: Vec::new(),
            damaged: Damaged::default(),
            editor: Editor::new(source, Some(root)),
            odd: BTreeSet::new(),
        }
    }

    /// Whether a mapping has keys that are not known, so that what it seems to lack may be one of them.
    pub(super) fn is_odd(&self, mapping: &Route) -> bool {
        self.odd.contains(mapping)
    }

    /// Tells an error.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.diagnostics.push(Diagnostic::error(code, self.source, span, message).help(help));
    }

    /// Adds a fix to what was told last.
    pub(super) fn offer(&mut self, fix: Option<Fix>) {
        if let Some(last) = self.diagnostics.last_mut() {
            last.fix = fix;
        }
    }

    /// Decodes one part. Without a node, or when the node is of no use, out of placeholders; `None` when even that fails.
    pub(super) fn decode<T: DeserializeOwned>(&mut self, node: Option<&Node>, route: &Route) -> Option<T> {
        let mut node = node;
        let mut fixes = Fixes::default();
        let found = self.notes.found.borrow().len();
        self.notes.visits.set(0);
        loop {
            self.notes.found.borrow_mut().truncate(found);
            let path = Path::Root(route);
            let span = node.map_or_else(|| heading(self.source, self.root, route), |node| node.span);
            let place = Place { node, span, path: &path, fixes: Some(&fixes), notes: &self.notes };
            let error = match T::deserialize(place) {
                Ok(value) => return Some(value),
                Err(error) => error,
            };
            if self.mend(node, route, &mut fixes, error) {
                continue;
            }
            self.damaged.add(route);
            node?;
            node = None;
            fixes = Fixes::default();
        }
    }

    /// Tells an error and sees to it that the next try does not meet it again; `false` when nothing can be saved.
    fn mend(&mut self, node: Option<&Node>, base: &Route, fixes: &mut Fixes, error: Error) -> bool {
        let (problem, advice, at) = error.into_parts();
        let at = at.unwrap_or_else(|| At {
            route: base.clone(),
            span: heading(self.source, self.root, base),
            placeholder: node.is_none(),
        });
        let below = at.route.segments().get(base.segments().len()..).unwrap_or_default();
        if node.is_some() && self.notes.visits.get() > PATIENCE {
            let message = format!("expected fewer mistakes in `{base}` than can be told at once, found more");
            self.error(
                "too-many-mistakes",
                heading(self.source, self.root, base),
                message,
                "mend those that are told, then check again",
            );
            return false;
        }
        match problem {
            Problem::UnknownKey { known } => self.unknown_keys(node, &at.route, below, known, fixes),
            Problem::MissingKey(key) => {
                let wanted = at.route.key(key);
                let there = node
                    .and_then(|node| find(node, below))
                    .and_then(Node::as_mapping)
                    .is_some_and(|mapping| mapping.get(key).is_some());
                // When it is there it was no good, and that has been told.
                if !there && !at.placeholder {
                    self.missing_key(&at.route, key);
                }
                self.damaged.add(&wanted);
                let segments: Vec<_> = below.iter().cloned().chain([Segment::Key(key.to_owned())]).collect();
                fixes.at(&segments).supply()
            }
            _ if at.placeholder => fixes.at(below).other_placeholder(),
            problem => {
                let node = node.and_then(|node| find(node, below));
                if let Some(diagnostic) = self.describe(problem, advice, &at, node) {
                    self.diagnostics.push(diagnostic);
                }
                self.damaged.add(&at.route);
                !below.is_empty() && fixes.at(below).prune()
            }
        }
    }

    /// All keys at once that a mapping must not have: going through them one by one would be quadratic.
    fn unknown_keys(
        &mut self,
        node: Option<&Node>,
        route: &Route,
        below: &[Segment],
        known: &[&str],
        fixes: &mut Fixes,
    ) -> bool {
        let Some((_, above)) = below.split_last() else { return false };
        let Some(mapping) = node.and_then(|node| find(node, above)).and_then(Node::as_mapping) else { return false };
        let around = route.parent().unwrap_or_default();
        let mut new = false;
        for (key, entry) in mapping {
            if known.contains(&key.as_str()) {
                continue;
            }
            let segments: Vec<_> = above.iter().cloned().chain([Segment::Key(key.clone())]).collect();
            if fixes.at(&segments).prune() {
                new = true;
                self.unknown_key(&around, key, entry, known);
            }
        }
        new
    }

    /// Tells a key that a mapping must not have.
    pub(super) fn unknown_key(&mut self, around: &Route, key: &str, entry: &Entry, known: &[&str]) {
        self.damaged.add(&around.key(key));
        self.odd.insert(around.clone());
        if let Some(meanwhile) = not_yet::meanwhile(key, known) {
            return self.error(
                "not-yet",
                entry.key,
                format!("`{key}` is not in this version of Lifeboat yet"),
                meanwhile,
            );
        }
        let near = Near::to(key, known);
        let help = match near.nearest() {
            Some(meant) if around.segments().is_empty() || find_key(self.root, around, meant).is_none() => {
                format!("write `{meant}`, or remove the key")
            }
            Some(meant) => format!("remove the key: `{meant}` is here already"),
            None => format!("remove it; the keys here are {}", listed(known)),
        };
        let message = if around.segments().is_empty() {
            format!("expected a key of a runbook, found `{key}`")
        } else {
            format!("expected a key of `{around}`, found `{key}`")
        };
        self.error("unknown-key", entry.key, message, help);
        let meant = near.only().filter(|(meant, _)| find_key(self.root, around, meant).is_none());
        self.offer(meant.and_then(|meant| meant::word(&self.editor, entry.key, key, meant)));
    }

    /// Tells a key that a mapping must have.
    pub(super) fn missing_key(&mut self, around: &Route, key: &str) {
        let span = heading(self.source, self.root, around);
        let message = if around.segments().is_empty() {
            format!("expected the key `{key}`, found none")
        } else {
            format!("expected the key `{key}` in `{around}`, found none")
        };
        self.error("missing-key", span, message, format!("add `{key}:`"));
        if around.segments().is_empty() && !self.is_odd(around) {
            self.offer(meant::first_lines(&self.editor, self.root, key));
        }
    }

    fn describe(&self, problem: Problem, advice: Advice, at: &At, node: Option<&Node>) -> Option<Diagnostic> {
        let Advice { help, meant } = advice;
        let text = node.and_then(Node::as_text);
        let time = |form: fn(&str) -> Option<String>, safe| {
            let (node, text) = (node?, text?);
            meant::time(&self.editor, node.span, text, &form(text)?, safe)
        };
        // A block of many lines is not a place: its key or first line is.
        let long = self.source.slice(at.span).contains('\n');
        let span = if long { heading(self.source, self.root, &at.route) } else { at.span };
        let error = |code, message: String| Diagnostic::error(code, self.source, span, message);
        let top = "start with `apiVersion: lifeboat.dev/v1` and `kind: Runbook`, one key a line";
        let help = help.or_else(|| at.route.segments().is_empty().then(|| top.to_owned()));
        Some(match problem {
            Problem::Told | Problem::UnknownKey { .. } | Problem::MissingKey(_) => return None,
            Problem::MissingValue => {
                let message = match at.route.segments().last() {
                    Some(Segment::Key(key)) => format!("expected a value, found none: `{key}:` has no value"),
                    _ => "expected a value, found none: this element is empty".to_owned(),
                };
                Diagnostic::error("missing-value", self.source, heading(self.source, self.root, &at.route), message)
                    .help("remove it, or give it a value")
            }
            Problem::WrongType { expected, found } => {
                error("wrong-type", format!("expected {expected}, found {found}"))
                    .help(help.unwrap_or_else(|| format!("write {expected}")))
                    .fix(meant.and_then(|meant| meant::value(&self.editor, node?, &at.route, meant)))
            }
            Problem::InvalidValue { expected, found } => {
                error("invalid-value", format!("expected {expected}, found {found}"))
                    .help(help.unwrap_or_else(|| format!("write {expected}")))
            }
            Problem::UnknownValue { known, found } => {
                let near = Near::to(&found, known);
                let help = match near.nearest() {
                    Some(meant) => format!("write `{meant}`"),
                    None => format!("write {}", one_of(known)),
                };
                let meant = node.and_then(|node| meant::word(&self.editor, node.span, &found, near.only()?));
                error("unknown-value", format!("expected {}, found `{found}`", one_of(known))).help(help).fix(meant)
            }
            Problem::Custom(message) => match node.and_then(|node| Some((node.core()?, node.as_text()?))) {
                Some((core, text)) if message == DurationError::Form(text.to_owned()).to_string() => match core {
                    Core::Int(_) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                        error("wrong-type", format!("expected a time such as `15m`, found the number `{text}`"))
                            .help(format!("add the unit: `{text}s`, `{text}m`, `{text}h` or `{text}d`"))
                            .fix(time(|text| Some(format!("{text}s")), false))
                    }
                    Core::Int(_) | Core::Float(_) => {
                        error("wrong-type", format!("expected a time such as `15m`, found the number `{text}`"))
                            .help("write whole numbers with units, for example `1h30m` for one hour and a half")
                    }
                    _ => error("invalid-value", message)
                        .help("write whole numbers with the units `d`, `h`, `m`, `s` and `ms`, the largest first")
                        .fix(time(crate::duration::spelled_out, true)),
                },
                _ => error("invalid-value", message).help(help.unwrap_or_else(|| "change the value".to_owned())),
            },
        })
    }
}

/// The node at the end of a way.
pub(super) fn find<'n>(node: &'n Node, way: &[Segment]) -> Option<&'n Node> {
    way.iter().try_fold(node, |node, segment| match (&node.kind, segment) {
        (NodeKind::Mapping(mapping), Segment::Key(key)) => mapping.get(key).map(|entry| &entry.value),
        (NodeKind::Sequence(items), Segment::Index(index)) => items.get(*index),
        _ => None,
    })
}

fn find_key<'n>(root: &'n Node, around: &Route, key: &str) -> Option<&'n Entry> {
    find(root, around.segments())?.as_mapping()?.get(key)
}

/// The span of the key at the end of a route.
pub(super) fn key_span(root: &Node, route: &Route) -> Option<Span> {
    let (last, above) = route.segments().split_last()?;
    match last {
        Segment::Key(key) => find(root, above)?.as_mapping()?.get(key).map(|entry| entry.key),
        Segment::Index(_) => None,
    }
}

/// Where to point when a whole value is meant: at its key, or else at its first line; never at all of a long block.
pub(super) fn heading(source: &Source, root: &Node, route: &Route) -> Span {
    if let Some(span) = key_span(root, route) {
        return span;
    }
    let span = find(root, route.segments()).unwrap_or(root).span;
    let first = source.slice(span).lines().next().map_or(0, |line| line.trim_end().len());
    Span::new(span.start, span.start + first)
}
