//! Whether all objects of a list are ready, and which ones are not.
//!
//! Duty: counting verdicts. It must not have a rule of its own for any kind, and it does not know how many objects
//! there should be: an empty list is judged by who asked for it.

use serde_json::Value;

use super::{
    object,
    readiness::{Around, Readiness, readiness},
    words,
};

/// The verdict on a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// How many objects there are.
    pub count: usize,
    /// How many of them are ready.
    pub ready: usize,
    /// Those that may become ready, in the order of the list.
    pub waiting: Vec<Waiting>,
    /// Those for which waiting is pointless, in the order of the list.
    pub failed: Vec<Waiting>,
}

/// An object that is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What people call it: `Deployment shop/api`.
    pub object: String,
    /// Why, as the end of a sentence that begins with its name.
    pub why: String,
}

impl Verdict {
    /// Whether every object is ready. That is so of none as well.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.ready == self.count
    }

    /// One line for people: `2 of 3 objects are ready; Deployment shop/api: 2 of 3 replicas are available`. What failed
    /// comes first, and at most `most` objects are named.
    #[must_use]
    pub fn sentence(&self, most: usize) -> String {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let mut text = if self.count == 0 {
            "there are no objects".to_owned()
        } else {
            format!("{} ready", words::of(number(self.ready), number(self.count), "object"))
        };
        let named = self.failed.iter().chain(&self.waiting);
        for Waiting { object, why } in named.take(most) {
            text.push_str(&format!("; {object}: {why}"));
        }
        let left = (self.failed.len() + self.waiting.len()).saturating_sub(most);
        if left > 0 {
            text.push_str(&format!("; and {left} more"));
        }
        text
    }
}

/// Judges every object of a list.
#[must_use]
pub fn judge(objects: &[Value], around: &Around<'_>) -> Verdict {
    let mut verdict = Verdict { count: objects.len(), ..Verdict::default() };
    for object in objects {
        let waiting = |why: String| Waiting { object: object::describe(object), why };
        match readiness(object, around) {
            Readiness::Ready => verdict.ready += 1,
            Readiness::Pending(why) => verdict.waiting.push(waiting(why)),
            Readiness::Failed(why) => verdict.failed.push(waiting(why)),
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, phase: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "status": {"phase": phase}})
    }

    #[test]
    fn counts_and_names() {
        let around = Around::alone("2026-11-21T12:00:00Z".parse().unwrap());
        let mixed = [pod("a", "Succeeded"), pod("b", "Pending"), pod("c", "Failed"), pod("d", "Pending")];
        let verdict = judge(&mixed, &around);
        assert_eq!((verdict.count, verdict.ready, verdict.is_ready()), (4, 1, false));
        assert_eq!(verdict.waiting.len(), 2);
        assert_eq!(verdict.failed, [Waiting { object: "Pod shop/c".into(), why: "ended in failure".into() }]);
        for (most, sentence) in [
            (
                5,
                "1 of 4 objects are ready; Pod shop/c: ended in failure; Pod shop/b: its containers have not been \
                 created; Pod shop/d: its containers have not been created",
            ),
            (1, "1 of 4 objects are ready; Pod shop/c: ended in failure; and 2 more"),
        ] {
            assert_eq!(verdict.sentence(most), sentence);
        }
        assert_eq!(judge(&mixed[..1], &around).sentence(3), "1 of 1 object is ready");
        let none = judge(&[], &around);
        assert!(none.is_ready());
        assert_eq!(none.sentence(3), "there are no objects");
    }
}
