//! From a place inside a scalar's value back to the file.
//!
//! Duty: quotes, escapes, folding and indentation, backwards. Whatever it finds has been checked against the value, so
//! that it is exact or nothing; then the whole scalar is the answer.

use std::ops::Range;

use crate::source::{Source, Span};

/// Where a part of a value stands in the file. `span` is the whole scalar's place, `text` its value, and `inner` a
/// range of bytes in that value. When the part cannot be found exactly, it is the whole scalar's place.
#[must_use]
pub fn locate(source: &Source, span: Span, text: &str, inner: Range<usize>) -> Span {
    let raw = source.slice(span);
    let runs = Runs::verbatim(raw, text)
        .or_else(|| Runs::quoted(raw, text))
        .or_else(|| {
            let indentation = indentation(source, span);
            Runs::lines(raw, text, |line| line.get(indentation..).unwrap_or_default())
        })
        .or_else(|| Runs::lines(raw, text, str::trim));
    let exact = runs.filter(|_| inner.start <= inner.end && inner.end <= text.len()).and_then(|runs| {
        let start = runs.start(inner.start)?;
        let end = if inner.is_empty() { start } else { runs.end(inner.end)?.max(start) };
        let exact = Span::new(span.start + start, span.start + end);
        // An offset inside a character would be a lie in every rendering.
        let fits = |offset| source.text().is_char_boundary(offset);
        (fits(exact.start) && fits(exact.end)).then_some(exact)
    });
    exact.unwrap_or(span)
}

/// By how much the lines of a block scalar after its first one are indented: as much as the first one is.
fn indentation(source: &Source, span: Span) -> usize {
    let raw = source.slice(span);
    if raw.lines().next().is_some_and(|line| line.trim().is_empty()) {
        let first = raw.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        return first.len() - first.trim_start_matches(' ').len();
    }
    source.position(span.start).column.saturating_sub(1)
}

/// A piece of the value, and where it comes from. Pieces of the same length are the same text.
#[derive(Debug)]
struct Run {
    value: Range<usize>,
    raw: Range<usize>,
}

#[derive(Debug, Default)]
struct Runs {
    value: String,
    runs: Vec<Run>,
}

impl Runs {
    /// A value that stands in the file as it is.
    fn verbatim(raw: &str, text: &str) -> Option<Self> {
        (raw == text)
            .then(|| Self { value: String::new(), runs: vec![Run { value: 0..text.len(), raw: 0..raw.len() }] })
    }

