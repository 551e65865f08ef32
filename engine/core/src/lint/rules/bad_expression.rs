//! `bad-expression`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// A text that is not an expression.
///
/// Conditions and expectations are CEL: `status == 200`. What does not follow its rules would fail in the middle of a run.
///
/// Bad:
///
/// ```yaml
/// expect: status = 200
/// ```
///
/// Good:
///
/// ```yaml
/// expect: status == 200
/// ```
pub const RULE: Rule = Rule {
    id: "bad-expression",
    severity: Severity::Error,
    summary: "a text is not a CEL expression",
    check,
    source: include_str!("bad_expression.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for text in context.texts.iter().filter(|text| !text.kind().is_template()) {
        for problem in text.references.as_ref().as_ref().err().into_iter().flatten() {
            let span = context.place(text, problem.range.clone());
            let finding = context.finding(&RULE, span, problem.message.clone());
            findings.push(Diagnostic { help: problem.help.clone(), ..finding });
        }
    }
}
