//! What stands in a runbook, as a code span of Markdown.
//!
//! Duty: a text of somebody else that cannot mention, link, load or format anything in a comment. Everything that comes from a
//! runbook goes through here, so that there is one place to get it right.

use crate::words;

/// How many characters of one text are shown; a name may be as long as its author likes.
const LONGEST: usize = 200;

/// Between back-ticks, on one line: nothing in it ends them.
pub(super) fn code(text: &str) -> String {
    let text = words::clip(&text.replace('`', "'"), LONGEST);
    // Two back-ticks with nothing in between open a span, and do not make an empty one.
    format!("`{}`", if text.is_empty() { " " } else { text.as_str() })
}

/// The same in a cell of a table.
pub(super) fn cell(text: &str) -> String {
    // A back-slash before a bar would be read together with ours, and the bar would end the cell and the span.
    code(text).replace("\\|", "\\ |").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out() {
        assert_eq!(code("a`b``c"), "`a'b''c`");
        assert_eq!(code("a\n\n<img src=x>\r\n# b\u{2028}c\u{202e}"), "`a <img src=x> # b c`");
        assert_eq!((code(""), code("\n")), ("` `".to_owned(), "` `".to_owned()));
        assert_eq!(code(&"x".repeat(5_000)).chars().count(), LONGEST + 2);
        assert_eq!(cell("a | b"), "`a \\| b`");
        assert_eq!(cell("a \\| b \\\\| c"), "`a \\ \\| b \\\\ \\| c`");
    }
}
