//! `--format json`.

use serde_json::{Value, json};

use super::{Change, Diff, Order, Pair, Path, StepChange};

/// `{"version":1,"old","new","same","attention":[…],"head":[{"what","old","new"}],"steps":{"added":[…],"removed":[…],
/// "renamed":[{"old","new"}],"changed":[{"id","changes":[{"what","old","new"}]}]},"orders":[{"mode","lost":[["a","b"]],
/// "gained":[…],"turned":[…],"loosened":[…],"criticalPath":{"old":{"steps","estimateMs","withoutEstimate"},"new":{…}}}]}`. `old` and `new` of
/// a change are absent where there is nothing; `mode` is null where the order is the same in both,
/// and a path where the steps cannot be put in order.
#[must_use]
pub fn json(diff: &Diff) -> Value {
    let ids =
        |pick: fn(&StepChange) -> Option<&String>| -> Vec<&String> { diff.steps.iter().filter_map(pick).collect() };
    let added = ids(|step| if let StepChange::Added(id) = step { Some(id) } else { None });
    let removed = ids(|step| if let StepChange::Removed(id) = step { Some(id) } else { None });
    let mut renamed = Vec::new();
    let mut changed = Vec::new();
    for step in &diff.steps {
        match step {
            StepChange::Renamed { old, new } => renamed.push(json!({"old": old, "new": new})),
            StepChange::Changed { id, changes } => {
                changed.push(json!({"id": id, "changes": changes.iter().map(change).collect::<Vec<_>>()}));
            }
            StepChange::Added(_) | StepChange::Removed(_) => {}
        }
    }
    json!({
        "version": 1,
        "old": diff.names[0],
        "new": diff.names[1],
        "same": diff.is_empty(),
        "attention": diff.attention,
        "head": diff.head.iter().map(change).collect::<Vec<_>>(),
        "steps": {"added": added, "removed": removed, "renamed": renamed, "changed": changed},
        "orders": diff.orders.iter().map(order).collect::<Vec<_>>(),
    })
}

fn change(change: &Change) -> Value {
    let mut told = json!({"what": change.what});
    for (key, value) in [("old", &change.old), ("new", &change.new)] {
        if let Some(value) = value {
            told[key] = value.clone();
        }
    }
    told
}

fn order(order: &Order) -> Value {
    let pairs = |pairs: &[Pair]| pairs.iter().map(|pair| json!([pair.0, pair.1])).collect::<Vec<_>>();
    let path = |path: &Option<Path>| {
        path.as_ref().map(
            |path| json!({"steps": path.steps, "estimateMs": path.millis, "withoutEstimate": path.without_estimate}),
        )
    };
    json!({
        "mode": order.mode.map(crate::model::Mode::name),
        "lost": pairs(&order.lost),
        "gained": pairs(&order.gained),
        "turned": pairs(&order.turned),
        "loosened": pairs(&order.loosened),
        "criticalPath": {"old": path(&order.old), "new": path(&order.new)},
    })
}
