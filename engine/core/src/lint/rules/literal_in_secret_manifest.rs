//! `literal-in-secret-manifest`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, context::Text},
    model::{
        parse::Segment,
        yaml::{self, Mapping, NodeKind},
    },
    source::Source,
};

/// A Secret whose values are written in the runbook.
///
/// What is called a password, a token or a key in `stringData` or `data` of a Secret is what it is there to hide, and base64 hides nothing. In a runbook they are in Git, in every
/// clone of it, and in the frozen copy that every run keeps as evidence. Whoever was locked out once is let in by last year's commit.
///
/// Bad:
///
/// ```yaml
/// apply:
///   cluster: dr
///   manifest: |
///     kind: Secret
///     metadata: {name: db}
///     stringData: {password: correct-horse}
/// ```
///
/// Good:
///
/// ```yaml
/// env: {PASSWORD: "{{inputs.password}}"}
/// shell: |
///   printf %s "$PASSWORD" | kubectl --context dr create secret generic db --from-file=password=/dev/stdin
/// ```
///
/// To fix it, let External Secrets, the CSI driver or Sealed Secrets bring it, or make it in a step that gets the value by `env`
/// from an input of type `secret`. What stood here is known by now: replace it.
pub const RULE: Rule = Rule {
    id: "literal-in-secret-manifest",
    severity: Severity::Warning,
    summary: "a Secret has its values in the runbook",
    check,
    source: include_str!("literal_in_secret_manifest.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let manifests = context.texts.iter().filter(|text| {
        let key = text.found.route.segments().last();
        // A patch does not say of what kind it is.
        matches!(key, Some(Segment::Key(key)) if key == "manifest")
    });
    for text in manifests.filter(|text| text.found.text.contains("Secret")) {
        for (start, document) in documents(&text.found.text) {
            findings.extend(in_document(context, text, start, document));
        }
    }
}

/// The documents of a manifest, and where each begins.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            found.push((start, &text[start..at]));
            start = at + line.len();
        }
        at += line.len();
    }
    found.push((start, &text[start..]));
    found
}

fn in_document(context: &Context<'_>, text: &Text<'_>, start: usize, document: &str) -> Option<Diagnostic> {
    // What its templates give nobody knows, and without quotes they are no YAML: then nothing is said.
    let (root, _) = yaml::parse(&Source::new("", document));
    let top = root.as_ref()?.as_mapping()?;
    if scalar(top, "kind") != Some("Secret") {
        return None;
    }
    let values = ["stringData", "data"].into_iter().filter_map(|key| top.get(key)?.value.as_mapping());
    let (name, entry) = values.flat_map(Mapping::iter).find(|(name, entry)| {
        is_secret(name) && matches!(&entry.value.kind, NodeKind::Scalar { text, .. } if !text.trim().is_empty() && !text.contains("{{"))
    })?;
    let place = context.place(text, start + entry.key.start..start + entry.key.end);
    Some(
        context
            .finding(&RULE, place, format!("expected a Secret without values in the runbook, found one for `{name}`"))
            .label("stands in Git, and in every copy of the evidence")
            .help("let External Secrets bring it, or make it in a step that gets the value by `env`; and replace this one"),
    )
}

/// Whether a key of a Secret is named like what it is there to hide. Others hold what only has to be beside it: the address of a
/// repository, a user.
fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 8] =
        ["password", "passwd", "passphrase", "token", "secret", "credential", "private", "dockerconfigjson"];
    let name = name.to_ascii_lowercase();
    PARTS.iter().any(|part| name.contains(part)) || name.ends_with("key") || name.ends_with("pass")
}

fn scalar<'a>(top: &'a Mapping, key: &str) -> Option<&'a str> {
    match &top.get(key)?.value.kind {
        NodeKind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}
