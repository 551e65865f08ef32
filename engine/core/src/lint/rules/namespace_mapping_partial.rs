//! `namespace-mapping-partial`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    model::Template,
};

/// A restore that maps some of its namespaces and not the others.
///
/// A namespace that is restored and not listed in `namespaceMapping` is restored under its own name. So one half of the
/// application comes up in its own place, and the other half, at two in the morning, over what is live. Without `namespaces`
/// everything that the backup has is restored, and the backup may have more than what is mapped.
///
/// Bad:
///
/// ```yaml
/// velero-restore: {cluster: dr, namespaces: [shop, billing], namespaceMapping: {shop: shop-drill}}
/// ```
///
/// Good:
///
/// ```yaml
/// velero-restore: {cluster: dr, namespaces: [shop, billing], namespaceMapping: {shop: shop-drill, billing: billing-drill}}
/// ```
///
/// To fix it, list every namespace in both places; one that keeps its name is mapped to itself.
pub const RULE: Rule = Rule {
    id: "namespace-mapping-partial",
    severity: Severity::Warning,
    summary: "some of the restored namespaces are mapped to others, and some are not",
    check,
    source: include_str!("namespace_mapping_partial.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, id, step) in context.sound_steps() {
        let Some(restore) = step.velero_restore.as_ref().filter(|restore| !restore.namespace_mapping.is_empty()) else {
            continue;
        };
        // Texts that differ may render to the same name, and a list that is empty to nothing at all.
        let given = restore.namespaces.iter().map(Template::as_str);
        let mapped: Vec<&str> = restore.namespace_mapping.keys().map(Template::as_str).collect();
        let mut names = given.clone().chain(mapped.iter().copied());
        if !restore.namespaces.is_empty() && names.any(|name| name.contains("{{") || name.contains('*')) {
            continue;
        }
        let found = if restore.namespaces.is_empty() {
            String::from("all that the backup has")
        } else {
            let Some(name) = given.clone().find(|name| !mapped.contains(name)) else { continue };
            format!("`{name}`, which is not")
        };
        let route = ["steps", id, "velero-restore", "namespaceMapping"];
        let all = context.key(&["steps", id, "velero-restore", "namespaces"], restore.span());
        findings.push(
            context
                .finding(
                    &RULE,
                    context.key(&route, restore.span()),
                    format!("expected every restored namespace to be mapped, found {found}"),
                )
                .label("what is not listed here keeps its name")
                .related(context.source, all, "what is restored")
                .help("list every namespace in `namespaces` and here; one that keeps its name is mapped to itself"),
        );
    }
}
