//! Findings as text, with the lines in question.

use std::sync::{Arc, Mutex, PoisonError};

use lifeboat_core::{
    diagnostic::{Diagnostic, Safety, Severity},
    source::{Source, Span},
    words::unsafe_to_print,
};
use miette::{LabeledSpan, MietteError, SourceCode, SpanContents};

use super::plain;

/// A source that gives miette the lines around a span without reading the whole text for each of ten thousand
/// findings.
struct Lines(Arc<Source>);

impl Lines {
    /// What a terminal would obey is shown and not executed, with as many bytes, so that every place stays where it is.
    /// Findings come by file, so the last one is remembered.
    fn of(source: &Arc<Source>) -> Self {
        static LAST: Mutex<Option<(Arc<Source>, Arc<Source>)>> = Mutex::new(None);
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, shown)) = last.as_ref().filter(|(known, _)| Arc::ptr_eq(known, source)) {
            return Self(Arc::clone(shown));
        }
        let text = source.text();
        let harmless = !text.chars().any(|letter| letter != '\n' && letter != '\t' && unsafe_to_print(letter))
            && !source.name().chars().any(unsafe_to_print);
        let shown = if harmless { Arc::clone(source) } else { Source::new(plain(source.name()), harmless_text(text)) };
        *last = Some((Arc::clone(source), Arc::clone(&shown)));
        Self(shown)
    }
}

fn harmless_text(text: &str) -> String {
    let mut letters = text.chars().peekable();
    let mut shown = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        let line_end = letter == '\r' && letters.peek() == Some(&'\n');
        shown.push(match letter {
            '\n' | '\t' => letter,
            _ if line_end || !unsafe_to_print(letter) => letter,
            _ => match letter.len_utf8() {
                1 => '?',
                2 => '·',
                _ => char::REPLACEMENT_CHARACTER,
            },
        });
    }
    shown
}

impl SourceCode for Lines {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let source = &self.0;
        let first = source.position(span.offset()).line.saturating_sub(before).max(1);
        let last = source.position(span.offset() + span.len()).line + after;
        let base = source.text().as_ptr().addr();
        let offset = |line: &str| line.as_ptr().addr() - base;
        let start = source.line(first).map_or(0, offset);
        let end = (first..=last).rev().find_map(|line| source.line(line)).map_or(0, |line| offset(line) + line.len());
        let data = source.slice(Span::new(start, end)).as_bytes();
        Ok(Box::new(miette::MietteSpanContents::new_named(
            source.name().to_owned(),
            data,
            miette::SourceSpan::from((start, data.len())),
            first - 1,
            // Without lines around it, miette asks for the place that it prints after the file's name.
            if before == 0 && after == 0 { source.position(span.offset()).column - 1 } else { 0 },
            last,
        )))
    }
}

/// A finding, or one of the places related to it, as miette wants it.
struct Shown {
    message: String,
    code: Option<&'static str>,
    severity: miette::Severity,
    help: Option<String>,
    url: Option<String>,
    source: Lines,
    labels: Vec<LabeledSpan>,
    related: Vec<Shown>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl miette::Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.code.map(|code| Box::new(code) as Box<dyn std::fmt::Display>)
    }
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }
    fn url<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.url.as_ref().map(|url| Box::new(url) as Box<dyn std::fmt::Display>)
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(self.related.iter().map(|related| related as &dyn miette::Diagnostic)))
    }
}

fn label(text: &str, span: Span, primary: bool) -> LabeledSpan {
    let text = (!text.is_empty()).then(|| plain(text));
    let length = span.end.saturating_sub(span.start);
    if primary {
        LabeledSpan::new_primary_with_span(text, (span.start, length))
    } else {
        LabeledSpan::new_with_span(text, (span.start, length))
    }
}

/// What to do, and by which option the engine does it itself.
fn help(diagnostic: &Diagnostic) -> Option<String> {
    let Some(fix) = &diagnostic.fix else { return diagnostic.help.clone() };
    let option = match fix.safety {
        Safety::Safe => "--fix",
        Safety::Unsafe => "--fix --unsafe",
    };
    let how = format!("fix: {} (`lifeboat lint {option}`)", fix.title);
    // Where the help is the fix, it is said once.
    let help = diagnostic.help.as_ref().filter(|help| **help != fix.title);
    Some(help.map_or_else(|| how.clone(), |help| format!("{help}\n{how}")))
}

/// One finding as text.
pub(crate) fn text(diagnostic: &Diagnostic) -> String {
    let mut labels = vec![label(&diagnostic.label, diagnostic.span, true)];
    let mut related = Vec::new();
    for other in &diagnostic.related {
        if Arc::ptr_eq(&other.source, &diagnostic.source) {
            labels.push(label(&other.message, other.span, false));
        } else {
            related.push(Shown {
                message: plain(&other.message),
                code: None,
                severity: miette::Severity::Advice,
                help: None,
                url: None,
                source: Lines::of(&other.source),
                labels: vec![label("", other.span, true)],
                related: Vec::new(),
            });
        }
    }
    let shown = Shown {
        message: plain(&diagnostic.message),
        code: Some(diagnostic.code),
        severity: match diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        },
        help: help(diagnostic).map(|help| plain(&help)),
        url: None,
        source: Lines::of(&diagnostic.source),
        labels,
        related,
    };
    let mut text = String::new();
    if super::handler().render_report(&mut text, &shown).is_err() {
        let at = diagnostic.source.position(diagnostic.span.start);
        text = format!(
            "{}:{}:{}: {} [{}]\n",
            diagnostic.source.name(),
            at.line,
            at.column,
            diagnostic.message,
            diagnostic.code
        );
    }
    clipped(&text)
}

/// Characters of one line that are shown: there are files without line ends, and a terminal is not to be filled with one.
const LONGEST: usize = 2_000;

fn clipped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(1 << 16));
    for line in text.split_inclusive('\n') {
        match line.char_indices().nth(LONGEST) {
            Some((end, _)) => {
                shown.push_str(&line[..end]);
                // What was coloured stays so only to the end of its line.
                shown.push_str(if line.contains('\u{1b}') { "…\u{1b}[0m\n" } else { "…\n" });
            }
            None => shown.push_str(line),
        }
    }
    shown
}

/// How many of them the engine can mend itself, when there are any.
pub(crate) fn fixable(diagnostics: &[Diagnostic]) -> Option<String> {
    let of = |safety| diagnostics.iter().filter(|it| it.fix.as_ref().is_some_and(|fix| fix.safety == safety)).count();
    match (of(Safety::Safe), of(Safety::Unsafe)) {
        (0, 0) => None,
        (safe, 0) => Some(format!("{safe} can be fixed by `--fix`")),
        (0, suggested) => Some(format!("{suggested} can be fixed by `--fix --unsafe`")),
        (safe, suggested) => Some(format!("{safe} can be fixed by `--fix`, {suggested} more by `--fix --unsafe`")),
    }
}

/// How many there are, in words.
pub(crate) fn tally(diagnostics: &[Diagnostic], files: usize) -> String {
    let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let number = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!(
        "{}, {} in {}",
        number(count(Severity::Error), "error"),
        number(count(Severity::Warning), "warning"),
        number(files, "runbook")
    )
}
