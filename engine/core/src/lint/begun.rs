//! What looks at the end of something that was only begun.
//!
//! Duty: to find such looks in checks and in the steps behind. Whether one is needed is the rules' business.

use super::{
    Context,
    facts::mutates,
    programs::reads_velero,
    scripts::{Reading, Role},
};
use crate::model::Step;

/// How many commands are judged: each looks at all the steps, and nobody writes as many.
pub(crate) const MOST: usize = 500;

/// Whether something looks at the end of it: a check of the step, or a step that needs it and changes nothing.
pub(crate) fn is_looked_at(context: &Context<'_>, reading: &Reading<'_>, velero: bool) -> bool {
    let Some((_, id, step)) = reading.step else { return true };
    let needs = |other: &Step| other.needs.iter().flatten().any(|name| name.as_str() == id);
    let steps = context.runbook.steps.iter();
    let looking = steps.filter(|(_, other)| !mutates(other) && needs(other));
    let mut lookers: Vec<&str> = vec![id];
    for (name, other) in looking {
        // What is included does nobody know here.
        if other.runbook.is_some() {
            return true;
        }
        lookers.push(name);
    }
    if !velero {
        return !step.verify.is_empty()
            || lookers.iter().skip(1).any(|name| context.runbook.steps.get(*name).is_some_and(|it| looks(it)));
    }
    let by_kube = lookers.iter().filter_map(|name| context.runbook.steps.get(*name)).any(|step| {
        step.verify.iter().filter_map(|check| check.kube.as_ref()).any(|kube| {
            let kind = kube.kind.as_str().to_ascii_lowercase();
            kind.contains("restore") || kind.contains("backup")
        })
    });
    let by_command = context.commands().any(|(other, program, command)| {
        let here = other.step.is_some_and(|(room, name, _)| room == "steps" && lookers.contains(&name));
        let own = matches!(other.role, Role::Check) || other.step.is_some_and(|(_, name, _)| name != id);
        here && own && reads_velero(program, command)
    });
    by_kube || by_command
}

/// Whether a step that changes nothing would fail if what it looks at is wrong: by its checks, or by its action, which then is
/// one that waits or compares.
pub(crate) fn looks(step: &Step) -> bool {
    !step.verify.is_empty() || step.exec.is_some() || step.shell.is_some() || step.http.is_some()
}
