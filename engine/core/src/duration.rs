//! Lengths of time as authors write them: `90s`, `15m`, `4h`, `30d`, `1h30m`, `250ms`.
//!
//! Duty: text to length and back. It must not read a clock.

use std::{fmt, str::FromStr, time::Duration as Std};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time, at most 3650 days, in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(u64);

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const LONGEST: u64 = 3650 * 86_400_000;

impl Duration {
    /// From whole milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// In whole milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// As the standard library's type.
    #[must_use]
    pub const fn as_std(self) -> Std {
        Std::from_millis(self.0)
    }
}

/// Why a text is not a length of time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DurationError {
    /// The form is wrong.
    #[error("expected a time such as `90s`, `15m`, `4h`, `30d` or `1h30m`, found `{0}`")]
    Form(String),
    /// It is longer than ten years.
    #[error("expected a time of at most 3650d, found `{0}`")]
    TooLong(String),
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let form = || DurationError::Form(text.to_owned());
        let long = || DurationError::TooLong(text.to_owned());
        let mut rest = text;
        let mut total = 0_u64;
        // Units must come from the largest to the smallest, each once: `30m1h` is a slip, not a time.
        let mut allowed = &UNITS[..];
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            if number.is_empty() {
                return Err(form());
            }
            let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, tail) = tail.split_at(letters);
            let place = allowed.iter().position(|(name, _)| *name == unit).ok_or_else(form)?;
            let number: u64 = number.parse().map_err(|_| long())?;
            total = number.checked_mul(allowed[place].1).and_then(|n| n.checked_add(total)).ok_or_else(long)?;
            allowed = &allowed[place + 1..];
            rest = tail;
        }
        match total {
            _ if text.is_empty() => Err(form()),
            total if total > LONGEST => Err(long()),
            total => Ok(Self(total)),
        }
    }
}

/// A length of time that is written in words or with blanks, as authors have to write it: `1 hour`, `15 min`, `1h 30m`.
/// `None` when it is not sure what is meant.
#[must_use]
pub fn spelled_out(text: &str) -> Option<String> {
    let mut rest = text.trim();
    let mut written = String::new();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let tail = tail.trim_start();
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (word, tail) = tail.split_at(letters);
        let unit = match word.to_ascii_lowercase().as_str() {
            // A capital may be a month, or a mistake.
            "d" | "h" | "m" | "s" | "ms" if word.bytes().all(|byte| byte.is_ascii_lowercase()) => word,
            "day" | "days" => "d",
            "hour" | "hours" | "hr" | "hrs" => "h",
            "minute" | "minutes" | "min" | "mins" => "m",
            "second" | "seconds" | "sec" | "secs" => "s",
            "millisecond" | "milliseconds" => "ms",
            _ => return None,
        };
        written.push_str(number);
        written.push_str(unit);
        rest = tail.trim_start();
    }
    (written != text && written.parse::<Duration>().is_ok()).then_some(written)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (name, size) in UNITS {
            if rest >= size {
                write!(f, "{}{name}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
            "minLength": 2,
            "examples": ["90s", "1h30m"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_spelled_out() {
        for (text, meant) in [
            ("1 hour", "1h"),
            ("90 Seconds", "90s"),
            ("1h 30m", "1h30m"),
            ("2 days 3 hrs", "2d3h"),
            (" 15 min ", "15m"),
        ] {
            assert_eq!(spelled_out(text).as_deref(), Some(meant), "{text}");
        }
        for text in ["1h", "1 month", "5 M", "30m 1h", "hour", "1.5h", "", "-1 s", "99999 days", "1 hour ago"] {
            assert_eq!(spelled_out(text), None, "{text}");
        }
    }

    #[test]
    fn reads_and_writes() {
        for (text, millis) in [("90s", 90_000), ("1h30m", 5_400_000), ("30d", 2_592_000_000), ("250ms", 250), ("0s", 0)]
        {
            assert_eq!(text.parse::<Duration>().map(Duration::as_millis), Ok(millis), "{text}");
        }
        assert_eq!(Duration::from_secs(90).to_string(), "1m30s");
    }

    #[test]
    fn refuses_what_is_not_a_time() {
        for text in
            ["", "15", "m", "15 m", "-1s", "1.5h", "30m1h", "1s1s", "5y", "99999999999999999999d", "4000d", "１s"]
        {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }
}
