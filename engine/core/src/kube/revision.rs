//! Whether a revision is the one that was wanted.
//!
//! Duty: the ways in which Flux and Argo CD write one and the same commit. It must not know where a revision stands.

/// Whether what a controller is at is what was wanted. `have` is `main@sha1:<hex>`, `sha256:<hex>`, a bare commit, a
/// tag or a version; `wanted` the same whole, or the part after `@`, or the hex alone, at least 7 digits of it.
#[must_use]
pub fn is(have: &str, wanted: &str) -> bool {
    if have.is_empty() || wanted.is_empty() {
        return false;
    }
    // Before Flux 2 it was `main/<hex>`.
    let digest = have.rsplit_once(['@', '/']).map_or(have, |(_, digest)| digest);
    let hex = digest.rsplit_once(':').map_or(digest, |(_, hex)| hex);
    have == wanted || digest == wanted || (is_commit(wanted) && is_hex(hex) && hex.starts_with(wanted))
}

/// Whether a text is a commit or digest, or enough of one.
#[must_use]
pub fn is_commit(text: &str) -> bool {
    text.len() >= 7 && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions() {
        let commit = "c0ffee5d0a2b3c4d5e6f708192a3b4c5d6e7f809";
        let flux = format!("main@sha1:{commit}");
        for (have, wanted, same) in [
            (flux.as_str(), flux.as_str(), true),
            (&flux, commit, true),
            (&flux, "c0ffee5", true),
            (&flux, "c0ffee", false),
            (&flux, "main", false),
            (&flux, &format!("sha1:{commit}"), true),
            (&flux, "deadbee", false),
            (&format!("main/{commit}"), commit, true),
            (commit, "c0ffee5d", true),
            ("6.5.4", "6.5.4", true),
            ("6.5.40", "6.5.4", false),
            ("latest@sha256:aaaabbbbcccc", "sha256:aaaabbbbcccc", true),
            ("", "c0ffee5", false),
            (commit, "", false),
        ] {
            assert_eq!(is(have, wanted), same, "{have} {wanted}");
        }
    }
}
