//! The book is whole: every page is reached, and every link leads somewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::harness::repository;

/// What a page links to, and the anchors that its headings give.
fn read(path: &Path) -> (Vec<String>, BTreeSet<String>) {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut links, mut anchors, mut heading) = (Vec::new(), BTreeSet::new(), None);
    for event in Parser::new_ext(&text, Options::all()) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => links.push(dest_url.to_string()),
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let words = heading.take().unwrap_or_default().to_lowercase().replace(' ', "-");
                anchors.insert(words.chars().filter(|it| it.is_alphanumeric() || "-_".contains(*it)).collect());
            }
            _ => {}
        }
    }
    (links, anchors)
}

fn pages(directory: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(directory).expect("the book").flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut files = vec![repository().join("README.md"), repository().join("CHANGELOG.md")];
    pages(&repository().join("book/src"), &mut files);
    let read: BTreeMap<PathBuf, _> =
        files.iter().map(|path| (path.canonicalize().expect("a page"), read(path))).collect();
    let mut dead = Vec::new();
    for (page, (links, _)) in &read {
        for link in links.iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().expect("a directory").join(path) };
            let found = target.canonicalize().ok().filter(|target| target.exists());
            let anchored = found.as_ref().is_some_and(|target| {
                anchor.is_empty() || read.get(target).is_some_and(|(_, anchors)| anchors.contains(anchor))
            });
            if !anchored {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere: {dead:#?}");
}

#[test]
fn every_page_is_in_the_summary() {
    let book = repository().join("book/src");
    let mut all = Vec::new();
    pages(&book, &mut all);
    let (links, _) = read(&book.join("SUMMARY.md"));
    let listed: BTreeSet<PathBuf> = links.iter().map(|link| book.join(link)).collect();
    let lost: Vec<_> = all.iter().filter(|page| !page.ends_with("SUMMARY.md") && !listed.contains(*page)).collect();
    assert!(lost.is_empty(), "no link of the summary leads to {lost:#?}");
}

/// Codes are looked up by the address that every finding has.
#[test]
fn every_code_has_its_anchor() {
    let (_, anchors) = read(&repository().join("book/src/reference/diagnostics.md"));
    let rules = fs::read_dir(repository().join("tests/fixtures/lint")).expect("fixtures").flatten();
    // `seeds` has whole runbooks, and is of no one rule.
    for rule in rules.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| name != "seeds") {
        assert!(anchors.contains(&rule), "no heading for {rule}");
    }
    for code in ["yaml-syntax", "unknown-key", "not-yet", "bad-for-each"] {
        assert!(anchors.contains(code), "no heading for {code}");
    }
}
