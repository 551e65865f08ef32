//! What a change to a runbook changes, for those who review it.
//!
//! Duty: two runbooks → what was added, removed, renamed and changed, which order is gone or new, and how the critical path
//! moves. It compares what is written: a `forEach` is one step, an included runbook is one step. It must not judge
//! either of them; that is `lint`'s business. Renderings live one to a file below.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::{Map, Value};

use crate::{
    duration::Duration,
    model::{Mode, Runbook, Step},
    plan::sketch::Sketch,
    source::{Source, Spanned},
};

mod attention;
mod checks;
mod cleanup;
mod code;
mod json;
mod markdown;
mod order;
mod renames;
mod text;
mod values;

pub use json::json;
pub use markdown::markdown;
pub use order::{Order, Pair, Path};
pub use text::text;

/// What is different.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    /// The names under which the two were read.
    pub names: [String; 2],
    /// What is different outside of `steps` and `cleanup`, and the order of `cleanup`.
    pub head: Vec<Change>,
    /// Steps of `steps`, and of `cleanup` as `cleanup/…`; in the order of the new runbook, removed ones last.
    pub steps: Vec<StepChange>,
    /// Order and time, by mode. One entry when the modes have the same steps.
    pub orders: Vec<Order>,
    /// What a reviewer should look at first: gates, checks, undos, order and objectives that are weaker than before.
    pub attention: Vec<String>,
}

/// One value that is different.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where: `recovery.objectives.rto`, `retry.attempts`, `verify "the shop answers"`.
    pub what: String,
    /// The old value; `None`: there was none.
    pub old: Option<Value>,
    /// The new value; `None`: there is none.
    pub new: Option<Value>,
    /// What it is a part of.
    pub part: Part,
}

/// What a value is a part of.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Nothing more than itself.
    Value,
    /// It is a check as a whole.
    Check,
    /// It is a value in a check.
    Inside {
        /// The check: `verify "the shop answers"`.
        check: String,
        /// The value: `expect`.
        value: String,
    },
}

/// A step that is different.
#[derive(Debug, Clone, PartialEq)]
pub enum StepChange {
    /// It is new.
    Added(String),
    /// It is gone.
    Removed(String),
    /// It has another name, and is the same otherwise.
    Renamed {
        /// The old name.
        old: String,
        /// The new name.
        new: String,
    },
    /// It does something else.
    Changed {
        /// Its name.
        id: String,
        /// What is different.
        changes: Vec<Change>,
    },
}

impl Diff {
    /// Whether nothing is different that a run would notice, or a reader.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.is_empty() && self.steps.is_empty() && self.orders.iter().all(Order::is_same)
    }
}

/// A runbook and its text.
pub type Read<'a> = (&'a Runbook, &'a Arc<Source>);

/// Compares two runbooks.
#[must_use]
pub fn diff(old: Read<'_>, new: Read<'_>) -> Diff {
    let (before, after) = (Steps::of(old.0), Steps::of(new.0));
    let renamed = renames::renames(&before, &after);
    let old_name: HashMap<&String, &String> = renamed.iter().map(|(from, to)| (to, from)).collect();
    let left: HashSet<&String> = renamed.iter().map(|(from, _)| from).collect();
    let (olds, news) = (before.by_name(), after.by_name());
    let mut steps = Vec::new();
    for (id, step) in &after.0 {
        if let Some(from) = old_name.get(id) {
            steps.push(StepChange::Renamed { old: (*from).clone(), new: id.clone() });
        } else if let Some(was) = olds.get(id) {
            let changes = step_changes(was, step);
            if !changes.is_empty() {
                steps.push(StepChange::Changed { id: id.clone(), changes });
            }
        } else {
            steps.push(StepChange::Added(id.clone()));
        }
    }
    let gone = |id: &String| !news.contains_key(id) && !left.contains(id);
    steps.extend(before.0.iter().map(|(id, _)| id).filter(|id| gone(id)).cloned().map(StepChange::Removed));
    let mut head = head_changes(old.0, new.0);
    head.extend(cleanup::order(old.0, new.0, &renamed));
    let differ = |runbook: &Runbook| runbook.steps.values().any(|step| step.only.is_some());
    let modes = if differ(old.0) || differ(new.0) { vec![Mode::Incident, Mode::Drill] } else { vec![Mode::Incident] };
    let one = modes.len() == 1;
    let orders = modes.into_iter().map(|mode| {
        let (was, is) = (Sketch::new(old.0, old.1, mode), Sketch::new(new.0, new.1, mode));
        Order::between(&(old.0, &was), &(new.0, &is), &renamed, if one { None } else { Some(mode) })
    });
    let mut diff = Diff {
        names: [old.1.name().to_owned(), new.1.name().to_owned()],
        head,
        steps,
        orders: orders.collect(),
        attention: Vec::new(),
    };
    diff.attention = attention::attention(&diff, old.0, new.0);
    diff
}

