//! `certificate-not-verified`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    source::{Span, Spanned},
};

/// A request that trusts any certificate.
///
/// With `insecure: true` whoever answers is believed: the old region, a captive portal, somebody in between. A check then
/// proves that something answers, and an action gives its token to it. In a recovery names move to other places, so at two in
/// the morning this is the one thing to look at. A private authority is trusted by `caFile`.
///
/// Bad:
///
/// ```yaml
/// http: {url: "https://shop.example.org", insecure: true}
/// ```
///
/// Good:
///
/// ```yaml
/// http: {url: "https://shop.example.org", caFile: ca.pem}
/// ```
///
/// To fix it, take `insecure` away, and name the authority by `caFile` where it is a private one.
pub const RULE: Rule = Rule {
    id: "certificate-not-verified",
    severity: Severity::Warning,
    summary: "a request trusts any certificate",
    check,
    source: include_str!("certificate_not_verified.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let own = context.sound().filter_map(|(_, _, step)| step.http.as_ref());
    let checks = context.sound().flat_map(|(_, _, step)| step.verify.iter()).filter_map(|check| check.http.as_ref());
    let spans: Vec<Span> = own.chain(checks).filter(|http| http.insecure).map(Spanned::span).collect();
    for span in spans {
        findings.push(
            context
                .finding(&RULE, span, "expected a certificate that is verified, found `insecure: true`")
                .label("whoever answers is believed")
                .help("take `insecure` away, and name a private authority by `caFile`"),
        );
    }
}
