//! `dns-single-resolver`.

use std::collections::HashSet;

use crate::{
    check::dns::Dns,
    diagnostic::{Diagnostic, Fix, Severity},
    lint::{Context, Rule, facts::check_route},
    model::{Template, parse::Route},
};

/// A shift of traffic after which one resolver only is asked.
///
/// Resolvers keep old answers, each for its own time, and the one of this machine may be inside of a network that sees other
/// zones. One that gives the new address says little about the users: at two in the morning the check is green and half of them
/// still go to the lost region. With several resolvers the check passes only when all of them agree.
///
/// Bad:
///
/// ```yaml
/// verify: [{dns: {name: shop.example.org}, within: 5m}]
/// ```
///
/// Good:
///
/// ```yaml
/// verify: [{dns: {name: shop.example.org, resolvers: [1.1.1.1, 8.8.8.8]}, within: 5m}]
/// ```
///
/// To fix it, name two resolvers or more, from different operators.
pub const RULE: Rule = Rule {
    id: "dns-single-resolver",
    severity: Severity::Warning,
    summary: "after a shift of traffic one resolver only is asked",
    check,
    source: include_str!("dns_single_resolver.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (id, step, check) in context.checks() {
        let Some(dns) = check.dns.as_ref() else { continue };
        // Of a name that is asked for twice, each check may ask another one.
        let same = step.verify.iter().filter_map(|check| check.dns.as_ref()).filter(|other| other.name == dns.name);
        let asked: HashSet<&str> = same.flat_map(|other| other.resolvers.iter().map(Template::as_str)).collect();
        if asked.len() < 2 && context.is_about_a_shift(step) {
            let found = if dns.resolvers.is_empty() { "the system's own" } else { "one" };
            findings.push(
                context
                    .finding(&RULE, dns.span(), format!("expected two resolvers or more after a shift, found {found}"))
                    .label("others may still give the old answer")
                    .related(context.source, context.id_span(id), "this shifts traffic")
                    .help("name several of them: `resolvers: [1.1.1.1, 8.8.8.8]`")
                    .fix(check_route(id, step, check).and_then(|route| more(context, &route.key("dns"), dns))),
            );
        }
    }
}

fn more(context: &Context<'_>, route: &Route, dns: &Dns) -> Option<Fix> {
    let edits = match dns.resolvers.as_slice() {
        [] => context.editor.add(route, "name", "resolvers", "[1.1.1.1, 8.8.8.8]")?,
        [one] => {
            let other = if one.as_str().starts_with("8.8.8.8") { "1.1.1.1" } else { "8.8.8.8" };
            context.editor.append(&route.key("resolvers"), other)?
        }
        _ => return None,
    };
    Some(Fix::suggestion("ask public resolvers as well", edits))
}
