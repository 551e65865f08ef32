//! What is weaker outside of steps.

use serde_json::Value;

use super::{Kind, Told, lost};
use crate::{
    diff::{Change, cleanup, code::code, length, values::shown},
    duration::Duration,
};

/// A value that is another one.
pub(super) fn changed(change: &Change, told: &mut Told) {
    let found = objective(change).or_else(|| drills(change)).map(|line| (Kind::Promise, line));
    if let Some((kind, line)) = found.or_else(|| other(change)) {
        told.tell(kind, line);
    }
}

fn millis(value: Option<&Value>) -> Option<u64> {
    value?.as_str()?.parse::<Duration>().ok().map(Duration::as_millis)
}

/// Both, where there is more of it than before.
fn longer(Change { old, new, .. }: &Change) -> Option<(String, String)> {
    let (was, is) = (millis(old.as_ref())?, millis(new.as_ref())?);
    (is > was).then(|| (length(was), length(is)))
}

fn objective(change: &Change) -> Option<String> {
    let name = change.what.strip_prefix("recovery.objectives.")?.to_uppercase();
    if change.new.is_none() {
        return Some(format!("the {name} is gone, it was {}: less is promised", length(millis(change.old.as_ref())?)));
    }
    let (was, is) = longer(change)?;
    Some(format!("the {name} is {is} and was {was}: less is promised"))
}

fn drills(change: &Change) -> Option<String> {
    if change.what != "recovery.drillEvery" {
        return None;
    }
    if change.new.is_none() {
        let was = length(millis(change.old.as_ref())?);
        return Some(format!("it does not have to be drilled any more, and had to be every {was}"));
    }
    let (was, is) = longer(change)?;
    Some(format!("it has to be drilled every {is} only, and was every {was}"))
}

fn other(Change { what, old, new, .. }: &Change) -> Option<(Kind, String)> {
    let told = match what.as_str() {
        "recovery.level" => (Kind::Promise, format!("another level is claimed: {}", code(&shown(new.as_ref())))),
        cleanup::ORDER => (Kind::Order, "the steps of `cleanup` run in another order".to_owned()),
        "guards" => (Kind::Check, "the guards are others".to_owned()),
        "roles" => (Kind::Gate, "the roles are others".to_owned()),
        _ if what.starts_with("roles.") => {
            (Kind::Gate, format!("other people are in {}", code(what.trim_start_matches("roles."))))
        }
        // Its checks are told by name.
        _ if what.starts_with("requires.") && !what.starts_with("requires.checks") => {
            let less = new.is_none() || !lost(old.as_ref(), new.as_ref()).is_empty();
            return less.then(|| (Kind::Check, format!("less is asked for before the start: {}", code(what))));
        }
        _ => return None,
    };
    Some(told)
}
