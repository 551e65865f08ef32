//! cert-manager's Certificate and `CertificateRequest`. Its issuers have nothing but `Ready`, which is `generic`'s.
//!
//! Duty: whether there is a certificate that can be used now, and if not, when cert-manager tries again.

use jiff::Timestamp;
use serde_json::Value;

use super::{Verdict, failed, generic, pending};
use crate::kube::{object, words};

/// A certificate is ready when cert-manager says so for this generation, and it has not run out.
pub(super) fn certificate(object: &Value, now: Timestamp) -> Verdict {
    if let Err(not_ready) = generic::generic(object) {
        return Err(match not_ready {
            super::Readiness::Pending(why) => super::Readiness::Pending(format!("{why}{}", next_attempt(object, now))),
            failed => failed,
        });
    }
    match object::instant(object, "/status/notAfter") {
        Some(end) if end <= now => pending(format!("ran out {} ago", words::since(end, now))),
        _ => Ok(()),
    }
}

/// After a failed issuance cert-manager waits an hour, and twice as long after each further one, up to 32 hours
/// (`docs/usage/certificate` of cert-manager). In a recovery that is most of the objective, so it is told.
fn next_attempt(object: &Value, now: Timestamp) -> String {
    let failures = object::number(object, "/status/failedIssuanceAttempts").unwrap_or(0);
    let Some(last) = object::instant(object, "/status/lastFailureTime").filter(|_| failures > 0) else {
        return String::new();
    };
    let doublings = u32::try_from(failures - 1).unwrap_or(u32::MAX).min(5);
    let passed = words::between(last, now);
    let left = (3_600_000_u64 << doublings).saturating_sub(passed);
    let next = if left == 0 { "now due".to_owned() } else { format!("in {}", words::length(left)) };
    format!("; {} failed, the next one is {next}", words::count(failures, "attempt"))
}

/// A request is answered once; a failed one is never tried again.
pub(super) fn request(object: &Value) -> Verdict {
    for kind in ["Denied", "InvalidRequest"] {
        if let Some(condition) = object::condition(object, kind).filter(object::Condition::is_true) {
            return failed(format!("is {} ({})", if kind == "Denied" { "denied" } else { "invalid" }, condition.why()));
        }
    }
    match object::condition(object, "Ready") {
        Some(ready) if ready.is_true() => Ok(()),
        Some(ready) if ready.reason == "Failed" => failed(format!("failed ({}); look at its issuer", ready.why())),
        Some(ready) => pending(format!("is not ready ({})", ready.why())),
        None => pending("its issuer has not taken notice of it"),
    }
}
