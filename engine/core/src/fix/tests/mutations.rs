//! Texts with mistakes in them, by chance: fixes never panic, end, change nothing the second time, and never make a text
//! harder to read.

use std::{fs, path::Path, sync::Arc};

use proptest::prelude::*;

use super::{super::mend, several::judge};
use crate::{diagnostic::Safety, model::parse::parse, source::Source};

/// The shipped runbooks and all fixtures.
fn texts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts = Vec::new();
    let mut folders = vec![root.join("runbooks"), root.join("tests/fixtures/lint"), root.join("tests/fixtures/fix")];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                texts.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    assert!(texts.len() > 100);
    texts
}

/// One change: where, as a part of the whole, and which.
fn mutate(text: &mut String, place: f64, kind: u8) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a length is a length")]
    #[expect(clippy::cast_precision_loss, reason = "which place it is does not matter")]
    let mut at = (place * text.len() as f64) as usize;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let line = text[..at].rfind('\n').map_or(0, |it| it + 1);
    let end = text[at..].find('\n').map_or(text.len(), |it| at + it + 1);
    match kind {
        0 => drop(text.remove(at.min(text.len() - 1 - usize::from(text.ends_with('é'))))),
        1 => text.insert(at, 'x'),
        2 => text.insert_str(at, " # é"),
        3 => {
            let copy = text[line..end].to_owned();
            text.insert_str(line, &copy);
        }
        4 => text.replace_range(line..end, ""),
        5 => text.insert(at, '\n'),
        6 => text.insert_str(end, "      # a comment\n"),
        7 => *text = text.replace('\n', "\r\n"),
        8 => drop(text.pop()),
        9 => text.insert_str(at, "&x "),
        10 => text.insert_str(at, "*x "),
        11 => text.insert(at, '"'),
        12 => *text = text.replacen(": true", ": yes", 1),
        13 => *text = text.replacen("needs: [", "need: [", 1),
        14 => *text = text.replacen(": 10m", ": 10 min", 1),
        15 => *text = text.replacen("\"{{", "{{", 1).replacen("}}\"", "}}", 1),
        16 => text.insert_str(at, ", "),
        _ => text.insert(at, '\t'),
    }
}

fn holds(text: &str) -> Result<(), TestCaseError> {
    for most in [Safety::Safe, Safety::Unsafe] {
        let source = Source::new("t.yaml", text);
        let before = parse(Arc::clone(&source));
        let mended = mend(&source, most, &judge);
        let after = parse(Source::new("t.yaml", mended.text.clone()));
        if before.root.is_some() {
            prop_assert!(after.root.is_some(), "{:?}", mended.applied);
            prop_assert!(after.diagnostics.len() <= before.diagnostics.len(), "{:?}", mended.applied);
        }
        if mended.applied.is_empty() {
            prop_assert_eq!(&mended.text, text);
        }
        let again = mend(&Source::new("t.yaml", mended.text.clone()), most, &judge);
        prop_assert_eq!(&again.text, &mended.text, "a second time: {:?}", again.applied);
        prop_assert!(text.contains("\r\n") || !mended.text.contains('\r'));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fixes_never_do_harm(
        which in any::<prop::sample::Index>(),
        mutations in prop::collection::vec((0.0..1.0_f64, 0..18_u8), 0..6),
    ) {
        let texts = texts();
        let mut text = texts[which.index(texts.len())].clone();
        for (place, kind) in mutations {
            if !text.is_empty() {
                mutate(&mut text, place, kind);
            }
        }
        holds(&text)?;
    }
}

#[test]
fn what_is_shipped_stays_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runbooks");
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = fs::read_to_string(&path).unwrap();
            let judge = |parsed: &crate::model::parse::Parsed| super::fixtures::judge(path.parent().unwrap(), parsed);
            let mended = mend(&Source::new("t.yaml", text.clone()), Safety::Unsafe, &judge);
            assert_eq!(mended.text, text, "{}", path.display());
        }
    }
}
