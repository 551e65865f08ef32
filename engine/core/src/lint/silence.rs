//! `# lifeboat: ignore[rule-id] reason`: findings that somebody has looked at.
//!
//! Duty: from comments to what they silence. Telling what is wrong with them is for the rules `bad-ignore`,
//! `ignore-without-reason`, `unknown-rule` and `unused-ignore`, which nothing can silence. Mistakes of the text cannot be
//! silenced either: what cannot be read cannot be run.

use std::collections::{HashMap, HashSet};

use super::{registry, rules};
use crate::{
    diagnostic::Diagnostic,
    model::{Check, Runbook, Undo, parse::Parsed, yaml},
    source::{Source, Span, Spanned},
};

/// A comment that silences.
#[derive(Debug)]
pub(crate) struct Silence {
    /// All of the comment.
    pub(crate) span: Span,
    /// What it names, and where.
    pub(crate) ids: Vec<(String, Span)>,
    /// Whether it says why.
    pub(crate) has_reason: bool,
    /// What it is about.
    pub(crate) scope: Scope,
    /// Whether it stands in a script, and is a part of that.
    pub(crate) in_script: bool,
}

/// What a comment is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What begins on this line.
    Line(usize),
    /// What begins in this step.
    Step(String, Span),
    /// Nothing: below it is an empty line, or the end of the file.
    Nothing,
}

/// All of a file's.
#[derive(Debug, Default)]
pub(crate) struct Silences {
    pub(crate) all: Vec<Silence>,
    /// Comments that are meant for us and cannot be understood.
    pub(crate) malformed: Vec<Span>,
    lines: HashMap<(String, usize), Vec<usize>>,
    /// By id, in the order of the file.
    steps: HashMap<String, Vec<(Span, usize)>>,
}

/// Whether a rule is about the comments that silence.
pub(super) fn is_about_comments(id: &str) -> bool {
    let ours = [
        rules::bad_ignore::RULE,
        rules::ignore_without_reason::RULE,
        rules::unknown_rule::RULE,
        rules::unused_ignore::RULE,
    ];
    ours.iter().any(|rule| rule.id == id)
}

/// Whether the findings of a rule can be silenced.
pub(crate) fn can_be_silenced(id: &str) -> bool {
    registry::find(id).is_some() && !is_about_comments(id)
}

impl Silences {
    /// Reads the comments of a file.
    pub(crate) fn read(parsed: &Parsed) -> Self {
        let source = &*parsed.source;
        let mut silences = Self::default();
        if !source.text().contains("lifeboat:") {
            return silences;
        }
        let in_yaml = yaml::comments(source);
        let in_scripts = comments_in_scripts(parsed);
        let (comments, from) = ([in_yaml.as_slice(), in_scripts.as_slice()].concat(), in_yaml.len());
        let alone: HashSet<usize> = comments
            .iter()
            .map(|span| span.start)
            .filter(|at| begins_line(source, *at))
            .map(|at| line(source, at))
            .collect();
        let steps = steps(parsed);
        for (number, span) in comments.into_iter().enumerate() {
            match directive(source, span) {
                None => {}
                Some(Err(())) => silences.malformed.push(span),
                Some(Ok((ids, has_reason))) => {
                    let scope = scope(source, span, &alone, &steps);
                    silences.add(Silence { span, ids, has_reason, scope, in_script: number >= from });
                }
            }
        }
        silences
    }

    fn add(&mut self, silence: Silence) {
        let number = self.all.len();
        for (id, _) in &silence.ids {
            match &silence.scope {
                Scope::Line(line) => self.lines.entry((id.clone(), *line)).or_default().push(number),
                Scope::Step(_, span) => self.steps.entry(id.clone()).or_default().push((*span, number)),
                Scope::Nothing => {}
            }
        }
        self.all.push(silence);
    }

    /// The comments that silence a finding, by their number in `all`.
    pub(crate) fn of(&self, finding: &Diagnostic) -> Vec<usize> {
        if self.all.is_empty() || !can_be_silenced(finding.code) {
            return Vec::new();
        }
        let start = finding.span.start;
        let mut found = Vec::new();
        if let Some(numbers) = self.lines.get(&(finding.code.to_owned(), line(&finding.source, start))) {
            found.extend(numbers);
        }
        if let Some(steps) = self.steps.get(finding.code) {
            let next = steps.partition_point(|(span, _)| span.start <= start);
            let around = steps[..next].iter().rev().take_while(|(span, _)| start < span.end);
            found.extend(around.map(|(_, number)| number));
        }
        found
    }
}

