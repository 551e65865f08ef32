//! `certificate-not-verified`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
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
    for http in context.requests().into_iter().filter(|http| http.insecure) {
        findings.push(
            context
                .finding(&RULE, http.span(), "expected a certificate that is verified, found `insecure: true`")
                .label("whoever answers is believed")
                .help("take `insecure` away, and name a private authority by `caFile`"),
        );
    }
}
