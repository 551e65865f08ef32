//! Steps of `cleanup`.

use super::between;
use crate::diff::{json, text};

fn cleanup(ids: &[&str]) -> String {
    let steps: Vec<String> = ids.iter().map(|id| format!("  {id}: {{exec: [{}]}}\n", &id[..1])).collect();
    let steps = steps.concat();
    format!("steps:\n  s: {{phase: data, exec: [s]}}\ncleanup:\n{steps}")
}

/// They run in file order, so that it says when each of them runs.
#[test]
fn their_order_is_a_difference() {
    let old = cleanup(&["a", "b"]);
    let found = between(&old, &cleanup(&["b", "a"]));
    assert!(!found.is_empty() && found.steps.is_empty(), "{found:#?}");
    assert!(text(&found).contains(r#"order of cleanup: ["a","b"] → ["b","a"]"#), "{}", text(&found));
    assert_eq!(json(&found)["head"][0]["new"], serde_json::json!(["b", "a"]));
    assert_eq!(found.attention, ["the steps of `cleanup` run in another order"]);
}

#[test]
fn what_comes_goes_or_gets_another_name_turns_nothing_round() {
    let old = cleanup(&["a", "b"]);
    for new in [cleanup(&["c", "a", "b"]), cleanup(&["b"]), cleanup(&["a-2", "b"]), cleanup(&["a-2", "b-2"])] {
        assert_eq!(between(&old, &new).head, [], "{new}");
    }
    let found = between(&old, &cleanup(&["b", "a-2"]));
    assert_eq!(found.head[0].old, Some(serde_json::json!(["a-2", "b"])));
}
