//! The `{{…}}` of a template.
//!
//! Duty: where they are and whether they are among those that we allow, with the exact place of what is not. It must
//! not recurse, and it must find the same tags as the crate does, so its rules for escapes and comments are those of
//! the crate's `grammar.pest`.

use std::ops::Range;

use super::{DEEPEST, MOST_TAGS, at};
use crate::scope::{Problem, Reference};

const ALLOWED: &str = "a template has `{{path}}`, `{{#if path}}`, `{{#unless path}}`, `{{#each path}}`, `{{else}}` and \
                       comments; anything else is computed by a step's `outputs` or a CEL expression";
const BRACES: &str = "write `\\{{` for two braces that are text";

/// One tag.
pub(super) struct Tag {
    pub(super) kind: TagKind,
    /// Where its path stands.
    range: Range<usize>,
    /// Where all of it stands, with its braces.
    pub(super) whole: Range<usize>,
}

/// What a tag is.
pub(super) enum TagKind {
    Value(Path),
    Open(Block, Path),
    Else,
    Close,
}

/// What opens and closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    If,
    Unless,
    Each,
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Scope,
    This,
    Index,
    Key,
    First,
    Last,
}

/// A path as written, and its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) raw: String,
    pub(super) root: Root,
    pub(super) names: Vec<String>,
}

impl Block {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::Unless => "unless",
            Self::Each => "each",
        }
    }
}

impl Tag {
    /// Whether it is a node of the tree of its own.
    pub(super) const fn is_shown(&self) -> bool {
        matches!(self.kind, TagKind::Value(_) | TagKind::Open(..))
    }

    pub(super) fn reference(&self) -> Option<Reference> {
        match &self.kind {
            TagKind::Value(path) | TagKind::Open(_, path) if path.root == Root::Scope => {
                Some(Reference { path: path.names.clone(), dynamic: false, range: self.range.clone() })
            }
            _ => None,
        }
    }
}

struct Opened {
    block: Block,
    range: Range<usize>,
    /// Whether its `{{else}}` was seen.
    turned: bool,
}

pub(super) fn scan(text: &str) -> Result<Vec<Tag>, Problem> {
    let mut tags = Vec::new();
    let mut open: Vec<Opened> = Vec::new();
    let mut place = 0;
    while let Some(start) = text.get(place..).and_then(|rest| rest.find("{{")).map(|found| place + found) {
        let rest = text.get(start..).unwrap_or_default();
        let before = text.get(place..start).unwrap_or_default();
        // One backslash escapes; of more, one is taken away, and the tag is a tag.
        if before.ends_with('\\') && !before.ends_with("\\\\") {
            place = start + if rest.starts_with("{{{{") { 4 } else { 2 };
            continue;
        }
        if let Some(end) = comment(rest) {
            place = start + end;
            continue;
        }
        if tags.len() >= MOST_TAGS {
            let message = format!("expected at most {MOST_TAGS} `{{{{…}}}}` in a template, found more");
            return Err(at(start..start + 2, message, "compute the text in a step and use its `outputs`"));
        }
        let (tag, end) = tag(text, start, &mut open)?;
        tags.push(tag);
        place = end;
    }
    match open.pop() {
        None => Ok(tags),
        Some(opened) => {
            let name = opened.block.name();
            Err(at(opened.range, format!("expected a `{{{{/{name}}}}}` for this, found the end"), BRACES))
        }
    }
}

/// The length of the comment at the beginning, if there is one.
fn comment(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix("{{!")?;
    let begun = inside.trim_start_matches([' ', '\t', '\n', '\r']);
    if let Some(long) = begun.strip_prefix("--")
        && let Some(end) = long.find("--}}")
    {
        return Some(rest.len() - long.len() + end + 4);
    }
    inside.find("}}").map(|end| 3 + end + 2)
}

