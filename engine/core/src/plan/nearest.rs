//! The name that was probably meant.
//!
//! Duty: one suggestion, or none when nothing is near. It must not make a file full of mistakes slow.

use std::cell::Cell;

/// Names to look in, and how much looking is left.
#[derive(Debug)]
pub(crate) struct Nearest<'a> {
    names: Vec<&'a str>,
    /// Each comparison costs; a file with a hundred thousand wrong names gets its first suggestions only.
    budget: Cell<usize>,
}

impl<'a> Nearest<'a> {
    /// Over these names.
    pub(crate) fn new(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { names: names.into_iter().collect(), budget: Cell::new(1_000_000) }
    }

    /// The nearest name, when it is near: at most a third of it differs. The first of several.
    pub(crate) fn find(&self, wrong: &str) -> Option<&'a str> {
        self.near(wrong)?.into_iter().min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
    }

    /// The name that is near, when there is no other: what a fix may write.
    pub(crate) fn only(&self, wrong: &str) -> Option<&'a str> {
        match self.near(wrong)?.as_slice() {
            [(_, name)] => Some(name),
            _ => None,
        }
    }

    /// The names that are near, unless looking has become too much.
    fn near(&self, wrong: &str) -> Option<Vec<(usize, &'a str)>> {
        self.budget.set(self.budget.get().checked_sub(self.names.len())?);
        let wrong: Vec<char> = wrong.chars().take(64).collect();
        let limit = (wrong.len() / 3).max(1);
        let distances = self.names.iter().map(|name| (distance(&wrong, name), *name));
        Some(distances.filter(|(distance, _)| *distance <= limit).collect())
    }

    /// What to do about a wrong name: `did you mean …`, or what there is to choose from.
    pub(crate) fn help(&self, wrong: &str, noun: &str) -> String {
        match self.find(wrong) {
            Some(name) => format!("did you mean `{name}`?"),
            None if self.names.is_empty() => format!("there is no {noun} here"),
            None if self.names.len() <= 12 => {
                let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
                format!("there is: {}", names.join(", "))
            }
            None => format!("none of the {} names of a {noun} is near to it", self.names.len()),
        }
    }
}

/// Levenshtein's distance, two neighbours exchanged counting as one.
fn distance(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    if a.len().abs_diff(b.len()) > a.len() / 3 + 1 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && b[j - 1] == *x {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant_and_nothing_far() {
        let names = Nearest::new(["restore-cases", "shift", "count-before"]);
        assert_eq!(names.find("restore-case"), Some("restore-cases"));
        assert_eq!(names.find("shfit"), Some("shift"));
        assert_eq!(names.find("provision"), None);
        assert_eq!(names.only("shfit"), Some("shift"));
        assert_eq!(Nearest::new(["restore-a", "restore-b"]).only("restore-c"), None);
        assert_eq!(names.help("x", "step"), "there is: `restore-cases`, `shift`, `count-before`");
    }
}
