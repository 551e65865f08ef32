//! What must hold inside one step, undo, check or output and what its type cannot say.
//!
//! Duty: one action, one kind of check, ranges, forms. What is already damaged is skipped, so that nothing is told
//! twice. It must not look from one step to another.

use super::{
    Mapping, Node, NodeKind, Route, kube, names, not_yet,
    tolerant::{Decoder, heading},
};
use crate::{
    action, check,
    diagnostic::Diagnostic,
    model::{Approval, Defaults, ForEach, Notify, Occasion, Output, Phase, Retry, Step, Undo},
    source::Spanned,
};

/// What only a step of `steps` can have: cleanup runs in file order, always, and when all else is over.
const NOT_IN_CLEANUP: [&str; 10] =
    ["phase", "needs", "after", "forEach", "approval", "restores", "injectsOutage", "undo", "onFailure", "runbook"];
/// What an undo cannot be.
const NOT_IN_UNDO: [action::Kind; 2] = [action::Kind::Pause, action::Kind::Runbook];
const OUTPUT_SOURCES: [&str; 5] = ["json", "regex", "lines", "text", "cel"];

/// A step of `steps` or of `cleanup`.
pub(super) fn check(decoder: &mut Decoder<'_>, cleanup: bool, route: &Route, node: &Node, step: &Spanned<Step>) {
    let place = heading(decoder.source, decoder.root, route);
    if let Some(super::Segment::Key(id)) = route.segments().last() {
        names::step(decoder, place, id);
    }
    let Some(mapping) = node.as_mapping() else { return };
    if cleanup {
        for key in NOT_IN_CLEANUP {
            if let Some(entry) = mapping.get(key) {
                let message = format!("expected a key that a step of `cleanup` can have, found `{key}`");
                let help = "remove it: cleanup runs in file order, whatever happened, and nobody is asked";
                decoder.error("not-in-cleanup", entry.key, message, help);
            }
        }
    } else if mapping.get("phase").is_none() {
        let message = format!("expected the key `phase` in `{route}`, found none");
        let phases = Phase::ALL.map(Phase::name).join(", ");
        decoder.error("missing-key", place, message, format!("add `phase:` with one of {phases}"));
        decoder.damaged.add(&route.key("phase"));
    }

    let actions = action::Kind::ALL.map(|kind| kind.facts().name);
    let number = at_most_one(decoder, mapping, &actions, "two-actions", "action in a step");
    let proves = mapping.get("verify").is_some_and(|entry| !is_empty_list(&entry.value));
    if number == 0 && !proves && !decoder.is_odd(route) {
        let message = format!("expected an action or `verify` in `{route}`, found neither");
        decoder.error("empty-step", place, message, format!("add one of {}, or `verify`", actions.join(", ")));
    }
    process(decoder, mapping, route);
    kube::action(decoder, mapping, route);
    checks(decoder, mapping, &route.key("verify"));
    retry(decoder, step.retry.as_deref(), route);
    approval(decoder, step.approval.as_deref(), route);
    for_each(decoder, step.for_each.as_deref(), route);
    outputs(decoder, mapping, step, route);
    undo(decoder, mapping, step, route);
}

fn undo(decoder: &mut Decoder<'_>, step: &Mapping, model: &Step, route: &Route) {
    let route = route.key("undo");
    let Some(mapping) = step.get("undo").and_then(|entry| entry.value.as_mapping()) else { return };
    let kinds = action::Kind::ALL.into_iter().filter(|kind| !NOT_IN_UNDO.contains(kind));
    let actions: Vec<&str> = kinds.map(|kind| kind.facts().name).collect();
    let number = at_most_one(decoder, mapping, &actions, "two-actions", "action in an undo");
    if number == 0 && !decoder.is_odd(&route) {
        let place = heading(decoder.source, decoder.root, &route);
        let message = format!("expected an action in `{route}`, found none");
        decoder.error("empty-undo", place, message, format!("add one of {}", actions.join(", ")));
    }
    process(decoder, mapping, &route);
    kube::action(decoder, mapping, &route);
    checks(decoder, mapping, &route.key("verify"));
    if let Some(Undo::Action(undo)) = model.undo.as_deref() {
        retry(decoder, undo.retry.as_deref(), &route);
        approval(decoder, undo.approval.as_deref(), &route);
    }
}

