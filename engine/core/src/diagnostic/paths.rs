//! The names of files as machines elsewhere want them: relative to the directory of the call, with `/`.
//!
//! Duty: texts of paths. It must not look whether there is such a file.

use super::Diagnostic;

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Located {
    /// Below the directory of the call.
    Below(String),
    /// Somewhere else: the whole path.
    Elsewhere(String),
}

impl Located {
    /// The path as it is written.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Below(path) | Self::Elsewhere(path) => path,
        }
    }
}

/// Where the file of this name is, seen from a directory (an absolute path).
pub(super) fn located(name: &str, directory: &str) -> Located {
    let whole = if name.starts_with('/') { name.to_owned() } else { format!("{directory}/{name}") };
    let (file, here) = (parts(&whole), parts(directory));
    match file.strip_prefix(here.as_slice()) {
        Some(below) if !below.is_empty() => Located::Below(below.join("/")),
        _ => Located::Elsewhere(format!("/{}", file.join("/"))),
    }
}

fn parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts
}

/// The findings by file, place, code and text, whichever way to a file was given.
pub(super) fn in_order<'a>(diagnostics: &'a [Diagnostic], directory: &str) -> Vec<&'a Diagnostic> {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_cached_key(|it| {
        let it: &'a Diagnostic = it;
        let path = located(it.source.name(), directory);
        (path.path().to_owned(), it.span, it.code, it.message.as_str())
    });
    sorted
}

/// A path as part of a URI: everything but letters, digits, `-._~`, `/` and what RFC 3986 lets stand is encoded. A `:`
/// is encoded as well, because what is before it would be a scheme.
pub(super) fn encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'/' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';'
            | b'=' | b'@' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_from_where_the_call_was() {
        let below = |name: &str| Located::Below(name.to_owned());
        for name in ["a/r.yaml", "./a/r.yaml", "a//x/../r.yaml", "/work/here/a/r.yaml", "../here/a/r.yaml"] {
            assert_eq!(located(name, "/work/here"), below("a/r.yaml"), "{name}");
        }
        assert_eq!(located("../r.yaml", "/work/here"), Located::Elsewhere("/work/r.yaml".to_owned()));
        assert_eq!(
            located("/work/hereafter/r.yaml", "/work/here"),
            Located::Elsewhere("/work/hereafter/r.yaml".into())
        );
        assert_eq!(located("etc/r.yaml", "/"), below("etc/r.yaml"));
    }

    #[test]
    fn what_a_uri_cannot_hold_is_encoded() {
        assert_eq!(encoded("a b/ü#1?x%[c]:d\\e.yaml"), "a%20b/%C3%BC%231%3Fx%25%5Bc%5D%3Ad%5Ce.yaml");
        assert_eq!(encoded("a/b-c_d~e.yaml"), "a/b-c_d~e.yaml");
    }
}
