//! Which namespaces a backup was made of.
//!
//! Duty: `spec.includedNamespaces` and `spec.excludedNamespaces`. They say what was asked for: whether a namespace was
//! there at that time is only in the backup's contents.

use serde_json::Value;

use crate::kube::object;

/// Whether a backup was to contain a namespace. Without `includedNamespaces`, or with `*`, it was to contain all that
/// are not excluded. Velero 1.18 takes patterns with `*`, `?` and `[abc]` (`pkg/util/wildcard`); to older ones they
/// are names that nothing has, which a restore will then tell.
#[must_use]
pub fn contains(backup: &Value, namespace: &str) -> bool {
    let included = object::texts(backup, "/spec/includedNamespaces");
    let any = included.clone().next().is_none();
    let named = any || included.clone().any(|pattern| matches(pattern, namespace));
    named && !object::texts(backup, "/spec/excludedNamespaces").any(|pattern| matches(pattern, namespace))
}

/// One thing that a pattern wants.
enum Token<'a> {
    Any,
    One,
    Set(&'a str),
    Letter(char),
}

/// Goes through the pattern once and keeps where in the name it may be: a pattern with many `*` must not cost more
/// than another one.
fn matches(pattern: &str, name: &str) -> bool {
    let Some(tokens) = tokens(pattern) else { return false };
    let letters: Vec<char> = name.chars().collect();
    let mut reached = vec![false; letters.len() + 1];
    reached[0] = true;
    for token in tokens {
        let mut next = vec![false; letters.len() + 1];
        for (at, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
            match token {
                Token::Any => next[at..].fill(true),
                Token::One if at < letters.len() => next[at + 1] = true,
                Token::Set(set) if letters.get(at).is_some_and(|&letter| in_set(set, letter)) => next[at + 1] = true,
                Token::Letter(wanted) if letters.get(at) == Some(&wanted) => next[at + 1] = true,
                _ => {}
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

/// `None` when a bracket is not closed.
fn tokens(pattern: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        tokens.push(match first {
            '*' => Token::Any,
            '?' => Token::One,
            '[' => {
                let (set, tail) = rest.split_once(']')?;
                rest = tail;
                Token::Set(set)
            }
            letter => Token::Letter(letter),
        });
    }
    Some(tokens)
}

/// `abc`, or `a-c`.
fn in_set(set: &str, letter: char) -> bool {
    let letters: Vec<char> = set.chars().collect();
    letters.contains(&letter)
        || letters.windows(3).any(|range| range[1] == '-' && (range[0]..=range[2]).contains(&letter))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn includes_and_excludes() {
        for (included, excluded, namespace, wanted) in [
            (json!(null), json!(null), "shop", true),
            (json!([]), json!([]), "shop", true),
            (json!(["*"]), json!(["kube-system"]), "shop", true),
            (json!(["*"]), json!(["kube-system"]), "kube-system", false),
            (json!(["shop", "auth"]), json!(null), "auth", true),
            (json!(["shop", "auth"]), json!(null), "payments", false),
            (json!(["shop-*"]), json!(null), "shop-eu", true),
            (json!(["shop-*"]), json!(["*-test"]), "shop-test", false),
            (json!(["shop-?"]), json!(null), "shop-12", false),
            (json!(["shop-[1-3]"]), json!(null), "shop-2", true),
            (json!(["shop-[ab]"]), json!(null), "shop-c", false),
            (json!(["shop-[a"]), json!(null), "shop-a", false),
            (json!(["a*b*c"]), json!(null), "aXbXbc", true),
            (json!(["shop"]), json!(null), "shop-eu", false),
            (
                json!(["*a*a*a*a*a*a*a*a*a*a*a*a*b"]),
                json!(null),
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                false,
            ),
        ] {
            let backup = json!({"spec": {"includedNamespaces": included, "excludedNamespaces": excluded}});
            assert_eq!(contains(&backup, namespace), wanted, "{included} {excluded} {namespace}");
        }
    }
}
