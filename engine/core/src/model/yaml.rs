//! YAML text to a tree in which everything knows its place.
//!
//! Duty: YAML 1.2 and its limits (size, depth, aliases), with every problem of that level told. It must not know what
//! a runbook is; `parse` does. Texts stay as they were written: whether `1.10` is a number is asked by who wants one.

use std::{collections::HashMap, sync::Arc};

use indexmap::IndexMap;
use serde_yaml::granit_parser::{self, Event, Parser, ScalarStyle, StructureStyle, Tag};

use crate::{
    diagnostic::Diagnostic,
    fix::Editor,
    source::{Source, Span},
};

mod comments;
mod meant;
mod schema;
mod syntax;
#[cfg(test)]
mod tests;

pub use comments::comments;
pub use schema::Core;

/// The largest document, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The deepest nesting of lists and mappings. Everything that walks a tree may recurse because of it.
pub const MAX_DEPTH: usize = 64;
/// How many nodes may be added to a document by its aliases.
pub const MAX_ALIAS_NODES: usize = 1_000_000;
/// How many bytes of text may be added to a document by its aliases.
pub const MAX_ALIAS_BYTES: usize = 16 * 1024 * 1024;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Where it stands; quotes belong to it, the header of a block scalar does not. What came by an alias stands where
    /// its anchor does, because that is the text to change.
    pub span: Span,
}

/// The kinds of value.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// A single value.
    Scalar {
        /// The text after quotes, escapes and folding; nothing else is done to it.
        text: String,
        /// Whether it stands there without quotes, so that it may be a number, a boolean or null.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping.
    Mapping(Mapping),
    /// Something that could not be read, and about which a diagnostic has already been made.
    Broken,
}

impl Node {
    /// Its entries, when it is a mapping.
    #[must_use]
    pub const fn as_mapping(&self) -> Option<&Mapping> {
        match &self.kind {
            NodeKind::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// Its elements, when it is a list.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.kind {
            NodeKind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Its text, when it is a scalar.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// What a scalar is by the core schema; `None` for what is not a scalar.
    #[must_use]
    pub fn core(&self) -> Option<Core> {
        match &self.kind {
            NodeKind::Scalar { text, plain: true } => Some(Core::of(text)),
            NodeKind::Scalar { .. } => Some(Core::Text),
            _ => None,
        }
    }
}

/// The entries of a mapping in the order of the file; every key is there once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapping(IndexMap<String, Entry>);

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where the key stands.
    pub key: Span,
    /// What it holds.
    pub value: Node,
}

impl Mapping {
    /// The entry of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.0.get(key)
    }

    /// The number of a key, from 0.
    #[must_use]
    pub fn position(&self, key: &str) -> Option<usize> {
        self.0.get_index_of(key)
    }

    /// The entry of a number, from 0.
    #[must_use]
    pub fn nth(&self, number: usize) -> Option<&Entry> {
        self.0.get_index(number).map(|(_, entry)| entry)
    }

    /// All entries, in the order of the file.
    #[must_use]
    pub fn iter(&self) -> indexmap::map::Iter<'_, String, Entry> {
        self.0.iter()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Mapping {
    type Item = (&'a String, &'a Entry);
    type IntoIter = indexmap::map::Iter<'a, String, Entry>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Reads one document. There is a tree unless the text is not YAML, is too much of it, or holds nothing.
#[must_use]
pub fn parse(source: &Arc<Source>) -> (Option<Node>, Vec<Diagnostic>) {
    let text = source.text();
    if let Some(problem) = syntax::unreadable(source) {
        return (None, vec![problem]);
    }
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        // A little more than ours, so that ours is the one that is met in all but the strangest texts.
        flow_nesting_limit: MAX_DEPTH + 2,
        block_nesting_limit: MAX_DEPTH + 2,
    };
    options.set_emit_comments(false);

    let mut builder = Builder::new(source);
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => builder.event(event, &span),
            Err(error) => Err(Box::new(syntax::diagnostic(source, &error))),
        };
        if let Err(problem) = step {
            builder.diagnostics.push(*problem);
            return (None, builder.diagnostics);
        }
    }
    if builder.root.is_none() && builder.diagnostics.is_empty() {
        builder.diagnostics.push(syntax::empty(source));
    }
    let Builder { root, mut diagnostics, again, .. } = builder;
    let editor = Editor::new(source, root.as_ref());
    for again in again {
        if let Some(diagnostic) = diagnostics.get_mut(again.problem) {
            diagnostic.fix = meant::once(&editor, &again);
        }
    }
    (root, diagnostics)
}

/// How large a node is once its aliases are expanded.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    bytes: usize,
    /// How many levels of lists and mappings it has.
    height: usize,
}

