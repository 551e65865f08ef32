//! `unknown-name`.

use crate::{
    diagnostic::{Diagnostic, Edit, Fix, Severity},
    lint::{Context, Rule, context::Text, names},
    scope::Reference,
};

/// A name that this text cannot see.
///
/// Every text sees `inputs`. Texts of steps also see `steps.<id>` (with `outputs`, `status`, `startedAt`, `finishedAt`), `run`
/// (`id`, `mode`, `startedAt`), `clock` (`sinceOutage`, `sinceDeclared`, `elapsed`) and, with `forEach`, `each.<as>`. An
/// `expect` also sees the fields of its check's result, and the `outputs` of its own step; the CEL of an output sees
/// `result`. What is evaluated when the plan is made sees `inputs` and `run.mode`. Names are literal, so that all of this is
/// known before anything runs: `steps[inputs.which]` is refused.
///
/// Bad:
///
/// ```yaml
/// inputs: {zone: {type: string}}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh, "{{inputs.zoen}}"]}
/// ```
///
/// Good:
///
/// ```yaml
/// inputs: {zone: {type: string}}
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh, "{{inputs.zone}}"]}
/// ```
pub const RULE: Rule = Rule {
    id: "unknown-name",
    severity: Severity::Error,
    summary: "a text names what it cannot see",
    check,
    source: include_str!("unknown_name.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for text in &context.texts {
        for reference in text.references() {
            if let Some(wrong) = names::wrong(context, text, reference) {
                let span = context.place(text, reference.range.clone());
                let fix = wrong.meant.and_then(|(at, name)| written(context, text, reference, at, &name));
                findings.push(context.finding(&RULE, span, wrong.message).help(wrong.help).fix(fix));
            }
        }
    }
}

/// Another name in place of one in a reference, when it stands there letter by letter, and can stand there itself.
fn written(context: &Context<'_>, text: &Text<'_>, reference: &Reference, at: usize, name: &str) -> Option<Fix> {
    let whole = text.found.text.get(reference.range.clone())?;
    let mut start = 0;
    for (number, part) in reference.path.iter().enumerate().take(at + 1) {
        start += whole.get(start..)?.find(part.as_str())?;
        if number < at {
            start += part.len();
        }
    }
    let found = reference.path.get(at)?;
    let beside = |letter: Option<char>| letter.is_some_and(|it| it.is_alphanumeric() || matches!(it, '_' | '-'));
    let (before, after) = (whole.get(..start)?.chars().next_back(), whole.get(start + found.len()..)?.chars().next());
    if beside(before) || beside(after) {
        return None;
    }
    let quoted = before.is_some_and(|letter| matches!(letter, '\'' | '"'));
    let bracketed = quoted || before == Some('[');
    // In an expression a dash is a minus, and in quotes a dot is no way further.
    let dashes = text.kind().is_template() || bracketed;
    let fits = |letter: char| {
        letter.is_ascii_alphanumeric() || letter == '_' || letter == '-' && dashes || letter == '.' && !bracketed
    };
    let range = reference.range.start + start..reference.range.start + start + found.len();
    let span = context.place(text, range);
    if !name.chars().all(fits) || context.source.slice(span) != found {
        return None;
    }
    let edits = context.editor.sound(vec![Edit::new(span, name)])?;
    Some(Fix::suggestion(format!("write `{name}`"), edits))
}
