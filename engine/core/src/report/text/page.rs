//! A page of text with a fixed width.

use crate::{report::sentences::Next, words};

/// Columns.
pub(super) const WIDTH: usize = 80;

/// Lines, none of them wider than the page.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// A line as it is. Whatever is not ours must have gone through `words::line`.
    pub(super) fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref().trim_end());
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.line("");
    }

    pub(super) fn section(&mut self, name: &str) {
        self.blank();
        self.wrapped("", name);
    }

    /// A text behind something on its first line, wrapped under itself. Words that are wider than the page are cut.
    pub(super) fn wrapped(&mut self, before: &str, text: &str) {
        self.at_most(before, text, usize::MAX);
    }

    /// The same in at most `most` lines; what does not fit is cut off and an ellipsis says so.
    pub(super) fn at_most(&mut self, before: &str, text: &str, most: usize) {
        let indent = before.chars().count();
        let width = WIDTH.saturating_sub(indent).max(16);
        let mut all = lines(&words::line(text), width);
        if all.len() > most {
            let rest = all.split_off(most.saturating_sub(1)).join(" ");
            all.push(words::clip(&rest, width));
        }
        let mut all = all.into_iter();
        self.line(format!("{before}{}", all.next().unwrap_or_default()));
        for line in all {
            self.line(format!("{:indent$}{line}", ""));
        }
    }

    /// What to do next: the words, and the command on a line of its own.
    pub(super) fn next(&mut self, before: &str, next: &Next, most: usize) {
        let mut before = before.to_owned();
        if !next.what.is_empty() {
            self.at_most(&before, &next.what, most);
            before = " ".repeat(before.chars().count());
        }
        if let Some(command) = &next.command {
            self.at_most(&before, command, most);
        }
    }
}

/// A text in lines of at most `width` characters.
pub(super) fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut rest = word;
        loop {
            let length = rest.chars().count();
            let space = usize::from(used > 0);
            if used + space + length <= width {
                if space > 0 {
                    line.push(' ');
                }
                line.push_str(rest);
                used += space + length;
                break;
            }
            if used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
                continue;
            }
            let cut = rest.char_indices().nth(width.max(1)).map_or(rest.len(), |(at, _)| at);
            let (head, tail) = rest.split_at(cut);
            lines.push(head.to_owned());
            rest = tail;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}
