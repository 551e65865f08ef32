//! Diagnostics for machines: the `"version": 1` shape of `lint --format json`.
//!
//! Duty: that one shape. It must not leave anything out because a person would not need it.

use serde_json::{Value, json};

use super::{Diagnostic, Fix, Severity};
use crate::source::{Source, Span};

/// The findings in their order, with a summary; `files` is how many files were looked at.
#[must_use]
pub fn to_json(diagnostics: &[Diagnostic], files: usize) -> Value {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
    let count = |severity| sorted.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    json!({
        "version": 1,
        "diagnostics": sorted.iter().map(|diagnostic| one(diagnostic)).collect::<Vec<_>>(),
        "summary": {"errors": count(Severity::Error), "warnings": count(Severity::Warning), "files": files},
    })
}

fn one(diagnostic: &Diagnostic) -> Value {
    let related = diagnostic.related.iter().map(|related| {
        json!({
            "message": related.message,
            "path": related.source.name(),
            "span": place(&related.source, related.span),
        })
    });
    json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "path": diagnostic.source.name(),
        "span": place(&diagnostic.source, diagnostic.span),
        "related": related.collect::<Vec<_>>(),
        "help": diagnostic.help,
        "fix": diagnostic.fix.as_ref().map(|fix| mend(&diagnostic.source, fix)),
        "url": diagnostic.url(),
    })
}

fn mend(source: &Source, fix: &Fix) -> Value {
    let edits = fix.edits.iter().map(|edit| json!({"span": place(source, edit.span), "text": edit.text}));
    json!({"title": fix.title, "safety": fix.safety, "edits": edits.collect::<Vec<_>>()})
}

fn place(source: &Source, span: Span) -> Value {
    json!({"start": source.position(span.start), "end": source.position(span.end)})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Edit;

    #[test]
    fn has_the_documented_shape() {
        let source = Source::new("r.yaml", "é: 1\nsteps: 2\n");
        let fix = Fix::suggestion("write it", vec![Edit::new(Span::new(6, 11), "step"), Edit::insert(14, "!")]);
        let late = Diagnostic::warning("test-late", &source, Span::new(6, 11), "second").fix(Some(fix));
        let early = Diagnostic::error("test-early", &source, Span::new(4, 5), "first")
            .related(&source, Span::new(0, 2), "here too")
            .help("do this");
        let expected = json!({
            "version": 1,
            "diagnostics": [
                {
                    "code": "test-early", "severity": "error", "message": "first", "path": "r.yaml",
                    "span": {"start": {"line": 1, "column": 4, "offset": 4}, "end": {"line": 1, "column": 5, "offset": 5}},
                    "related": [{
                        "message": "here too", "path": "r.yaml",
                        "span": {"start": {"line": 1, "column": 1, "offset": 0}, "end": {"line": 1, "column": 2, "offset": 2}},
                    }],
                    "help": "do this",
                    "fix": null,
                    "url": "https://lifeboat.dev/book/reference/diagnostics.html#test-early",
                },
                {
                    "code": "test-late", "severity": "warning", "message": "second", "path": "r.yaml",
                    "span": {"start": {"line": 2, "column": 1, "offset": 6}, "end": {"line": 2, "column": 6, "offset": 11}},
                    "related": [], "help": null,
                    "fix": {
                        "title": "write it", "safety": "unsafe",
                        "edits": [
                            {
                                "text": "step",
                                "span": {
                                    "start": {"line": 2, "column": 1, "offset": 6},
                                    "end": {"line": 2, "column": 6, "offset": 11},
                                },
                            },
                            {
                                "text": "!",
                                "span": {
                                    "start": {"line": 2, "column": 9, "offset": 14},
                                    "end": {"line": 2, "column": 9, "offset": 14},
                                },
                            },
                        ],
                    },
                    "url": "https://lifeboat.dev/book/reference/diagnostics.html#test-late",
                },
            ],
            "summary": {"errors": 1, "warnings": 1, "files": 3},
        });
        assert_eq!(to_json(&[late, early], 3), expected);
    }
}
