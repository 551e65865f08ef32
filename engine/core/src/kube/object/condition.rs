//! Conditions: the statements that a status makes about its object.
//!
//! Duty: reading them, wherever they stand. What they mean for a kind is not known here.

use jiff::Timestamp;
use serde_json::Value;

use super::{instant, list, number, text};
use crate::kube::words;

/// One condition of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition<'a> {
    /// Its type, such as `Ready`.
    pub kind: &'a str,
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    /// One word in `CamelCase`; may be empty.
    pub reason: &'a str,
    /// For people; may be empty.
    pub message: &'a str,
    /// The generation that it speaks of, where its controller says so.
    pub observed_generation: Option<i64>,
    /// When its status last changed.
    pub last_transition: Option<Timestamp>,
}

impl<'a> Condition<'a> {
    fn read(value: &'a Value) -> Self {
        Self {
            kind: text(value, "/type"),
            status: text(value, "/status"),
            reason: text(value, "/reason"),
            message: text(value, "/message"),
            observed_generation: number(value, "/observedGeneration"),
            last_transition: instant(value, "/lastTransitionTime"),
        }
    }

    /// Whether it is `True`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// Whether it is `False`. `Unknown` is neither.
    #[must_use]
    pub fn is_false(&self) -> bool {
        self.status == "False"
    }

    /// Whether it says which generation it speaks of, and that is not this one.
    #[must_use]
    pub fn is_of_another(&self, generation: Option<i64>) -> bool {
        self.observed_generation.zip(generation).is_some_and(|(observed, wanted)| observed != wanted)
    }

    /// `reason: message`; when both are empty, `Ready is False`.
    #[must_use]
    pub fn why(&self) -> String {
        let why = words::because(self.reason, self.message);
        if why.is_empty() { format!("{} is {}", self.kind, self.status) } else { why }
    }
}

/// All conditions of `status.conditions`.
pub fn conditions(object: &Value) -> impl Iterator<Item = Condition<'_>> {
    conditions_of(list(object, "/status/conditions"))
}

/// All conditions of a list; Gateway API keeps one for each listener and for each parent.
pub fn conditions_of(list: &[Value]) -> impl Iterator<Item = Condition<'_>> {
    list.iter().map(Condition::read)
}

/// The condition of a type in `status.conditions`.
#[must_use]
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    conditions(object).find(|condition| condition.kind == kind)
}

/// The condition of a type in a list.
#[must_use]
pub fn find<'a>(list: &'a [Value], kind: &str) -> Option<Condition<'a>> {
    conditions_of(list).find(|condition| condition.kind == kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_conditions() {
        let object = json!({"status": {"conditions": [
            {"type": "Ready", "status": "False", "reason": "Pending", "message": "no\nway.",
             "observedGeneration": 3, "lastTransitionTime": "2026-11-21T02:20:28Z"},
            {"type": "Bare", "status": "Unknown"},
            "nonsense"
        ]}});
        let ready = condition(&object, "Ready").unwrap();
        assert!(ready.is_false() && !ready.is_true());
        assert_eq!(ready.why(), "Pending: no way");
        assert_eq!(ready.last_transition, "2026-11-21T02:20:28Z".parse().ok());
        assert!(ready.is_of_another(Some(4)) && !ready.is_of_another(Some(3)) && !ready.is_of_another(None));
        let bare = condition(&object, "Bare").unwrap();
        assert!(!bare.is_false() && !bare.is_true() && !bare.is_of_another(Some(4)));
        assert_eq!(bare.why(), "Bare is Unknown");
        assert_eq!(conditions(&object).count(), 3);
        assert_eq!(condition(&json!({"status": {"conditions": {}}}), "Ready"), None);
    }
}
