//! Ways into a document: `steps.restore.verify[0].expect`.
//!
//! Duty: routes, and sets of them. It must not know what stands at their ends.

use std::{collections::BTreeMap, fmt};

/// One part of a route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A key of a mapping.
    Key(String),
    /// The index of a list's element, from 0, as written in the file.
    Index(usize),
}

/// The way from the top of a document to a place in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Route(Vec<Segment>);

impl Route {
    /// The top of the document.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The route of a key below this one.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.with(Segment::Key(key.into()))
    }

    /// The route of an element below this one.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// Its parts, from the top.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The route of the list or mapping around it, or `None` at the top.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = Vec::with_capacity(self.0.len() + 1);
        segments.extend_from_slice(&self.0);
        segments.push(segment);
        Self(segments)
    }
}

impl FromIterator<Segment> for Route {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_word(key) && at == 0 => f.write_str(key)?,
                Segment::Key(key) if is_word(key) => write!(f, ".{key}")?,
                Segment::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

fn is_word(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || letter == '-' || letter == '_')
}

/// The places of a document that could not be read as they stand. The model lacks them, or holds a placeholder there,
/// so whoever judges the model must not complain about what they touch: it has been told already.
#[derive(Debug, Clone, Default)]
pub struct Damaged {
    here: bool,
    below: BTreeMap<Segment, Damaged>,
}

impl Damaged {
    /// Whether nothing is damaged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.here && self.below.is_empty()
    }

    /// Whether a route is at, below or above a damaged place.
    #[must_use]
    pub fn touches(&self, route: &Route) -> bool {
        let mut place = self;
        for segment in route.segments() {
            if place.here {
                return true;
            }
            match place.below.get(segment) {
                Some(next) => place = next,
                None => return false,
            }
        }
        // A place is kept only when it, or something below it, is damaged.
        !place.is_empty()
    }

    /// Whether a route is at or below a damaged place, so that nothing of it is left.
    #[must_use]
    pub fn covers(&self, route: &Route) -> bool {
        let mut place = self;
        for segment in route.segments() {
            if place.here {
                return true;
            }
            match place.below.get(segment) {
                Some(next) => place = next,
                None => return false,
            }
        }
        place.here
    }

    pub(super) fn add(&mut self, route: &Route) {
        let mut place = self;
        for segment in route.segments() {
            place = place.below.entry(segment.clone()).or_default();
        }
        place.here = true;
    }
}

#[cfg(test)]
mod tests {
    use super::{Damaged, Route};

    #[test]
    fn reads_like_a_path() {
        let route = Route::new().key("steps").key("restore").key("verify").index(0).key("expect");
        assert_eq!(route.to_string(), "steps.restore.verify[0].expect");
        assert_eq!(Route::new().key("roles").key("on call").index(1).to_string(), "roles[\"on call\"][1]");
        assert_eq!(Route::new().to_string(), "");
    }

    #[test]
    fn damage_touches_above_and_below() {
        let step = Route::new().key("steps").key("a");
        let mut damaged = Damaged::default();
        assert!(!damaged.touches(&Route::new()));
        damaged.add(&step.key("verify").index(1));
        for route in [Route::new(), step.clone(), step.key("verify"), step.key("verify").index(1).key("http")] {
            assert!(damaged.touches(&route), "{route}");
        }
        for route in [step.key("exec"), step.key("verify").index(0), Route::new().key("steps").key("b")] {
            assert!(!damaged.touches(&route), "{route}");
        }
        assert!(damaged.covers(&step.key("verify").index(1).key("http")) && !damaged.covers(&step));
    }
}
