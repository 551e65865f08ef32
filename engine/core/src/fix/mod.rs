//! Changes to a text of YAML that leave the rest of it as it is, and several of them at once.
//!
//! Duty: from what is wanted (this scalar, that key) to edits of bytes, so that comments, quotes and line ends stay; and
//! applying them. It must not decide what to change: those who tell findings do. Where it is not sure that nothing else
//! would change it gives no edit: a finding without a fix costs a minute, a wrong fix costs trust.

use std::cell::OnceCell;

use crate::{
    diagnostic::Edit,
    model::{
        parse::{Route, Segment},
        yaml::{self, Core, Node, NodeKind},
    },
    source::{Source, Span},
};

mod comment;
mod entry;
mod lines;
pub mod rounds;
mod shared;
#[cfg(test)]
mod tests;

pub use rounds::{Applied, Mended, apply, mend};

/// Makes edits of one text.
#[derive(Debug)]
pub struct Editor<'a> {
    source: &'a Source,
    root: Option<&'a Node>,
    comments: OnceCell<Vec<Span>>,
    shared: OnceCell<Vec<Span>>,
}

impl<'a> Editor<'a> {
    /// For a text and the tree that was read from it, if it could be read.
    #[must_use]
    pub const fn new(source: &'a Source, root: Option<&'a Node>) -> Self {
        Self { source, root, comments: OnceCell::new(), shared: OnceCell::new() }
    }

    fn text(&self) -> &'a str {
        self.source.text()
    }

    fn comments(&self) -> &[Span] {
        self.comments.get_or_init(|| yaml::comments(self.source))
    }

    /// The edits, unless one of them is inside of something that stands for more than one place.
    #[must_use]
    pub fn sound(&self, edits: Vec<Edit>) -> Option<Vec<Edit>> {
        let shared = self.shared.get_or_init(|| shared::shared(self.source));
        edits.iter().all(|edit| !shared::touches(shared, edit.span)).then_some(edits)
    }

    /// Another text in place of a scalar, a key or a part of one, in the quotes that it has.
    #[must_use]
    pub fn replace(&self, span: Span, old: &str, new: &str) -> Option<Vec<Edit>> {
        let raw = self.source.slice(span);
        let quote = raw.chars().next().filter(|first| matches!(first, '"' | '\''));
        let inside = quote.and_then(|quote| raw.strip_prefix(quote)?.strip_suffix(quote));
        let place = match inside {
            _ if raw == old => span,
            Some(inside) if inside == old => Span::new(span.start + 1, span.end - 1),
            _ => return None,
        };
        // What needs no quotes is the same text in all of them.
        let fits = needs_no_quotes(new) || inside.is_some() && place != span && is_simple(new);
        if fits { self.sound(vec![Edit::new(place, new)]) } else { None }
    }

    /// A value of another type in place of a scalar, without quotes: `true`.
    #[must_use]
    pub fn rewrite(&self, span: Span, text: &str, new: &str) -> Option<Vec<Edit>> {
        let raw = self.source.slice(span);
        if raw == text && is_simple(text) { self.sound(vec![Edit::new(span, new)]) } else { None }
    }

    /// A scalar without its quotes.
    #[must_use]
    pub fn unquote(&self, span: Span, text: &str) -> Option<Vec<Edit>> {
        let raw = self.source.slice(span);
        let quote = raw.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        let inside = raw.strip_prefix(quote)?.strip_suffix(quote)?;
        // A tag before it would make it a text all the same.
        let tagged = self.text()[..span.start].trim_end_matches(' ').ends_with("!!str");
        if inside == text && is_simple(text) && !tagged { self.sound(vec![Edit::new(span, text)]) } else { None }
    }

    /// A scalar as the only element of a list.
    #[must_use]
    pub fn bracket(&self, span: Span, text: &str) -> Option<Vec<Edit>> {
        let raw = self.source.slice(span);
        let quoted = raw.strip_prefix(['"', '\'']).and_then(|rest| rest.strip_suffix(['"', '\'']));
        let plain = raw == text && needs_no_quotes(text);
        if plain || quoted.is_some_and(|inside| inside == text && is_simple(text)) {
            return self.sound(vec![Edit::insert(span.start, "["), Edit::insert(span.end, "]")]);
        }
        None
    }

    /// The nodes on a way, from the top to its end.
    fn way(&self, route: &Route) -> Option<Vec<&'a Node>> {
        let mut nodes = vec![self.root?];
        for segment in route.segments() {
            let above = *nodes.last()?;
            let node = match (&above.kind, segment) {
                (NodeKind::Mapping(mapping), Segment::Key(key)) => &mapping.get(key)?.value,
                (NodeKind::Sequence(items), Segment::Index(index)) => items.get(*index)?,
                _ => return None,
            };
            nodes.push(node);
        }
        // In brackets everything is in brackets, but for the pair that stands alone in a list: `[a: b]`.
        let mut inside = false;
        for node in &nodes {
            let collection = matches!(node.kind, NodeKind::Mapping(_) | NodeKind::Sequence(_));
            if inside && collection && !self.is_flow(node) {
                return None;
            }
            inside |= self.is_flow(node);
        }
        Some(nodes)
    }

    fn is_flow(&self, node: &Node) -> bool {
        let open = match node.kind {
            NodeKind::Mapping(_) => '{',
            NodeKind::Sequence(_) => '[',
            _ => return false,
        };
        self.source.slice(node.span).starts_with(open)
    }
}

/// Whether a text is itself in any style of YAML, in brackets as well.
fn needs_no_quotes(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-./".contains(letter);
    !text.is_empty()
        && text.starts_with(|first: char| first.is_ascii_alphanumeric() || "_./".contains(first))
        && text.chars().all(fits)
        && matches!(Core::of(text), Core::Text)
}

/// Whether a text stands between quotes as it is.
fn is_simple(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| !letter.is_control() && !matches!(letter, '"' | '\'' | '\\'))
}