/// The preconditions of the run.
pub(super) fn requires(decoder: &mut Decoder<'_>, top: &Mapping) {
    let Some(mapping) = top.get("requires").and_then(|entry| entry.value.as_mapping()) else { return };
    let variables = mapping.get("env").and_then(|entry| entry.value.as_sequence()).unwrap_or_default();
    for (index, variable) in variables.iter().enumerate() {
        let broken = decoder.damaged.covers(&Route::new().key("requires").key("env").index(index));
        if let (Some(name), false) = (variable.as_text(), broken) {
            names::variable(decoder, variable.span, name);
        }
    }
    list_of_checks(
        decoder,
        mapping.get("checks").map(|entry| &entry.value),
        &Route::new().key("requires").key("checks"),
    );
}

/// Who is told what.
pub(super) fn notify(decoder: &mut Decoder<'_>, notify: &[Notify]) {
    for told in notify.iter().filter(|told| told.on.is_empty()) {
        let all = Occasion::ALL.map(Occasion::name).join(", ");
        let help = format!("name some of {all}; or remove the webhook");
        decoder.error("invalid-value", told.on.span(), "expected something to tell of, found an empty list", help);
    }
}

/// What steps use when they say nothing.
pub(super) fn defaults(decoder: &mut Decoder<'_>, defaults: &Defaults) {
    retry(decoder, defaults.retry.as_ref(), &Route::new().key("defaults"));
}

fn checks(decoder: &mut Decoder<'_>, mapping: &Mapping, route: &Route) {
    list_of_checks(decoder, mapping.get("verify").map(|entry| &entry.value), route);
}

fn list_of_checks(decoder: &mut Decoder<'_>, node: Option<&Node>, route: &Route) {
    for (index, node) in node.and_then(Node::as_sequence).unwrap_or_default().iter().enumerate() {
        if let Some(mapping) = node.as_mapping() {
            one_check(decoder, mapping, &route.index(index));
        }
    }
}

/// One check: of one kind.
pub(super) fn one_check(decoder: &mut Decoder<'_>, mapping: &Mapping, route: &Route) {
    let kinds = check::Kind::ALL.map(|kind| kind.facts().name);
    let number = at_most_one(decoder, mapping, &kinds, "two-checks", "kind of check");
    if number == 0 && !decoder.is_odd(route) {
        let place = heading(decoder.source, decoder.root, route);
        let message = format!("expected a kind of check in `{route}`, found none");
        decoder.error("empty-check", place, message, format!("add one of {}", kinds.join(", ")));
    }
    process(decoder, mapping, route);
    kube::check(decoder, mapping);
}

/// Tells every key after the first one of those of which a mapping may have one. Returns how many there are.
pub(super) fn at_most_one(
    decoder: &mut Decoder<'_>,
    mapping: &Mapping,
    keys: &[&str],
    code: &'static str,
    what: &str,
) -> usize {
    let mut first = None;
    let mut number = 0;
    for (key, entry) in mapping {
        let counts = keys.contains(&key.as_str()) || code == "two-actions" && not_yet::is_action(key);
        if !counts {
            continue;
        }
        number += 1;
        let Some((first_key, first_span)) = first else {
            first = Some((key, entry.key));
            continue;
        };
        let diagnostic = Diagnostic::error(
            code,
            decoder.source,
            entry.key,
            format!("expected one {what}, found `{key}` besides `{first_key}`"),
        )
        .label("one too many")
        .related(decoder.source, first_span, "the first one")
        .help(if code == "two-actions" && what.ends_with("step") {
            "make a step of its own for it"
        } else {
            "keep one of them"
        });
        decoder.diagnostics.push(diagnostic);
    }
    number
}

fn is_empty_list(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Sequence(items) if items.is_empty())
}

/// `exec`, `shell` and `env`, which steps, undos and checks have in common.
fn process(decoder: &mut Decoder<'_>, mapping: &Mapping, route: &Route) {
    if let Some(exec) = mapping.get("exec").filter(|entry| is_empty_list(&entry.value)) {
        let message = "expected a program and its arguments, found an empty list";
        decoder.error("invalid-value", exec.value.span, message, "write the program first: `[program, argument]`");
    }
    if let Some(shell) = mapping.get("shell") {
        let blank = matches!(&shell.value.kind, NodeKind::Scalar { text, plain: false } if text.trim().is_empty());
        if blank {
            decoder.error(
                "invalid-value",
                shell.key,
                "expected a script, found an empty text",
                "write a command, or remove the key",
            );
        }
    }
    for (name, entry) in mapping.get("env").and_then(|entry| entry.value.as_mapping()).into_iter().flatten() {
        if !decoder.damaged.covers(&route.key("env")) {
            names::variable(decoder, entry.key, name);
        }
    }
}

