//! What is different between two lists of checks.
//!
//! Duty: which check of the new list is which of the old one, and how the two differ.

use std::collections::HashMap;

use serde_json::Value;

use super::{Change, Part, changes};

/// What is different. `list` is where they stand: `verify`, `undo.verify`.
pub(super) fn compare(list: &str, old: &[Value], new: &[Value]) -> Vec<Change> {
    let (was, is) = (labels(list, old), labels(list, new));
    let twins = twins(old, new);
    let mut found = Vec::new();
    for (at, what) in was.into_iter().enumerate() {
        match twins[at] {
            Some(twin) => found.extend(inside(&is[twin], &old[at], &new[twin])),
            None => found.push(Change { what, old: Some(old[at].clone()), new: None, part: Part::Check }),
        }
    }
    for (at, what) in is.into_iter().enumerate().filter(|(at, _)| !twins.contains(&Some(*at))) {
        found.push(Change { what, old: None, new: Some(new[at].clone()), part: Part::Check });
    }
    found
}

/// Whether two checks are the same one.
type Sign<'a> = &'a dyn Fn(&Value, &Value) -> bool;

/// Of each old check, the new one that it is. The surest sign comes first, so that a check that is gone does not make
/// others of all that stand behind it.
fn twins(old: &[Value], new: &[Value]) -> Vec<Option<usize>> {
    let name = |check: &Value| check.get("name").cloned();
    let rest = |check: &Value| {
        let mut rest = check.clone();
        rest.as_object_mut().and_then(|fields| fields.shift_remove("name"));
        rest
    };
    let signs: [Sign<'_>; 4] = [
        &|one, other| one == other,
        &|one, other| name(one).is_some() && name(one) == name(other),
        &|one, other| rest(one) == rest(other),
        &|one, other| name(one).is_none() && name(other).is_none(),
    ];
    let mut twins = vec![None; old.len()];
    let mut free: Vec<usize> = (0..new.len()).collect();
    for sign in signs {
        for (at, check) in old.iter().enumerate().filter(|(at, _)| twins[*at].is_none()).collect::<Vec<_>>() {
            if let Some(place) = free.iter().position(|twin| sign(check, &new[*twin])) {
                twins[at] = Some(free.remove(place));
            }
        }
    }
    twins
}

fn inside(check: &str, old: &Value, new: &Value) -> Vec<Change> {
    let inside = |change: Change| Change {
        what: format!("{check} {}", change.what),
        part: Part::Inside { check: check.to_owned(), value: change.what },
        ..change
    };
    changes(old, new).into_iter().map(inside).collect()
}

/// What each is called: by its name, or else its place. Of several with one name each is another one.
fn labels(list: &str, checks: &[Value]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let label = |(at, check): (usize, &Value)| {
        let given = check["name"].as_str().map(|name| format!("{list} {name:?}"));
        let label = given.unwrap_or_else(|| format!("{list} #{}", at + 1));
        let times = seen.entry(label.clone()).or_default();
        *times += 1;
        if *times > 1 { format!("{label} ({times})") } else { label }
    };
    checks.iter().enumerate().map(label).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(old: &[Value], new: &[Value]) -> Vec<String> {
        compare("verify", old, new).into_iter().map(|change| change.what).collect()
    }

    #[test]
    fn the_one_that_is_gone_is_told() {
        let [one, two, three] = ["a", "b", "c"].map(|word| json!({"exec": [word]}));
        let all = [one.clone(), two.clone(), three.clone()];
        assert_eq!(told(&all, &[two.clone(), three.clone()]), ["verify #1"]);
        assert_eq!(told(&all, &[three.clone(), two.clone()]), ["verify #1"]);
        assert_eq!(told(&all, &[two.clone(), json!({"exec": ["d"]})]), ["verify #2 exec", "verify #3"]);
        assert_eq!(told(&all[..1], &[json!({"name": "it answers", "exec": ["a"]})]), [r#"verify "it answers" name"#]);
        let named = |word: &str| json!({"name": "same", "exec": [word]});
        assert_eq!(told(&[named("a"), named("b")], &[named("b")]), [r#"verify "same""#]);
        assert_eq!(told(&[named("a")], &[named("b"), one]), [r#"verify "same" exec"#, "verify #2"]);
    }
}
