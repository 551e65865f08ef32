//! How messages about objects say lengths of time, counts, and what others wrote.
//!
//! Duty: wording, in one place. It must not know any kind of object.

use jiff::Timestamp;

pub use crate::words::list;

/// The longest text of somebody else that goes into one of our messages, in characters.
const MOST: usize = 240;

/// A length of time for people, rounded down: `45 s`, `3 m 20 s`, `1 h`, `26 h 3 m`, `5 d 2 h`. Hours go up to two
/// days, because recovery points are compared with objectives in hours.
#[must_use]
pub fn length(millis: u64) -> String {
    let seconds = millis / 1_000;
    let parts = |large: u64, one: &str, small: u64, other: &str| match small {
        0 => format!("{large} {one}"),
        _ => format!("{large} {one} {small} {other}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => parts(seconds / 60, "m", seconds % 60, "s"),
        3_600..172_800 => parts(seconds / 3_600, "h", seconds / 60 % 60, "m"),
        _ => parts(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

/// Milliseconds from one instant to a later one; 0 when it is not later.
#[must_use]
pub fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond().saturating_sub(from.as_millisecond())).unwrap_or(0)
}

/// How long an instant lies back: `26 h 3 m`.
#[must_use]
pub fn since(then: Timestamp, now: Timestamp) -> String {
    length(between(then, now))
}

/// `1 replica`, `2 replicas`.
#[must_use]
pub fn count(number: i64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// `2 of 3 replicas are`, `0 of 1 replica is`: the verb follows the whole.
#[must_use]
pub fn of(part: i64, whole: i64, what: &str) -> String {
    format!("{part} of {} {}", count(whole, what), if whole == 1 { "is" } else { "are" })
}

/// `1 replica of a former revision still runs`: who is too many, and still there.
#[must_use]
pub fn still(number: i64, what: &str, which: &str) -> String {
    format!("{} {which} still {}", count(number, what), if number == 1 { "runs" } else { "run" })
}

/// What somebody else wrote, fit to stand inside a message of ours: on one line, without control characters, without
/// a full stop at its end, and at most 240 characters.
#[must_use]
pub fn quote(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches('.');
    if line.chars().count() <= MOST {
        return line.to_owned();
    }
    let kept: String = line.chars().take(MOST - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Joins what is there: `reason: message`, or the one of the two that is not empty.
#[must_use]
pub fn because(reason: &str, message: &str) -> String {
    let message = quote(message);
    match (reason.is_empty(), message.is_empty()) {
        (true, _) => message,
        (false, true) => reason.to_owned(),
        (false, false) => format!("{reason}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (millis, text) in [
            (0, "0 s"),
            (45_999, "45 s"),
            (200_000, "3 m 20 s"),
            (3_600_000, "1 h"),
            (93_780_000, "26 h 3 m"),
            (172_800_000, "2 d"),
            (439_200_000, "5 d 2 h"),
        ] {
            assert_eq!(length(millis), text);
        }
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(since(at("2026-11-21T02:00:00Z"), at("2026-11-21T02:03:20Z")), "3 m 20 s");
        assert_eq!(since(at("2026-11-21T02:00:00Z"), at("2026-11-21T01:00:00Z")), "0 s", "clocks differ");
    }

    #[test]
    fn counts() {
        assert_eq!(count(1, "replica"), "1 replica");
        assert_eq!(count(0, "replica"), "0 replicas");
        assert_eq!(of(2, 3, "replica"), "2 of 3 replicas are");
        assert_eq!(of(0, 1, "replica"), "0 of 1 replica is");
        assert_eq!(still(1, "pod", "of it"), "1 pod of it still runs");
        assert_eq!(still(2, "pod", "of it"), "2 pods of it still run");
        assert_eq!(list(&["a", "b", "c"], 2), "a, b and 1 more");
    }

    #[test]
    fn what_others_wrote() {
        assert_eq!(quote("  failed\n\tto\u{1b}[31m pull.  "), "failed to [31m pull");
        assert_eq!(quote(&"x".repeat(300)).chars().count(), 240);
        assert_eq!(because("BackOff", "back-off 5m0s."), "BackOff: back-off 5m0s");
        assert_eq!(because("BackOff", ""), "BackOff");
        assert_eq!(because("", "text"), "text");
    }
}