fn tag(text: &str, start: usize, open: &mut Vec<Opened>) -> Result<(Tag, usize), Problem> {
    let mut cursor = Cursor { text, at: start };
    let head = start..start + 2;
    if cursor.take("{{{{") {
        return Err(at(start..cursor.at, "raw blocks are not allowed", BRACES));
    }
    let triple = cursor.take("{{{");
    if !triple {
        cursor.take("{{");
    }
    cursor.take("~");
    cursor.space();
    let sign = cursor.rest().chars().next();
    let refused = match sign {
        Some('>') => Some("partials are not allowed in a template"),
        Some('*') => Some("decorators are not allowed in a template"),
        Some('(') => Some("subexpressions are not allowed in a template"),
        Some('&') => Some("`{{&path}}` is not allowed in a template: nothing is escaped anyway"),
        Some('!') => Some("expected a comment such as `{{! text }}`"),
        Some('{') => Some("expected `{{{` without anything in between"),
        _ => None,
    };
    if let Some(message) = refused {
        return Err(at(start..cursor.line_end(), message, ALLOWED));
    }
    let kind_and_range = match sign {
        Some('#') if !triple => {
            cursor.take("#");
            cursor.space();
            opened(&mut cursor, start, open)?
        }
        Some('/') if !triple => {
            cursor.take("/");
            cursor.space();
            closed(&mut cursor, start, open)?
        }
        Some('^') if !triple => {
            cursor.take("^");
            turned(start..cursor.at, open)?
        }
        _ => {
            let from = cursor.at;
            let inside = open.iter().any(|opened| opened.block == Block::Each && !opened.turned);
            let path = path(&mut cursor, inside)?;
            let range = from..cursor.at;
            if path.raw == "else" && !triple {
                cursor.space();
                if !cursor.rest().starts_with(['}', '~']) {
                    return Err(at(
                        start..cursor.line_end(),
                        "`{{else …}}` with a condition is not allowed",
                        "write a block inside of the `{{else}}`",
                    ));
                }
                turned(range, open)?
            } else {
                (TagKind::Value(path), range)
            }
        }
    };
    let (kind, range) = kind_and_range;
    cursor.space();
    let behind = cursor.at;
    // `{{{path~}}}` is how the crate wants it: the sign stands inside.
    cursor.take("~");
    if !cursor.take(if triple { "}}}" } else { "}}" }) {
        return Err(unexpected(&cursor, behind, &head));
    }
    Ok((Tag { kind, range, whole: start..cursor.at }, cursor.at))
}

fn unexpected(cursor: &Cursor<'_>, behind: usize, head: &Range<usize>) -> Problem {
    let rest = cursor.text.get(behind..).unwrap_or_default();
    match rest.chars().next() {
        None => at(head.clone(), "expected `}}` for this, found the end", BRACES),
        Some('}') => at(head.clone(), "expected as many braces at the end as at the beginning", BRACES),
        Some(letter) => {
            let end = behind + rest.find(['}', '\n']).unwrap_or(letter.len_utf8()).max(letter.len_utf8());
            let shown: String = rest.chars().take_while(|letter| !matches!(letter, '}' | '\n')).take(40).collect();
            at(behind..end, format!("expected `}}}}` behind the path, found `{}`", shown.trim_end()), ALLOWED)
        }
    }
}

fn opened(cursor: &mut Cursor<'_>, start: usize, open: &mut Vec<Opened>) -> Result<(TagKind, Range<usize>), Problem> {
    let name = cursor.word();
    let block = match name {
        "if" => Block::If,
        "unless" => Block::Unless,
        "each" => Block::Each,
        _ => {
            let message = match cursor.rest().chars().next().filter(|_| name.is_empty()) {
                Some('*') => "decorators are not allowed in a template".to_owned(),
                Some('>') => "partials are not allowed in a template".to_owned(),
                _ => format!("`#{name}` is not allowed in a template"),
            };
            return Err(at(start..cursor.line_end(), message, ALLOWED));
        }
    };
    cursor.space();
    let from = cursor.at;
    let inside = open.iter().any(|opened| opened.block == Block::Each && !opened.turned);
    let path = path(cursor, inside)?;
    let range = from..cursor.at;
    let literal = matches!(path.raw.as_str(), "true" | "false" | "null" | "as" | "else")
        || path.raw.trim_start_matches(['[', '-']).starts_with(|letter: char| letter.is_ascii_digit());
    if literal {
        return Err(at(range, format!("expected a path such as `inputs.zone`, found `{}`", path.raw), ALLOWED));
    }
    if open.len() >= DEEPEST {
        let message = format!("expected at most {DEEPEST} blocks inside of one another, found more");
        return Err(at(start..range.end, message, "compute the text in a step and use its `outputs`"));
    }
    open.push(Opened { block, range: start..range.end, turned: false });
    Ok((TagKind::Open(block, path), range))
}

fn closed(cursor: &mut Cursor<'_>, start: usize, open: &mut Vec<Opened>) -> Result<(TagKind, Range<usize>), Problem> {
    let name = cursor.word();
    let range = start..cursor.at;
    match open.pop() {
        Some(opened) if opened.block.name() == name => Ok((TagKind::Close, range)),
        Some(opened) => {
            let wanted = opened.block.name();
            Err(at(range, format!("expected `{{{{/{wanted}}}}}`, found `{{{{/{name}}}}}`"), BRACES))
        }
        None => Err(at(range, format!("`{{{{/{name}}}}}` closes nothing"), BRACES)),
    }
}

