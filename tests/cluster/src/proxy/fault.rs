//! Faults, and the requests that they hit.

use std::{collections::BTreeSet, time::Duration};

use super::counts::Asked;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request is answered with this HTTP status, and a `Status` object; it does not reach the API server.
    Status {
        /// The HTTP status.
        code: u16,
        /// Seconds, for `Retry-After`.
        retry_after: Option<u32>,
    },
    /// The answer comes so much later. The request does, too. Other rules are looked at after the wait.
    Delay(Duration),
    /// A watch begins, and its first event says that what it wanted to go on from is gone (410).
    Gone,
    /// The API server does what it is asked, and the connection closes before the answer.
    Swallow,
    /// The connection closes, and the API server is not asked.
    Cut,
}

impl Fault {
    /// Answers with this HTTP status.
    #[must_use]
    pub fn status(code: u16) -> Self {
        Self::Status { code, retry_after: None }
    }

    /// Answers with 429 and asks to come again after so many seconds.
    #[must_use]
    pub fn throttle(seconds: u32) -> Self {
        Self::Status { code: 429, retry_after: Some(seconds) }
    }
}

/// A fault, and which requests it hits: all, unless something is said of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    fault: Fault,
    verb: Option<String>,
    path: Option<String>,
    left: Option<usize>,
}

impl Rule {
    /// This fault for every request.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault, verb: None, path: None, left: None }
    }

    /// Only for this verb; see [`Counts::of`](super::Counts::of).
    #[must_use]
    pub fn verb(mut self, verb: &str) -> Self {
        self.verb = Some(verb.to_owned());
        self
    }

    /// Only when the path, without its query, contains this.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.left = Some(times);
        self
    }

    fn is_about(&self, asked: &Asked) -> bool {
        self.left != Some(0)
            && self.verb.as_deref().is_none_or(|verb| verb == asked.verb)
            && self.path.as_deref().is_none_or(|part| asked.path.contains(part))
            // Nothing else has events.
            && (self.fault != Fault::Gone || asked.verb == "watch")
    }
}

/// A fault that was injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Injected(usize);

/// All faults.
#[derive(Debug, Default)]
pub(super) struct Rules {
    all: Vec<Known>,
    expired: BTreeSet<String>,
}

#[derive(Debug)]
struct Known {
    rule: Rule,
    active: bool,
    applied: usize,
}

impl Rules {
    pub(super) fn add(&mut self, rule: Rule) -> Injected {
        self.all.push(Known { rule, active: true, applied: 0 });
        Injected(self.all.len() - 1)
    }

    pub(super) fn applied(&self, injected: Injected) -> usize {
        self.all.get(injected.0).map_or(0, |known| known.applied)
    }

    pub(super) fn remove(&mut self, injected: Injected) {
        if let Some(known) = self.all.get_mut(injected.0) {
            known.active = false;
        }
    }

    pub(super) fn clear(&mut self) {
        self.all.iter_mut().for_each(|known| known.active = false);
        self.expired.clear();
    }

    pub(super) fn expire(&mut self, token: &str) {
        self.expired.insert(token.to_owned());
    }

    pub(super) fn is_expired(&self, token: &str) -> bool {
        self.expired.contains(token)
    }

    /// The faults that hit a request: delays, added up, and the first other one.
    pub(super) fn hit(&mut self, asked: &Asked) -> (Duration, Option<Fault>) {
        let mut delay = Duration::ZERO;
        for known in self.all.iter_mut().filter(|known| known.active && known.rule.is_about(asked)) {
            known.applied += 1;
            if let Some(left) = &mut known.rule.left {
                *left -= 1;
            }
            match &known.rule.fault {
                Fault::Delay(more) => delay += *more,
                other => return (delay, Some(other.clone())),
            }
        }
        (delay, None)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::counts::Asked, Fault, Rule, Rules};

    #[test]
    fn a_rule_hits_what_it_is_about_as_often_as_it_says() {
        let mut rules = Rules::default();
        let slow = rules.add(Rule::new(Fault::Delay(Duration::from_secs(1))));
        let broken = rules.add(Rule::new(Fault::status(503)).verb("create").path("/pods").times(1));
        let create = Asked::new("POST", "/api/v1/namespaces/a/pods", "");
        let get = Asked::new("GET", "/api/v1/namespaces/a/pods/b", "");
        assert_eq!(rules.hit(&get), (Duration::from_secs(1), None));
        assert_eq!(rules.hit(&create), (Duration::from_secs(1), Some(Fault::status(503))));
        assert_eq!(rules.hit(&create), (Duration::from_secs(1), None));
        assert_eq!((rules.applied(slow), rules.applied(broken)), (3, 1));
        rules.remove(slow);
        assert_eq!(rules.hit(&create), (Duration::ZERO, None));
    }

    #[test]
    fn only_a_watch_can_be_told_that_its_past_is_gone() {
        let mut rules = Rules::default();
        rules.add(Rule::new(Fault::Gone));
        assert_eq!(rules.hit(&Asked::new("GET", "/api/v1/pods", "")).1, None);
        assert_eq!(rules.hit(&Asked::new("GET", "/api/v1/pods", "watch=true")).1, Some(Fault::Gone));
    }
}
