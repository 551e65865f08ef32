//! Which names a text can see.
//!
//! Duty: one reference, and what is wrong with its names. Whether what it names comes early enough is the order's
//! affair, and whether it is a secret that of another rule.

use super::context::{Context, Home, Part, Text};
use crate::{
    action::{self, Field},
    check,
    model::{Check, Step, TextKind},
    plan::nearest::Nearest,
    scope::Reference,
};

/// What is wrong with a reference: what was found, and what to do.
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) help: String,
    /// Which name of the reference is wrong, and what it must have been.
    pub(crate) meant: Option<(usize, String)>,
}

/// The only name that is near.
fn only(at: usize, names: &Nearest<'_>, found: &str) -> Option<(usize, String)> {
    names.only(found).map(|name| (at, name.to_owned()))
}

/// What there is of a run, of the clocks, and of a step.
pub(crate) const RUN: [&str; 3] = ["id", "mode", "startedAt"];
pub(crate) const CLOCK: [&str; 3] = ["elapsed", "sinceDeclared", "sinceOutage"];
pub(crate) const STEP: [&str; 4] = ["outputs", "status", "startedAt", "finishedAt"];

/// What a `steps.…` refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The step of this number.
    Step(usize),
    /// The step of this number in `cleanup`.
    Cleanup(usize),
}

/// The step that a reference names, if there is one that this text can name.
pub(crate) fn target(context: &Context<'_>, text: &Text<'_>, reference: &Reference) -> Option<Target> {
    let id = reference.path.get(1).filter(|_| reference.path.first().is_some_and(|top| top == "steps"))?;
    let base = id.split('[').next().unwrap_or(id);
    if let Some((at, _, step)) = context.runbook.steps.get_full(base) {
        return (base == id || (step.for_each.is_some() && id.ends_with(']'))).then_some(Target::Step(at));
    }
    let at = context.runbook.cleanup.get_index_of(id.as_str())?;
    matches!(text.home, Home::Cleanup(_)).then_some(Target::Cleanup(at))
}

/// What is wrong with the names of a reference, if anything.
pub(crate) fn wrong(context: &Context<'_>, text: &Text<'_>, reference: &Reference) -> Option<Wrong> {
    let top = reference.path.first()?.as_str();
    let visible = visible(context, text);
    if !visible.tops.contains(&top) {
        if visible.fields.is_some_and(|fields| fields.iter().any(|field| field.name == top)) || visible.unsure {
            return None;
        }
        return Some(unknown_top(context, text, top, &visible));
    }
    match top {
        "inputs" => input(context, reference),
        "steps" => step(context, text, reference),
        "run" if text.kind() == TextKind::PlanTime => member(reference, &RUN[1..2]),
        "run" => member(reference, &RUN),
        "clock" => member(reference, &CLOCK),
        "each" => each(context, text, reference),
        "outputs" => output(context, text, reference),
        "result" => visible.fields.filter(|_| !visible.unsure).and_then(|fields| result(reference, fields)),
        _ => None,
    }
}

/// What a text can see.
struct Visible {
    tops: Vec<&'static str>,
    /// The fields of `result`; in an expectation they are at the top too.
    fields: Option<&'static [Field]>,
    /// Whether more may be visible, because what decides it could not be read.
    unsure: bool,
}

fn visible(context: &Context<'_>, text: &Text<'_>) -> Visible {
    let mut visible = Visible { tops: vec!["inputs"], fields: None, unsure: false };
    let in_step = matches!(text.home, Home::Step(_) | Home::Cleanup(_));
    let here = context.step_of(text.home);
    let has_each = here.is_some_and(|(_, _, step)| step.for_each.is_some());
    match (text.kind(), text.part) {
        (TextKind::PlanTime, _) => visible.tops.push("run"),
        (_, Part::IncludeInput) => visible.tops.extend(has_each.then_some("each")),
        _ if in_step => {
            visible.tops.extend(["steps", "run", "clock"]);
            visible.tops.extend(has_each.then_some("each"));
        }
        _ if text.home == Home::Guard => visible.tops.extend(["steps", "run", "clock"]),
        _ => visible.tops.push("run"),
    }
    match (text.kind(), text.part) {
        (TextKind::Expectation, Part::Check(check) | Part::UndoCheck(check)) => {
            visible.fields = check.and_then(fields_of_check);
            visible.unsure = check.is_none();
            visible.tops.extend(visible.fields.is_some_and(|fields| !fields.is_empty()).then_some("result"));
            if in_step && matches!(text.part, Part::Check(_)) {
                visible.tops.push("outputs");
            }
        }
        (TextKind::Extraction, _) => {
            if let Some((room, id, step)) = here {
                visible.fields = action::of_step(step).map(|kind| kind.facts().result);
                visible.unsure = visible.fields.is_none() && context.is_damaged(&[room, id]);
                visible.tops.extend(visible.fields.map(|_| "result"));
            }
            if matches!(text.part, Part::RecoveryPoint) {
                visible.tops.push("outputs");
            }
        }
        _ => {}
    }
    visible
}

