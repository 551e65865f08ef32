//! `abort`: ends a run and has undone what it did; `--preview` only tells what that would be.

use std::fmt::Write as _;

use lifeboat_core::{
    evidence::event::ActName,
    machine::{RunStatus, preview},
    model::Undo,
};

use super::{Outcome, act, recorded, recorded::Recorded};
use crate::{args, ui};

/// Aborts, or tells what that would do.
pub(super) fn run(arguments: &args::Abort) -> Outcome {
    if !arguments.preview {
        return act::on_run(ActName::Abort, &arguments.person);
    }
    let run = recorded::open(&arguments.person.actor.store, &arguments.person.actor.run)?;
    ui::out(&ui::plain(&text(&recorded::load(run)?)));
    Ok(0)
}

/// The undo list in order with estimates, and what stays.
pub(super) fn text(recorded: &Recorded) -> String {
    let Recorded { plan, state, run, .. } = recorded;
    let mut text = format!("ABORT of {} would\n", run.id());
    match state.run {
        RunStatus::Finished(verdict) => return format!("the run {} is over: {}\n", run.id(), verdict.name()),
        RunStatus::Created => return format!("nothing was touched yet in {}: there is nothing to undo\n", run.id()),
        RunStatus::Aborting | RunStatus::CleaningUp => {
            text = format!("{} is being aborted or cleaned up already; left to do\n", run.id());
        }
        RunStatus::Running => {}
    }
    let told = preview(plan, state);
    let running =
        |at: &usize| state.steps[*at].status.name() == "running" || state.steps[*at].status.name() == "verifying";
    for &at in told.undo.iter().filter(|at| running(at)) {
        _ = writeln!(text, "  stop   {}", plan.nodes[at].id);
    }
    for (number, &at) in told.undo.iter().enumerate() {
        let Some(step) = plan.nodes[at].step() else { continue };
        let how = match step.spec.undo.as_deref() {
            Some(Undo::Action(undo)) => {
                let gate = undo.approval.as_ref().map_or("", |_| ", after an approval");
                let proof = if undo.verify.is_empty() { ", not proven" } else { "" };
                let estimate = undo.estimate.map_or_else(|| "no estimate".to_owned(), |estimate| estimate.to_string());
                format!("{estimate}{proof}{gate}")
            }
            _ => String::new(),
        };
        let title = step.spec.title.as_deref().unwrap_or_default();
        _ = writeln!(text, "  undo {:>2}. {:<24} {how}", number + 1, plan.nodes[at].id);
        if !title.is_empty() {
            _ = writeln!(text, "           {title}");
        }
    }
    if told.undo.is_empty() {
        text.push_str("  undo nothing\n");
    }
    for stays in &told.stays {
        _ = writeln!(text, "  STAYS  {:<24} {}", stays.step, stays.why);
    }
    let cleanup: Vec<&str> = plan
        .nodes
        .iter()
        .filter(|node| node.step().is_some_and(|step| step.cleanup))
        .map(|node| node.id.as_str())
        .collect();
    if !cleanup.is_empty() {
        _ = writeln!(text, "  clean  {}", cleanup.join(", "));
    }
    let (code, why) = if told.stays.is_empty() { (3, "if every undo succeeds") } else { (4, "as something stays") };
    _ = writeln!(text, "  end    with exit code {code}, {why}");
    text
}
