//! Comments that are taken out, and names that are taken out of one.
//!
//! Duty: the comment, and not a byte of what it stands beside.

use super::Editor;
use crate::{diagnostic::Edit, source::Span};

impl Editor<'_> {
    /// Without a comment: with its line when it is alone there, else with the blanks before it.
    #[must_use]
    pub fn remove_comment(&self, comment: Span) -> Option<Vec<Edit>> {
        let end = self.line_end(comment.end)?;
        let edit = if let Some(begin) = self.line_begin(comment.start) {
            self.take_lines(begin, end)
        } else {
            let kept = self.text()[..comment.start].trim_end_matches([' ', '\t']).len();
            Edit::remove(Span::new(kept, end))
        };
        self.sound(vec![edit])
    }

    /// Without one of several names that are separated by commas, with its comma.
    #[must_use]
    pub fn remove_name(&self, names: &[Span], number: usize) -> Option<Vec<Edit>> {
        let here = names.get(number)?;
        let span = match (names.get(number + 1), number.checked_sub(1).and_then(|before| names.get(before))) {
            (Some(next), _) => Span::new(here.start, next.start),
            (None, Some(before)) => Span::new(before.end, here.end),
            (None, None) => return None,
        };
        self.sound(vec![Edit::remove(span)])
    }
}
