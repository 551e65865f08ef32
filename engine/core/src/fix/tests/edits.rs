//! Edits of texts in every style. Each result is read again: it is the tree that was meant, and nothing else has changed.

use super::super::{Editor, apply};
use crate::{
    diagnostic::Edit,
    model::{
        parse::{Route, Segment},
        yaml::{self, Node, NodeKind},
    },
    source::Source,
};

pub(super) fn route(way: &str) -> Route {
    let segment = |part: &str| part.parse().map_or_else(|_| Segment::Key(part.to_owned()), Segment::Index);
    way.split('.').filter(|part| !part.is_empty()).map(segment).collect()
}

/// What is in a tree, without its places.
fn shape(node: &Node) -> String {
    match &node.kind {
        NodeKind::Scalar { text, plain } => format!("{plain}{text:?}"),
        NodeKind::Sequence(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(" ")),
        NodeKind::Mapping(mapping) => {
            let entries = mapping.iter().map(|(key, entry)| format!("{key}={}", shape(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
        }
        NodeKind::Broken => String::from("broken"),
    }
}

pub(super) fn edited(text: &str, edit: impl Fn(&Editor<'_>) -> Option<Vec<Edit>>) -> Option<String> {
    let source = Source::new("t.yaml", text);
    let (root, problems) = yaml::parse(&source);
    assert!(problems.is_empty(), "{problems:?}");
    edit(&Editor::new(&source, root.as_ref())).map(|edits| apply(text, &edits))
}

#[track_caller]
fn becomes(text: &str, edit: impl Fn(&Editor<'_>) -> Option<Vec<Edit>>, wanted: &str, tree: &str) {
    let is = edited(text, edit).unwrap_or_else(|| panic!("no edit of {text:?}"));
    assert_eq!(is, wanted);
    let (root, problems) = yaml::parse(&Source::new("t.yaml", is));
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(root.as_ref().map(shape).unwrap_or_default().replace("true", "").replace("false", "!"), tree);
}

#[track_caller]
fn stays(text: &str, edit: impl Fn(&Editor<'_>) -> Option<Vec<Edit>>) {
    assert_eq!(edited(text, edit), None, "{text:?}");
}

#[test]
fn keys_go_with_their_lines_and_comments() {
    let without = |way: &'static str| move |editor: &Editor<'_>| editor.remove(&route(way));
    becomes("a: 1 # one\nb: 2\t# two\nc: 3\n", without("b"), "a: 1 # one\nc: 3\n", r#"{a="1" c="3"}"#);
    becomes("a: 1\r\nb: 2\r\nc: é\r\n", without("b"), "a: 1\r\nc: é\r\n", r#"{a="1" c="é"}"#);
    becomes("a: 1\nb: 2", without("b"), "a: 1", r#"{a="1"}"#);
    becomes("a: 1\r\nb: 2", without("b"), "a: 1", r#"{a="1"}"#);
    becomes("a: 1\nb: 2", without("a"), "b: 2", r#"{b="2"}"#);
    // What stands above or below is not its own.
    becomes("a: 1\n# of b\nb: 2\n# of c\nc: 3\n", without("b"), "a: 1\n# of b\n# of c\nc: 3\n", r#"{a="1" c="3"}"#);
    becomes("a: 1\nb:\n  x: [1,\n      2]\n  y: 2\nc: 3\n", without("b"), "a: 1\nc: 3\n", r#"{a="1" c="3"}"#);
    becomes("a: 1\nb:\n- x\n- y\nc: 3\n", without("b"), "a: 1\nc: 3\n", r#"{a="1" c="3"}"#);
    becomes("a: 1\nb: |\n  x\n\n  # no\nc: 3\n", without("b"), "a: 1\nc: 3\n", r#"{a="1" c="3"}"#);
    becomes("a: 1\nb: >-\n  x\n  y\n\nc: 3\n", without("b"), "a: 1\n\nc: 3\n", r#"{a="1" c="3"}"#);
    becomes("a: 1\nb: x\n  y\nc: 3\n", without("b"), "a: 1\nc: 3\n", r#"{a="1" c="3"}"#);
    becomes("a: 1\nb: \"x\n  y\" # z\nc: 3\n", without("b"), "a: 1\nc: 3\n", r#"{a="1" c="3"}"#);
    becomes("a: 1\nb:\nc: 3\n", without("b"), "a: 1\nc: 3\n", r#"{a="1" c="3"}"#);
    becomes("a: 1\nb: &x 2\nc: 3\n", without("b"), "a: 1\nc: 3\n", r#"{a="1" c="3"}"#);
    becomes("a:\n  b:\n    c: 1\nd: 2\n", without("a.b.c"), "d: 2\n", r#"{d="2"}"#);
    becomes("l:\n  - b: 2 # two\n    c: 3\n", without("l.0.c"), "l:\n  - b: 2 # two\n", r#"{l=[{b="2"}]}"#);
    becomes("l:\n  - b: 2\n    c: 3\n", without("l.0.b"), "l:\n  - c: 3\n", r#"{l=[{c="3"}]}"#);
}

#[test]
fn keys_in_brackets_go_with_their_comma() {
    let without = |way: &'static str| move |editor: &Editor<'_>| editor.remove(&route(way));
    becomes("m: {a: 1, b: 2, c: 3}\n", without("m.a"), "m: {b: 2, c: 3}\n", r#"{m={b="2" c="3"}}"#);
    becomes("m: {a: 1, b: 2, c: 3}\n", without("m.b"), "m: {a: 1, c: 3}\n", r#"{m={a="1" c="3"}}"#);
    becomes("m: {a: 1, b: [2, 3] }\n", without("m.b"), "m: {a: 1 }\n", r#"{m={a="1"}}"#);
    becomes("m: {a: 1, b: 2,}\n", without("m.b"), "m: {a: 1,}\n", r#"{m={a="1"}}"#);
    becomes("m: {'a':1,\"b\":2}\n", without("m.a"), "m: {\"b\":2}\n", r#"{m={b="2"}}"#);
    becomes("m: {\n  a: 1, # one\n  b: 2 # two\n}\n", without("m.b"), "m: {\n  a: 1, # one\n}\n", r#"{m={a="1"}}"#);
    becomes("m: {\n  a: 1, # one\n  b: 2\n}\n", without("m.a"), "m: {\n  b: 2\n}\n", r#"{m={b="2"}}"#);
    becomes("m: {a: 1}\nb: 2\n", without("m.a"), "b: 2\n", r#"{b="2"}"#);
}

#[test]
fn what_is_not_clear_is_left_alone() {
    let without = |way: &'static str| move |editor: &Editor<'_>| editor.remove(&route(way));
    stays("a: 1\n", without("a"));
    stays("a: 1\n", without("b"));
    stays("l:\n  - a: 1\n", without("l.0.a"));
    // A comment of its own would be lost.
    stays("a: 1\nb:\n  # why\n  x: 1\nc: 3\n", without("b"));
    stays("l:\n  - b: 2\n    # of c\n    c: 3\n", without("l.0.b"));
    stays("a: 1\n? b\n: 2\n", without("b"));
    // What an alias stands for is elsewhere, and what it needs must stay.
    stays("a: &x 1\nb: *x\n", without("a"));
    stays("a: &x 1\nb: *x\n", without("b"));
    stays("a: &x {k: 1, l: 2}\nb: *x\n", without("a.k"));
    stays("a: &x {k: 1, l: 2}\nb: *x\n", without("b.k"));
    stays("a: &x\n  k: 1\n  l: 2\nb: *x\n", without("a.l"));
    stays("a: 1\nb:\n  - 2\n  - *gone\n".replace("*gone", "*x").replace("a: 1", "a: &x 1").as_str(), without("b"));
    stays("a: &x 1\nb:\n  c: 2\n  d: *x\ne: 3\n", without("b"));
    stays("l: [a: 1, b]\n", without("l.0.a"));
}

#[test]
fn keys_are_put_in_where_they_belong() {
    let with = |way: &'static str, beside: &'static str| {
        move |editor: &Editor<'_>| editor.add(&route(way), beside, "new", "v")
    };
    becomes("a: 1 # one\nb: 2\n", with("", "a"), "a: 1 # one\nnew: v\nb: 2\n", r#"{a="1" new="v" b="2"}"#);
    becomes(
        "m:\r\n  a: 1\r\nb: 2\r\n",
        with("m", "a"),
        "m:\r\n  a: 1\r\n  new: v\r\nb: 2\r\n",
        r#"{m={a="1" new="v"} b="2"}"#,
    );
    becomes("m:\n  a: 1", with("m", "a"), "m:\n  a: 1\n  new: v", r#"{m={a="1" new="v"}}"#);
    becomes(
        "l:\n  - a: 1\n    b:\n      - x\nc: 3\n",
        with("l.0", ""),
        "l:\n  - a: 1\n    b:\n      - x\n    new: v\nc: 3\n",
        r#"{l=[{a="1" b=["x"] new="v"}] c="3"}"#,
    );
    becomes(
        "l:\n- a: |\n    x\n\n  b: 1\n",
        with("l.0", "a"),
        "l:\n- a: |\n    x\n  new: v\n\n  b: 1\n",
        r#"{l=[{a=!"x\n" new="v" b="1"}]}"#,
    );
    // Behind the last one of which it is known where it ends, or before all of them.
    becomes(
        "l:\n- a: |+\n    x\n\n\nb: 1\n",
        with("l.0", "a"),
        "l:\n- new: v\n  a: |+\n    x\n\n\nb: 1\n",
        r#"{l=[{new="v" a=!"x\n\n\n"}] b="1"}"#,
    );
    becomes(
        "d: &x 1\nm:\n  a: 1\n  b: *x\n",
        with("m", "b"),
        "d: &x 1\nm:\n  a: 1\n  new: v\n  b: *x\n",
        r#"{d="1" m={a="1" new="v" b="1"}}"#,
    );
    becomes(
        "d: &x 1\nm:\n  b: *x\n",
        with("m", "b"),
        "d: &x 1\nm:\n  new: v\n  b: *x\n",
        r#"{d="1" m={new="v" b="1"}}"#,
    );
    becomes(
        "m: {a: 1, b: \"é\" }\n",
        with("m", "a"),
        "m: {a: 1, b: \"é\", new: v }\n",
        r#"{m={a="1" b=!"é" new="v"}}"#,
    );
    becomes("m: {}\n", with("m", ""), "m: {new: v}\n", r#"{m={new="v"}}"#);
    becomes(
        "m: {a: 1,\n    b: 2 # two\n   }\n",
        with("m", ""),
        "m: {a: 1,\n    b: 2, new: v # two\n   }\n",
        r#"{m={a="1" b="2" new="v"}}"#,
    );
    stays("m: {a: 1, new: 2}\n", with("m", "a"));
    stays("m: {a: 1, b}\n", with("m", "a"));
    stays("m: &x {a: 1}\nn: *x\n", with("m", "a"));
    stays("m: &x\n  a: 1\nn: *x\n", with("m", "a"));
    stays("m: &x\n  a: 1\nn: *x\n", with("n", "a"));
}

#[test]
fn elements_are_put_in_at_the_end() {
    let with = |way: &'static str| move |editor: &Editor<'_>| editor.append(&route(way), "new");
    becomes("l: [a, b ]\n", with("l"), "l: [a, b, new ]\n", r#"{l=["a" "b" "new"]}"#);
    becomes(
        "l:\n  - a # one\n  -   b # two\nc: 3\n",
        with("l"),
        "l:\n  - a # one\n  -   b # two\n  - new\nc: 3\n",
        r#"{l=["a" "b" "new"] c="3"}"#,
    );
    becomes("l:\n- a\nc: 3\n", with("l"), "l:\n- a\n- new\nc: 3\n", r#"{l=["a" "new"] c="3"}"#);
    stays("l: []\n", with("l"));
    stays("l: [a,]\n", with("l"));
    stays("d: &x 1\nl: [a, *x]\n", with("l"));
    stays("d: &x 1\nl:\n  - a\n  - *x\n", with("l"));
    stays("l:\n  - - a\n", with("l.0"));
}

#[test]
fn scalars_keep_their_quotes() {
    let source = |text: &str| Source::new("t.yaml", text.to_owned());
    let write = |text: &'static str, old: &'static str, new: &'static str| {
        let (root, _) = yaml::parse(&source(text));
        let span = root.as_ref().and_then(Node::as_mapping).and_then(|top| top.get("a")).map(|entry| entry.value.span);
        edited(text, |editor| editor.replace(span?, old, new))
    };
    assert_eq!(write("a: old # c\n", "old", "new").as_deref(), Some("a: new # c\n"));
    assert_eq!(write("a: 'old'\n", "old", "new").as_deref(), Some("a: 'new'\n"));
    assert_eq!(write("a: \"old\"\n", "old", "b c: d").as_deref(), Some("a: \"b c: d\"\n"));
    assert_eq!(write("a: old\n", "old", "b c: d"), None);
    assert_eq!(write("a: old\n", "old", "true"), None, "it would be another type");
    assert_eq!(write("a: old\n", "old", "1"), None);
    assert_eq!(write("a: \"o\\x6cd\"\n", "old", "new"), None);
    assert_eq!(write("a: &x old\nb: *x\n", "old", "new"), None);
    let quotes = |text: &'static str, old: &'static str| {
        let (root, _) = yaml::parse(&source(text));
        let span = root.as_ref().and_then(Node::as_mapping).and_then(|top| top.get("a")).map(|entry| entry.value.span);
        edited(text, |editor| editor.unquote(span?, old))
    };
    assert_eq!(quotes("a: \"5\" # c\n", "5").as_deref(), Some("a: 5 # c\n"));
    assert_eq!(quotes("a: 5\n", "5"), None);
    assert_eq!(quotes("a: !!str \"5\"\n", "5"), None);
}

#[test]
fn comments_go_alone() {
    let without = |text: &str, comment: &str| {
        let at = text.find(comment).unwrap_or_default();
        let span = crate::source::Span::new(at, at + comment.len());
        edited(text, |editor| editor.remove_comment(span))
    };
    assert_eq!(without("a: 1 \t# x\nb: 2\n", "# x").as_deref(), Some("a: 1\nb: 2\n"));
    assert_eq!(without("a: 1\r\n  # x\r\nb: 2\r\n", "# x").as_deref(), Some("a: 1\r\nb: 2\r\n"));
    assert_eq!(without("a: 1\r\nb: 2 # é", "# é").as_deref(), Some("a: 1\r\nb: 2"));
    assert_eq!(without("a: 1\n# x", "# x").as_deref(), Some("a: 1"));
}