/// The steps as JSON, by name.
struct Steps(Vec<(String, Map<String, Value>)>);

impl Steps {
    fn of(runbook: &Runbook) -> Self {
        let json = |step: &Spanned<Step>| match serde_json::to_value(&**step) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        let steps = runbook.steps.iter().map(|(id, step)| (id.clone(), json(step)));
        Self(steps.chain(runbook.cleanup.iter().map(|(id, step)| (format!("cleanup/{id}"), json(step)))).collect())
    }

    fn by_name(&self) -> HashMap<&String, &Map<String, Value>> {
        self.0.iter().map(|(id, step)| (id, step)).collect()
    }
}

/// All but the steps.
fn head(runbook: &Runbook) -> Value {
    let mut value = serde_json::to_value(runbook).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        for key in ["steps", "cleanup", "apiVersion", "kind"] {
            fields.remove(key);
        }
    }
    value
}

fn step_changes(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Change> {
    let (mut old, mut new) = (Value::Object(old.clone()), Value::Object(new.clone()));
    // An undo that is gone, or new, is told as a whole.
    let undo = old["undo"] != Value::Null && new["undo"] != Value::Null;
    let lists = [("verify", "", true), ("undo.verify", "/undo", undo)];
    let checks: Vec<Change> = lists
        .into_iter()
        .filter(|(.., compared)| *compared)
        .flat_map(|(list, within, _)| {
            checks::compare(list, &take(&mut old, within, "verify"), &take(&mut new, within, "verify"))
        })
        .collect();
    let mut found = changes(&old, &new);
    found.extend(checks);
    found
}

fn head_changes(old: &Runbook, new: &Runbook) -> Vec<Change> {
    let (mut old, mut new) = (head(old), head(new));
    let [was, is] = [&mut old, &mut new].map(|head| take(head, "/requires", "checks"));
    let mut found = changes(&old, &new);
    found.extend(checks::compare("requires.checks", &was, &is));
    found
}

/// Takes a list out of an object, which is then compared by itself.
fn take(value: &mut Value, within: &str, key: &str) -> Vec<Value> {
    let taken = value.pointer_mut(within).and_then(Value::as_object_mut).and_then(|fields| fields.shift_remove(key));
    taken.and_then(|list| list.as_array().cloned()).unwrap_or_default()
}

/// What is different between two values: at their leaves, where both are objects.
fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", Some(old), Some(new), &mut found);
    found
}

fn compare(what: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Change>) {
    if old == new {
        return;
    }
    let (Some(Value::Object(was)), Some(Value::Object(is))) = (old, new) else {
        found.push(Change { what: what.to_owned(), old: old.cloned(), new: new.cloned(), part: Part::Value });
        return;
    };
    let mut keys: Vec<&String> = was.keys().collect();
    keys.extend(is.keys().filter(|key| !was.contains_key(*key)));
    for key in keys {
        let below = if what.is_empty() { key.clone() } else { format!("{what}.{key}") };
        compare(&below, was.get(key), is.get(key), found);
    }
}

/// A length of time as authors write it.
fn length(millis: u64) -> String {
    Duration::from_millis(millis).to_string()
}

#[cfg(test)]
mod tests;
