//! Every code that can be fixed against its fixtures: `fixed.yaml` is `bad.yaml` after the safe fixes, `fixed-unsafe.yaml`
//! after all of them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::super::mend;
use crate::{
    diagnostic::{Diagnostic, Safety},
    lint::{fixable, lint, registry},
    model::{
        parse::{Parsed, parse},
        yaml,
    },
    plan::{Loaded, Unreadable},
    source::Source,
};

/// Where the fixtures of a code are: those of mistakes of the text have no rule beside them.
fn folder(code: &str) -> PathBuf {
    let room = if registry::find(code).is_some() { "lint" } else { "fix" };
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(room).join(code)
}

pub(super) fn judge(folder: &Path, parsed: &Parsed) -> Vec<Diagnostic> {
    let mut found = parsed.diagnostics.clone();
    found.extend(lint(parsed, &|_, path| {
        let text = fs::read_to_string(folder.join(path.trim_start_matches("./")));
        let parsed = parse(Source::new(path, text.map_err(|error| Unreadable::Missing(error.to_string()))?));
        match parsed.runbook {
            Some(runbook) if parsed.diagnostics.is_empty() => {
                Ok(Arc::new(Loaded { runbook: Arc::new(runbook), source: parsed.source, directory: String::new() }))
            }
            _ => Err(Unreadable::Invalid(String::from("errors"))),
        }
    }));
    found
}

/// Comments that are alone on their line: nothing but a fix of the comment itself may take one away.
fn own_comments(source: &Source) -> Vec<String> {
    let comments = yaml::comments(source).into_iter().filter(|span| {
        let line = source.line(source.position(span.start).line).unwrap_or_default();
        line.trim_start().starts_with('#')
    });
    comments.map(|span| source.slice(span).to_owned()).filter(|text| !text.contains("lifeboat:")).collect()
}

#[test]
fn bad_becomes_fixed() {
    let mut wrong = Vec::new();
    for (code, safeties) in fixable::all() {
        let folder = folder(code);
        let name = folder.join("bad.yaml");
        let text = fs::read_to_string(&name).unwrap_or_else(|_| panic!("{} is missing", name.display()));
        let source = Source::new("bad.yaml", text);
        let judge = |parsed: &Parsed| judge(&folder, parsed);
        let before = judge(&parse(Arc::clone(&source)));
        let offered: BTreeSet<Safety> =
            before.iter().filter(|it| it.code == code).filter_map(|it| Some(it.fix.as_ref()?.safety)).collect();
        assert_eq!(offered, safeties.iter().copied().collect(), "{code}: what is offered in its fixture");
        for (most, file) in [(Safety::Safe, "fixed.yaml"), (Safety::Unsafe, "fixed-unsafe.yaml")] {
            let path = folder.join(file);
            assert_eq!(path.exists(), safeties.contains(&most), "{}", path.display());
            let mended = mend(&source, most, &judge);
            assert_eq!(mended.dropped.iter().collect::<Vec<_>>(), Vec::<&_>::new(), "{code}");
            if !safeties.contains(&most) {
                continue;
            }
            if mended.text != fs::read_to_string(&path).unwrap_or_default() {
                wrong.push(format!("{}:\n{}", path.display(), mended.text));
            }
            let fixed = Source::new("bad.yaml", mended.text.clone());
            let after = judge(&parse(Arc::clone(&fixed)));
            let left = |found: &[Diagnostic]| found.iter().filter(|it| it.code == code).count();
            assert!(left(&after) < left(&before), "{code}: {after:#?}");
            let fixable = after.iter().filter(|it| it.fix.as_ref().is_some_and(|fix| fix.safety <= most)).count();
            assert_eq!(fixable, 0, "{code}: {after:#?}");
            for finding in &after {
                let known = before.iter().any(|it| it.code == finding.code);
                assert!(known || code.starts_with("yaml-"), "{code}: new: {finding:?}");
            }
            assert_eq!(mend(&fixed, most, &judge).text, mended.text, "{code}: a second time");
            assert_eq!(own_comments(&fixed), own_comments(&source), "{code}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_list_is_in_order_and_nothing_else_has_a_fix() {
    let listed: Vec<&str> = fixable::all().map(|(code, _)| code).collect();
    assert!(listed.is_sorted(), "{listed:?}");
    let mut codes: BTreeSet<&str> = registry::RULES.iter().map(|rule| rule.id).collect();
    codes.extend(crate::diagnostic::codes::all().map(|code| code.id));
    assert!(listed.iter().all(|code| codes.contains(code)));
    for code in codes.into_iter().filter(|code| !listed.contains(code)) {
        let folder = folder(code);
        assert!(fixable::of(code).is_empty());
        for name in ["fixed.yaml", "fixed-unsafe.yaml"] {
            assert!(!folder.join(name).exists(), "{code} is not in the list");
        }
        let Ok(text) = fs::read_to_string(folder.join("bad.yaml")) else { continue };
        let found = judge(&folder, &parse(Source::new("bad.yaml", text)));
        assert!(found.iter().all(|it| it.code != code || it.fix.is_none()), "{code} is not in the list");
    }
}
