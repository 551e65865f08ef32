//! Label selectors as authors write them, in the form that objects have.
//!
//! Duty: the same language that `kubectl -l` reads. Which objects they find is not looked at here.

use serde_json::{Value, json};

/// `app=api,tier in (web,edge),!legacy` as a `LabelSelector`.
///
/// # Errors
/// What was expected and what is there.
pub(in crate::action) fn label_selector(text: &str) -> Result<Value, String> {
    let expressions = parts(text).into_iter().map(expression).collect::<Result<Vec<_>, _>>()?;
    if expressions.is_empty() {
        return Err("selector: expected labels, as `app=api`, found nothing".to_owned());
    }
    Ok(json!({"matchExpressions": expressions}))
}

/// Its requirements: a comma in parentheses does not end one.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut parts) = (0_i32, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    if text.trim().is_empty() { Vec::new() } else { parts.into_iter().map(str::trim).collect() }
}

fn expression(part: &str) -> Result<Value, String> {
    let bad = || format!("selector: expected `key=value`, `key in (a,b)` or `!key`, found `{part}`");
    let made = |key: &str, operator: &str, values: Vec<String>| {
        let key = key.trim();
        let is_key = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        let is_value = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let good = !key.is_empty() && key.chars().all(is_key) && values.iter().all(|value| value.chars().all(is_value));
        let mut expression = json!({"key": key, "operator": operator});
        if !values.is_empty() {
            expression["values"] = values.into();
        }
        if good { Ok(expression) } else { Err(bad()) }
    };
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some((key, value)) = part.split_once("!=") {
        return made(key, "NotIn", one(value));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return made(key, "In", one(value));
    }
    if let Some(key) = part.strip_prefix('!') {
        return made(key, "DoesNotExist", Vec::new());
    }
    let Some((head, list)) = part.split_once('(') else { return made(part, "Exists", Vec::new()) };
    let list = list.strip_suffix(')').ok_or_else(bad)?;
    let values = list.split(',').map(|value| value.trim().to_owned()).collect();
    match head.split_whitespace().collect::<Vec<_>>().as_slice() {
        [key, "in"] => made(key, "In", values),
        [key, "notin"] => made(key, "NotIn", values),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_kubectl_reads_them() {
        let expressions = |text: &str| label_selector(text).map(|selector| selector["matchExpressions"].clone());
        assert_eq!(
            expressions("app=api, tier in (web, edge),env notin (test),zone!=a,team==x,example.com/new,!legacy"),
            Ok(json!([
                {"key": "app", "operator": "In", "values": ["api"]},
                {"key": "tier", "operator": "In", "values": ["web", "edge"]},
                {"key": "env", "operator": "NotIn", "values": ["test"]},
                {"key": "zone", "operator": "NotIn", "values": ["a"]},
                {"key": "team", "operator": "In", "values": ["x"]},
                {"key": "example.com/new", "operator": "Exists"},
                {"key": "legacy", "operator": "DoesNotExist"},
            ]))
        );
        assert_eq!(expressions("app="), Ok(json!([{"key": "app", "operator": "In", "values": [""]}])));
        for bad in ["", " ", "a b", "app in web", "app in (web", "=x", "app=a=b", "app,,tier"] {
            let why = label_selector(bad).expect_err("it is none");
            assert!(why.starts_with("selector: expected"), "{bad}: {why}");
        }
    }
}
