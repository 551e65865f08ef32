//! `pointless-every`.

use crate::{
    diagnostic::{Diagnostic, Fix, Severity},
    lint::{Context, Rule, facts::check_route},
};

/// A check that says how often it looks, and does not look again.
///
/// Without `within` and `holds` a check looks once, so `every` says nothing; and when `every` is longer than `within`, there is
/// nothing between the first look and the last. Its author wanted to wait. At two in the morning the check fails at the first
/// look, a second before the thing is ready.
///
/// Bad:
///
/// ```yaml
/// verify: [{exec: [./is-up.sh], every: 10s}]
/// ```
///
/// Good:
///
/// ```yaml
/// verify: [{exec: [./is-up.sh], every: 10s, within: 5m}]
/// ```
///
/// To fix it, say by `within` how long to wait, or take `every` away.
pub const RULE: Rule = Rule {
    id: "pointless-every",
    severity: Severity::Warning,
    summary: "a check says how often it looks, and does not look again",
    check,
    source: include_str!("pointless_every.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (id, step, check) in context.checks() {
        let Some(every) = &check.every else { continue };
        if check.holds.is_some() {
            continue;
        }
        let (found, related) = match &check.within {
            None => (String::from("`every` without it"), None),
            Some(within) if **every > **within => (format!("{}", **within), Some(within.span())),
            Some(_) => continue,
        };
        let edits = check_route(id, step, check).and_then(|route| context.editor.remove(&route.key("every")));
        // With a `within` the check would look more often than now.
        let fix = edits.map(|edits| match related {
            None => Fix::safe("remove `every`", edits),
            Some(_) => Fix::suggestion("remove `every`", edits),
        });
        let mut finding = context
            .finding(
                &RULE,
                every.span(),
                format!("expected a `within` longer than `every` ({}), found {found}", **every),
            )
            .label("it does not look again")
            .help("say by `within` how long to wait, or take `every` away")
            .fix(fix);
        if let Some(span) = related {
            finding = finding.related(context.source, span, "time is over before the second look");
        }
        findings.push(finding);
    }
}
