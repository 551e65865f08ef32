//! How everything that people read says lengths of time, instants, lists and values, and how a text of somebody else is
//! put on one line.
//!
//! Duty: wording, in one place. It must not know what a run is.

use jiff::{SignedDuration, Timestamp, Unit};
use serde::Serialize;
use serde_json::Value;

/// A length of time for people: `350ms`, `12s`, `1m 52s`, `2h 05m`, `3d 04h`. Two units at most: who wants more
/// reads the JSON.
#[must_use]
pub fn length(millis: u64) -> String {
    // Rounded down, so that no report says that an objective of 15m was met by a run of 15m 00s that took longer.
    let seconds = millis / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0 if millis > 0 => format!("{millis}ms"),
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m {:02}s", seconds % 60),
        3_600..86_400 => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// A length of time with nothing rounded away but parts of a second, for figures that are compared with a target:
/// `1h 00m 20s`.
#[must_use]
pub fn exact(millis: u64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0..3_600 => length(millis),
        3_600..86_400 => format!("{} {:02}s", length(millis), seconds % 60),
        _ => format!("{} {:02}m {:02}s", length(millis), seconds / 60 % 60, seconds % 60),
    }
}

/// A length of time as ISO 8601: `PT15M`, `PT1M52.5S`.
#[must_use]
pub fn iso(millis: u64) -> String {
    SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)).to_string()
}

/// How long after the start of the run: `+00:03`, `+1:02:03`.
#[must_use]
pub fn offset(millis: u64) -> String {
    let seconds = millis / 1_000;
    match seconds / 3_600 {
        0 => format!("+{:02}:{:02}", seconds / 60, seconds % 60),
        hours => format!("+{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// An instant: RFC 3339, UTC, whole seconds.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    let step = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc);
    at.round(step).unwrap_or(at).to_string()
}

/// The name by which a word of ours is recorded: `objective-missed`, `timed-out`, `L4`.
#[must_use]
pub fn name<T: Serialize>(word: &T) -> String {
    match serde_json::to_value(word) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        // Words of ours are unit variants; they always have a name.
        Err(_) => "?".to_owned(),
    }
}

/// `1 step`, `2 steps`.
#[must_use]
pub fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// `a, b, c and 4 more`.
#[must_use]
pub fn list<T: AsRef<str>>(names: &[T], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    let more = names.len().saturating_sub(most);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// A word as somebody would type it at a shell: in quotes unless it needs none.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|it| it.is_alphanumeric() || "-_./:=,@%+".contains(it));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Whether a character changes what stands around it: control characters, and those that turn the direction of
/// writing or are not seen. What a step printed must not draw on a terminal, nor make a report read otherwise.
#[must_use]
pub fn unsafe_to_print(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

/// On one line, with single spaces and nothing that draws.
#[must_use]
pub fn line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || unsafe_to_print(c))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// At most `most` characters of one line, the last one an ellipsis when there is more.
#[must_use]
pub fn clip(text: &str, most: usize) -> String {
    let text = line(text);
    if text.chars().count() <= most {
        return text;
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A value on one line: a text as it is, everything else as compact JSON.
#[must_use]
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => line(text),
        other => line(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (millis, short, whole) in [
            (0, "0s", "0s"),
            (350, "350ms", "350ms"),
            (12_999, "12s", "12s"),
            (112_000, "1m 52s", "1m 52s"),
            (3_620_000, "1h 00m", "1h 00m 20s"),
            (7_500_000, "2h 05m", "2h 05m 00s"),
            (273_600_000, "3d 04h", "3d 04h 00m 00s"),
            (u64::MAX, "213503982334d 14h", "213503982334d 14h 25m 51s"),
        ] {
            assert_eq!(length(millis), short);
            assert_eq!(exact(millis), whole);
        }
    }

    #[test]
    fn machine_lengths() {
        assert_eq!(iso(900_000), "PT15M");
        assert_eq!(iso(112_500), "PT1M52.5S");
        assert_eq!(iso(0), "PT0S");
        assert_eq!(iso(93_600_000), "PT26H");
        assert!(iso(u64::MAX).starts_with("PT"));
    }

    #[test]
    fn offsets_and_instants() {
        assert_eq!(offset(3_999), "+00:03");
        assert_eq!(offset(3_723_000), "+1:02:03");
        let at: Timestamp = "2026-11-21T02:20:28.923456Z".parse().unwrap_or_default();
        assert_eq!(instant(at), "2026-11-21T02:20:28Z");
        assert_eq!(instant(Timestamp::MAX), "9999-12-30T22:00:00Z");
        assert!(instant(Timestamp::MIN).starts_with("-009999-01-02T"));
    }

    #[test]
    fn nothing_draws() {
        assert_eq!(line("a\u{1b}[31mred\r\n\tb\u{9b}2J\u{202e}c"), "a [31mred b 2J c");
        assert_eq!(clip("abcdef", 4), "abc…");
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(list(&["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(name(&crate::evidence::event::Verdict::ObjectiveMissed), "objective-missed");
        assert_eq!(value(&serde_json::json!({"a": "b\nc"})), r#"{"a":"b\nc"}"#);
    }
}
