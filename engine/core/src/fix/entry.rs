//! Keys and elements that are taken out or put in.
//!
//! Duty: block and flow style, with indentation, separators and the comment behind an entry. What stands on one line with
//! something that is not understood here is left alone.

use super::Editor;
use crate::{
    diagnostic::Edit,
    model::{
        parse::{Route, Segment},
        yaml::{Entry, Mapping, Node, NodeKind},
    },
    source::Span,
};

/// An entry or element, and what stands beside it.
struct Slot {
    start: usize,
    end: usize,
    before: Option<usize>,
    after: Option<usize>,
}

impl Editor<'_> {
    /// Without the key at the end of a route, its value, its lines and the comment behind it. What would be left empty around
    /// it goes as well.
    #[must_use]
    pub fn remove(&self, route: &Route) -> Option<Vec<Edit>> {
        let way = self.way(route)?;
        let parent = *way.get(way.len().checked_sub(2)?)?;
        let Some(Segment::Key(key)) = route.segments().last() else { return None };
        let mapping = parent.as_mapping()?;
        if mapping.len() == 1 {
            let above = route.parent().filter(|above| !above.segments().is_empty())?;
            return if self.is_all_of(parent, mapping) { self.remove(&above) } else { None };
        }
        let (before, entry, after) = mapping.around(key)?;
        let slot = Slot {
            start: entry.key.start,
            end: self.entry_end(entry)?,
            before: before.and_then(|entry| self.entry_end(entry)),
            after: after.map(|entry| entry.key.start),
        };
        let span = if self.is_flow(parent) { self.out_of_flow(&slot) } else { self.out_of_block(&slot) }?;
        let inside = Span::new(slot.start, span.end);
        if self.has_own_comment(inside) { None } else { self.sound(vec![Edit::remove(span)]) }
    }

    /// Without a key and its value, of which only the places are known: those of a key that is there twice.
    #[must_use]
    pub fn remove_written(&self, key: Span, value: Span) -> Option<Vec<Edit>> {
        let slot = Slot { start: key.start, end: value.end, before: None, after: None };
        let before = self.text()[..key.start].trim_end_matches([' ', '\t']);
        let span = match before.strip_suffix(',') {
            Some(kept) => Span::new(kept.len(), value.end),
            None => self.out_of_block(&slot)?,
        };
        if self.has_own_comment(Span::new(key.start, value.end)) { None } else { self.sound(vec![Edit::remove(span)]) }
    }

    /// With another key in the mapping at a route: behind the key `beside`, when it is there and that can be done. `value` is
    /// YAML on one line that is the same in brackets.
    #[must_use]
    pub fn add(&self, route: &Route, beside: &str, key: &str, value: &str) -> Option<Vec<Edit>> {
        let way = self.way(route)?;
        let parent = *way.last()?;
        let mapping = parent.as_mapping().filter(|mapping| mapping.get(key).is_none())?;
        let line = format!("{key}: {value}");
        if self.is_flow(parent) {
            let Some((_, last)) = mapping.iter().next_back() else {
                let empty = self.source.slice(parent.span).strip_prefix('{')?.strip_suffix('}')?.trim().is_empty();
                return if empty { self.sound(vec![Edit::insert(parent.span.start + 1, line)]) } else { None };
            };
            let end = self.entry_end(last).filter(|end| *end <= parent.span.end)?;
            // A key without a value would take what follows for it.
            if last.value.span.start == last.value.span.end {
                return None;
            }
            return self.sound(vec![Edit::insert(end, format!(", {line}"))]);
        }
        let (_, first) = mapping.iter().next()?;
        let indentation = self.indentation(first.key.start)?;
        let preferred = mapping.get(beside).into_iter();
        let place = preferred.chain(mapping.iter().rev().map(|(_, entry)| entry)).find_map(|entry| {
            let end = self.line_end(self.entry_end(entry)?)?;
            let keeps = entry.value.as_text().is_some_and(|text| text.ends_with("\n\n"));
            let fits = !keeps
                && self.indentation(entry.key.start)?.len() == indentation.len()
                && self.ends_before(end, indentation.len());
            fits.then_some(end)
        });
        let edit = if let Some(end) = place {
            Edit::insert(end, format!("{}{indentation}{line}", self.line_break(end)))
        } else {
            let start = first.key.start;
            Edit::insert(start, format!("{line}{}{indentation}", self.line_break(start)))
        };
        self.sound(vec![edit])
    }

    /// With another key at the top of the document, before all others.
    #[must_use]
    pub fn add_first(&self, key: &str, value: &str) -> Option<Vec<Edit>> {
        let way = self.way(&Route::new())?;
        let top = *way.first()?;
        let (_, first) = top.as_mapping()?.iter().next()?;
        if self.is_flow(top) || self.line_begin(first.key.start).is_none() || top.span.start != first.key.start {
            return None;
        }
        let start = first.key.start;
        self.sound(vec![Edit::insert(start, format!("{key}: {value}{}", self.line_break(start)))])
    }

    /// With another element at the end of the list at a route. `item` is YAML on one line that is the same in brackets.
    #[must_use]
    pub fn append(&self, route: &Route, item: &str) -> Option<Vec<Edit>> {
        let way = self.way(route)?;
        let parent = *way.last()?;
        let items = parent.as_sequence()?;
        let last = items.last()?;
        let inside =
            |span: Span| parent.span.start <= span.start && span.start < span.end && span.end <= parent.span.end;
        if !inside(last.span) {
            return None;
        }
        if self.is_flow(parent) {
            // An alias at the end stands elsewhere for us.
            let rest = self.text()[last.span.end..parent.span.end].trim_start();
            return if rest == "]" { self.sound(vec![Edit::insert(last.span.end, format!(", {item}"))]) } else { None };
        }
        let end = self.line_end(last.span.end)?;
        let indentation = self.indentation(last.span.start)?;
        let dash = self.text()[..last.span.start].trim_end_matches(' ').strip_suffix('-')?;
        let column = dash.len() - dash.rfind('\n').map_or(0, |found| found + 1);
        let keeps = last.as_text().is_some_and(|text| text.ends_with("\n\n"));
        let fits = !keeps && column < indentation.len() && self.line_begin(dash.len()).is_some();
        if fits && self.ends_before(end, column) {
            let edit = Edit::insert(end, format!("{}{}- {item}", self.line_break(end), " ".repeat(column)));
            return self.sound(vec![edit]);
        }
        None
    }

    /// Whether nothing stands in a mapping besides its only entry: no key that could not be taken, no comment.
    fn is_all_of(&self, node: &Node, mapping: &Mapping) -> bool {
        let Some((entry, end)) = mapping.nth(0).and_then(|entry| Some((entry, self.entry_end(entry)?))) else {
            return false;
        };
        let around = [(node.span.start, entry.key.start), (end, node.span.end.max(end))];
        around.into_iter().all(|(from, to)| {
            let text = self.text().get(from..to);
            text.is_some_and(|text| text.chars().all(|letter| letter.is_whitespace() || "{},".contains(letter)))
        })
    }

    /// Where an entry ends; `None` when its value stands elsewhere, as that of an alias does.
    fn entry_end(&self, entry: &Entry) -> Option<usize> {
        let (key, value) = (entry.key, entry.value.span);
        if value.start < key.end || matches!(entry.value.kind, NodeKind::Broken) {
            return None;
        }
        let behind = &self.text()[key.end..];
        let colon = behind.trim_start_matches([' ', '\t']);
        let blanks = behind.len() - colon.len();
        if value.start == value.end && value.start == key.end {
            return Some(if colon.starts_with(':') { key.end + blanks + 1 } else { key.end });
        }
        let gap = colon.strip_prefix(':')?;
        let gap = &gap[..value.start.checked_sub(key.end + blanks + 1)?];
        // Between a key and its value there may be a header, a tag or an anchor, and no other entry.
        let near = value.start < value.end && !gap.trim().contains(['\n', ':', '*']);
        (near && self.is_whole(&entry.value)).then_some(value.end)
    }

    /// Whether a value ends with what is known of it: not with an alias.
    fn is_whole(&self, node: &Node) -> bool {
        if self.is_flow(node) {
            return true;
        }
        match &node.kind {
            NodeKind::Scalar { .. } => true,
            NodeKind::Mapping(mapping) => mapping.last().is_none_or(|last| self.entry_end(last).is_some()),
            NodeKind::Sequence(items) => items.last().is_none_or(|last| {
                node.span.start <= last.span.start && last.span.start < last.span.end && self.is_whole(last)
            }),
            NodeKind::Broken => false,
        }
    }

    fn out_of_block(&self, slot: &Slot) -> Option<Span> {
        let column = slot.start - self.text()[..slot.start].rfind('\n').map_or(0, |found| found + 1);
        let end = self.line_end(slot.end)?;
        if !self.ends_before(end, column) {
            return None;
        }
        if let Some(begin) = self.line_begin(slot.start) {
            return Some(self.take_lines(begin, end).span);
        }
        // The first key of an element of a list: the next one moves up to the dash.
        let dash = self.text()[..slot.start].trim_end_matches(' ').strip_suffix('-')?;
        let after = slot.after?;
        let between = self.text().get(end..after)?.trim().is_empty() && self.line_begin(after).is_some();
        (between && self.line_begin(dash.len()).is_some()).then(|| Span::new(slot.start, after))
    }

    fn out_of_flow(&self, slot: &Slot) -> Option<Span> {
        let text = self.text();
        let comma = |end: usize| {
            let rest = &text[end..];
            let next = rest.trim_start_matches([' ', '\t']);
            if next.starts_with(',') { end + rest.len() - next.len() + 1 } else { end }
        };
        // On lines of its own it goes with them.
        if let (Some(begin), Some(end)) = (self.line_begin(slot.start), self.line_end(comma(slot.end))) {
            return Some(self.take_lines(begin, end).span);
        }
        let is_comma = |from: usize, to: usize| text.get(from..to).is_some_and(|between| between.trim() == ",");
        match (slot.before, slot.after) {
            (_, Some(after)) if is_comma(slot.end, after) => Some(Span::new(slot.start, after)),
            (Some(before), None) if is_comma(before, slot.start) => Some(Span::new(before, slot.end)),
            _ => None,
        }
    }
}

impl Mapping {
    /// An entry, with the one before it and the one behind it.
    fn around(&self, key: &str) -> Option<(Option<&Entry>, &Entry, Option<&Entry>)> {
        let at = self.position(key)?;
        let before = at.checked_sub(1).and_then(|before| self.nth(before));
        Some((before, self.nth(at)?, self.nth(at + 1)))
    }

    fn last(&self) -> Option<&Entry> {
        self.nth(self.len().checked_sub(1)?)
    }
}
