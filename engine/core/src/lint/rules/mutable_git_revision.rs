//! `mutable-git-revision`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::literal},
    model::parse::Segment,
};

/// A branch that is given as the revision to apply.
///
/// A branch is whatever was pushed last. What the drill has proven is not what is built at two in the morning, and a change
/// that broke the cluster is built into the new one, too. A commit, or a tag with a version, is the same every time, and the
/// evidence shows which one it was. Only names without any digit are taken for branches.
///
/// Bad:
///
/// ```yaml
/// argocd-sync: {cluster: dr, application: shop, revision: main}
/// ```
///
/// Good:
///
/// ```yaml
/// argocd-sync: {cluster: dr, application: shop, revision: "{{inputs.commit}}"}
/// ```
///
/// To fix it, take the commit in by an input with `pattern: "^[0-9a-f]{40}$"`.
pub const RULE: Rule = Rule {
    id: "mutable-git-revision",
    severity: Severity::Warning,
    summary: "a branch is given as the revision that has to be applied",
    check,
    source: include_str!("mutable_git_revision.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for text in context.texts.iter().filter(|text| text.kind().is_template()) {
        let segments = text.found.route.segments();
        let end = segments.get(segments.len().saturating_sub(2)..).unwrap_or_default();
        let [Segment::Key(room), Segment::Key(key)] = end else { continue };
        if key != "revision" || !["flux-reconcile", "argocd-sync"].contains(&room.as_str()) {
            continue;
        }
        let Some(name) = literal(&text.found.text).map(str::trim).filter(|name| !name.is_empty()) else { continue };
        if !name.chars().any(|letter| letter.is_ascii_digit()) {
            findings.push(
                context
                    .finding(
                        &RULE,
                        text.found.span,
                        format!("expected a commit as the revision, found the branch `{name}`"),
                    )
                    .label("is whatever was pushed last")
                    .help("take the commit in by an input: `revision: \"{{inputs.commit}}\"`"),
            );
        }
    }
}
