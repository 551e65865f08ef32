//! `unused-ignore`.

use std::collections::HashSet;

use crate::{
    diagnostic::{Diagnostic, Fix, Severity},
    lint::{
        Context, Rule,
        silence::{Scope, Silence, can_be_silenced},
    },
};

/// A comment silences what is not there.
///
/// It was mended meanwhile, or the comment stands at the wrong place. Left there, it would hide the next finding, which
/// nobody has looked at. Behind a line, a comment is about that line; alone on its line, about the line below, and above
/// the name of a step about the whole step. It is told only of runbooks that can be read whole, with all that they include.
///
/// Bad:
///
/// ```yaml
/// inputs: {zone: {type: string}}
/// steps:
///   # lifeboat: ignore[unused-input] people write it into the minutes
///   shift: {phase: shift-traffic, exec: [./shift.sh, "{{inputs.zone}}"]}
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
    id: "unused-ignore",
    severity: Severity::Warning,
    summary: "a comment silences what is not there",
    check,
    source: include_str!("unused_ignore.rs"),
};

/// It is asked after all other rules, and looks at what they found.
fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let silences = &context.silences;
    // What cannot be read may have the finding.
    if silences.all.is_empty()
        || context.parsed.has_errors()
        || !context.parsed.damaged.is_empty()
        || !context.includes.complete
    {
        return;
    }
    let mut used: HashSet<(usize, &str)> = HashSet::new();
    for finding in &*findings {
        used.extend(silences.of(finding).into_iter().map(|number| (number, finding.code)));
    }
    for (number, silence) in silences.all.iter().enumerate() {
        let mut seen = HashSet::new();
        for (at, (id, span)) in silence.ids.iter().enumerate().filter(|(_, (id, _))| can_be_silenced(id)) {
            let again = !seen.insert(id);
            // A rule that is silent here may speak where the configuration is another one, or is there at all.
            if !again && (used.contains(&(number, id.as_str())) || context.organisation.lets_be(id)) {
                continue;
            }
            let (message, help) = match &silence.scope {
                _ if again => (format!("expected every rule once, found `{id}` again"), "remove it"),
                Scope::Line(line) => (
                    format!("expected a finding of `{id}` on line {line}, found none"),
                    "remove it, or move it to the line that it is about",
                ),
                Scope::Step(step, _) => (
                    format!("expected a finding of `{id}` in the step `{step}`, found none"),
                    "remove it, or move it to the place that it is about",
                ),
                Scope::Nothing => (
                    String::from("expected the line that it is about directly below, found an empty one"),
                    "move it to the end of that line, or directly above it",
                ),
            };
            // What points at nothing was to point at something, and a script is not ours to change.
            let fix =
                if silence.scope == Scope::Nothing || silence.in_script { None } else { without(context, silence, at) };
            findings.push(context.finding(&RULE, *span, message).help(help).fix(fix));
        }
    }
}

fn without(context: &Context<'_>, silence: &Silence, at: usize) -> Option<Fix> {
    if silence.ids.len() == 1 {
        return Some(Fix::safe("remove the comment", context.editor.remove_comment(silence.span)?));
    }
    let spans: Vec<_> = silence.ids.iter().map(|(_, span)| *span).collect();
    Some(Fix::safe("remove the rule from the comment", context.editor.remove_name(&spans, at)?))
}
