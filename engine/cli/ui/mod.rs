//! What a terminal shows, and what it asks.
//!
//! Duty: text. It is a projection of the run's records; nothing in here feeds back but what a person types.

use std::{
    fmt,
    io::{IsTerminal as _, Write as _},
};

use lifeboat_core::words::unsafe_to_print;

pub(crate) mod choose;
pub(crate) mod diagnostics;
pub(crate) mod prompt;
pub(crate) mod screen;

/// Writes to standard output. A reader that has gone away (`| head`) is no error and no panic: nobody wants the rest.
pub(crate) fn out(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// A text without anything that a terminal would obey: what steps print and people write is shown, and not executed.
/// Line ends and tabs stay; colours and other sequences are left out whole.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\n' | '\t' => plain.push(letter),
            '\u{1b}' => skip_sequence(&mut rest),
            letter if unsafe_to_print(letter) => plain.push('·'),
            letter => plain.push(letter),
        }
    }
    plain
}

/// What follows an escape: `[…letter`, `]…` to its end, or one letter.
fn skip_sequence(rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        Some('[') => _ = rest.find(|letter| ('@'..='~').contains(letter)),
        Some(']') => {
            let mut before = ' ';
            _ = rest.find(|&letter| {
                let over = letter == '\u{7}' || (before == '\u{1b}' && letter == '\\');
                before = letter;
                over || letter == '\n'
            });
        }
        _ => {}
    }
}

/// A text behind a beginning, later lines below its first word.
pub(crate) fn wrapped(first: &str, text: &str, width: usize) -> String {
    let begin = first.chars().count();
    let (mut out, mut column) = (first.to_owned(), begin);
    for (at, word) in text.split_whitespace().enumerate() {
        let long = word.chars().count();
        if at > 0 && column + 1 + long > width {
            out.push('\n');
            out.push_str(&" ".repeat(begin));
            column = begin;
        } else if at > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += long;
    }
    out.push('\n');
    out
}

/// Writes to standard error.
pub(crate) fn err(text: &str) {
    let mut err = std::io::stderr().lock();
    drop(err.write_all(text.as_bytes()).and_then(|()| err.flush()));
}

/// Whether a stream wants colour: a terminal that is not dumb, and nobody said `NO_COLOR`.
fn colours(terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How errors and findings are drawn on standard error.
pub(crate) fn handler() -> miette::GraphicalReportHandler {
    let terminal = std::io::stderr().is_terminal();
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let theme = match (colours(terminal), dumb) {
        (true, _) => miette::GraphicalTheme::unicode(),
        (false, true) => miette::GraphicalTheme::none(),
        (false, false) => miette::GraphicalTheme::unicode_nocolor(),
    };
    miette::GraphicalReportHandler::new_themed(theme).with_width(width()).with_links(false)
}

/// Columns of the terminal, between 40 and 100; 80 when there is none.
pub(crate) fn width() -> usize {
    let columns = rustix::termios::tcgetwinsize(std::io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { 80 } else { columns.clamp(40, 100) }
}

/// Tells an error.
pub(crate) fn report(diagnostic: &dyn miette::Diagnostic) {
    let mut text = String::new();
    if handler().render_report(&mut text, diagnostic).is_err() {
        text = format!("{}\n", Plain(diagnostic));
    }
    err(&text);
}

/// An error without any drawing.
struct Plain<'a>(&'a dyn miette::Diagnostic);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.0)?;
        match self.0.help() {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn nothing_is_obeyed() {
        assert_eq!(plain("a\tb\n\u{e9} 🚢"), "a\tb\n\u{e9} 🚢");
        assert_eq!(plain("\u{1b}[1;31mred\u{1b}[0m"), "red");
        assert_eq!(plain("\u{1b}]0;title\u{7}x\u{1b}]8;;http://y\u{1b}\\z"), "xz");
        assert_eq!(plain("a\rb\u{8}c\u{9b}2J\u{0}"), "a·b·c·2J·");
        assert_eq!(plain("\u{202e}abc\u{1b}"), "·abc");
        assert_eq!(plain("\u{1b}[2Jgone\u{1b}["), "gone");
        // What is not seen, and what some take for the end of a line.
        assert_eq!(plain("a\u{200b}b\u{2028}c\u{feff}d\u{2066}e"), "a·b·c·d·e");
    }
}
