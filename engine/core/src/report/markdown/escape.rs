//! Texts that are not ours, made harmless in Markdown.

use crate::report::words;

/// A text on one line in which nothing is Markdown or HTML, in a table too.
pub(super) fn text(text: &str) -> String {
    let text = words::line(text);
    let mut safe = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' => {
                safe.push('\\');
                safe.push(c);
            }
            // Inside of a word it is no emphasis, and names with backslashes are hard to read and to search for.
            '_' if before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric()) => safe.push(c),
            '_' => safe.push_str("\\_"),
            // A mention calls people, a number links an issue; behind a letter neither does.
            '@' | '#' if !before.is_alphanumeric() => {
                safe.push(c);
                safe.push_str("<!-- -->");
            }
            // What would begin a list, a heading or a quote at the start of a line.
            '-' | '+' | '=' if safe.is_empty() => {
                safe.push('\\');
                safe.push(c);
            }
            _ => safe.push(c),
        }
        before = c;
    }
    safe
}

/// A text as it is, in a code span that it cannot leave, in a table too.
pub(super) fn code(text: &str) -> String {
    let text = words::line(text);
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // A table takes the bar apart before it looks for code.
    let inner = text.replace('|', "\\|");
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{inner}{space}{fence}")
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_harmless() {
        assert_eq!(text("a|b\nc"), "a\\|b c");
        assert_eq!(text("<script>alert(1)</script>"), "&lt;script&gt;alert(1)&lt;/script&gt;");
        assert_eq!(text("step `x` *failed* [here](http://x)"), "step \\`x\\` \\*failed\\* \\[here\\](http://x)");
        assert_eq!(text("snake_case _not_"), "snake_case \\_not\\_");
        assert_eq!(text("- no list"), "\\- no list");
        assert_eq!(text("ask @ops, see #12, a@b.c"), "ask @<!-- -->ops, see #<!-- -->12, a@b.c");
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("`a``b`"), "``` `a``b` ```");
        assert_eq!(code(" \n"), "(empty)");
    }
}
