//! `not-a-predecessor`.

use crate::{
    diagnostic::{Diagnostic, Fix, Severity},
    lint::{
        Context, Rule,
        context::{Home, Part, Text, route},
        names::{self, Target},
    },
    model::Step,
    plan::sketch::Sketch,
    scope::Reference,
};

/// A value of a step that need not have run yet.
///
/// An output, a status or a time of a step is there only when that step is known to have ended: it must be among the
/// predecessors, by `needs`, by `after` or by phase. Otherwise the value is there or not by chance. A step that exists in
/// one mode only is no predecessor in the other one; a text that asks for `run.mode` may speak of it. In an `undo`, the step's
/// own outputs are there too. Steps of `cleanup` see every step and the earlier steps of `cleanup`; what did not run is null.
///
/// Bad:
///
/// ```yaml
/// steps:
///   count: {phase: data, exec: [./count.sh], outputs: {n: {text: true}}}
///   restore: {phase: data, exec: [./restore.sh, "{{steps.count.outputs.n}}"]}
/// ```
///
/// Good:
///
/// ```yaml
/// steps:
///   count: {phase: data, exec: [./count.sh], outputs: {n: {text: true}}}
///   restore: {phase: data, needs: [count], exec: [./restore.sh, "{{steps.count.outputs.n}}"]}
/// ```
pub const RULE: Rule = Rule {
    id: "not-a-predecessor",
    severity: Severity::Error,
    summary: "a text uses a value of a step that need not have run yet",
    check,
    source: include_str!("not_a_predecessor.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let mut asked = Vec::new();
    for text in &context.texts {
        for reference in text.references() {
            let Some(target) = names::target(context, text, reference) else { continue };
            // What is wrong in itself is told as that.
            if names::wrong(context, text, reference).is_some() {
                continue;
            }
            match (text.home, target) {
                (Home::Step(at), Target::Step(other)) if at == other => {
                    let own_output = reference.path.get(2).is_some_and(|field| field == "outputs");
                    if !(own_output && matches!(text.part, Part::Undo | Part::UndoCheck(_))) {
                        findings.push(itself(context, text, reference));
                    }
                }
                (Home::Step(at), Target::Step(other)) => asked.push(Question { text, reference, at, other }),
                (Home::Cleanup(at), Target::Cleanup(other)) if other >= at => {
                    findings.push(
                        finding(context, text, reference, "an earlier step of `cleanup`", "one that has not run yet")
                            .help("steps of `cleanup` run in file order: move one of the two"),
                    );
                }
                _ => {}
            }
        }
    }
    for sketch in &context.sketches {
        in_mode(context, sketch, &asked, findings);
    }
}

/// Whether the step `other` comes before the step `at`, in which a text says so.
struct Question<'a> {
    text: &'a Text<'a>,
    reference: &'a Reference,
    at: usize,
    other: usize,
}

fn in_mode(context: &Context<'_>, sketch: &Sketch, asked: &[Question<'_>], findings: &mut Vec<Diagnostic>) {
    // With a circle or an inversion the order means nothing; they are told.
    if sketch.problems.iter().any(|problem| problem.code != "unknown-step") {
        return;
    }
    let uncertain = uncertain(context, sketch);
    let mut open = Vec::new();
    for question in asked.iter().filter(|question| sketch.exists[question.at]) {
        if sketch.exists[question.other] {
            if !directly(context, sketch, question) && !uncertain[question.at] && !uncertain[question.other] {
                open.push(question);
            }
        } else if !question.text.asks_for_mode() && !condition_asks_for_mode(context, question.at) {
            let found = format!("one that does not exist in mode `{}`", sketch.mode.name());
            let help = "ask for `run.mode` in this text or in the step's `when`, or say `only` on this step too";
            findings.push(finding(context, question.text, question.reference, "a predecessor", &found).help(help));
        }
    }
    let pairs: Vec<(usize, usize)> = open.iter().map(|question| (question.other, question.at)).collect();
    let before = sketch.graph.come_before(&sketch.order, &pairs);
    let turned: Vec<(usize, usize)> = pairs.iter().map(|(other, at)| (*at, *other)).collect();
    let behind = sketch.graph.come_before(&sketch.order, &turned);
    for ((question, _), behind) in open.into_iter().zip(before).zip(behind).filter(|((_, before), _)| !before) {
        let id = |at: usize| context.runbook.steps.get_index(at).map_or("", |(id, _)| id.as_str());
        let (here, other) = (id(question.at), id(question.other));
        let finding =
            finding(context, question.text, question.reference, "a predecessor", "a step that need not have run yet");
        let declared = context.key(&["steps", other], question.text.found.span);
        findings.push(
            finding
                .related(context.source, declared, format!("nothing makes `{here}` wait for this"))
                .help(format!("add `{other}` to the `needs` of `{here}`"))
                .fix(if behind { None } else { wait(context, question.at, question.other) }),
        );
    }
}

