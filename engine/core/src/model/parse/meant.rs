//! What an author meant by what cannot be read.
//!
//! Duty: fixes for mistakes of the language. Where a value could mean two things there is at most a suggestion.

use super::{Route, Segment, error::Meant};
use crate::{
    diagnostic::Fix,
    fix::Editor,
    model::yaml::{Node, NodeKind},
    source::Span,
};

/// The keys of lists of texts: one text there can only be the only element.
const LISTS: [&str; 6] = ["needs", "after", "locks", "files", "resolvers", "namespaces"];

/// The known word in place of one that is not known. One that differs by case and separators only can be no other.
pub(super) fn word(editor: &Editor<'_>, span: Span, found: &str, (meant, same): (&str, bool)) -> Option<Fix> {
    let edits = editor.replace(span, found, meant)?;
    let title = format!("write `{meant}`");
    Some(if same { Fix::safe(title, edits) } else { Fix::suggestion(title, edits) })
}

/// A value of the type that is wanted.
pub(super) fn value(editor: &Editor<'_>, node: &Node, route: &Route, meant: Meant) -> Option<Fix> {
    let NodeKind::Scalar { text, plain } = &node.kind else { return None };
    match meant {
        Meant::WithoutQuotes => Some(Fix::safe("remove the quotes", editor.unquote(node.span, text)?)),
        Meant::Boolean { value, word } => {
            let edits = editor.rewrite(node.span, text, if value { "true" } else { "false" }).filter(|_| *plain)?;
            let title = format!("write `{value}`");
            Some(if word { Fix::safe(title, edits) } else { Fix::suggestion(title, edits) })
        }
        Meant::OneElement => {
            let Some(Segment::Key(key)) = route.segments().last() else { return None };
            let one = LISTS.contains(&key.as_str()) && !text.contains([' ', ',', ';']);
            let edits = editor.bracket(node.span, text).filter(|_| one)?;
            Some(Fix::safe("put it in brackets", edits))
        }
    }
}

/// A length of time with its unit.
pub(super) fn time(editor: &Editor<'_>, span: Span, found: &str, meant: &str, safe: bool) -> Option<Fix> {
    let edits = editor.replace(span, found, meant)?;
    let title = format!("write `{meant}`");
    Some(if safe { Fix::safe(title, edits) } else { Fix::suggestion(title, edits) })
}

/// One of the two lines that every runbook begins with, when the other one is there.
pub(super) fn first_lines(editor: &Editor<'_>, root: &Node, missing: &str) -> Option<Fix> {
    let is = |key: &str, value: &str| {
        root.as_mapping().and_then(|top| top.get(key)).is_some_and(|entry| entry.value.as_text() == Some(value))
    };
    let (version, kind) = ("lifeboat.dev/v1", "Runbook");
    let (value, edits) = match missing {
        "apiVersion" if is("kind", kind) => (version, editor.add_first(missing, version)?),
        "kind" if is("apiVersion", version) => (kind, editor.add(&Route::new(), "apiVersion", missing, kind)?),
        _ => return None,
    };
    Some(Fix::safe(format!("add `{missing}: {value}`"), edits))
}
