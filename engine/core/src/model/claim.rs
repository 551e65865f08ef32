//! Whether a text says that it is a runbook of ours.
//!
//! Duty: to find that out of any YAML file, however it is written and whatever is wrong with it. A runbook that is not
//! recognised is never linted, and nobody notices.

use super::yaml::{self, Mapping, NodeKind};
use crate::source::Source;

/// What `apiVersion` begins with.
const GROUP: &str = "lifeboat.dev/";

/// Whether a text claims to be a runbook.
#[must_use]
pub fn claims_to_be_a_runbook(text: &str) -> bool {
    // Most YAML files of a repository are of others, and this is said of them without reading them.
    let maybe = text.contains(GROUP) || text.contains("Runbook") && text.contains("recovery");
    maybe && (text.lines().any(by_line) || by_keys(text))
}

fn by_keys(text: &str) -> bool {
    let (root, _) = yaml::parse(&Source::new("", text));
    root.as_ref().and_then(yaml::Node::as_mapping).is_some_and(|top| {
        let ours = scalar(top, "apiVersion").is_some_and(|version| version.starts_with(GROUP));
        // With a slip in its first line it still is one, and that slip is to be told.
        let looks = scalar(top, "kind") == Some("Runbook") && top.get("recovery").is_some();
        ours || looks && top.get("steps").is_some()
    })
}

fn scalar<'a>(top: &'a Mapping, key: &str) -> Option<&'a str> {
    match &top.get(key)?.value.kind {
        NodeKind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

/// A line that could be the key, as most have it, or as a text has it that is no YAML. What is indented is a part of something
/// else.
fn by_line(line: &str) -> bool {
    let line = line.trim_start_matches(['\u{feff}', '{', '"', '\'']);
    let value =
        line.strip_prefix("apiVersion").and_then(|rest| rest.trim_start_matches(['"', '\'', ' ']).strip_prefix(':'));
    value.is_some_and(|value| value.trim_start_matches(['"', '\'', ' ']).starts_with(GROUP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_it_is_written() {
        let rest = "kind: Runbook\nrecovery: {}\nsteps: {}\n";
        for text in [
            format!("apiVersion: lifeboat.dev/v1\n{rest}"),
            format!("apiVersion: \"lifeboat.dev/v1\"\n{rest}"),
            format!("\"apiVersion\": 'lifeboat.dev/v1'\n{rest}"),
            format!("apiVersion:    lifeboat.dev/v1\n{rest}"),
            format!("\u{feff}apiVersion: lifeboat.dev/v1\n{rest}"),
            String::from("  apiVersion: lifeboat.dev/v1\n  kind: Runbook\n"),
            String::from("{\"apiVersion\": \"lifeboat.dev/v1\", \"kind\": \"Runbook\"}"),
            format!("{}apiVersion: lifeboat.dev/v1\n", "# text\n".repeat(20_000)),
            format!("apiVersion: lifeboat.deb/v1\n{rest}"),
            // What is no YAML any more.
            String::from("apiVersion: lifeboat.dev/v1\nsteps: [\n"),
            String::from("\u{feff}\"apiVersion\" : \"lifeboat.dev/v1\"\nsteps: [\n"),
        ] {
            assert!(claims_to_be_a_runbook(&text), "{text:.200}");
        }
    }

    #[test]
    fn what_is_of_others() {
        for text in [
            "apiVersion: apps/v1\nkind: Deployment\n",
            "kind: Runbook\nspec: {}\n",
            "# apiVersion: lifeboat.dev/v1\na: b\n",
            "kind: ConfigMap\ndata:\n  runbook.yaml: |\n    apiVersion: lifeboat.dev/v1\n    kind: Runbook\n",
            "repos:\n  - apiVersion: lifeboat.dev/v1\n",
            "",
        ] {
            assert!(!claims_to_be_a_runbook(text), "{text}");
        }
    }
}