impl Weight {
    fn add(&mut self, child: Self) {
        self.nodes = self.nodes.saturating_add(child.nodes);
        self.bytes = self.bytes.saturating_add(child.bytes);
        self.height = self.height.max(child.height + 1);
    }
}

/// A key that waits for its value.
enum Key {
    Good(String, Span),
    /// It has been told about; its value is read and dropped.
    Bad,
    /// Likewise, because it is there already.
    Again {
        key: Span,
        first: Span,
    },
}

/// A key that is there twice with one and the same value.
struct Again {
    /// The number of its diagnostic.
    problem: usize,
    key: Span,
    value: Span,
}

enum Body {
    Sequence(Vec<Node>),
    Mapping(Mapping, Option<Key>),
}

/// A list or mapping that is not complete yet.
struct Frame {
    body: Body,
    flow: bool,
    anchor: usize,
    weight: Weight,
    span: Span,
}

struct Builder<'a> {
    source: &'a Arc<Source>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, (Node, Weight)>,
    /// What aliases have added so far.
    spent: Weight,
    documents: usize,
    root: Option<Node>,
    diagnostics: Vec<Diagnostic>,
    again: Vec<Again>,
}

/// Boxed, because it goes through every event and is hardly ever there.
type Step = Result<(), Box<Diagnostic>>;

impl<'a> Builder<'a> {
    fn new(source: &'a Arc<Source>) -> Self {
        Self {
            source,
            frames: Vec::new(),
            anchors: HashMap::new(),
            spent: Weight::default(),
            documents: 0,
            root: None,
            diagnostics: Vec::new(),
            again: Vec::new(),
        }
    }

