//! Words: quotes, escapes and expansions to pieces.
//!
//! Duty: what a word is before the shell expands it. Commands in substitutions are read elsewhere.

use std::ops::Range;

use tree_sitter::Node;

use super::{Piece, Word};

/// How the text between expansions is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
    Ansi,
}

/// Reads a word.
pub(super) fn read(text: &str, node: Node<'_>) -> Word {
    let mut word = Word { range: node.byte_range(), ..Word::default() };
    let mut stack = vec![(node, Quote::None)];
    while let Some((node, quote)) = stack.pop() {
        match node.kind() {
            "concatenation" => {
                let mut cursor = node.walk();
                let parts: Vec<_> = node.children(&mut cursor).collect();
                stack.extend(parts.into_iter().rev().map(|part| (part, Quote::None)));
            }
            "string" | "translated_string" => double(text, node, &mut word),
            "raw_string" => plain(&mut word, inside(text, node, 1), Quote::Single),
            "ansi_c_string" => plain(&mut word, inside(text, node, 2), Quote::Ansi),
            "word" | "number" | "heredoc_content" | "test_operator" | "regex" | "variable_name" => {
                if node.child_count() > 0 {
                    word.push(Piece::Unknown);
                } else {
                    plain(&mut word, slice(text, node.byte_range()), quote);
                }
            }
            kind => expansion(text, kind, node, false, &mut word),
        }
    }
    word
}

fn expansion(text: &str, kind: &str, node: Node<'_>, quoted: bool, word: &mut Word) {
    match kind {
        "simple_expansion" | "expansion" => {
            let mut cursor = node.walk();
            let mut children = node.named_children(&mut cursor);
            if has_no_value(slice(text, node.byte_range())) {
                word.splits |= !quoted;
                word.push(Piece::Unknown);
                return;
            }
            let name = children.find(|it| matches!(it.kind(), "variable_name" | "special_variable_name" | "subscript"));
            let name = name.map_or("", |name| slice(text, name.byte_range()));
            let list = name.starts_with('@') || name.contains("[@]") || name == "*" || name.contains("[*]");
            word.splits |= !quoted || list;
            word.list |= list;
            word.push(Piece::Variable(name.split('[').next().unwrap_or(name).to_owned()));
        }
        "command_substitution" => {
            word.splits |= !quoted;
            word.push(Piece::Substitution(node.byte_range()));
        }
        "process_substitution" => word.push(Piece::Substitution(node.byte_range())),
        "brace_expression" => {
            word.splits = true;
            word.push(Piece::Unknown);
        }
        "$" => word.push(Piece::Text("$".to_owned())),
        _ => word.push(Piece::Unknown),
    }
}

/// `${#NAME}` and `${NAME:+text}`: a length, and a text of its own, but never what the variable has. Flags are left to be told
/// by the name: `${FLAGS:+--yes}`.
fn has_no_value(expansion: &str) -> bool {
    let Some(inner) = expansion.strip_prefix("${").and_then(|it| it.strip_suffix('}')) else { return false };
    let is_name = |it: &str| !it.is_empty() && it.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    if let Some(name) = inner.strip_prefix('#') {
        return is_name(name);
    }
    let Some((name, text)) = inner.split_once('+') else { return false };
    is_name(name.strip_suffix(':').unwrap_or(name)) && !text.contains(['$', '`']) && !text.starts_with('-')
}

/// A text in double quotes: the grammar leaves out some of its white space, so what is between the expansions is taken from
/// the script itself.
fn double(text: &str, node: Node<'_>, word: &mut Word) {
    let range = node.byte_range();
    let whole = slice(text, range.clone());
    let open = if whole.starts_with('$') { 2 } else { 1 };
    let mut at = range.start + open;
    let end = range.end.saturating_sub(usize::from(whole.len() > open && whole.ends_with('"'))).max(at);
    let mut any = false;
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        if matches!(child.kind(), "string_content" | "string") {
            continue;
        }
        plain(word, slice(text, at..child.start_byte()), Quote::Double);
        expansion(text, child.kind(), child, true, word);
        at = child.end_byte().max(at);
        any = true;
    }
    plain(word, slice(text, at..end.max(at)), Quote::Double);
    if !any && word.pieces.is_empty() {
        word.push(Piece::Text(String::new()));
    }
}

fn plain(word: &mut Word, raw: &str, quote: Quote) {
    if raw.is_empty() {
        return;
    }
    if quote == Quote::None && raw.contains(['*', '?', '[']) {
        word.glob = true;
    }
    if quote == Quote::Single || !raw.contains('\\') {
        // `a{b,c}` is several words.
        word.splits |= quote == Quote::None && raw.contains('{') && raw.contains(',');
        word.push(Piece::Text(raw.to_owned()));
        return;
    }
    let mut value = String::with_capacity(raw.len());
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            value.push(letter);
            continue;
        }
        match (quote, letters.next()) {
            (_, None) => value.push('\\'),
            (Quote::None | Quote::Double, Some('\n')) => {}
            (Quote::None, Some(next)) | (Quote::Double, Some(next @ ('$' | '`' | '"' | '\\'))) => value.push(next),
            (Quote::Ansi, Some('n')) => value.push('\n'),
            (Quote::Ansi, Some('t')) => value.push('\t'),
            (Quote::Ansi, Some(next @ ('\\' | '\'' | '"'))) => value.push(next),
            (Quote::Ansi, Some(_)) => {
                word.push(Piece::Unknown);
                return;
            }
            (Quote::Double | Quote::Single, Some(next)) => value.extend(['\\', next]),
        }
    }
    word.push(Piece::Text(value));
}

fn inside<'a>(text: &'a str, node: Node<'_>, open: usize) -> &'a str {
    let range = node.byte_range();
    slice(text, range.start + open..range.end.saturating_sub(1).max(range.start + open))
}

/// A part of a text; nothing when it is not one.
pub(super) fn slice(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}
