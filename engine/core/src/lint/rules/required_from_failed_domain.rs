//! `required-from-failed-domain`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::literal},
    model::parse::Segment,
};

/// What must be there before a run, or what is told of it, lies in what has failed.
///
/// A pre-flight that asks the lost region refuses the recovery of that region, and a chat behind a host of that region hears
/// nothing. `failed-domain-labels` under `[organisation]` in `lifeboat.toml` says which `metadata.labels` of a runbook name what has
/// failed: a region, an account, a cluster. Their values must not be in `requires` and not in `notify`. Steps may name it: it
/// has to be fenced. Without `failed-domain-labels` this rule is silent.
///
/// With `failed-domain-labels = ["failed-region"]`:
///
/// Bad:
///
/// ```yaml
/// metadata: {name: failover, owner: team, labels: {failed-region: eu-west-1}}
/// requires: {checks: [{tcp: {address: "backups.eu-west-1.example.org:443"}}]}
/// ```
///
/// Good:
///
/// ```yaml
/// metadata: {name: failover, owner: team, labels: {failed-region: eu-west-1}}
/// requires: {checks: [{tcp: {address: "backups.eu-central-1.example.org:443"}}]}
/// ```
///
/// To fix it, require what the recovery side needs, or take the label away if it is not what fails.
pub const RULE: Rule = Rule {
    id: "required-from-failed-domain",
    severity: Severity::Warning,
    summary: "what a run needs before it begins, or tells, lies in what has failed",
    check,
    source: include_str!("required_from_failed_domain.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let labels = &context.runbook.metadata.labels;
    let failed = context.organisation.failed_domain_labels.iter();
    let failed: Vec<(&String, &String)> =
        failed.filter_map(|label| Some((label, labels.get(label)?))).filter(|(_, value)| !value.is_empty()).collect();
    for text in context.texts.iter().filter(|text| text.kind().is_template()) {
        let room = match text.found.route.segments().first() {
            Some(Segment::Key(room)) if room == "requires" || room == "notify" => room,
            _ => continue,
        };
        let Some(written) = literal(&text.found.text) else { continue };
        for (label, value) in &failed {
            let Some(at) = find(written, value) else { continue };
            let otherwise = context.runbook.recovery.objectives.span();
            let declared = context.value(&["metadata", "labels", label], otherwise);
            findings.push(
                context
                    .finding(
                        &RULE,
                        context.place(text, at..at + value.len()),
                        format!("expected `{room}` without what has failed, found `{value}`"),
                    )
                    .label("is lost when this runbook is needed")
                    .related(context.source, declared, format!("`{label}` names what has failed"))
                    .help("name what the recovery side has, or correct the label"),
            );
        }
    }
}

/// Where a name stands in a text as a word of its own.
fn find(text: &str, name: &str) -> Option<usize> {
    let part_of_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    text.match_indices(name).map(|(at, _)| at).find(|at| {
        !part_of_word(text[..*at].chars().next_back()) && !part_of_word(text[at + name.len()..].chars().next())
    })
}