    /// Takes one event; an error ends the reading.
    fn event(&mut self, event: Event<'_>, place: &granit_parser::Span) -> Step {
        let span = place.byte_range().map_or_else(Span::default, |range| Span::new(range.start, range.end));
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "expected one document, found a second one";
                    let problem = self.error("more-than-one-document", span, message);
                    return Err(Box::new(problem.help("put it into a file of its own")));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let forced = self.tag(tag.as_deref(), place, true);
                let plain = style == ScalarStyle::Plain && !forced;
                // The parser writes `~` for a value that is not there at all.
                let text = if plain && span.start == span.end { String::new() } else { text.into_owned() };
                let weight = Weight { nodes: 1, bytes: text.len(), height: 0 };
                let span = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => self.without_line_ends(span),
                    _ => span,
                };
                return self.complete(Node { kind: NodeKind::Scalar { text, plain }, span }, weight, anchor);
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.tag(tag.as_deref(), place, false);
                return self.open(Body::Sequence(Vec::new()), style, anchor, span);
            }
            Event::MappingStart(style, anchor, tag) => {
                self.tag(tag.as_deref(), place, false);
                return self.open(Body::Mapping(Mapping::default(), None), style, anchor, span);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(span),
            Event::Alias(id) => return self.alias(id, span),
            Event::UnresolvedAlias(name) => {
                let problem = self.error("unknown-anchor", span, format!("expected a known anchor, found `*{name}`"));
                self.diagnostics.push(problem.help(format!(
                    "write `&{name}` before the value that is meant, further up, or put `*{name}` in quotes if it is text"
                )));
                return self.complete(
                    Node { kind: NodeKind::Broken, span },
                    Weight { nodes: 1, ..Weight::default() },
                    0,
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn error(&self, code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.source, span, message)
    }

    /// A block scalar's span goes on to the next thing; what a person sees ends with its last line.
    fn without_line_ends(&self, span: Span) -> Span {
        let kept = self.source.slice(span).trim_end_matches(['\n', '\r', ' ']).len();
        Span::new(span.start, span.start + kept)
    }

    /// Whether a tag makes a scalar a string. Tags that we do not know are told and then ignored.
    fn tag(&mut self, tag: Option<&Tag>, place: &granit_parser::Span, scalar: bool) -> bool {
        let Some(tag) = tag else { return false };
        match tag.core_suffix() {
            Some("str") if scalar => return true,
            Some("seq" | "map") if !scalar => return false,
            _ => {}
        }
        let span = place.tag_span().or(Some(*place)).and_then(|span| span.byte_range());
        let span = span.map_or_else(Span::default, |range| Span::new(range.start, range.end));
        let problem =
            self.error("yaml-tag", span, format!("expected a value, found the tag `{}`", self.source.slice(span)));
        let fix = meant::untagged(self.source, tag, scalar, span);
        self.diagnostics.push(problem.help("remove the tag: the key says which type its value has").fix(fix));
        false
    }

    fn too_deep(&self, span: Span) -> Diagnostic {
        self.error("too-deep", span, format!("expected at most {MAX_DEPTH} levels of nesting, found more"))
            .help("put what is inside on fewer levels")
    }

    fn open(&mut self, body: Body, style: StructureStyle, anchor: usize, span: Span) -> Step {
        if self.frames.len() >= MAX_DEPTH {
            return Err(Box::new(self.too_deep(span)));
        }
        let weight = Weight { nodes: 1, bytes: 0, height: 1 };
        self.frames.push(Frame { body, flow: style == StructureStyle::Flow, anchor, weight, span });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Step {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let mut span = frame.span;
        if frame.flow {
            // The end of a block is where the next thing begins, which may be lines of comments later.
            span.end = span.end.max(end.end);
        }
        let kind = match frame.body {
            Body::Sequence(items) => NodeKind::Sequence(items),
            Body::Mapping(mapping, _) => NodeKind::Mapping(mapping),
        };
        self.complete(Node { kind, span }, frame.weight, frame.anchor)
    }

    /// Counts what an alias, or the copy kept for an anchor, adds. Without this a few lines could mean terabytes.
    fn spend(&mut self, weight: Weight, span: Span) -> Step {
        self.spent.add(weight);
        if self.spent.nodes > MAX_ALIAS_NODES || self.spent.bytes > MAX_ALIAS_BYTES {
            let message = format!("expected aliases that stand for at most {MAX_ALIAS_NODES} values, found more");
            return Err(Box::new(
                self.error("alias-bomb", span, message).help("write the values out, or use fewer aliases"),
            ));
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, span: Span) -> Step {
        let Some(weight) = self.anchors.get(&id).map(|(_, weight)| *weight) else {
            let problem = self.error(
                "recursive-alias",
                span,
                "expected a value that is complete, found an alias inside its own anchor",
            );
            self.diagnostics.push(problem.help("write the value out"));
            return self.complete(Node { kind: NodeKind::Broken, span }, Weight { nodes: 1, ..Weight::default() }, 0);
        };
        self.spend(weight, span)?;
        if self.frames.len() + weight.height > MAX_DEPTH {
            return Err(Box::new(self.too_deep(span)));
        }
        match self.anchors.get(&id).map(|(node, _)| node.clone()) {
            Some(node) => self.complete(node, weight, 0),
            None => Ok(()),
        }
    }

    /// Gives a complete node to the list or mapping around it.
    fn complete(&mut self, node: Node, weight: Weight, anchor: usize) -> Step {
        if anchor != 0 {
            self.spend(weight, node.span)?;
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        let Some(mut frame) = self.frames.pop() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.weight.add(weight);
        // What an alias stands for may be anywhere in the file: it must not stretch what is around it.
        if node.span.start >= frame.span.start {
            frame.span.end = frame.span.end.max(node.span.end);
        }
        match &mut frame.body {
            Body::Sequence(items) => items.push(node),
            Body::Mapping(mapping, waiting) => match waiting.take() {
                None => *waiting = Some(self.key(node, mapping)),
                Some(Key::Good(key, span)) => {
                    mapping.0.insert(key, Entry { key: span, value: node });
                }
                Some(Key::Bad) => {}
                Some(Key::Again { key, first }) => {
                    let (here, there) = (self.source.slice(node.span), self.source.slice(first));
                    // What came by an alias stands before its key.
                    if here == there && !here.is_empty() && node.span.start > key.end {
                        let told = self.diagnostics.iter().rposition(|it| it.code == "duplicate-key" && it.span == key);
                        self.again.extend(told.map(|problem| Again { problem, key, value: node.span }));
                    }
                }
            },
        }
        self.frames.push(frame);
        Ok(())
    }

    fn key(&mut self, node: Node, mapping: &Mapping) -> Key {
        let problem = match node.kind {
            NodeKind::Scalar { text, plain } if !(plain && Core::of(&text) == Core::Null) => {
                if plain && text == "<<" {
                    self.error("yaml-merge-key", node.span, "expected a key, found the merge key `<<`")
                        .help("write the keys out: YAML 1.2 has no merge key")
                } else if let Some(first) = mapping.get(&text) {
                    let again = Key::Again { key: node.span, first: first.value.span };
                    let problem = self
                        .error("duplicate-key", node.span, format!("expected every key once, found `{text}` again"))
                        .label("again here")
                        .related(self.source, first.key, "first here")
                        .help("remove one of the two, or join them");
                    self.diagnostics.push(problem);
                    return again;
                } else {
                    return Key::Good(text, node.span);
                }
            }
            NodeKind::Broken => return Key::Bad,
            kind => syntax::bad_key(self.source, &kind, node.span),
        };
        self.diagnostics.push(problem);
        Key::Bad
    }
}
