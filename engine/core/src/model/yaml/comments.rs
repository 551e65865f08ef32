//! The comments of a text, as the YAML scanner sees them: a `#` in quotes or in a block scalar is none.
//!
//! Duty: their places. What they say is for `lint` to know.

use serde_yaml::granit_parser::{self, Event, Parser};

use super::MAX_DEPTH;
use crate::source::{Source, Span};

/// Where each comment stands, from its `#` to the end of the line, in the order of the file. Of a text that is not YAML
/// there are those before the place where reading stops.
#[must_use]
pub fn comments(source: &Source) -> Vec<Span> {
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH + 2,
        block_nesting_limit: MAX_DEPTH + 2,
        // The text is at most as long as a document may be; a long head of comments is no mistake.
        max_buffered_comment_events: usize::MAX,
    };
    options.set_emit_comments(true);
    let mut found = Vec::new();
    for event in Parser::new_from_str_with_options(source.text(), options) {
        match event {
            Ok((Event::Comment(..), place)) => {
                if let Some(range) = place.byte_range() {
                    let text = source.slice(Span::new(range.start, range.end));
                    found.push(Span::new(range.start, range.start + text.trim_end().len()));
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_yaml_takes_for_a_comment_is_one() {
        let text = "# head\n\na: \"# no\" # one\r\nb: x#no\nc: |\n  # no\n  text # no\nd: >- # two\n  # no\n# three\ne: [1, # four\n  # five\n  2]\nf: 'x\n  # no\n  y' # six";
        let source = Source::new("r.yaml", text);
        let found: Vec<&str> = comments(&source).into_iter().map(|span| source.slice(span)).collect();
        assert_eq!(found, ["# head", "# one", "# two", "# three", "# four", "# five", "# six"]);
    }

    #[test]
    fn many_comments_are_no_mistake() {
        let source = Source::new("r.yaml", format!("{}a: 1\n", "# x\n".repeat(10_000)));
        assert_eq!(comments(&source).len(), 10_000);
        let source = Source::new("r.yaml", "a: 1 # x\nb: [");
        assert_eq!(comments(&source).len(), 1);
    }
}
