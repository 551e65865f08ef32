//! `hard-coded-cloud-identity`.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, context::Home},
};

/// The name of something in one cloud account that stands in a step.
///
/// ARNs with an account, subscriptions, networks and security groups are other ones in the recovery region and in the account
/// for drills. A step that names them by a literal works where it was written and, at two in the morning, changes what is left
/// of the primary, or fails. Inputs are where such names belong: with their defaults they are seen at a glance, and a drill
/// can be given others.
///
/// Bad:
///
/// ```yaml
/// exec: [aws, sts, assume-role, --role-arn, "arn:aws:iam::123456789012:role/restore"]
/// ```
///
/// Good:
///
/// ```yaml
/// exec: [aws, sts, assume-role, --role-arn, "{{inputs.role}}"]
/// ```
///
/// To fix it, make it an input, with the literal as its default where there is only one.
pub const RULE: Rule = Rule {
    id: "hard-coded-cloud-identity",
    severity: Severity::Warning,
    summary: "the name of something in one cloud account stands in a step",
    check,
    source: include_str!("hard_coded_cloud_identity.rs"),
};

const FORMS: &str = concat!(
    r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:",
    r"|/subscriptions/[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
    r"|\b(?:vpc|subnet|sg|eni|vol|rtb|igw|eipalloc)-(?:[0-9a-f]{17}|[0-9a-f]{8})\b",
);
static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(FORMS).ok());

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(form) = FORM.as_ref() else { return };
    for text in context.texts.iter().filter(|text| text.kind().is_template()) {
        let (Home::Step(_) | Home::Cleanup(_)) = text.home else { continue };
        let Some(found) = form.find(&text.found.text) else { continue };
        let span = context.place(text, found.range());
        findings.push(
            context
                .finding(
                    &RULE,
                    span,
                    format!("expected what names a cloud account to be an input, found `{}`", found.as_str()),
                )
                .label("is another one in the recovery region, and in drills")
                .help("declare an input, and write `{{inputs.name}}` here"),
        );
    }
}
