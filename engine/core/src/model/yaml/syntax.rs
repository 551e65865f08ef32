//! What to say when a text is not YAML.
//!
//! Duty: the parser's errors in words that help an author. It must not decide whether something is an error.

use std::sync::Arc;

use serde_yaml::granit_parser::{ErrorKind, ScanError};

use super::{MAX_BYTES, MAX_DEPTH, NodeKind, meant};
use crate::{
    diagnostic::Diagnostic,
    source::{Source, Span},
};

/// What makes a text not worth reading at all.
pub(super) fn unreadable(source: &Arc<Source>) -> Option<Diagnostic> {
    let text = source.text();
    if text.len() > MAX_BYTES {
        let message = format!("expected at most 4 MiB ({MAX_BYTES} bytes), found {} bytes", text.len());
        return Some(
            Diagnostic::error("document-too-large", source, first_line(source), message)
                .help("split it: a step with `runbook:` includes another file"),
        );
    }
    let nul = text.find('\0')?;
    let message = "expected text, found a NUL character";
    Some(
        Diagnostic::error("yaml-syntax", source, Span::new(nul, nul + 1), message)
            .help("remove it: is this a text file in UTF-8?"),
    )
}

/// A text without anything in it.
pub(super) fn empty(source: &Arc<Source>) -> Diagnostic {
    Diagnostic::error("empty-document", source, first_line(source), "expected a runbook, found nothing")
        .help("start with `apiVersion: lifeboat.dev/v1` and `kind: Runbook`, or run `lifeboat new`")
}

fn first_line(source: &Source) -> Span {
    Span::new(0, source.line(1).map_or(0, str::len))
}

/// A key that is not a name.
pub(super) fn bad_key(source: &Arc<Source>, kind: &NodeKind, span: Span) -> Diagnostic {
    let (found, help) = match kind {
        // `{{inputs.x}}` without quotes is a mapping whose key is a mapping.
        NodeKind::Mapping(_) if source.text().get(..span.start).is_some_and(|before| before.ends_with('{')) => {
            ("a mapping", "a template must stand in quotes: `\"{{…}}\"`")
        }
        NodeKind::Mapping(_) => ("a mapping", "write a name before the `:`"),
        NodeKind::Sequence(_) => ("a list", "write a name before the `:`"),
        NodeKind::Scalar { .. } | NodeKind::Broken => {
            ("nothing", "write a name before the `:`, in quotes if it is `null` or `~`")
        }
    };
    let template = help.starts_with("a template");
    Diagnostic::error("yaml-key", source, span, format!("expected a name as the key, found {found}"))
        .help(help)
        .fix(if template { meant::quoted(source, span.start.saturating_sub(1)) } else { None })
}

/// The parser's error with its place.
pub(super) fn diagnostic(source: &Arc<Source>, error: &ScanError) -> Diagnostic {
    let span = place(source, error);
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        let message = format!("expected at most {MAX_DEPTH} levels of nesting, found more");
        return Diagnostic::error("too-deep", source, span, message).help("put what is inside on fewer levels");
    }
    let (message, help) = words(error.kind());
    let message = message.unwrap_or_else(|| format!("expected YAML, found a mistake: {}", error.info()));
    let template = template_without_quotes(source, span);
    let help = if template { "a template must stand in quotes: `\"{{…}}\"`" } else { help };
    let fix = if template { meant::quoted_line(source, span.start) } else { None };
    Diagnostic::error("yaml-syntax", source, span, message).help(help).fix(fix)
}

/// The character at which the parser stopped, or the last one of the file.
fn place(source: &Source, error: &ScanError) -> Span {
    let text = source.text();
    let mut start = error.marker().byte_offset().unwrap_or(0).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let length = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Span::new(start, start + length)
}

fn template_without_quotes(source: &Source, span: Span) -> bool {
    let line = source.line(source.position(span.start).line).unwrap_or_default();
    [": {{", "- {{", "[{{", ", {{"].iter().any(|start| line.contains(start))
}

/// Message (`None`: the parser's own) and help for one kind of error.
fn words(kind: &ErrorKind) -> (Option<String>, &'static str) {
    let (message, help) = match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::InvalidBlockEntryWhitespace
        | ErrorKind::InvalidMappingValueWhitespace => {
            ("expected spaces, found a tab", "indent with spaces: YAML does not allow tabs there")
        }
        ErrorKind::MappingValueNotAllowed => (
            "expected a value, found a second `:` in it",
            "put the text in quotes if it contains `: `; otherwise check the indentation of this line and the one before",
        ),
        ErrorKind::MappingKeyNotAllowed => ("expected a value, found a key", "check the indentation of this line"),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            "expected `:` after a key, found the end of the line",
            "write `key: value`, or check the indentation of this line",
        ),
        ErrorKind::ExpectedBlockMappingKey => (
            "expected a key, found something else",
            "check the indentation of this line; put the value before it in quotes if it has quotes or brackets of its own",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => (
            "expected `- `, found something else",
            "check the indentation of this line: the elements of a list start in one column",
        ),
        ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::BlockEntryInFlowCollection => {
            ("expected a value, found `- `", "start the list on a line of its own, or write it as `[a, b]`")
        }
        ErrorKind::UnclosedQuotedScalar => {
            ("expected a closing quote, found the end of the file", "close the quote that opens here")
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            "expected the end of the line after the closing quote, found more text",
            "put all of the value in quotes, and use the other kind of quote inside",
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "expected an escape that YAML knows, found another one",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        ErrorKind::ExpectedFlowSequenceSeparator => {
            ("expected `,` or `]`, found something else", "separate the elements by `,` and close the list with `]`")
        }
        ErrorKind::ExpectedFlowMappingSeparator => {
            ("expected `,` or `}`, found something else", "separate the entries by `,` and close the mapping with `}`")
        }
        ErrorKind::InvalidIndentation | ErrorKind::InvalidBlockScalarIndent | ErrorKind::InvalidFlowScalarIndent => (
            "expected this line to be indented like those around it, found another indentation",
            "indent what belongs together by the same number of spaces",
        ),
        ErrorKind::InvalidQuotedScalarIndent => (
            "expected the rest of a text in quotes, found a line that is not indented",
            "close the quote that was opened further up, or indent this line",
        ),
        ErrorKind::BomInsideDocument => {
            ("expected text, found a byte order mark", "remove it: it may stand at the very start of a file only")
        }
        ErrorKind::UnexpectedCharacter { character } => {
            return (
                Some(format!("expected a value, found `{}`, which cannot start one", character.escape_default())),
                "put the value in quotes",
            );
        }
        ErrorKind::UnclosedFlowCollection { open } => {
            let close = if *open == '[' { ']' } else { '}' };
            return (
                Some(format!("expected `{close}`, found the end of what `{open}` opened")),
                "close the bracket that opens here",
            );
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            return (
                Some(format!("expected the other half of `{open}`, found `{close}`")),
                "close the brackets in the order in which they were opened",
            );
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            ("expected a value, found a closing bracket", "remove it, or open it before")
        }
        ErrorKind::CommentNotSeparated => {
            ("expected a space before the comment, found none", "write a space before `#`, or put the value in quotes")
        }
        ErrorKind::CommentInterceptedScalar => {
            ("expected the rest of the text, found a comment inside it", "move the comment before or after the text")
        }
        _ => return (None, "mend this place, or put the value in quotes"),
    };
    (Some(message.to_owned()), help)
}