fn line(source: &Source, offset: usize) -> usize {
    source.position(offset).line
}

/// Whether there is nothing before it on its line.
fn begins_line(source: &Source, offset: usize) -> bool {
    let at = source.position(offset);
    source.line(at.line).is_some_and(|line| line.chars().take(at.column - 1).all(char::is_whitespace))
}

type Ids = Vec<(String, Span)>;

/// The ids and whether there is a reason; `None` for a comment that is nothing to us.
fn directive(source: &Source, comment: Span) -> Option<Result<(Ids, bool), ()>> {
    let text = source.slice(comment);
    let rest = text.strip_prefix('#')?.trim_start().strip_prefix("lifeboat:")?;
    Some(ids_and_reason(rest, comment.end - rest.len()).ok_or(()))
}

fn ids_and_reason(text: &str, at: usize) -> Option<(Ids, bool)> {
    let list = text.trim_start().strip_prefix("ignore")?.trim_start().strip_prefix('[')?;
    let (list, rest) = list.split_once(']')?;
    let mut start = at + text.len() - rest.len() - 1 - list.len();
    let mut ids = Vec::new();
    for part in list.split(',') {
        let id = part.trim();
        if id.is_empty() {
            return None;
        }
        let from = start + (part.len() - part.trim_start().len());
        ids.push((id.to_owned(), Span::new(from, from + id.len())));
        start += part.len() + 1;
    }
    // `# …` behind the brackets is another comment, and no reason.
    let reason = rest.trim_start();
    let has_reason = !reason.starts_with("# ") && reason.chars().any(char::is_alphanumeric);
    Some((ids, has_reason))
}

/// Comments of the scripts themselves: what is found in a script is found on a line of it, and to YAML that is text.
fn comments_in_scripts(parsed: &Parsed) -> Vec<Span> {
    let source = &*parsed.source;
    let mut found = Vec::new();
    for script in parsed.runbook.iter().flat_map(scripts) {
        let mut at = script.start;
        for line in source.slice(script).split_inclusive('\n') {
            let comment =
                line.find("# lifeboat:").filter(|at| line[..*at].chars().next_back().is_none_or(char::is_whitespace));
            found.extend(comment.map(|start| Span::new(at + start, at + line.trim_end().len())));
            at += line.len();
        }
    }
    found
}

/// The scripts of several lines: in one line of YAML, `#` begins its own comment.
fn scripts(runbook: &Runbook) -> Vec<Span> {
    let of_checks = |checks: &[Spanned<Check>]| -> Vec<Span> {
        checks.iter().filter_map(|check| check.shell.as_ref()).map(Spanned::span).collect()
    };
    let mut found = of_checks(&runbook.requires.checks);
    let guards = runbook.guards.iter().filter_map(|guard| guard.check.as_ref()?.shell.as_ref());
    found.extend(guards.map(Spanned::span));
    for step in runbook.steps.values().chain(runbook.cleanup.values()) {
        found.extend(step.shell.as_ref().map(Spanned::span));
        found.extend(of_checks(&step.verify));
        if let Some(Undo::Action(undo)) = step.undo.as_deref() {
            found.extend(undo.shell.as_ref().map(Spanned::span));
            found.extend(of_checks(&undo.verify));
        }
    }
    found
}

/// Steps by the line that begins with their key.
fn steps(parsed: &Parsed) -> HashMap<usize, (String, Span)> {
    let source = &parsed.source;
    let mut steps = HashMap::new();
    let rooms = ["steps", "cleanup"].into_iter().filter_map(|room| parsed.root.as_ref()?.as_mapping()?.get(room));
    for (id, entry) in rooms.filter_map(|room| room.value.as_mapping()).flat_map(yaml::Mapping::iter) {
        if begins_line(source, entry.key.start) {
            // What an alias stands for is not here.
            let end = if entry.value.span.start >= entry.key.start { entry.value.span.end } else { 0 };
            let span = Span::new(entry.key.start, end.max(entry.key.end));
            steps.insert(line(source, entry.key.start), (id.clone(), span));
        }
    }
    steps
}

fn scope(source: &Source, comment: Span, alone: &HashSet<usize>, steps: &HashMap<usize, (String, Span)>) -> Scope {
    let mut at = line(source, comment.start);
    if !alone.contains(&at) {
        return Scope::Line(at);
    }
    while alone.contains(&at) {
        at += 1;
    }
    match (steps.get(&at), source.line(at)) {
        (Some((id, span)), _) => Scope::Step(id.clone(), *span),
        (None, Some(line)) if !line.trim().is_empty() => Scope::Line(at),
        _ => Scope::Nothing,
    }
}
