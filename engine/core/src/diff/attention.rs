//! What a reviewer should look at first.

use serde_json::Value;

use super::{Change, Diff, Path, StepChange, cleanup, code::code};
use crate::{
    model::{Mode, Runbook},
    words,
};

/// What is weaker than before, worst first by kind: gates, checks, ways back, order, objectives, time. Each is one line of
/// words of ours, and of code spans: a runbook's text in it formats nothing.
pub(super) fn attention(diff: &Diff, old: &Runbook, new: &Runbook) -> Vec<String> {
    let mut told = Vec::new();
    for step in &diff.steps {
        match step {
            StepChange::Changed { id, changes } => changed(id, changes, &mut told),
            StepChange::Removed(id) => removed(id, old, &mut told),
            StepChange::Added(id) => added(id, new, &mut told),
            StepChange::Renamed { .. } => {}
        }
    }
    for order in &diff.orders {
        let mode = order.mode.map_or_else(String::new, |mode| format!(" (in {})", article(mode)));
        for pair in &order.lost {
            told.push(format!("{} does not wait for {} any more{mode}", code(&pair.1), code(&pair.0)));
        }
        for pair in &order.turned {
            let (first, then) = (code(&pair.0), code(&pair.1));
            told.push(format!("{first} comes before {then} now; it was the other way round{mode}"));
        }
        if order.old.is_some() && order.new.is_none() {
            told.push(format!("its steps cannot be put in order any more, as `lint` shows{mode}"));
        }
        let rto = new.recovery.objectives.rto.as_millis();
        let takes = |path: &Option<Path>| path.as_ref().map_or(0, |path| path.millis);
        if takes(&order.new) > rto && takes(&order.old) <= old.recovery.objectives.rto.as_millis() {
            let (takes, rto) = (super::length(takes(&order.new)), super::length(rto));
            told.push(format!("by its estimates it takes {takes} now, longer than the RTO of {rto}{mode}"));
        }
    }
    for change in &diff.head {
        told.extend(of_head(change));
    }
    told
}

fn article(mode: Mode) -> &'static str {
    match mode {
        Mode::Incident => "an incident",
        Mode::Drill => "a drill",
    }
}

fn changed(id: &str, changes: &[Change], told: &mut Vec<String>) {
    let id = code(id);
    for Change { what, old, new, check } in changes {
        let gone = new.is_none();
        let smaller = || old.as_ref().and_then(Value::as_u64) > new.as_ref().and_then(Value::as_u64);
        match what.as_str() {
            "approval" if gone => told.push(format!("{id} needs no approval any more")),
            "approval.count" if smaller() => told.push(format!("{id} needs fewer people to approve it")),
            "approval.unattended" => {
                told.push(format!("{id} does something else when nobody is there to approve it"));
            }
            "undo" if gone => told.push(format!("{id} has no undo any more")),
            "irreversible" if !gone => told.push(format!("{id} is irreversible now")),
            "restores" if gone => told.push(format!("{id} does not stop the RTO clock any more")),
            "recoveryPoint" if gone => told.push(format!("{id} does not tell its recovery point any more")),
            "when" => told.push(format!("{id} runs under another condition")),
            "onFailure" => told.push(format!("{id} does something else when it fails")),
            _ if gone && *check => {
                told.push(format!("{id} lost the check {}", code(what.trim_start_matches("verify "))));
            }
            _ if gone && what.ends_with("mustFailFirst") => {
                told.push(format!("{id}: {} is gone: nobody sees any more that the check can fail", code(what)));
            }
            _ => {}
        }
    }
}

fn removed(id: &str, old: &Runbook, told: &mut Vec<String>) {
    let Some(step) = old.steps.get(id) else { return };
    let id = code(id);
    if step.approval.is_some() {
        told.push(format!("{id} is gone, and the approval that it needed"));
    }
    if !step.verify.is_empty() {
        told.push(format!("{id} is gone, and {}", words::count(step.verify.len(), "check")));
    }
}

fn added(id: &str, new: &Runbook, told: &mut Vec<String>) {
    if new.steps.get(id).is_some_and(|step| step.irreversible) {
        told.push(format!("{} is new, and irreversible", code(id)));
    }
}

fn of_head(change: &Change) -> Option<String> {
    let Change { what, old, new, .. } = change;
    let millis = |value: &Option<Value>| {
        let text = value.as_ref()?.as_str()?.to_owned();
        text.parse::<crate::duration::Duration>().ok().map(crate::duration::Duration::as_millis)
    };
    let objective = what.strip_prefix("recovery.objectives.");
    if let Some(name) = objective
        && let (Some(was), Some(is)) = (millis(old), millis(new))
        && is > was
    {
        let (was, is) = (super::length(was), super::length(is));
        return Some(format!("the {} is {is} and was {was}: less is promised", name.to_uppercase()));
    }
    match what.as_str() {
        "recovery.level" => Some(format!("another level is claimed: {}", code(&super::shown(new.as_ref())))),
        cleanup::ORDER => Some("the steps of `cleanup` run in another order".to_owned()),
        "guards" => Some("the guards are others".to_owned()),
        "roles" => Some("the roles are others".to_owned()),
        _ if what.starts_with("roles.") => {
            Some(format!("other people are in {}", code(what.trim_start_matches("roles."))))
        }
        _ => None,
    }
}