fn turned(range: Range<usize>, open: &mut [Opened]) -> Result<(TagKind, Range<usize>), Problem> {
    match open.last_mut() {
        Some(opened) if !opened.turned => {
            opened.turned = true;
            Ok((TagKind::Else, range))
        }
        Some(_) => Err(at(range, "this block has an `{{else}}` already", BRACES)),
        None => Err(at(range, "`{{else}}` stands in no block", BRACES)),
    }
}

fn path(cursor: &mut Cursor<'_>, in_each: bool) -> Result<Path, Problem> {
    let start = cursor.at;
    let local = cursor.take("@");
    let mut names = Vec::new();
    loop {
        let from = cursor.at;
        if cursor.take("[") {
            let Some(end) = cursor.rest().find(']') else {
                return Err(at(from..cursor.line_end(), "expected a `]` for this, found the end", BRACES));
            };
            let name = cursor.rest().get(..end).unwrap_or_default();
            if name.is_empty() || name.contains(['[', '{', '}', '\n', '\r']) {
                return Err(at(from..cursor.at + end + 1, "expected a name between `[` and `]`", ALLOWED));
            }
            names.push(name.to_owned());
            cursor.at += end + 1;
        } else {
            let name = cursor.word();
            if name.is_empty() {
                return Err(no_name(cursor, start));
            }
            names.push(name.to_owned());
        }
        if !cursor.take(".") {
            break;
        }
    }
    if cursor.rest().starts_with('/') {
        return Err(at(start..cursor.at + 1, "`/` in a path is not allowed", "write `.` between names"));
    }
    let raw = cursor.text.get(start..cursor.at).unwrap_or_default().to_owned();
    let range = start..cursor.at;
    let first = names.first().cloned().unwrap_or_default();
    let root = match (local, first.as_str(), names.len()) {
        (false, "this", _) => Root::This,
        (true, "root", 2..) | (false, ..) => Root::Scope,
        (true, "index", 1) => Root::Index,
        (true, "key", 1) => Root::Key,
        (true, "first", 1) => Root::First,
        (true, "last", 1) => Root::Last,
        (true, ..) => {
            let help = "there are `@root.inputs.zone` and, in `#each`, `@index`, `@key`, `@first` and `@last`";
            return Err(at(range, format!("there is no `{raw}`"), help));
        }
    };
    if root == Root::This || (local && root == Root::Scope) {
        names.remove(0);
    }
    // The crate leaves a `this` out wherever it stands, and `[this]` too.
    if names.iter().any(|name| name == "this") || (root == Root::This && raw.starts_with('[')) {
        return Err(at(range, "`this` can only stand at the beginning of a path", ALLOWED));
    }
    // The crate reads `{{elsewhere}}` as `{{else where}}`.
    if raw.starts_with("else") && raw != "else" {
        let message = format!("a path cannot begin with `else`, found `{raw}`");
        return Err(at(range, message, "put the name in brackets: `{{[elsewhere]}}`"));
    }
    let bare = root == Root::Scope && !local && raw != "else";
    match (root, in_each) {
        (Root::Scope, true) if bare => Err(at(
            range,
            format!("inside of `#each`, `{raw}` would be a field of the item"),
            &format!("write `this.{raw}` if that is meant, `@root.{raw}` otherwise"),
        )),
        (Root::Scope, _) | (_, true) => Ok(Path { raw, root, names }),
        _ => Err(at(range, format!("`{raw}` has a meaning inside of `#each` only"), ALLOWED)),
    }
}

fn no_name(cursor: &Cursor<'_>, start: usize) -> Problem {
    let rest = cursor.rest();
    if rest.starts_with('.') {
        return at(
            start..cursor.at + 1,
            "`..` and `./` are not allowed in a path",
            "write `@root.inputs.zone` inside of `#each`",
        );
    }
    let length = rest.chars().next().map_or(0, char::len_utf8);
    let found = match rest.chars().next() {
        None => "the end".to_owned(),
        Some('}') => "`}}`".to_owned(),
        Some(letter) => format!("`{letter}`"),
    };
    let help = match rest.chars().next() {
        Some(' ' | '(') => ALLOWED,
        _ => BRACES,
    };
    at(cursor.at..cursor.at + length, format!("expected a name such as `inputs.zone`, found {found}"), help)
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// A name of the crate's grammar (`symbol_char+`).
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let name = |letter: char| letter.is_ascii_alphanumeric() || "-_$:".contains(letter) || !letter.is_ascii();
        let word = rest.get(..rest.find(|letter| !name(letter)).unwrap_or(rest.len())).unwrap_or_default();
        self.at += word.len();
        word
    }

    /// The end of the tag, if it ends on this line; of what can be shown otherwise.
    fn line_end(&self) -> usize {
        let rest = self.rest();
        let line = rest.find('\n').unwrap_or(rest.len());
        self.at + rest.find("}}").map_or(line, |end| (end + 2).min(line))
    }
}
