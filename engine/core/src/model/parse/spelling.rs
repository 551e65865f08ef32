//! Which known word was probably meant.
//!
//! Duty: distances between words. It must not know what the words are for.

/// The known words that are near to one that is not known. Looking costs, so it is done once for all questions.
#[derive(Debug)]
pub(super) struct Near<'a>(Vec<(usize, &'a str)>);

impl<'a> Near<'a> {
    pub(super) fn to(word: &str, known: &[&'a str]) -> Self {
        Self(near(word, known).collect())
    }

    /// The nearest one, the first of several.
    pub(super) fn nearest(&self) -> Option<&'a str> {
        self.0.iter().min_by_key(|(distance, _)| *distance).map(|(_, candidate)| *candidate)
    }

    /// The one that must have been meant: there is no other, or it alone differs in nothing but the case of its letters and
    /// what stands between its parts. Whether that is so comes with it.
    pub(super) fn only(&self) -> Option<(&'a str, bool)> {
        let mut same = self.0.iter().filter(|(distance, _)| *distance == 0);
        match (same.next(), same.next(), self.0.as_slice()) {
            (Some((_, candidate)), None, _) => Some((candidate, true)),
            (None, None, [(_, candidate)]) => Some((candidate, false)),
            _ => None,
        }
    }
}

fn near<'a>(word: &str, known: &[&'a str]) -> impl Iterator<Item = (usize, &'a str)> {
    // Nobody mistypes a word into a much longer one, and the distance costs the product of both lengths.
    const LONGEST: usize = 40;
    let bare = bare(word);
    let length = word.len();
    let allowed = (bare.len() / 3).clamp(1, 3);
    let known = if bare.is_empty() || bare.len() > LONGEST { &[] } else { known };
    known
        .iter()
        // A difference in length is a distance already; most candidates need no more than this.
        .filter(move |candidate| candidate.len().abs_diff(length) <= 2 * allowed + 2)
        .map(move |&candidate| (distance(&bare, &self::bare(candidate)), candidate))
        .filter(move |(distance, candidate)| *distance <= allowed && *distance < candidate.len())
}

/// A word without what differs between `onFailure`, `on_failure`, `on-failure` and `OnFailure`.
fn bare(word: &str) -> Vec<char> {
    word.chars().filter(|letter| !matches!(letter, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut here = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (at(&above, column) + usize::from(letter != other))
                .min(at(&above, column + 1) + 1)
                .min(at(&here, column) + 1);
            let swapped =
                row > 0 && column > 0 && from.get(row - 1) == Some(other) && to.get(column - 1) == Some(letter);
            if swapped {
                cost = cost.min(at(&before, column - 1) + 1);
            }
            here.push(cost);
        }
        before = std::mem::replace(&mut above, here);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::Near;

    fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
        Near::to(word, known).nearest()
    }

    fn only<'a>(word: &str, known: &[&'a str]) -> Option<(&'a str, bool)> {
        Near::to(word, known).only()
    }

    #[test]
    fn finds_what_was_meant() {
        let known = ["onFailure", "timeout", "needs", "verify", "phase", "exec", "env"];
        for (word, meant) in [
            ("timout", "timeout"),
            ("tiemout", "timeout"),
            ("on_failure", "onFailure"),
            ("need", "needs"),
            ("Verify", "verify"),
            ("exce", "exec"),
        ] {
            assert_eq!(nearest(word, &known), Some(meant), "{word}");
        }
        for word in ["colour", "x", "", "-", &"e".repeat(10_000)] {
            assert_eq!(nearest(word, &known), None, "{word}");
        }
    }
    #[test]
    fn knows_when_there_is_no_other() {
        let known = ["onFailure", "needs", "restore-a", "restore-b", "restoreB"];
        assert_eq!(only("ON_FAILURE", &known), Some(("onFailure", true)));
        assert_eq!(only("onFailur", &known), Some(("onFailure", false)));
        assert_eq!(only("restore-c", &known), None, "two are near");
        assert_eq!(only("restore_a", &known), Some(("restore-a", true)));
        assert_eq!(only("Restore_b", &known), None, "two are the same");
        assert_eq!(only("colour", &known), None);
    }
}