    /// A value in lines of which each, once `content` has taken the indentation off, stands in the value as it is;
    /// between them there is nothing but white space. The first line of a scalar has no indentation.
    fn lines<'a>(raw: &'a str, text: &str, content: impl Fn(&'a str) -> &'a str) -> Option<Self> {
        let mut runs = Self::default();
        let mut value = 0;
        let mut offset = 0;
        for (number, whole) in raw.split_inclusive('\n').enumerate() {
            let line = whole.trim_end_matches(['\n', '\r']);
            let indented = number > 0 || line.trim().is_empty();
            let content = if indented { content(line) } else { line };
            if !content.trim().is_empty() {
                let content = if text.get(value..)?.contains(content) { content } else { content.trim_end() };
                while !text.get(value..)?.starts_with(content) {
                    let gap = text.get(value..)?.starts_with([' ', '\n', '\t']);
                    value += usize::from(gap);
                    if !gap {
                        return None;
                    }
                }
                let start = offset + (content.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
                runs.runs.push(Run { value: value..value + content.len(), raw: start..start + content.len() });
                value += content.len();
            }
            offset += whole.len();
        }
        text.get(value..)?.trim().is_empty().then_some(runs)
    }

    /// A value in single or double quotes.
    fn quoted(raw: &str, text: &str) -> Option<Self> {
        let quote = raw.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let body = raw.get(1..)?.strip_suffix(quote)?;
        let mut runs = Self::default();
        let mut at = 0;
        while let Some(letter) = body.get(at..)?.chars().next() {
            let rest = body.get(at..)?;
            let used = match letter {
                '\'' if quote == '\'' => runs.special("'", at, rest.starts_with("''").then_some(2)?),
                '\\' if quote == '"' => runs.escape(rest, at)?,
                '\n' | '\r' => runs.fold(rest, at),
                letter => runs.plain(letter, at),
            };
            at += used;
        }
        // The opening quote.
        for run in &mut runs.runs {
            run.raw = run.raw.start + 1..run.raw.end + 1;
        }
        (runs.value == text).then_some(runs)
    }

    fn plain(&mut self, letter: char, at: usize) -> usize {
        let (start, length) = (self.value.len(), letter.len_utf8());
        self.value.push(letter);
        match self.runs.last_mut().filter(|run| run.raw.end == at && run.raw.len() == run.value.len()) {
            Some(run) => {
                run.value.end += length;
                run.raw.end += length;
            }
            None => self.runs.push(Run { value: start..start + length, raw: at..at + length }),
        }
        length
    }

    fn special(&mut self, value: &str, at: usize, length: usize) -> usize {
        let start = self.value.len();
        self.value.push_str(value);
        self.runs.push(Run { value: start..self.value.len(), raw: at..at + length });
        length
    }

    fn escape(&mut self, rest: &str, at: usize) -> Option<usize> {
        let letter = rest.chars().nth(1)?;
        let digits = match letter {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            '\n' | '\r' => return Some(1 + line_break(rest.get(1..)?).0),
            _ => 0,
        };
        let meant = match letter {
            'n' => '\n',
            't' | '\t' => '\t',
            'r' => '\r',
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'e' => '\u{1b}',
            'N' => '\u{85}',
            '_' => '\u{a0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            '"' | '\\' | '/' | ' ' => letter,
            _ if digits > 0 => char::from_u32(u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?)?,
            _ => return None,
        };
        let mut buffer = [0; 4];
        Some(self.special(meant.encode_utf8(&mut buffer), at, 1 + letter.len_utf8() + digits))
    }

    /// A line break: a space, or as many line ends as there are empty lines.
    fn fold(&mut self, rest: &str, at: usize) -> usize {
        while self.value.ends_with([' ', '\t']) {
            self.value.pop();
            if let Some(run) = self.runs.last_mut() {
                run.value.end = self.value.len();
                run.raw.end = run.raw.end.saturating_sub(1).max(run.raw.start);
            }
        }
        let (length, breaks) = line_break(rest);
        let value = if breaks == 1 { " ".to_owned() } else { "\n".repeat(breaks - 1) };
        self.special(&value, at, length)
    }

    fn start(&self, offset: usize) -> Option<usize> {
        let run = self.runs.iter().find(|run| offset < run.value.end).or(self.runs.last())?;
        Some(match offset.checked_sub(run.value.start) {
            Some(inside) if run.raw.len() == run.value.len() => run.raw.start + inside.min(run.raw.len()),
            // The end of a value whose last piece is an escape.
            Some(_) if offset >= run.value.end => run.raw.end,
            _ => run.raw.start,
        })
    }

    fn end(&self, offset: usize) -> Option<usize> {
        let run = self.runs.iter().rev().find(|run| run.value.start < offset).or(self.runs.first())?;
        Some(match offset.saturating_sub(run.value.start) {
            inside if run.raw.len() == run.value.len() => run.raw.start + inside.min(run.raw.len()),
            _ => run.raw.end,
        })
    }
}

/// How long the line breaks and the white space here are, and how many line breaks there are.
fn line_break(rest: &str) -> (usize, usize) {
    let length = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    let breaks = rest.get(..length).unwrap_or_default().matches('\n').count();
    (length, breaks.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::yaml;

    /// Finds `part` in the value of `key: …` and returns what stands in the file there, with line and column.
    fn found(value: &str, part: &str) -> (String, usize, usize) {
        let text = format!("# é\nkey: {value}\nnext: 1\n");
        let source = Source::new("t", text.clone());
        let (root, problems) = yaml::parse(&source);
        assert!(problems.is_empty(), "{problems:?} in {text}");
        let root = root.expect("a document");
        let node = &root.as_mapping().and_then(|top| top.get("key")).expect("the key").value;
        let text = node.as_text().expect("a text");
        let at = text.find(part).unwrap_or_else(|| panic!("{part} in {text:?}"));
        let span = locate(&source, node.span, text, at..at + part.len());
        let place = source.position(span.start);
        (source.slice(span).to_owned(), place.line, place.column)
    }

    fn exact(value: &str, part: &str, line: usize, column: usize) {
        assert_eq!(found(value, part), (part.to_owned(), line, column), "{part} in {value:?}");
    }

    #[test]
    fn finds_in_plain_and_quoted_texts() {
        exact("a {{x}} b", "{{x}}", 2, 8);
        exact("'a {{x}} b'", "{{x}}", 2, 9);
        exact("\"é {{x}} b\"", "{{x}}", 2, 9);
        exact("'it''s {{x}}'", "{{x}}", 2, 13);
        exact(r#""tab\t\"q\" \u00e9 \x41 {{x}} \n y""#, "{{x}}", 2, 30);
        exact(r#""a == \"b\" && zz""#, "zz", 2, 21);
        assert_eq!(found(r#""say \"hi\" now""#, "\"hi\"").0, r#"\"hi\""#);
    }

    #[test]
    fn finds_in_texts_of_several_lines() {
        exact("plain\n   goes {{x}}\n\n   on {{y}}", "{{x}}", 3, 9);
        exact("plain\n   goes {{x}}\n\n   on {{y}}", "{{y}}", 5, 7);
        exact("'quoted  \n   it''s {{x}}\n\n   on {{y}}'", "{{x}}", 3, 10);
        exact("\"quoted  \n   go\\\"es {{x}}\n\n   on {{y}} \\\n   z\"", "{{y}}", 5, 7);
        exact("\"quoted  \n   go\\\"es {{x}}\n\n   on {{y}} \\\n   z\"", "z", 6, 4);
    }

    #[test]
    fn finds_in_block_scalars() {
        let script = "|\n    first {{a}}\n      more {{b}}\n\n    last {{c}}\n";
        exact(script, "{{a}}", 3, 11);
        exact(script, "{{b}}", 4, 12);
        exact(script, "{{c}}", 6, 10);
        let folded = ">-\n    first {{a}}\n    second {{b}}\n\n      more {{c}}\n    last {{d}}\n";
        exact(folded, "{{a}}", 3, 11);
        exact(folded, "{{b}}", 4, 12);
        exact(folded, "{{c}}", 6, 12);
        exact(folded, "{{d}}", 7, 10);
        exact("|2\n    indented {{a}}\n  b\n", "{{a}}", 3, 14);
        exact("|\n\n\n  a {{x}}\n   b {{y}}\n", "{{y}}", 6, 6);
        exact("|+\n  same same\n  same {{x}}\n\n\n", "{{x}}", 4, 8);
        exact("|\r\n  a {{x}}\r\n  b {{y}}\r\n", "{{y}}", 4, 5);
        exact("|\n  'q' {{x}}\n  \"z\n", "\"z", 4, 3);
    }

    #[test]
    fn takes_all_when_it_cannot_know() {
        let source = Source::new("t", "key: abc\n");
        let span = Span::new(5, 8);
        assert_eq!(locate(&source, span, "other", 0..2), span);
        assert_eq!(locate(&source, span, "abc", 2..9), span);
        assert_eq!(locate(&source, span, "abc", 1..1), Span::new(6, 6));
        assert_eq!(locate(&source, span, "abc", 3..3), Span::new(8, 8));
        assert_eq!(locate(&source, Span::new(900, 1000), "abc", 0..1), Span::new(900, 1000));
    }
}
