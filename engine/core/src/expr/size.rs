//! How deep an expression is, before a parser sees it.
//!
//! Duty: to refuse what would overflow the stack of a recursive parser, and the texts (string literals) whose end it
//! could see elsewhere than this does. It must not judge syntax otherwise: brackets may be wrong.

use std::ops::Range;

use crate::scope::Problem;

/// How many brackets may be open at once.
pub(super) const BRACKETS: usize = 24;
/// How many operators, calls and fields may depend on one another: `a + b + c` is three deep.
pub(super) const DEEPEST: usize = 64;

/// An upper bound of the depth of the tree that the parser will make of it.
pub(super) fn depth(text: &str) -> Result<usize, Problem> {
    let too_deep = |range: Range<usize>, what: &str, most: usize| Problem {
        message: format!("expected at most {most} {what}, found more"),
        range,
        help: Some("split it: compute a part in a step and use its `outputs`".to_owned()),
    };
    let mut open = vec![Group::default()];
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let token = token(text, at)?;
        let Some(group) = open.last_mut() else { break };
        match token.kind {
            Kind::Space => {}
            Kind::Operand => group.operand = group.operand.max(1),
            Kind::Open => {
                if open.len() > BRACKETS {
                    return Err(too_deep(at..at + 1, "open brackets", BRACKETS));
                }
                open.push(Group::default());
            }
            Kind::Close => {
                // A bracket too many is the parser's to report.
                if open.len() > 1 {
                    let inner = open.pop().map_or(0, Group::finish);
                    if let Some(group) = open.last_mut() {
                        group.operand = group.operand.max(inner) + 1;
                    }
                }
            }
            Kind::Dot => group.operand += 1,
            Kind::Sign if group.operand == 0 => group.unary += 1,
            Kind::Sign | Kind::Operator => {
                group.end_operand();
                group.operators += 1;
            }
            Kind::Logic => {
                group.end_part();
                group.logic += 1;
            }
            Kind::Choice => {
                group.end_part();
                group.choices += usize::from(rest.starts_with('?'));
            }
            Kind::Comma => group.end_argument(),
        }
        at += token.length.clamp(1, rest.len());
    }
    let mut depth = 0;
    while let Some(mut group) = open.pop() {
        group.operand = group.operand.max(depth) + 1;
        depth = group.finish();
    }
    if depth > DEEPEST {
        return Err(too_deep(0..text.len(), "operators and fields that depend on one another", DEEPEST));
    }
    Ok(depth)
}

/// What is known of one pair of brackets: an upper bound of the depth of the tree that the parser will make of it.
#[derive(Default)]
struct Group {
    operand: usize,
    unary: usize,
    deepest_operand: usize,
    operators: usize,
    deepest_part: usize,
    logic: usize,
    choices: usize,
    deepest_argument: usize,
}

impl Group {
    fn end_operand(&mut self) {
        self.deepest_operand = self.deepest_operand.max(self.operand + self.unary);
        self.operand = 0;
        self.unary = 0;
    }

    /// `+` and the like lean to the left, so each adds a level.
    fn end_part(&mut self) {
        self.end_operand();
        self.deepest_part = self.deepest_part.max(self.deepest_operand + self.operators);
        self.deepest_operand = 0;
        self.operators = 0;
    }

    /// `&&` and `||` are balanced by the parser, so only their logarithm counts.
    fn end_argument(&mut self) {
        self.end_part();
        let logic = usize::try_from(usize::BITS - self.logic.leading_zeros()).unwrap_or(usize::MAX);
        self.deepest_argument = self.deepest_argument.max(self.deepest_part + self.choices + logic);
        self.deepest_part = 0;
        self.logic = 0;
        self.choices = 0;
    }

    fn finish(mut self) -> usize {
        self.end_argument();
        self.deepest_argument
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space and comments.
    Space,
    Operand,
    Open,
    Close,
    Dot,
    /// `-` and `!`: what they are depends on what precedes them.
    Sign,
    Operator,
    Logic,
    Choice,
    Comma,
}

pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) length: usize,
}