fn fields_of_check(check: &Check) -> Option<&'static [Field]> {
    check::present(check).next().map(|kind| kind.facts().result)
}

fn unknown_top(context: &Context<'_>, text: &Text<'_>, top: &str, visible: &Visible) -> Wrong {
    let message = format!("expected a name that can be seen here, found `{top}`");
    let fields = visible.fields.unwrap_or_default().iter().map(|field| field.name);
    let at_top = text.kind() == TextKind::Expectation;
    let names = Nearest::new(visible.tops.iter().copied().chain(fields.filter(|_| at_top)));
    let mut meant = None;
    let help = match (top, text.home) {
        ("each", Home::Step(_)) => String::from("only a step with `forEach` has `each`"),
        ("result", _) if text.kind() == TextKind::Extraction => {
            String::from("only a step with an action has a `result`")
        }
        ("steps" | "clock", Home::Requires) => String::from("this is checked before the first step: use `inputs`"),
        ("steps" | "run" | "clock" | "each", _) if matches!(text.part, Part::IncludeInput) => {
            String::from("these are known when the plan is made, before any step runs: use `inputs`")
        }
        ("steps" | "clock" | "each", _) if text.kind() == TextKind::PlanTime => {
            String::from("this is evaluated when the plan is made, before any step runs: use `inputs`")
        }
        ("result", _) => String::from("take it from the result by `outputs`, and use `steps.<id>.outputs.<name>`"),
        _ if context.runbook.inputs.contains_key(top) => {
            meant = Some((0, format!("inputs.{top}")));
            format!("did you mean `inputs.{top}`?")
        }
        _ => {
            meant = only(0, &names, top);
            names.help(top, "name")
        }
    };
    Wrong { message, help, meant }
}

/// A name that must go on with one literal name.
fn bare(reference: &Reference) -> Wrong {
    let written = reference.path.join(".");
    if reference.dynamic {
        Wrong {
            message: format!("expected a literal name after `{written}`, found an expression"),
            help: String::from("write the name out: what a text needs must be known before it is evaluated"),
            meant: None,
        }
    } else {
        Wrong {
            message: format!("expected a name after `{written}`, found nothing"),
            help: format!("write `{written}.<name>`"),
            meant: None,
        }
    }
}

