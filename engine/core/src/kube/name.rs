//! The names of the objects that a run creates.
//!
//! Duty: the same names for the same run, step and attempt, so that an engine that starts again finds its own object
//! and does not make a second one; and different names for different ones. Nothing in here is random.

use sha2::{Digest as _, Sha256};

/// The longest name of an object that is also a label or a host name (RFC 1123 label).
const MOST: usize = 63;
/// How much of a digest goes into a name: 40 bits, so that among a million names two meet once in two.
const DIGEST: usize = 10;
/// How much of a step's id stays when a name must be cut; the rest is the run's, which begins with its time.
const STEP: usize = 30;

/// The name of the object that an attempt at a step creates: an RFC 1123 label, which most kinds accept as a name.
///
/// It is `<run>--<step>` for the first attempt, `<run>--<step>-2` for the second. What does not fit into 63 characters,
/// has other characters than a label may have, or could be read as another run, step or attempt is cut and gets a
/// digest: `20261121t022028z-quickstart-7f3a-load-3-32e42ac9ed`. `attempt` counts from 1.
#[must_use]
pub fn object_name(run_id: &str, step: &str, attempt: u32) -> String {
    let suffix = if attempt <= 1 { String::new() } else { format!("-{attempt}") };
    let plain = format!("{run_id}--{step}{suffix}");
    if is_plain(run_id) && is_plain(step) && !ends_in_number(step) && plain.len() <= MOST {
        return plain;
    }
    // A length before each part, so that no two triples are the same bytes.
    let digest = digest(&format!("{}:{run_id}{}:{step}{attempt}", run_id.len(), step.len()));
    let room = MOST - 1 - DIGEST - suffix.len();
    let step = clean(step);
    let step = cut(&step, STEP.max(room.saturating_sub(run_id.len() + 1)).min(room));
    let run = clean(run_id);
    let run = cut(&run, room.saturating_sub(step.len() + 1));
    let parts: Vec<&str> = [run, step, &digest].into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}{suffix}", parts.join("-"))
}

/// Lower-case letters, digits and single hyphens, with a letter or digit at both ends: two hyphens in a row are what
/// stands between run and step.
fn is_plain(part: &str) -> bool {
    !part.is_empty() && clean(part) == part
}

/// Whether an attempt could be meant by the end of a name.
fn ends_in_number(step: &str) -> bool {
    step.rsplit('-').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Everything else becomes a hyphen, hyphens in a row become one, and none stay at the ends.
fn clean(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// At most `most` bytes of what [`clean`] returned, without a hyphen at the end.
fn cut(text: &str, most: usize) -> &str {
    text.get(..most).unwrap_or(text).trim_end_matches('-')
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .take(DIGEST / 2)
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A text as the value of a label: as it is when it can be one (at most 63 characters; letters, digits, `-`, `_`, `.`,
/// with a letter or digit at both ends), else cut and with a digest. An empty text stays empty.
#[must_use]
pub fn label_value(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let ends = |c: char| !c.is_ascii_alphanumeric();
    if text.len() <= MOST && text.chars().all(allowed) && !text.starts_with(ends) && !text.ends_with(ends) {
        return text.to_owned();
    }
    let kept: String = text.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    let kept = kept.trim_matches(ends);
    let kept = kept.get(..MOST - 1 - DIGEST).unwrap_or(kept).trim_end_matches(ends);
    let digest = digest(text);
    if kept.is_empty() { digest } else { format!("{kept}-{digest}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RUN: &str = "20261121t022028z-quickstart-7f3a";

    #[test]
    fn names_can_be_read() {
        for (step, attempt, name) in [
            ("restore-cases", 1, "20261121t022028z-quickstart-7f3a--restore-cases"),
            ("restore-cases", 2, "20261121t022028z-quickstart-7f3a--restore-cases-2"),
            // Could be the third attempt at `load`.
            ("load-3", 1, "20261121t022028z-quickstart-7f3a-load-3-32e42ac9ed"),
            ("db/restore[payments]", 1, "20261121t022028z-quickstart-7f3a-db-restore-payments-c7d4b5e8ca"),
            (
                "restore-the-case-management-namespace",
                12,
                "20261121t022028z-q-restore-the-case-management-na-5b8cc04530-12",
            ),
        ] {
            assert_eq!(object_name(RUN, step, attempt), name);
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let names = [
            object_name("a", "b-c", 1),
            object_name("a-b", "c", 1),
            object_name("a", "b", 2),
            object_name("a", "b-2", 1),
            object_name("a", "b--c", 1),
            object_name("a--b", "c", 1),
            object_name("a", "b/c", 1),
            object_name("a", "b[c]", 1),
            object_name("a", "b.c", 1),
            object_name("a", "B-C", 1),
        ];
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
    }

    #[test]
    fn label_values() {
        for (text, value) in [
            ("", ""),
            ("restore-cases", "restore-cases"),
            ("A_b.c", "A_b.c"),
            ("db/restore[payments]", "db-restore-payments-d5f481bd4d"),
            ("-", "3973e022e9"),
        ] {
            assert_eq!(label_value(text), value);
        }
        assert_eq!(label_value(&"x".repeat(64)).len(), 63);
        assert_ne!(label_value("a/b"), label_value("a[b"));
    }

    fn is_label(name: &str) -> bool {
        let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        (1..=63).contains(&name.len())
            && name.bytes().all(|byte| fine(byte) || byte == b'-')
            && name.bytes().next().is_some_and(fine)
            && name.bytes().last().is_some_and(fine)
    }

    fn run() -> impl Strategy<Value = String> {
        prop_oneof!["[0-9]{8}t[0-9]{6}z-[a-z-]{1,32}-[0-9a-f]{4}", "[a-c-]{1,3}", ".{0,12}"]
    }

    fn step() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z][a-z0-9-]{0,62}",
            "[a-z]{1,9}/[a-z]{1,9}\\[[a-zA-Z0-9._-]{1,20}\\]",
            "[a-c2-]{1,3}",
            ".{0,80}"
        ]
    }

    proptest! {
        #[test]
        fn every_name_is_a_label(run in run(), step in step(), attempt in any::<u32>()) {
            prop_assert!(is_label(&object_name(&run, &step, attempt)), "{}", object_name(&run, &step, attempt));
        }

        #[test]
        fn names_differ(a in (run(), step(), 1_u32..4), b in (run(), step(), 1_u32..4)) {
            prop_assume!(a != b);
            prop_assert_ne!(object_name(&a.0, &a.1, a.2), object_name(&b.0, &b.1, b.2));
        }

        #[test]
        fn label_values_are_valid(text in ".{0,100}") {
            let value = label_value(&text);
            let ends = |c: char| c.is_ascii_alphanumeric();
            prop_assert!(value.len() <= 63);
            prop_assert!(value.chars().all(|c| ends(c) || matches!(c, '-' | '_' | '.')));
            prop_assert!(text.is_empty() || (value.starts_with(ends) && value.ends_with(ends)), "{}", value);
        }
    }
}
