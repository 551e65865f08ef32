//! Versions of Kubernetes, and how far two clusters are apart.
//!
//! Duty: reading versions and saying what a difference means for a restore. It must not decide how much is too much.

use std::fmt;

use serde_json::Value;

use super::{object, words};

/// A version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// 1, so far.
    pub major: u32,
    /// What matters.
    pub minor: u32,
    /// 0 when the text does not say.
    pub patch: u32,
    /// As it was written: `v1.33.2-eks-1234567`.
    pub text: String,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Version {
    /// Reads `v1.36.1`, `1.36`, `1.36+` (as some providers write the minor) or `v1.33.2-gke.100`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut parts = text.strip_prefix('v').unwrap_or(text).splitn(3, '.');
        let whole = |part: &str| part.trim_end_matches('+').parse::<u32>().ok();
        let (major, minor) = (whole(parts.next()?)?, parts.next()?);
        // A minor without a patch may be followed by what a provider adds.
        let digits = |part: &str| part.bytes().take_while(u8::is_ascii_digit).count();
        let minor = minor.get(..digits(minor))?.parse().ok()?;
        let patch = parts.next().and_then(|patch| patch.get(..digits(patch))?.parse().ok()).unwrap_or(0);
        Some(Self { major, minor, patch, text: text.to_owned() })
    }

    /// Reads the answer to `/version`: `gitVersion`, or `major` and `minor`.
    #[must_use]
    pub fn of_server(info: &Value) -> Option<Self> {
        let pair = || format!("{}.{}", object::text(info, "/major"), object::text(info, "/minor"));
        Self::parse(object::text(info, "/gitVersion")).or_else(|| Self::parse(&pair()))
    }
}

/// How far a cluster is from another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skew {
    /// Minor versions that the second is ahead of the first; negative: behind. A different major counts as a hundred.
    pub minors: i64,
    /// One sentence for people.
    pub message: String,
}

/// Compares the cluster from which objects come with the one into which they go; each by name and version.
#[must_use]
pub fn skew(from: (&str, &Version), to: (&str, &Version)) -> Skew {
    let ((from, old), (to, new)) = (from, to);
    let rank = |version: &Version| i64::from(version.major) * 100 + i64::from(version.minor);
    let minors = rank(new) - rank(old);
    let distance = words::count(minors.abs(), "minor version");
    let message = match minors {
        0 => format!("{from} ({old}) and {to} ({new}) are of the same minor version"),
        1.. => format!(
            "{to} ({new}) is {distance} newer than {from} ({old}): what was removed in between is not restored there"
        ),
        _ => format!(
            "{to} ({new}) is {distance} older than {from} ({old}): kinds and fields that came in between are unknown \
             there"
        ),
    };
    Skew { minors, message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions() {
        for (text, wanted) in [
            ("v1.36.1", Some((1, 36, 1))),
            ("1.36", Some((1, 36, 0))),
            ("1.36+", Some((1, 36, 0))),
            ("v1.33.2-gke.1234000", Some((1, 33, 2))),
            ("v1.33.2+k3s1", Some((1, 33, 2))),
            ("v1.30-eks-7f9249a", Some((1, 30, 0))),
            (" v1.36.1\n", Some((1, 36, 1))),
            ("v1", None),
            ("", None),
            ("one.two", None),
            ("v1.x", None),
        ] {
            let got = Version::parse(text).map(|version| (version.major, version.minor, version.patch));
            assert_eq!(got, wanted, "{text}");
        }
        let of = |info: Value| Version::of_server(&info).map(|version| version.to_string());
        assert_eq!(of(json!({"major": "1", "minor": "36+", "gitVersion": "v1.36.1"})).as_deref(), Some("v1.36.1"));
        assert_eq!(of(json!({"major": "1", "minor": "36+"})).as_deref(), Some("1.36+"));
        assert_eq!(of(json!({})), None);
    }

    #[test]
    fn distances() {
        let version = |text: &str| Version::parse(text).unwrap();
        for (from, to, minors, message) in [
            ("v1.36.1", "v1.36.4", 0, "primary (v1.36.1) and recovery (v1.36.4) are of the same minor version"),
            (
                "v1.36.1",
                "v1.33.2",
                -3,
                "recovery (v1.33.2) is 3 minor versions older than primary (v1.36.1): kinds and fields that came in \
                 between are unknown there",
            ),
            (
                "v1.35.0",
                "v1.36.0",
                1,
                "recovery (v1.36.0) is 1 minor version newer than primary (v1.35.0): what was removed in between is not \
                 restored there",
            ),
        ] {
            let got = skew(("primary", &version(from)), ("recovery", &version(to)));
            assert_eq!((got.minors, got.message.as_str()), (minors, message));
        }
    }
}
