//! Texts that are not ours, made harmless in Markdown.

use crate::words;

/// A text on one line in which nothing is Markdown or HTML, in a table too. What it has between two backticks becomes a
/// code span, as our own sentences mean it; a backtick without another one is only a character.
pub(super) fn text(text: &str) -> String {
    let text = words::line(text);
    let mut safe = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('`') {
        plain(&mut safe, before);
        match after.split_once('`') {
            Some((inside, after)) if !inside.trim().is_empty() => {
                safe.push_str(&code(inside));
                rest = after;
            }
            _ => {
                safe.push_str("\\`");
                rest = after;
            }
        }
    }
    plain(&mut safe, rest);
    safe
}

/// A text without backticks.
fn plain(safe: &mut String, text: &str) {
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
}

/// A text as it is, in a code span, in a table too. What could leave a span, or could be HTML for a reader that does
/// not know spans, is written out of harmless characters instead.
pub(super) fn code(code: &str) -> String {
    let line = words::line(code);
    if line.is_empty() {
        return "(empty)".to_owned();
    }
    // Whether a backslash before a bar escapes it there is read in two ways.
    if line.contains(['`', '<']) || line.contains('|') && line.contains('\\') {
        let mut safe = String::from("<code>");
        plain(&mut safe, &line);
        safe.push_str("</code>");
        return safe;
    }
    // A table takes the bar apart before it looks for code.
    format!("`{}`", line.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_harmless() {
        assert_eq!(text("a|b\nc"), "a\\|b c");
        assert_eq!(text("<script>alert(1)</script>"), "&lt;script&gt;alert(1)&lt;/script&gt;");
        assert_eq!(text("step `x|*` *failed* [here](http://x)"), "step `x\\|*` \\*failed\\* \\[here\\](http://x)");
        assert_eq!(text("a `<b>` ``` c` d"), "a <code>&lt;b&gt;</code> \\`\\``c` d");
        assert_eq!(text("one ` alone"), "one \\` alone");
        assert_eq!(text("snake_case _not_"), "snake_case \\_not\\_");
        assert_eq!(text("- no list"), "\\- no list");
        assert_eq!(text("ask @ops, see #12, a@b.c"), "ask @<!-- -->ops, see #<!-- -->12, a@b.c");
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("`a`<b>"), "<code>\\`a\\`&lt;b&gt;</code>");
        assert_eq!(code("a\\|b"), "<code>a\\\\\\|b</code>");
        assert_eq!(code(" \n"), "(empty)");
    }
}
