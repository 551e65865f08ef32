//! `finalizer-forced`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
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

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (room, id, step) in context.sound() {
        let Some(patch) = step.patch.as_ref().filter(|_| !(step.irreversible && step.approval.is_some())) else {
            continue;
        };
        let texts = [("merge", &patch.merge), ("strategic", &patch.strategic), ("json", &patch.json)];
        for (key, text) in texts.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?.as_str()))) {
            let dense: String = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '"').collect();
            let emptied = ["finalizers:null", "finalizers:~", "finalizers:[]"].iter().any(|it| dense.contains(it));
            let removed = dense.contains("op:remove") && dense.contains("/metadata/finalizers");
            if emptied || removed {
                let object = context.key(&[room, id, "patch"], patch.span());
                findings.push(
                    context
                        .finding(
                            &RULE,
                            context.value(&[room, id, "patch", key], patch.span()),
                            "expected finalizers to be left to their owners, found a patch that removes them",
                        )
                        .label("what the object holds stays behind")
                        .related(context.source, object, "whose finalizers they are")
                        .help(
                            "find out who does not finish; if it must be, say `irreversible: true` with an `approval`",
                        ),
                );
            }
        }
    }
}
