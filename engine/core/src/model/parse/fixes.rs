//! What is left out of, or made up in, one part of a document so that the rest of it can be decoded.
//!
//! Duty: a tree of fixes that is walked along with the document, so that the document itself stays as it is.

use std::collections::BTreeMap;

use super::route::Segment;

/// What is done at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fix {
    /// It is skipped.
    Pruned,
    /// It is skipped, and a placeholder is given in its stead; the number says which.
    Supplied(u8),
}

/// The placeholders that are tried for a text, one after the other: a name, then something that is a time as well.
pub(super) const TEXTS: [&str; 2] = ["unknown", "0s"];

/// The fixes at and below one place.
#[derive(Debug, Default)]
pub(super) struct Fixes {
    fix: Option<Fix>,
    keys: BTreeMap<String, Fixes>,
    elements: BTreeMap<usize, Fixes>,
}

impl Fixes {
    pub(super) const fn fix(&self) -> Option<Fix> {
        self.fix
    }

    pub(super) fn key(&self, key: &str) -> Option<&Self> {
        self.keys.get(key)
    }

    pub(super) fn element(&self, index: usize) -> Option<&Self> {
        self.elements.get(&index)
    }

    /// The keys for which a placeholder is to be given.
    pub(super) fn supplied(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.keys
            .iter()
            .filter(|(_, fixes)| matches!(fixes.fix, Some(Fix::Supplied(_))))
            .map(|(key, fixes)| (key.as_str(), fixes))
    }

    /// The place at a route.
    pub(super) fn at(&mut self, route: &[Segment]) -> &mut Self {
        let mut place = self;
        for segment in route {
            place = match segment {
                Segment::Key(key) => place.keys.entry(key.clone()).or_default(),
                Segment::Index(index) => place.elements.entry(*index).or_default(),
            };
        }
        place
    }

    /// Skips what is here; `false` when that was so already.
    pub(super) fn prune(&mut self) -> bool {
        let new = self.fix.is_none();
        self.fix.get_or_insert(Fix::Pruned);
        new
    }

    /// Gives a placeholder here; `false` when that was so already.
    pub(super) fn supply(&mut self) -> bool {
        let new = !matches!(self.fix, Some(Fix::Supplied(_)));
        if new {
            self.fix = Some(Fix::Supplied(0));
        }
        new
    }

    /// Gives the next placeholder; `false` when there is none.
    pub(super) fn other_placeholder(&mut self) -> bool {
        match &mut self.fix {
            Some(Fix::Supplied(which)) if usize::from(*which) + 1 < TEXTS.len() => {
                *which += 1;
                true
            }
            _ => false,
        }
    }
}
