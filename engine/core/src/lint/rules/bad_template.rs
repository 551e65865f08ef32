//! `bad-template`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A text that is not a template.
///
/// Strings are Handlebars: `{{inputs.zone}}`. What does not follow its rules would fail in the middle of a run, or be taken
/// literally. Two braces that are meant as such are written `\{{`.
///
/// Bad:
///
/// ```yaml
/// exec: [echo, "{{inputs.zone"]
/// ```
///
/// Good:
///
/// ```yaml
/// exec: [echo, "{{inputs.zone}}"]
/// ```
pub const RULE: Rule = Rule {
    id: "bad-template",
    severity: Severity::Error,
    summary: "a text is not a Handlebars template",
    check,
    source: include_str!("bad_template.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for text in context.texts.iter().filter(|text| text.kind().is_template()) {
        for problem in text.references.as_ref().as_ref().err().into_iter().flatten() {
            let span = context.place(text, problem.range.clone());
            let finding = context.finding(&RULE, span, problem.message.clone());
            findings.push(Diagnostic { help: problem.help.clone(), ..finding });
        }
    }
}
