//! `drill-publishes-traffic`.

use crate::{
    diagnostic::{Diagnostic, Fix, Severity},
    lint::{Context, Rule, context::route, facts::is_for_drills},
    model::{Mode, Template},
    plan::sketch::exists,
};

/// A drill that restores ingresses beside the live ones.
///
/// A copy under another name brings its ingresses along, with the same host names. The ingress controller then has two for one
/// host, external-dns writes addresses for both, and users land in the drill: the rehearsal is the outage of two in the
/// morning. Asked for is that `excludedResources` leaves out ingresses, or that a `resourceModifier` changes what is restored.
///
/// Bad:
///
/// ```yaml
/// velero-restore: {cluster: prod, namespaces: [shop], namespaceMapping: {shop: shop-drill}}
/// ```
///
/// Good:
///
/// ```yaml
/// velero-restore:
///   cluster: prod
///   namespaces: [shop]
///   namespaceMapping: {shop: shop-drill}
///   excludedResources: [ingresses.networking.k8s.io, httproutes.gateway.networking.k8s.io]
/// ```
///
/// To fix it, leave out what leads users here: ingresses, routes, gateways, DNS endpoints.
pub const RULE: Rule = Rule {
    id: "drill-publishes-traffic",
    severity: Severity::Warning,
    summary: "a drill restores routes beside the live ones",
    check,
    source: include_str!("drill_publishes_traffic.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, id, step) in context.sound_steps() {
        let Some(restore) = step.velero_restore.as_ref().filter(|_| exists(step, Mode::Drill)) else { continue };
        // A namespace that is mapped to itself is not beside the live one.
        let beside = restore.namespace_mapping.iter().any(|(from, to)| from != to);
        let routes = |list: &[Template]| {
            list.iter().any(|name| name.as_str().to_ascii_lowercase().starts_with("ingress") || name.as_str() == "*")
        };
        let unknown = |list: &[Template]| list.iter().any(|name| name.as_str().contains("{{"));
        let (included, excluded) = (&restore.included_resources, &restore.excluded_resources);
        let brings = (included.is_empty() || routes(included)) && !routes(excluded);
        if !beside || restore.resource_modifier.is_some() || unknown(included) || unknown(excluded) || !brings {
            continue;
        }
        let keys = ["steps", id, "velero-restore", "namespaceMapping"];
        // In an incident the same step may have to bring them.
        let simple = is_for_drills(step) && included.is_empty() && excluded.is_empty();
        let kinds = "[ingresses.networking.k8s.io]";
        let edits = simple.then(|| context.editor.add(&route(&keys[..3]), keys[3], "excludedResources", kinds));
        let fix = edits.flatten().map(|edits| Fix::suggestion("leave ingresses out", edits));
        findings.push(
            context
                .finding(
                    &RULE,
                    context.key(&["steps", id, "velero-restore"], restore.span()),
                    "expected a drill to leave out ingresses, found them among what is restored",
                )
                .label("two of them for one host name")
                .related(context.source, context.key(&keys, restore.span()), "a copy beside the live one")
                .help("add `excludedResources: [ingresses.networking.k8s.io, …]`, or a `resourceModifier`")
                .fix(fix),
        );
    }
}