fn member(reference: &Reference, names: &[&'static str]) -> Option<Wrong> {
    let Some(name) = reference.path.get(1) else { return Some(bare(reference)) };
    if names.contains(&name.as_str()) {
        return None;
    }
    let top = reference.path.first().map_or("", String::as_str);
    let names = Nearest::new(names.iter().copied());
    Some(Wrong {
        message: format!("expected a field of `{top}`, found `{name}`"),
        help: names.help(name, "field"),
        meant: only(1, &names, name),
    })
}

fn input(context: &Context<'_>, reference: &Reference) -> Option<Wrong> {
    let Some(name) = reference.path.get(1) else { return Some(bare(reference)) };
    if context.runbook.inputs.contains_key(name) || context.is_lost(&["inputs"]) {
        return None;
    }
    Some(Wrong {
        message: format!("expected an input that is declared, found `{name}`"),
        help: match context.input_names.find(name) {
            Some(near) => format!("did you mean `inputs.{near}`?"),
            None => format!("declare it: `inputs: {{{name}: {{type: string}}}}`"),
        },
        meant: only(1, &context.input_names, name),
    })
}

fn each(context: &Context<'_>, text: &Text<'_>, reference: &Reference) -> Option<Wrong> {
    let (_, _, step) = context.step_of(text.home)?;
    let name = step.for_each.as_ref()?.name.as_str();
    match reference.path.get(1) {
        // The whole of it is harmless.
        None if !reference.dynamic => None,
        None => Some(bare(reference)),
        Some(found) if found == name => None,
        Some(found) => Some(Wrong {
            message: format!("expected the name that `forEach` gives its element, found `{found}`"),
            help: format!("write `each.{name}`"),
            meant: Some((1, name.to_owned())),
        }),
    }
}

fn result(reference: &Reference, fields: &[Field]) -> Option<Wrong> {
    let found = reference.path.get(1)?;
    if fields.iter().any(|field| field.name == found) {
        return None;
    }
    let names = Nearest::new(fields.iter().map(|field| field.name));
    Some(Wrong {
        message: format!("expected a field of the result, found `{found}`"),
        help: names.help(found, "field"),
        meant: only(1, &names, found),
    })
}

fn output(context: &Context<'_>, text: &Text<'_>, reference: &Reference) -> Option<Wrong> {
    let (room, id, step) = context.step_of(text.home)?;
    match reference.path.get(1) {
        None if !reference.dynamic => None,
        None => Some(bare(reference)),
        Some(name) => declared(context, (room, id, step), name, 1),
    }
}

fn declared(context: &Context<'_>, (room, id, step): (&str, &str, &Step), name: &str, at: usize) -> Option<Wrong> {
    if step.outputs.contains_key(name) || context.is_damaged(&[room, id, "outputs"]) {
        return None;
    }
    let names = Nearest::new(step.outputs.keys().map(String::as_str));
    Some(Wrong {
        message: format!("expected an output that `{id}` declares, found `{name}`"),
        help: match names.find(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add it to the `outputs` of `{id}`"),
        },
        meant: only(at, &names, name),
    })
}

fn step(context: &Context<'_>, text: &Text<'_>, reference: &Reference) -> Option<Wrong> {
    let Some(id) = reference.path.get(1) else { return Some(bare(reference)) };
    let Some(target) = target(context, text, reference) else {
        if context.is_lost(&["steps"]) {
            return None;
        }
        return Some(unknown_step(context, text, id));
    };
    let home = match target {
        Target::Step(at) => Home::Step(at),
        Target::Cleanup(at) => Home::Cleanup(at),
    };
    let (room, name, step) = context.step_of(home)?;
    if context.is_lost(&[room, name]) {
        return None;
    }
    if step.runbook.is_some() {
        return Some(Wrong {
            message: format!("expected a step that returns something, found `{name}`, which includes a runbook"),
            help: String::from("an included runbook gives nothing back: find the value out by a step of its own"),
            meant: None,
        });
    }
    // In an undo, an instance speaks of itself by the step's plain id.
    let itself = home == text.home && matches!(text.part, Part::Undo | Part::UndoCheck(_));
    if step.for_each.is_some() && id == name && !itself {
        return Some(Wrong {
            message: format!("expected one instance of `{name}`, found the step with all of them"),
            help: format!("name the instance in an expression: `steps['{name}[element]']`"),
            meant: None,
        });
    }
    let Some(field) = reference.path.get(2) else {
        return Some(Wrong {
            message: format!("expected a field of the step `{id}`, found the step as a whole"),
            help: format!("add one of {}", STEP.map(|name| format!("`.{name}`")).join(", ")),
            meant: None,
        });
    };
    match (field.as_str(), reference.path.get(3)) {
        ("outputs", None) => Some(bare(reference)),
        ("outputs", Some(output)) => declared(context, (room, name, step), output, 3),
        (field, _) if STEP.contains(&field) => None,
        (field, _) if step.outputs.contains_key(field) => Some(Wrong {
            message: format!("expected a field of the step `{id}`, found `{field}`"),
            help: format!("did you mean `outputs.{field}`?"),
            meant: Some((2, format!("outputs.{field}"))),
        }),
        (field, _) => Some(Wrong {
            message: format!("expected a field of the step `{id}`, found `{field}`"),
            help: Nearest::new(STEP).help(field, "field"),
            meant: only(2, &Nearest::new(STEP), field),
        }),
    }
}

fn unknown_step(context: &Context<'_>, text: &Text<'_>, id: &str) -> Wrong {
    let message = format!("expected the id of a step, found `{id}`");
    let base = id.split('[').next().unwrap_or(id);
    if base != id && context.runbook.steps.contains_key(base) {
        return Wrong { message, help: format!("`{base}` has no `forEach`, so it has no instances"), meant: None };
    }
    if context.runbook.cleanup.contains_key(id) {
        let help = format!("`{id}` is a step of `cleanup`, which only later ones there can see");
        return Wrong { message, help, meant: None };
    }
    // A step does not see itself.
    let own = context.step_of(text.home).map(|(_, id, _)| id);
    let meant = only(1, &context.step_names, id).filter(|(_, meant)| Some(meant.as_str()) != own);
    Wrong { message, help: context.step_names.help(id, "step"), meant }
}
