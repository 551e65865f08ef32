//! What is weaker in a step.

use serde_json::Value;

use super::{Kind, Told, checks};
use crate::{
    diff::{Change, code::code},
    model::{Mode, Runbook, Step},
    words,
};

/// A step that does something else.
pub(super) fn changed(id: &str, changes: &[Change], old: &Runbook, told: &mut Told) {
    let own = code(id);
    let undo = format!("the undo of {own}");
    for change in changes {
        if let Some(key) = change.what.strip_prefix("undo.") {
            gate(&undo, key, change, told);
            continue;
        }
        gate(&own, &change.what, change, told);
        if change.what == "only" {
            mode(&own, change, step(old, id), told);
        }
        value(&own, change, told);
    }
    let of_undo = |change: &&Change| change.what.starts_with("undo.");
    let (undos, owns): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(of_undo);
    checks(owns, &own, told);
    checks(undos, &undo, told);
}

/// Who has to say yes. `whose` is a step, or the undo of one.
fn gate(whose: &str, key: &str, change: &Change, told: &mut Told) {
    let Change { old, new, .. } = change;
    let fewer = || old.as_ref().and_then(Value::as_u64) > new.as_ref().and_then(Value::as_u64);
    let line = match (key, old.as_ref(), new.as_ref()) {
        ("approval", _, None) => format!("{whose} needs no approval any more"),
        ("approval.count", ..) if fewer() => format!("{whose} needs fewer people to approve it"),
        ("approval.by", Some(old), Some(new)) => {
            format!("{whose} is approved by {} now, and was by {}", role(new), role(old))
        }
        ("approval.by", Some(old), None) => {
            format!("{whose} is approved by whoever commands the run now, and was by {}", role(old))
        }
        ("approval.expires", _, None) => format!("the approval of {whose} does not expire any more"),
        ("approval.unattended", ..) => format!("{whose} does something else when nobody is there to approve it"),
        _ => return,
    };
    told.tell(Kind::Gate, line);
}

fn role(value: &Value) -> String {
    code(&words::value(value))
}

/// A step that is not there any more in one of the modes, and all that it brings with it.
fn mode(id: &str, change: &Change, old: Option<&Step>, told: &mut Told) {
    let there =
        |only: &Option<Value>, mode: Mode| only.as_ref().and_then(Value::as_str).is_none_or(|only| only == mode.name());
    let left = |mode| there(&change.old, mode) && !there(&change.new, mode);
    if left(Mode::Incident) {
        let with = old.map(brought).filter(|with| !with.is_empty());
        let with = with.map_or_else(String::new, |with| format!("; gone there with it: {}", with.join(", ")));
        told.tell(Kind::Gate, format!("{id} does not run in an incident any more{with}"));
    }
    if left(Mode::Drill) {
        told.tell(Kind::Check, format!("{id} does not run in a drill any more, so that nobody rehearses it"));
    }
}

fn value(id: &str, Change { what, old, new, .. }: &Change, told: &mut Told) {
    let gone = new.is_none();
    let (kind, line) = match what.as_str() {
        "undo" if gone => (Kind::Back, format!("{id} has no undo any more")),
        // It is `auto` now, which nobody can be asked about.
        "undo" if old.as_ref().is_some_and(|undo| undo.get("approval").is_some()) => {
            (Kind::Gate, format!("the undo of {id} needs no approval any more"))
        }
        "irreversible" if gone => (Kind::Gate, format!("{id} is not irreversible any more, so that nobody is warned")),
        "irreversible" => (Kind::Back, format!("{id} is irreversible now")),
        "restores" if gone => (Kind::Promise, format!("{id} does not stop the RTO clock any more")),
        "recoveryPoint" if gone => (Kind::Promise, format!("{id} does not tell its recovery point any more")),
        "when" => (Kind::Gate, format!("{id} runs under another condition")),
        "onFailure" => (Kind::Order, format!("{id} does something else when it fails")),
        "locks" => {
            let lost = super::lost(old.as_ref(), new.as_ref());
            if lost.is_empty() {
                return;
            }
            let names: Vec<String> = lost.iter().map(|lock| role(lock)).collect();
            (Kind::Order, format!("{id} may run while others hold {}", words::list(&names, 5)))
        }
        _ => return,
    };
    told.tell(kind, line);
}

/// A step that is gone.
pub(super) fn removed(id: &str, old: &Runbook, new: &Runbook, told: &mut Told) {
    let Some(step) = step(old, id) else { return };
    let with = brought(step);
    let kind = if step.approval.is_some() { Kind::Gate } else { Kind::Check };
    if !with.is_empty() {
        told.tell(kind, format!("{} is gone, and {}", code(id), with.join(", ")));
    } else if id.starts_with(CLEANUP) && !new.cleanup.is_empty() {
        told.tell(Kind::Back, format!("{} is gone, and what it cleaned up stays", code(id)));
    }
}

/// `cleanup` as a whole, when it is gone.
pub(super) fn cleanup(old: &Runbook, new: &Runbook, told: &mut Told) {
    if new.cleanup.is_empty() && !old.cleanup.is_empty() {
        let line = "`cleanup` is gone: nothing is cleaned up after a drill or an abort any more";
        told.tell(Kind::Back, line.to_owned());
    }
}

/// A step that is new.
pub(super) fn added(id: &str, new: &Runbook, told: &mut Told) {
    if step(new, id).is_some_and(|step| step.irreversible) {
        told.tell(Kind::Back, format!("{} is new, and irreversible", code(id)));
    }
}

const CLEANUP: &str = "cleanup/";

fn step<'a>(runbook: &'a Runbook, id: &str) -> Option<&'a Step> {
    let found = match id.strip_prefix(CLEANUP) {
        Some(inside) => runbook.cleanup.get(inside),
        None => runbook.steps.get(id),
    };
    found.map(|step| &**step)
}

/// What goes with a step when it goes.
fn brought(step: &Step) -> Vec<String> {
    let approval = step.approval.is_some().then(|| "the approval that it needed".to_owned());
    let checks = (!step.verify.is_empty()).then(|| words::count(step.verify.len(), "check"));
    let undo = step.undo.is_some().then(|| "its undo".to_owned());
    [approval, checks, undo].into_iter().flatten().collect()
}
