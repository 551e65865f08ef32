//! Whether the steps of `cleanup` run in another order.
//!
//! Duty: they run one after the other in file order, so that order is a difference, and the only one that no value shows.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{Change, Part};
use crate::model::Runbook;

/// What the change is called.
pub(super) const ORDER: &str = "order of cleanup";

/// The order of those that are in both, by their new names, when it is another one.
pub(super) fn order(old: &Runbook, new: &Runbook, renamed: &[(String, String)]) -> Option<Change> {
    let inside = |name: &String| name.strip_prefix("cleanup/").map(str::to_owned);
    let names: HashMap<String, String> =
        renamed.iter().filter_map(|(from, to)| Some((inside(from)?, inside(to)?))).collect();
    let new_name = |id: &String| names.get(id).unwrap_or(id).clone();
    let was: Vec<String> = old.cleanup.keys().map(new_name).collect();
    let olds: HashSet<&String> = was.iter().collect();
    let is: Vec<&String> = new.cleanup.keys().filter(|id| olds.contains(id)).collect();
    let was: Vec<&String> = was.iter().filter(|id| new.cleanup.contains_key(*id)).collect();
    let ids = |ids: &[&String]| Some(ids.iter().map(|id| id.as_str()).collect::<Value>());
    (was != is).then(|| Change { what: ORDER.to_owned(), old: ids(&was), new: ids(&is), part: Part::Value })
}
