//! `finalizer-forced`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
    model::Step,
    script::Command,
};

/// Finalizers that are removed by force.
///
/// A finalizer says that somebody has to take something away first: a volume, a load balancer, a record in DNS. An object whose
/// finalizers are taken off goes at once, and what it held stays behind, unowned: at two in the morning the namespace is gone at
/// last, and so is the only link to the disks. The one who holds the finalizer should be asked why it waits.
///
/// Bad:
///
/// ```yaml
/// patch: {cluster: dr, kind: PersistentVolume, name: data, merge: "metadata: {finalizers: null}"}
/// ```
///
/// Good:
///
/// ```yaml
/// delete: {cluster: dr, kind: PersistentVolume, name: data}
/// ```
///
/// To fix it, delete the object and look at what it waits for: `delete` tells who blocks it. If it has to be forced, a step with
/// `irreversible: true` and an `approval` says so, and is left alone.
pub const RULE: Rule = Rule {
    id: "finalizer-forced",
    severity: Severity::Warning,
    summary: "finalizers are removed by force",
    check,
    source: include_str!("finalizer_forced.rs"),
};

const MESSAGE: &str = "expected finalizers to be left to their owners, found a patch that removes them";
const LABEL: &str = "what the object holds stays behind";
const HELP: &str = "find out who does not finish; if it must be, say `irreversible: true` with an `approval`";

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (room, id, step) in context.sound() {
        let Some(patch) = step.patch.as_ref().filter(|_| !is_known(step)) else { continue };
        let texts = [("merge", &patch.merge), ("strategic", &patch.strategic), ("json", &patch.json)];
        for (key, text) in texts.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?.as_str()))) {
            if removes(text) {
                let object = context.key(&[room, id, "patch"], patch.span());
                let place = context.value(&[room, id, "patch", key], patch.span());
                findings.push(
                    context
                        .finding(&RULE, place, MESSAGE)
                        .label(LABEL)
                        .related(context.source, object, "whose finalizers they are")
                        .help(HELP),
                );
            }
        }
    }
    for (reading, program, command) in context.commands() {
        let known = reading.step.is_some_and(|(_, _, step)| is_known(step));
        if !known && matches!(program, "kubectl" | "oc") && forces(command) {
            findings.push(context.finding_in(&RULE, reading, &command.range, MESSAGE).label(LABEL).help(HELP));
        }
    }
}

/// Whether the author says that this is the end, and somebody has to say yes to it.
fn is_known(step: &Step) -> bool {
    step.irreversible && step.approval.is_some()
}

fn forces(command: &Command) -> bool {
    let text = |names: &[&str]| command.flag(names).and_then(|flag| flag.value().map(str::to_owned));
    match command.verbs().first().copied() {
        Some("patch") => text(&["-p", "--patch"]).is_some_and(|patch| removes(&patch)),
        Some("replace") => text(&["--raw"]).is_some_and(|path| path.ends_with("/finalize")),
        _ => false,
    }
}

/// Whether a patch takes finalizers away.
fn removes(text: &str) -> bool {
    let dense: String = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '"').collect();
    let emptied = ["finalizers:null", "finalizers:~", "finalizers:[]"].iter().any(|it| dense.contains(it));
    let gone = ["op:remove", "value:[]", "value:null"].iter().any(|it| dense.contains(it));
    emptied || gone && dense.contains("/metadata/finalizers") || is_left_empty(text)
}

/// `finalizers:` with nothing behind it, in block style.
fn is_left_empty(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        let depth = |line: &str| line.len() - line.trim_start().len();
        if line.trim_start() == "finalizers:" {
            let more = lines.peek().is_some_and(|next| next.trim_start().starts_with('-') || depth(next) > depth(line));
            return !more;
        }
    }
    false
}
