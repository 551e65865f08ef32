use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn mask(secrets: &[&str]) -> Mask {
    Mask::new(secrets.iter().map(|secret| (*secret).to_owned()))
}

fn streamed(mask: &Mask, pieces: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut stream = mask.stream();
    for piece in pieces {
        stream.push(piece, &mut out);
    }
    stream.finish(&mut out);
    out
}

#[test]
fn without_secrets_everything_passes() {
    for mask in [mask(&[]), mask(&["", "abc", "\n\n", "ä€😀"]), Mask::default()] {
        assert!(mask.is_empty());
        assert!(matches!(mask.text("abc ä€😀"), Cow::Borrowed("abc ä€😀")));
        assert_eq!(streamed(&mask, &[b"ab", b"\xff"]), b"ab\xff");
    }
}

#[test]
fn too_short_counts_characters() {
    for (text, short) in [("", true), ("abc", true), ("äöü", true), ("abcd", false), ("äöüß", false), ("    ", false)]
    {
        assert_eq!(Mask::too_short(text), short, "{text}");
    }
}

#[test]
fn masks_the_longest_at_the_leftmost_place() {
    let mask = mask(&["hunter", "hunter2-longer", "nter2"]);
    assert_eq!(mask.text("a hunter b hunter2-longer c hunter2 d nter2"), "a *** b *** c ***2 d ***");
    assert_eq!(mask.text("hunterhunter"), "******");
    assert!(matches!(mask.text("nothing here"), Cow::Borrowed(_)));
}

#[test]
fn masks_the_usual_encodings() {
    let mask = mask(&["p@ss/wörd \"1\"?>~"]);
    for text in [
        "p@ss/wörd \"1\"?>~",
        "cEBzcy93w7ZyZCAiMSI/Pn4=",
        "cEBzcy93w7ZyZCAiMSI/Pn4",
        "cEBzcy93w7ZyZCAiMSI_Pn4=",
        "cEBzcy93w7ZyZCAiMSI_Pn4",
        "p%40ss%2Fw%C3%B6rd%20%221%22%3F%3E~",
        "p%40ss%2fw%c3%b6rd%20%221%22%3f%3e~",
        "p%40ss%2Fw%C3%B6rd+%221%22%3F%3E~",
        "p@ss/wörd \\\"1\\\"?>~",
        "p@ss/w\\u00f6rd \\\"1\\\"?>~",
        "p@ss\\/wörd \\\"1\\\"?>~",
    ] {
        assert_eq!(mask.text(text), MASKED, "{text}");
    }
}

#[test]
fn base64_is_that_of_the_rfc() {
    for (text, encoded) in [
        ("", ""),
        ("f", "Zg"),
        ("fo", "Zm8"),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg"),
        ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(base64(text.as_bytes(), STANDARD), encoded);
    }
}

#[test]
fn masks_inside_a_longer_base64() {
    let mask = mask(&["correct-horse"]);
    for user in ["a", "ab", "abc", "abcd"] {
        for rest in ["", "x", "xy", "xyz"] {
            let header = base64(format!("{user}:correct-horse{rest}").as_bytes(), STANDARD);
            let masked = mask.text(&header);
            assert!(masked.contains(MASKED), "{header} {masked}");
            // What is left at the edges shares its bits with the neighbours.
            assert!(masked.len() <= MASKED.len() + 8 + rest.len() * 2, "{header} {masked}");
        }
    }
}

#[test]
fn masks_wrapped_base64() {
    let secret = "0123456789".repeat(13);
    let mask = Mask::new([secret.clone()]);
    for width in [64, 76] {
        let encoded = base64(secret.as_bytes(), STANDARD);
        let lines: Vec<_> = encoded.as_bytes().chunks(width).map(String::from_utf8_lossy).collect();
        let masked = mask.text(&lines.join("\n")).into_owned();
        assert!(!masked.chars().any(char::is_alphanumeric), "{masked}");
    }
}

#[test]
fn masks_each_line_and_the_trimmed_value() {
    let mask = mask(&["-----BEGIN KEY-----\r\n  MIIEabcdef\r\n}\n", "from-a-file\n"]);
    assert_eq!(mask.text("x MIIEabcdef }"), "x *** }");
    assert_eq!(mask.text("password=from-a-file;"), "password=***;");
    assert_eq!(mask.text(&base64(b"from-a-file", STANDARD)), MASKED);
}

#[test]
fn masks_values_and_keys_in_place() {
    let mask = mask(&["secret-1", "secret-2"]);
    let mut value =
        json!({"b": ["secret-1", 1, null, {"x-secret-2": "a secret-1 b"}], "secret-1": 1, "secret-2": 2, "***2": 3});
    mask.value(&mut value);
    let expected = json!({"b": ["***", 1, null, {"x-***": "a *** b"}], "***": 1, "***2": 2, "***22": 3});
    assert_eq!(value, expected);
    assert_eq!(serde_json::to_string(&value).ok(), serde_json::to_string(&expected).ok(), "the order stays");
}