fn retry(decoder: &mut Decoder<'_>, retry: Option<&Retry>, route: &Route) {
    let Some(retry) = retry else { return };
    let route = route.key("retry");
    if !decoder.damaged.covers(&route.key("attempts")) && !(1..=1000).contains(&*retry.attempts) {
        let message = format!("expected a number of attempts from 1 to 1000, found {}", *retry.attempts);
        decoder.error("invalid-value", retry.attempts.span(), message, "`1` is a single attempt, without another try");
    }
    if let Some(factor) = &retry.factor
        && !(1.0..=100.0).contains(&**factor)
    {
        let message = format!("expected a factor from 1 to 100, found {}", **factor);
        decoder.error("invalid-value", factor.span(), message, "`1` keeps the time between attempts the same");
    }
}

fn approval(decoder: &mut Decoder<'_>, approval: Option<&Approval>, route: &Route) {
    let Some(approval) = approval else { return };
    let broken = decoder.damaged.covers(&route.key("approval").key("count"));
    if !broken && !(1..=16).contains(&*approval.count) {
        let message = format!("expected a number of people from 1 to 16, found {}", *approval.count);
        decoder.error("invalid-value", approval.count.span(), message, "remove `approval` if nobody has to say yes");
    }
}

fn for_each(decoder: &mut Decoder<'_>, for_each: Option<&ForEach>, route: &Route) {
    let Some(for_each) = for_each else { return };
    let route = route.key("forEach");
    if !decoder.damaged.covers(&route.key("as")) {
        names::name(decoder, for_each.name.span(), "a name for the element", &for_each.name);
    }
    if let Some(parallel) = for_each.parallel.as_ref().filter(|parallel| ***parallel == 0) {
        let message = "expected at least 1 instance at a time, found 0";
        decoder.error("invalid-value", parallel.span(), message, "remove `parallel` to run all of them at a time");
    }
}

fn outputs(decoder: &mut Decoder<'_>, step: &Mapping, model: &Step, route: &Route) {
    for (name, entry) in step.get("outputs").and_then(|entry| entry.value.as_mapping()).into_iter().flatten() {
        let route = route.key("outputs").key(name);
        names::name(decoder, entry.key, "the name of an output", name);
        let Some(mapping) = entry.value.as_mapping() else { continue };
        let number = at_most_one(decoder, mapping, &OUTPUT_SOURCES, "two-sources", "source of an output");
        if number == 0 && !decoder.is_odd(&route) {
            let message = format!("expected a source in `{route}`, found none");
            decoder.error("empty-output", entry.key, message, format!("add one of {}", OUTPUT_SOURCES.join(", ")));
        }
        if let Some(output) = model.outputs.get(name) {
            output_values(decoder, mapping, output);
        }
    }
}

fn output_values(decoder: &mut Decoder<'_>, mapping: &Mapping, output: &Output) {
    if let Some(pattern) = &output.regex {
        regex(decoder, pattern);
    }
    for (key, value) in [("lines", output.lines), ("text", output.text)] {
        if let (Some(entry), Some(false)) = (mapping.get(key), value) {
            decoder.error(
                "invalid-value",
                entry.value.span,
                "expected `true`, found `false`",
                format!("remove `{key}`, or write `true`"),
            );
        }
    }
}

/// Whether a regular expression is one.
pub(super) fn regex(decoder: &mut Decoder<'_>, pattern: &Spanned<String>) {
    let Err(error) = regex::Regex::new(pattern) else { return };
    let why = match error {
        regex::Error::Syntax(message) => message.rsplit("error: ").next().unwrap_or_default().trim().to_owned(),
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        other => other.to_string(),
    };
    let help = "see https://docs.rs/regex/latest/regex/#syntax; a `\\` in double quotes is written twice";
    decoder.error(
        "invalid-value",
        pattern.span(),
        format!("expected a regular expression, found a mistake in it: {why}"),
        help,
    );
}
