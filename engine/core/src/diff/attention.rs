//! What a reviewer should look at first.
//!
//! Duty: to collect it, worst first. What is weaker in a step, and outside of steps, stands in the files below.

use serde_json::Value;

use super::{Change, Diff, Order, Part, Path, StepChange, code::code};
use crate::model::{Mode, Runbook};

mod head;
mod steps;

/// What kind of thing is weaker, worst first. A page that is full leaves the last ones out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Who has to say yes, and whether a step runs at all.
    Gate,
    /// What proves that it worked.
    Check,
    /// The way back.
    Back,
    /// What waits for what.
    Order,
    /// Objectives, time, and all else.
    Promise,
}

/// What is told so far. Each is one line of words of ours and of code spans: a runbook's text in it formats nothing.
#[derive(Default)]
struct Told(Vec<(Kind, String)>);

impl Told {
    fn tell(&mut self, kind: Kind, line: String) {
        self.0.push((kind, line));
    }

    fn worst_first(mut self) -> Vec<String> {
        self.0.sort_by_key(|(kind, _)| *kind);
        self.0.into_iter().map(|(_, line)| line).collect()
    }
}

/// What is weaker than before, worst first by kind.
pub(super) fn attention(diff: &Diff, old: &Runbook, new: &Runbook) -> Vec<String> {
    let mut told = Told::default();
    steps::cleanup(old, new, &mut told);
    for step in &diff.steps {
        match step {
            StepChange::Changed { id, changes } => steps::changed(id, changes, old, &mut told),
            StepChange::Removed(id) => steps::removed(id, old, new, &mut told),
            StepChange::Added(id) => steps::added(id, new, &mut told),
            StepChange::Renamed { .. } => {}
        }
    }
    for order in &diff.orders {
        of_order(order, old, new, &mut told);
    }
    for change in &diff.head {
        head::changed(change, &mut told);
    }
    checks(&diff.head, "`requires`", &mut told);
    told.worst_first()
}

fn of_order(order: &Order, old: &Runbook, new: &Runbook, told: &mut Told) {
    let mode = order.mode.map_or_else(String::new, |mode| format!(" (in {})", article(mode)));
    for pair in &order.lost {
        told.tell(Kind::Order, format!("{} does not wait for {} any more{mode}", code(&pair.1), code(&pair.0)));
    }
    for pair in &order.loosened {
        let (first, then) = (code(&pair.0), code(&pair.1));
        told.tell(Kind::Order, format!("{then} goes on now when {first} has failed{mode}"));
    }
    for pair in &order.turned {
        let (first, then) = (code(&pair.0), code(&pair.1));
        told.tell(Kind::Order, format!("{first} comes before {then} now; it was the other way round{mode}"));
    }
    if order.old.is_some() && order.new.is_none() {
        told.tell(Kind::Order, format!("its steps cannot be put in order any more, as `lint` shows{mode}"));
    }
    let rto = new.recovery.objectives.rto.as_millis();
    let takes = |path: &Option<Path>| path.as_ref().map_or(0, |path| path.millis);
    if takes(&order.new) > rto && takes(&order.old) <= old.recovery.objectives.rto.as_millis() {
        let (takes, rto) = (super::length(takes(&order.new)), super::length(rto));
        told.tell(Kind::Promise, format!("by its estimates it takes {takes} now, longer than the RTO of {rto}{mode}"));
    }
}

fn article(mode: Mode) -> &'static str {
    match mode {
        Mode::Incident => "an incident",
        Mode::Drill => "a drill",
    }
}

/// Checks that are gone, or do not prove what they proved. `whose` says where they stand.
fn checks<'a>(changes: impl IntoIterator<Item = &'a Change>, whose: &str, told: &mut Told) {
    let short = |what: &str| code(what.split_once(' ').map_or(what, |(_, name)| name));
    let mut others: Vec<&str> = Vec::new();
    for change in changes {
        match &change.part {
            Part::Check if change.new.is_none() => {
                told.tell(Kind::Check, format!("{whose} lost the check {}", short(&change.what)));
            }
            Part::Inside { check, value } if change.new.is_none() && value == "mustFailFirst" => {
                told.tell(
                    Kind::Check,
                    format!("{whose}: nobody sees any more that the check {} can fail", short(check)),
                );
            }
            Part::Inside { check, value } if change.new.is_none() && value == "holds" => {
                told.tell(Kind::Check, format!("{whose}: the check {} does not have to last any more", short(check)));
            }
            Part::Inside { check, value } if looks(value) && !others.contains(&check.as_str()) => {
                others.push(check);
                told.tell(Kind::Check, format!("{whose}: the check {} is another one now", short(check)));
            }
            _ => {}
        }
    }
}

/// Whether a value decides what a check looks at, or how it judges that; all others say when it looks, and how often.
fn looks(value: &str) -> bool {
    let key = value.split('.').next().unwrap_or_default();
    !["name", "within", "every", "holds", "mustFailFirst", "timeout"].contains(&key)
}

/// What a list had and has no more; of no list, nothing.
fn lost<'a>(old: Option<&'a Value>, new: Option<&Value>) -> Vec<&'a Value> {
    let list = |value: Option<&'a Value>| value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let still = new.and_then(Value::as_array);
    list(old).iter().filter(|one| !still.is_some_and(|still| still.contains(one))).collect()
}
