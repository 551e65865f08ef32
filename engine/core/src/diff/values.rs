//! How a value, and a change of one, is shown on one line.
//!
//! Duty: that a reader sees where two values differ, however long they are.

use serde_json::Value;

use super::Change;
use crate::words;

/// How many characters of a value are shown.
const LONGEST: usize = 120;
/// How many of them stand before the first that differs.
const BEFORE: usize = 30;

/// A value for people, on one line and not too long.
pub(super) fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| words::clip(&words::value(value), LONGEST))
}

/// Both sides of a change; clipped, where they are long, around the first place where they differ.
pub(super) fn sides(change: &Change) -> [Option<String>; 2] {
    let (Some(old), Some(new)) = (&change.old, &change.new) else {
        return [&change.old, &change.new].map(|value| value.as_ref().map(|value| shown(Some(value))));
    };
    let mut texts = [old, new].map(words::value);
    if texts[0] == texts[1] {
        texts = [old, new].map(exact);
    }
    let [old, new] = &texts;
    let same = old.chars().zip(new.chars()).take_while(|(one, other)| one == other).count();
    texts.map(|text| Some(around(&text, same)))
}

/// At most so many characters, among them the one at this place.
fn around(text: &str, place: usize) -> String {
    let length = text.chars().count();
    let from = place.saturating_sub(BEFORE).min(length.saturating_sub(LONGEST - 1));
    if length <= LONGEST || from <= 1 {
        return words::clip(text, LONGEST);
    }
    let rest: String = text.chars().skip(from).collect();
    format!("…{}", words::clip(&rest, LONGEST - 1))
}

/// With everything in it that one line would not show: two values may differ in white space, or in their type, only.
fn exact(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        let unseen = words::unsafe_to_print(c) || c.is_whitespace();
        if unseen && (c != ' ' || text.ends_with([' ', '}'])) {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diff::Part;

    fn between(old: Value, new: Value) -> [String; 2] {
        let change = Change { what: String::new(), old: Some(old), new: Some(new), part: Part::Value };
        sides(&change).map(Option::unwrap_or_default)
    }

    #[test]
    fn long_values_are_clipped_where_they_differ() {
        let [start, end] = ["a ".repeat(300), "z ".repeat(300)];
        let [old, new] = between(json!(format!("{start}old {end}")), json!(format!("{start}new {end}")));
        assert!(old.contains("a old z") && new.contains("a new z"), "{old}\n{new}");
        for side in [&old, &new] {
            assert!(side.starts_with('…') && side.ends_with('…') && side.chars().count() <= LONGEST, "{side}");
        }
        // At both ends, and where one of them goes on.
        let [old, new] = between(json!(format!("old {start}")), json!(format!("new {start}")));
        assert!(old.starts_with("old a") && new.starts_with("new a"), "{old}\n{new}");
        let [old, new] = between(json!(start), json!(format!("{start}more")));
        assert!(old.starts_with("…a ") && old.ends_with(" a") && new.ends_with("more"), "{old}\n{new}");
        assert_eq!(between(json!("5m"), json!("7m")), ["5m", "7m"]);
    }

    #[test]
    fn what_is_not_seen_is_written_out() {
        for (old, new, shown) in [
            (json!("a\nb"), json!("a b"), [r#""a\nb""#, r#""a b""#]),
            (json!("a b"), json!("a  b"), [r#""a b""#, r#""a \u{20}b""#]),
            (json!("a b"), json!("a\u{200b}\u{a0}b"), [r#""a b""#, r#""a\u{200b}\u{a0}b""#]),
            (json!(1), json!("1"), ["1", r#""1""#]),
        ] {
            assert_eq!(between(old, new), shown);
        }
    }
}
