//! `dns-checked-once`.

use crate::{
    diagnostic::{Diagnostic, Fix, Severity},
    lint::{Context, Rule, facts::check_route},
};

/// DNS that is looked at once, right after it was changed.
///
/// A resolver keeps the old answer until its time to live is over, and this step has just changed the record. A check without
/// `within` sees the old answer and fails, or is lucky and says nothing about the others. At two in the morning the run stops
/// at a shift that was all right, and an abort takes it back.
///
/// Bad:
///
/// ```yaml
/// verify: [{dns: {name: shop.example.org, resolvers: [1.1.1.1, 8.8.8.8]}}]
/// ```
///
/// Good:
///
/// ```yaml
/// verify: [{dns: {name: shop.example.org, resolvers: [1.1.1.1, 8.8.8.8]}, within: 5m, every: 10s}]
/// ```
///
/// To fix it, add a `within` that is longer than the time to live that the record had before.
pub const RULE: Rule = Rule {
    id: "dns-checked-once",
    severity: Severity::Warning,
    summary: "DNS is looked at once, right after it was changed",
    check,
    source: include_str!("dns_checked_once.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (id, step, check) in context.checks() {
        let Some(dns) = check.dns.as_ref().filter(|_| check.within.is_none()) else { continue };
        if context.is_about_a_shift(step) {
            let route = check_route(id, step, check);
            let edits = route.and_then(|route| context.editor.add(&route, "dns", "within", "5m"));
            findings.push(
                context
                    .finding(&RULE, dns.span(), "expected a `within` for DNS that was just changed, found none")
                    .label("resolvers keep the old answer for its time to live")
                    .related(context.source, context.id_span(id), "this changes it")
                    .help("add a `within` longer than the time to live that the record had before")
                    .fix(edits.map(|edits| Fix::suggestion("add `within: 5m`", edits))),
            );
        }
    }
}
