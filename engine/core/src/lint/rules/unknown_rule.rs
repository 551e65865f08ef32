//! `unknown-rule`.

use crate::{
    diagnostic::{Diagnostic, Severity, codes},
    lint::{Context, Rule, pages, registry, silence::can_be_silenced},
    plan::nearest::Nearest,
};

/// What is to be silenced is no rule.
///
/// A word that is mistyped, or the code of a mistake that cannot be silenced because the runbook cannot be read with it.
/// The rules about such comments cannot be silenced either.
///
/// Bad:
///
/// ```yaml
/// inputs:
///   zone: {type: string} # lifeboat: ignore[unused-inptu] people write it into the minutes
/// ```
///
/// Good:
///
/// ```yaml
/// inputs:
///   zone: {type: string} # lifeboat: ignore[unused-input] people write it into the minutes
/// ```
pub const RULE: Rule = Rule {
    id: "unknown-rule",
    severity: Severity::Error,
    summary: "what is to be silenced is no rule",
    check,
    source: include_str!("unknown_rule.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if context.silences.all.is_empty() {
        return;
    }
    let rules = Nearest::new(registry::RULES.iter().map(|rule| rule.id).filter(|id| can_be_silenced(id)));
    for (id, span) in context.silences.all.iter().flat_map(|silence| &silence.ids) {
        if can_be_silenced(id) {
            continue;
        }
        let meant = rules.only(id).filter(|_| registry::find(id).is_none() && !codes::is_known(id));
        let shown = crate::words::clip(id, 40);
        let help = if registry::find(id).is_some() {
            format!("`{id}` is about these comments, and cannot be silenced: mend the comment that it tells")
        } else {
            pages::rule_suggestion(id)
        };
        findings.push(
            context
                .finding(&RULE, *span, format!("expected the id of a rule that can be silenced, found `{shown}`"))
                .help(help)
                .fix(context.suggest_name(*span, id, meant)),
        );
    }
}
