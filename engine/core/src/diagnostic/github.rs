//! Findings as GitHub shows them beside the lines of a pull request: workflow commands, one a line.
//!
//! Duty: that form, and that nothing in a finding can be taken for another command. What GitHub's runner refuses (columns
//! over several lines, an end before its start) is left out here, because it would drop the whole annotation's place.

use std::fmt::Write as _;

use super::{Diagnostic, Severity, paths};
use crate::source::{Source, Span};

/// How many annotations of each severity GitHub shows for one step of a workflow. All of them are in its log.
pub const SHOWN: usize = 10;

/// The findings in their order. `directory` is the absolute path of the directory of the call: the root of the checkout.
#[must_use]
pub fn to_github(diagnostics: &[Diagnostic], directory: &str) -> String {
    paths::in_order(diagnostics, directory).iter().map(|diagnostic| command(diagnostic, directory)).collect()
}

fn command(diagnostic: &Diagnostic, directory: &str) -> String {
    let name = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let path = paths::located(diagnostic.source.name(), directory);
    let place = place(&diagnostic.source, diagnostic.span);
    let mut message = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        _ = write!(message, "\nhelp: {help}");
    }
    for related in &diagnostic.related {
        let at = related.source.position(related.span.start);
        let path = paths::located(related.source.name(), directory);
        _ = write!(message, "\n{}:{}:{}: {}", path.path(), at.line, at.column, related.message);
    }
    _ = write!(message, "\n{}", diagnostic.url());
    format!("::{name} file={},{place},title={}::{}\n", property(path.path()), property(diagnostic.code), data(&message))
}

/// Lines and columns from 1. The last column is the one of the last character.
fn place(source: &Source, span: Span) -> String {
    let start = source.position(span.start);
    let end = source.position(span.end.max(span.start));
    if start.line == end.line {
        let last = end.column.saturating_sub(1).max(start.column);
        return format!("line={},col={},endLine={},endColumn={last}", start.line, start.column, end.line);
    }
    // A span that ends with a line end does not reach into the next line.
    let last = if end.column == 1 { end.line - 1 } else { end.line };
    format!("line={},endLine={last}", start.line)
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_finding_and_nothing_escapes() {
        let source = Source::new("./a,b/r:1%.yaml", "é: 1\nsteps:\n  a: 2\n");
        let one = Diagnostic::error("test-early", &source, Span::new(4, 5), "100% wrong\r\n::stop-commands::x, y: z")
            .related(&source, Span::new(0, 2), "here, too")
            .help("do this");
        let long = Diagnostic::warning("test-late", &source, Span::new(6, 20), "long");
        let empty = Diagnostic::warning("test-empty", &source, Span::new(6, 6), "empty");
        let text = to_github(&[long, empty, one], "/here");
        let path = "a%2Cb/r%3A1%25.yaml";
        let url = "https://lifeboat.dev/book/reference/diagnostics.html";
        let wanted = [
            format!(
                "::error file={path},line=1,col=4,endLine=1,endColumn=4,title=test-early::100%25 wrong%0D%0A\
                 ::stop-commands::x, y: z%0Ahelp: do this%0Aa,b/r:1%25.yaml:1:1: here, too%0A{url}#test-early"
            ),
            format!(
                "::warning file={path},line=2,col=1,endLine=2,endColumn=1,title=test-empty::empty%0A{url}#test-empty"
            ),
            format!("::warning file={path},line=2,endLine=3,title=test-late::long%0A{url}#test-late"),
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), wanted);
    }
}