/// The token at a place; something unknown is an operand of one character.
pub(super) fn token(text: &str, at: usize) -> Result<Token, Problem> {
    let rest = text.get(at..).unwrap_or_default();
    let some = |kind, length| Ok(Token { kind, length });
    let run = |accept: fn(char) -> bool| rest.find(|letter| !accept(letter)).unwrap_or(rest.len());
    let Some(first) = rest.chars().next() else { return some(Kind::Space, 0) };
    match first {
        _ if first.is_whitespace() => some(Kind::Space, run(char::is_whitespace)),
        '/' if rest.starts_with("//") => some(Kind::Space, rest.find(['\n', '\r']).unwrap_or(rest.len())),
        '\'' | '"' => some(Kind::Operand, string(text, at, at)?),
        '_' | 'a'..='z' | 'A'..='Z' => {
            let length = run(|letter| letter == '_' || letter.is_ascii_alphanumeric());
            let word = rest.get(..length).unwrap_or_default();
            let quoted = rest.get(length..).is_some_and(|rest| rest.starts_with(['\'', '"']));
            if quoted && ["r", "b", "br"].iter().any(|prefix| word.eq_ignore_ascii_case(prefix)) {
                return some(Kind::Operand, length + string(text, at, at + length)?);
            }
            some(if word == "in" { Kind::Operator } else { Kind::Operand }, length)
        }
        // The dot of `1.5` is not a field, and that of `1.e` is harmless.
        '0'..='9' => some(Kind::Operand, run(|letter| letter == '.' || letter.is_ascii_alphanumeric())),
        '(' | '[' | '{' => some(Kind::Open, 1),
        ')' | ']' | '}' => some(Kind::Close, 1),
        '.' => some(Kind::Dot, 1),
        '!' if rest.starts_with("!=") => some(Kind::Operator, 2),
        '!' | '-' => some(Kind::Sign, 1),
        '&' if rest.starts_with("&&") => some(Kind::Logic, 2),
        '|' if rest.starts_with("||") => some(Kind::Logic, 2),
        '=' | '<' | '>' => some(Kind::Operator, if rest.get(1..).is_some_and(|r| r.starts_with('=')) { 2 } else { 1 }),
        '+' | '*' | '/' | '%' => some(Kind::Operator, 1),
        '?' | ':' => some(Kind::Choice, 1),
        ',' => some(Kind::Comma, 1),
        other => some(Kind::Operand, other.len_utf8()),
    }
}

/// The length of the string literal whose quote is at `quote`, and whose prefix begins at `start`.
fn string(text: &str, start: usize, quote: usize) -> Result<usize, Problem> {
    let raw = text.get(start..quote).is_some_and(|prefix| prefix.ends_with(['r', 'R']));
    let rest = text.get(quote..).unwrap_or_default();
    let double = rest.starts_with('"');
    let mark = match (double, rest.starts_with("'''"), rest.starts_with("\"\"\"")) {
        (_, true, _) => "'''",
        (_, _, true) => "\"\"\"",
        (true, ..) => "\"",
        (false, ..) => "'",
    };
    let mut at = mark.len();
    while let Some(rest) = rest.get(at..) {
        let Some(letter) = rest.chars().next() else { break };
        if rest.starts_with(mark) {
            return Ok(at + mark.len());
        }
        if letter == '\\' && !raw {
            let place = quote + at;
            at += escape(rest).ok_or_else(|| {
                let shown: String = rest.chars().take(2).collect();
                Problem {
                    message: format!("expected an escape such as `\\n`, `\\\\` or `\\u00e9`, found `{shown}`"),
                    range: place..place + shown.len(),
                    help: Some("write `\\\\` for a backslash, or a raw text: `r'\\d+'`".to_owned()),
                }
            })?;
            continue;
        }
        if mark.len() == 1 && (letter == '\n' || letter == '\r') {
            break;
        }
        at += letter.len_utf8();
    }
    Err(Problem {
        message: format!(
            "expected a closing `{mark}`, found the end of the {}",
            if mark.len() == 1 { "line" } else { "text" }
        ),
        range: start..(quote + at).min(text.len()),
        help: None,
    })
}

/// The length of the escape at the beginning, if CEL has it.
fn escape(rest: &str) -> Option<usize> {
    let mut letters = rest.chars().skip(1);
    let (digits, radix) = match letters.next()? {
        'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '"' | '\'' | '`' | '\\' | '?' => return Some(2),
        'x' | 'X' => (2, 16),
        'u' => (4, 16),
        'U' => (8, 16),
        '0'..='3' => (2, 8),
        _ => return None,
    };
    let enough = letters.take(digits).filter(|letter| letter.is_digit(radix)).count() == digits;
    enough.then_some(2 + digits)
}
