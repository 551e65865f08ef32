//! What a terminal shows, and what it asks.
//!
//! Duty: text. It is a projection of the run's records; nothing in here feeds back but what a person types.

use std::{
    fmt,
    io::{IsTerminal as _, Write as _},
};

pub(crate) mod diagnostics;
pub(crate) mod prompt;
pub(crate) mod screen;

/// Writes to standard output. A reader that has gone away (`| head`) is no error and no panic: nobody wants the rest.
pub(crate) fn out(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
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
