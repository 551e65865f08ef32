//! What was meant by YAML that cannot be taken as it stands, where there is no other reading.
//!
//! Duty: fixes for mistakes of this level. It must not guess: there are only safe ones here.

use serde_yaml::granit_parser::Tag;

use super::Again;
use crate::{
    diagnostic::{Edit, Fix},
    fix::Editor,
    source::{Source, Span},
};

/// One of two entries that say the same.
pub(super) fn once(editor: &Editor<'_>, again: &Again) -> Option<Fix> {
    let edits = editor.remove_written(again.key, again.value)?;
    Some(Fix::safe("remove the second one, which says the same", edits))
}

/// A value without a tag that says what it is anyway.
pub(super) fn untagged(source: &Source, tag: &Tag, scalar: bool, span: Span) -> Option<Fix> {
    let plain = matches!(tag.core_suffix(), Some("int" | "float" | "bool")) && scalar;
    let raw = source.slice(span);
    let blanks = source.text().get(span.end..)?.bytes().take_while(|byte| *byte == b' ').count();
    let span = Span::new(span.start, span.end + blanks);
    (plain && raw.starts_with('!') && !raw.contains(' ') && blanks > 0)
        .then(|| Fix::safe("remove the tag", vec![Edit::remove(span)]))
}

/// A template in quotes that is all of a value, at the first of its brackets.
pub(super) fn quoted(source: &Source, start: usize) -> Option<Fix> {
    let text = source.text();
    let rest = text.get(start..)?.strip_prefix("{{")?;
    let inside = rest.find(['}', '{', '"', '\\', '#', '\n']).filter(|at| rest[*at..].starts_with("}}"))?;
    let end = start + 2 + inside + 2;
    let behind = text.get(end..)?.trim_start_matches([' ', '\t']);
    let ends = behind.is_empty() || behind.starts_with(['\n', '\r', '#', ',', ']', '}']);
    let before = text.get(..start)?;
    let begins = [": ", "- ", "[", ", "].iter().any(|it| before.ends_with(it));
    (ends && begins && inside > 0).then(|| in_quotes(start, end))
}

/// A value in quotes that begins with a template and goes on to the end of its line.
pub(super) fn quoted_line(source: &Source, at: usize) -> Option<Fix> {
    let line = source.line(source.position(at).line)?;
    let base = line.as_ptr() as usize - source.text().as_ptr() as usize;
    let start = [": {{", "- {{"].iter().filter_map(|it| line.find(it)).min()? + 2;
    let (before, value) = (&line[..start], line[start..].trim_end());
    let alone = !before.contains(['"', '\'', '{', '[', '#']) && !value.contains(['"', '\\', '#']);
    // Brackets that close here and not in a template belong to something around the value.
    let balanced = value.matches("{{").count() == value.matches("}}").count()
        && value.matches(['{', '}']).count() == 4 * value.matches("{{").count()
        && !value.ends_with([',', ']', ':']);
    (alone && balanced).then(|| in_quotes(base + start, base + start + value.len()))
}

fn in_quotes(start: usize, end: usize) -> Fix {
    Fix::safe("put the template in quotes", vec![Edit::insert(start, "\""), Edit::insert(end, "\"")])
}
