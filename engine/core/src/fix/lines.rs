//! Lines, as far as edits have to know them.
//!
//! Duty: where a line begins and ends around a place. A file may be one line of megabytes, so nothing here looks at all of it
//! when a few bytes tell.

use super::Editor;
use crate::{diagnostic::Edit, source::Span};

const BLANK: [char; 2] = [' ', '\t'];

impl Editor<'_> {
    /// Where the line begins, when nothing but blanks stands before a place on it.
    pub(super) fn line_begin(&self, at: usize) -> Option<usize> {
        let before = self.text()[..at].trim_end_matches(BLANK);
        (before.is_empty() || before.ends_with('\n')).then_some(before.len())
    }

    /// Where the line ends, without its line end, when only blanks or a comment stand behind a place on it.
    pub(super) fn line_end(&self, at: usize) -> Option<usize> {
        let rest = &self.text()[at..];
        let next = rest.trim_start_matches(BLANK);
        let skipped = rest.len() - next.len();
        if next.is_empty() || next.starts_with('\n') || next.starts_with("\r\n") {
            return Some(at + skipped);
        }
        if next.starts_with('#') && skipped > 0 {
            let line = next.split('\n').next().unwrap_or(next);
            return Some(at + skipped + line.trim_end_matches('\r').len());
        }
        None
    }

    /// Whole lines, with one line end.
    pub(super) fn take_lines(&self, begin: usize, end: usize) -> Edit {
        let text = self.text();
        let rest = &text[end..];
        if let Some(length) = ["\r\n", "\n"].into_iter().find(|it| rest.starts_with(it)).map(str::len) {
            return Edit::remove(Span::new(begin, end + length));
        }
        // The last line has no end, so it takes that of the line before.
        let before = &text[..begin];
        let before = before.strip_suffix('\n').map_or(before, |kept| kept.strip_suffix('\r').unwrap_or(kept));
        Edit::remove(Span::new(before.len(), end))
    }

    /// The line end that is used around a place.
    pub(super) fn line_break(&self, at: usize) -> &'static str {
        let before = self.text()[..at].rfind('\n');
        let found = before.or_else(|| self.text()[at..].find('\n').map(|found| at + found));
        if found.is_some_and(|found| self.text()[..found].ends_with('\r')) { "\r\n" } else { "\n" }
    }

    /// Spaces as far as a place is from the beginning of its line, when only blanks and dashes stand before it.
    pub(super) fn indentation(&self, at: usize) -> Option<String> {
        let before = &self.text()[..at];
        let line = &before[before.rfind('\n').map_or(0, |found| found + 1)..];
        line.chars().all(|letter| matches!(letter, ' ' | '-')).then(|| " ".repeat(line.len()))
    }

    /// Whether what comes behind a line is further left than a column, or begins there with something other than a dash:
    /// the value above is complete then. An alias at its end, which stands elsewhere for us, would be further right.
    pub(super) fn ends_before(&self, end: usize, column: usize) -> bool {
        let next = self.text()[end..].lines().skip(1).find(|line| {
            let content = line.trim();
            !content.is_empty() && !content.starts_with('#')
        });
        next.is_none_or(|line| {
            let content = line.trim_end().trim_start_matches(' ');
            let indent = line.trim_end().len() - content.len();
            indent < column || indent == column && content != "-" && !content.starts_with("- ")
        })
    }

    /// Whether a comment is inside that stands on a line of its own, or is meant for us: it says more than what its line is.
    pub(super) fn has_own_comment(&self, span: Span) -> bool {
        if !self.source.slice(span).contains('#') {
            return false;
        }
        let comments = self.comments();
        let first = comments.partition_point(|comment| comment.start < span.start);
        comments[first..].iter().take_while(|comment| comment.start < span.end).any(|comment| {
            self.line_begin(comment.start).is_some() || self.source.slice(*comment).contains("lifeboat:")
        })
    }
}