/// The frequent case, without a search: what a step needs by itself or by its phase.
fn directly(context: &Context<'_>, sketch: &Sketch, question: &Question<'_>) -> bool {
    let needs = &sketch.needs[question.at];
    if needs.iter().take(16).any(|need| *need == question.other) {
        return true;
    }
    let phase = context.runbook.steps.get_index(question.other).and_then(|(_, step)| step.phase.as_ref());
    // The barrier of its phase is added behind what is written, and without `needs` nothing is.
    needs
        .first()
        .and_then(|need| sketch.barriers.get(need.checked_sub(sketch.exists.len())?))
        .is_some_and(|barrier| phase.is_some_and(|phase| **phase == *barrier))
}

/// The steps whose predecessors are not all known, because a name is wrong or a part is damaged.
fn uncertain(context: &Context<'_>, sketch: &Sketch) -> Vec<bool> {
    let mut uncertain = vec![false; sketch.needs.len()];
    let known = |name: &str| context.runbook.steps.contains_key(name);
    for (at, (id, step)) in context.runbook.steps.iter().enumerate() {
        let mut names = step.needs.iter().flatten().chain(&step.after);
        uncertain[at] = names.any(|name| !known(name))
            || ["needs", "after", "phase"].iter().any(|key| context.is_damaged(&["steps", id, key]));
    }
    for at in sketch.order.iter().copied() {
        uncertain[at] |= sketch.graph.predecessors(at).any(|before| uncertain[before]);
    }
    uncertain
}

fn condition_asks_for_mode(context: &Context<'_>, at: usize) -> bool {
    let condition = context.runbook.steps.get_index(at).and_then(|(_, step)| step.when.as_ref());
    // By its words, not by its meaning: what the condition says is the author's affair.
    condition.is_some_and(|condition| condition.as_str().contains("run.mode"))
}

fn itself(context: &Context<'_>, text: &Text<'_>, reference: &Reference) -> Diagnostic {
    finding(context, text, reference, "a predecessor", "the step itself").help(match text.part {
        Part::Check(_) => "in `expect` the step's own outputs are `outputs.<name>`",
        _ => "a step's values are there when it has ended: for later steps, and its outputs for its own `undo`",
    })
}

fn finding(context: &Context<'_>, text: &Text<'_>, reference: &Reference, expected: &str, found: &str) -> Diagnostic {
    let id = reference.path.get(1).map_or("", String::as_str);
    let span = context.place(text, reference.range.clone());
    context.finding(&RULE, span, format!("expected {expected}, found `{id}`, {found}"))
}

/// One more name in the `needs` of a step that has some. Without any, one name would take away all that the phases say.
fn wait(context: &Context<'_>, at: usize, other: usize) -> Option<Fix> {
    let (id, step) = context.runbook.steps.get_index(at)?;
    let (name, before) = context.runbook.steps.get_index(other)?;
    let phase = |step: &Step| step.phase.as_ref().map(|phase| **phase);
    if step.needs.as_ref()?.is_empty() || phase(before)? > phase(step)? || before.only != step.only {
        return None;
    }
    let edits = context.editor.append(&route(&["steps", id, "needs"]), name)?;
    Some(Fix::suggestion(format!("add `{name}` to the `needs` of `{id}`"), edits))
}
