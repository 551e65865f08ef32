//! What stands for more than one place: anchors that have aliases, and the aliases.
//!
//! Duty: their places. A change there would change what is far away as well, so nothing is changed there.

use std::collections::{HashMap, HashSet};

use serde_yaml::granit_parser::{self, Event, Parser};

use crate::{
    model::yaml::MAX_DEPTH,
    source::{Source, Span},
};

/// The places, in order, none of them inside another.
pub(super) fn shared(source: &Source) -> Vec<Span> {
    let text = source.text();
    if !(text.contains('&') && text.contains('*')) {
        return Vec::new();
    }
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH + 2,
        block_nesting_limit: MAX_DEPTH + 2,
    };
    options.set_emit_comments(false);
    let mut anchored: HashMap<usize, Span> = HashMap::new();
    let mut used: HashSet<usize> = HashSet::new();
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut places = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let Ok((event, place)) = event else { break };
        let span = place.byte_range().map_or_else(Span::default, |range| Span::new(range.start, range.end));
        match event {
            Event::Scalar(_, _, anchor, _) if anchor != 0 => _ = anchored.insert(anchor, span),
            Event::SequenceStart(_, anchor, _) | Event::MappingStart(_, anchor, _) => open.push((anchor, span.start)),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((anchor, start)) = open.pop().filter(|(anchor, _)| *anchor != 0) {
                    anchored.insert(anchor, Span::new(start, span.end));
                }
            }
            Event::Alias(anchor) => {
                used.insert(anchor);
                places.push(span);
            }
            Event::UnresolvedAlias(_) => places.push(span),
            _ => {}
        }
    }
    places.extend(anchored.into_iter().filter(|(anchor, _)| used.contains(anchor)).map(|(_, span)| span));
    places.sort_unstable();
    let mut apart: Vec<Span> = Vec::new();
    for span in places {
        match apart.last_mut().filter(|last| span.start <= last.end) {
            Some(last) => last.end = last.end.max(span.end),
            None => apart.push(span),
        }
    }
    apart
}

/// Whether a place overlaps with one of them, or is an insertion at the edge of one.
pub(super) fn touches(shared: &[Span], span: Span) -> bool {
    let first = shared.partition_point(|place| place.end < span.start);
    shared.get(first).is_some_and(|place| place.start <= span.end)
}