#[test]
fn masks_a_value_deeper_than_the_stack() {
    let mask = mask(&["secret"]);
    let mut value = json!("secret");
    for _ in 0..200_000 {
        value = Value::Array(vec![value]);
    }
    mask.value(&mut value);
    while let Value::Array(mut items) = value {
        value = items.pop().unwrap_or_default();
    }
    assert_eq!(value, json!("***"));
}

#[test]
fn debug_shows_no_secret() {
    let mask = mask(&["secret"]);
    let mut stream = mask.stream();
    stream.push(b"secre", &mut Vec::new());
    assert!(!format!("{mask:?} {stream:?}").contains("secr"));
}

#[test]
fn when_nothing_can_be_known_everything_is_masked() {
    let mask = Mask(Arc::new(Engine::Everything));
    assert_eq!(mask.text("any"), MASKED);
    assert_eq!(mask.text(""), "");
    assert_eq!(streamed(&mask, &[b"", b"any", b"thing"]), MASKED.as_bytes());
    let mut value = json!({"any": ["thing", 1, null], "other": ""});
    mask.value(&mut value);
    assert_eq!(value, json!({"***": ["***", 1, null], "***2": ""}));
}

#[test]
fn holds_back_only_what_could_become_a_secret() {
    let mask = mask(&["secret", "secretary"]);
    let mut stream = mask.stream();
    let mut out = Vec::new();
    for (piece, so_far) in [
        ("a line\n", "a line\n"),
        ("prompt: sec", "a line\nprompt: "),
        ("ond ", "a line\nprompt: second "),
        ("secret", "a line\nprompt: second "),
        ("s", "a line\nprompt: second ***"),
        ("e", "a line\nprompt: second ***"),
        ("t", "a line\nprompt: second ***set"),
    ] {
        stream.push(piece.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), so_far, "{piece}");
    }
}

#[test]
fn every_split_gives_the_same() {
    let mask = mask(&["abab", "ababab-end", "bab-", "aaaa"]);
    for text in ["xababab-endx", "abababab", "aaaaaaaaab", "ababab-en", "babab-end", "ababab-bab-aaaabab"] {
        let whole = mask.text(text).into_owned();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let (head, tail) = text.as_bytes().split_at(second);
                let (head, middle) = head.split_at(first);
                let out = streamed(&mask, &[head, middle, tail]);
                assert_eq!(String::from_utf8_lossy(&out), whole, "{text} {first} {second}");
            }
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(String::from_utf8_lossy(&streamed(&mask, &bytes)), whole, "{text}");
    }
}

#[test]
fn a_long_stream_in_single_bytes_is_quick() {
    let mask = Mask::new(["k".repeat(3000), "another-secret".to_owned()]);
    let text = "some output, again and again; kkkk another-secre\n".repeat(1_000);
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(streamed(&mask, &pieces), text.as_bytes());
}

proptest! {
    #[test]
    fn a_stream_is_the_whole(
        secrets in prop::collection::vec("[ab\n]{4,9}", 0..4),
        pieces in prop::collection::vec(prop::collection::vec(prop::sample::select(b"aab\n\xff%".to_vec()), 0..12), 0..12),
    ) {
        let mask = Mask::new(secrets);
        let whole: Vec<u8> = pieces.concat();
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let out = streamed(&mask, &pieces);
        prop_assert_eq!(&out, &streamed(&mask, &[&whole]));
        if let Ok(text) = std::str::from_utf8(&whole) {
            let masked = mask.text(text);
            prop_assert_eq!(out.as_slice(), masked.as_bytes());
        }
    }

    #[test]
    fn no_form_of_a_secret_is_left(secret in "\\PC{4,20}", before in "\\PC{0,6}", after in "\\PC{0,6}") {
        let mask = Mask::new([secret.clone()]);
        let text = format!("{before}{secret}{after}");
        prop_assert!(mask.text(&text).contains(MASKED));
        let json = serde_json::to_string(&text).unwrap_or_default();
        prop_assert!(mask.text(&json).contains(MASKED));
    }

    #[test]
    fn never_holds_more_than_the_longest(text in "[ab]{0,40}") {
        let mask = Mask::new(["abababab".to_owned()]);
        let Engine::Patterns { longest, .. } = &*mask.0 else { return Err(TestCaseError::fail("no patterns")) };
        let mut stream = mask.stream();
        stream.push(text.as_bytes(), &mut Vec::new());
        prop_assert!(stream.held.len() < *longest);
    }
}
