use std::sync::Arc;

use super::*;

fn read(text: &str) -> (Option<Node>, Vec<(&'static str, usize, String)>) {
    let source = Source::new("t.yaml", text);
    let (root, diagnostics) = parse(&source);
    for diagnostic in &diagnostics {
        let Span { start, end } = diagnostic.span;
        assert!(start <= end && end <= text.len(), "{diagnostic:?}");
        assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{diagnostic:?}");
        assert!(diagnostic.help.is_some(), "{diagnostic:?}");
    }
    let told = diagnostics.into_iter().map(|d| (d.code, source.position(d.span.start).line, d.message)).collect();
    (root, told)
}

fn codes(text: &str) -> Vec<(&'static str, usize)> {
    read(text).1.into_iter().map(|(code, line, _)| (code, line)).collect()
}

/// The tree as text, with the source of every scalar.
fn shape(source: &Arc<Source>, node: &Node) -> String {
    match &node.kind {
        NodeKind::Scalar { text, plain } => {
            format!("{}{text:?}@{:?}", if *plain { "" } else { "!" }, source.slice(node.span))
        }
        NodeKind::Sequence(items) => {
            format!("[{}]", items.iter().map(|node| shape(source, node)).collect::<Vec<_>>().join(" "))
        }
        NodeKind::Mapping(mapping) => {
            let entries = mapping.iter().map(|(key, entry)| {
                assert!(!source.slice(entry.key).is_empty());
                format!("{key}={}", shape(source, &entry.value))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
        }
        NodeKind::Broken => "broken".to_owned(),
    }
}

fn tree(text: &str) -> String {
    let source = Source::new("t.yaml", text);
    let (root, diagnostics) = parse(&source);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    root.map(|root| shape(&source, &root)).unwrap_or_default()
}

#[test]
fn keeps_texts_as_they_are() {
    assert_eq!(
        tree("a: [y, no, 1.10, 0x10, 'q', ~]\nb: é ü\nc:\nd: \"\"\ne: !!str 5\n"),
        r#"{a=["y"@"y" "no"@"no" "1.10"@"1.10" "0x10"@"0x10" !"q"@"'q'" "~"@"~"] b="é ü"@"é ü" c=""@"" d=!""@"\"\"" e=!"5"@"5"}"#
    );
    assert_eq!(tree("a: |\n  x\n  y\n\nb: >-\n  x\n  y\n"), r#"{a=!"x\ny\n"@"x\n  y" b=!"x y"@"x\n  y"}"#);
}

#[test]
fn reads_any_line_end_and_a_mark_at_the_start() {
    assert_eq!(
        tree("\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\nc: 2\r\n"),
        r#"{a="1"@"1" b=!"x\ny\n"@"x\r\n  y" c="2"@"2"}"#
    );
}

#[test]
fn expands_aliases_where_they_stand() {
    assert_eq!(
        tree("a: &x {k: [v]}\nb: *x\nc: &x 1\nd: *x\n"),
        r#"{a={k=["v"@"v"]} b={k=["v"@"v"]} c="1"@"1" d="1"@"1"}"#
    );
}

#[test]
fn the_span_of_a_block_ends_with_its_last_value() {
    let source = Source::new("t.yaml", "a:\n  b: 1\n  c: [2,\n     3]\n\n# far away\n\nd: *no\n");
    let (root, _) = parse(&source);
    let root = root.expect("a document");
    let a = &root.as_mapping().and_then(|top| top.get("a")).expect("a").value;
    assert_eq!(source.slice(a.span), "b: 1\n  c: [2,\n     3]");
}

#[test]
fn tells_every_problem_that_is_not_syntax() {
    let text =
        "a: 1\nb: *gone\na: 2\n<<: {x: 1}\n[p, q]: 3\n~: 4\nc: !vault 5\nd: &d [*d]\na: 6\ne: {{inputs.x}}\n: 7\n";
    assert_eq!(
        codes(text),
        [
            ("unknown-anchor", 2),
            ("duplicate-key", 3),
            ("yaml-merge-key", 4),
            ("yaml-key", 5),
            ("yaml-key", 6),
            ("yaml-tag", 7),
            ("recursive-alias", 8),
            ("duplicate-key", 9),
            ("yaml-key", 10),
            ("yaml-key", 11),
        ]
    );
}

#[test]
fn tells_where_the_syntax_ends() {
    for (text, line) in [
        ("a: b: c\n", 1),
        ("a: 1\n\tb: 2\n", 1),
        ("a:\n\t- 2\n", 2),
        ("a: [1,\n2\n", 1),
        ("a: 1\nb: 'x\n", 3),
        ("a: 1\nb: 'x", 2),
        ("a: 1\nb: @x\n", 2),
        ("a: 1\n b: 2\n", 2),
        ("a: \"\\q\"\n", 1),
        ("a: \u{0}\n", 1),
        ("a: 1\n\u{0}", 2),
        ("a: [}\n", 1),
        ("a: {{x}} y\n", 1),
    ] {
        let (_, told) = read(text);
        let last = told.last().expect("a diagnostic");
        assert_eq!((last.0, last.1), ("yaml-syntax", line), "{text:?}: {told:?}");
    }
}

#[test]
fn knows_when_there_is_nothing_or_too_much() {
    for text in ["", "\n\n", "# only a comment\n", "\u{feff}"] {
        assert_eq!(codes(text), [("empty-document", 1)], "{text:?}");
    }
    assert_eq!(codes("a: 1\n---\nb: 2\n"), [("more-than-one-document", 2)]);
    assert_eq!(codes("--- \na: 1\n...\n"), []);
    assert_eq!(codes(&"# comment\n".repeat(MAX_BYTES / 10 + 1)), [("document-too-large", 1)]);
}

#[test]
fn is_not_overthrown() {
    for bomb in ["[", "{", "- ", "? ", "{a: ", "[[],"] {
        assert_eq!(codes(&bomb.repeat(1_000_000)), [("too-deep", 1)], "{bomb}");
    }
    let steep = (0..2000).fold(String::new(), |text, depth| text + &" ".repeat(depth) + "a:\n");
    assert_eq!(codes(&steep).first().map(|told| told.0), Some("too-deep"));
    assert_eq!(codes(&format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH))), []);
    // Deep only once the alias is expanded.
    let half = MAX_DEPTH / 2;
    let folded =
        format!("a: &a {}{}\nb: {}*a{}\n", "[".repeat(half), "]".repeat(half), "[".repeat(half), "]".repeat(half));
    assert_eq!(codes(&folded), [("too-deep", 2)]);
}

#[test]
fn aliases_cannot_explode() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        let name = format!("a{level}");
        laughs += &[&name, ": &", &name, " [", &items, "]\n"].concat();
    }
    assert_eq!(codes(&laughs).last().map(|told| told.0), Some("alias-bomb"));
    // Many aliases of one large text.
    let texts = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(1000));
    assert_eq!(codes(&texts), [("alias-bomb", 2)]);
    // Many anchors around one another keep many copies.
    let around = format!("{}[{}]{}", "&a [".repeat(50), "x,".repeat(100_000), "]".repeat(50));
    assert_eq!(codes(&around), [("alias-bomb", 1)]);
}
