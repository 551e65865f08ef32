//! `running-is-not-ready`.

use std::ops::Range;

use crate::{
    diagnostic::{Diagnostic, Fix, Severity},
    lint::{Context, Rule, facts::check_route, programs::words, scripts::Reading},
    model::{Check, Step},
    script::{Command, Script},
    source::Spanned,
};

/// Pods that run are taken for pods that are ready.
///
/// `Running` says that a container was started. A pod that crashes every ten seconds, or that waits for its database, runs; only
/// its `Ready` condition says that it takes requests. At two in the morning such a check is green while nobody is served. A
/// `kube` check without `expect` judges by readiness already. In scripts, `kubectl get pods` with a field selector on
/// `status.phase` or piped into `grep Running` is the same mistake: such a list has finished Jobs as well, and none of the pods that run
/// and are not ready.
///
/// Bad:
///
/// ```yaml
/// verify:
///   - kube: {cluster: dr, kind: Pod, namespace: shop, selector: ""}
///     expect: objects.all(it, it.status.phase == 'Running')
/// ```
///
/// Good:
///
/// ```yaml
/// verify: [{kube: {cluster: dr, kind: Pod, namespace: shop, selector: "", ready: all}, within: 5m}]
/// ```
///
/// To fix it, use `ready: all`, or `count == ready` in the expression; in a script `kubectl wait --for=condition=Ready`.
pub const RULE: Rule = Rule {
    id: "running-is-not-ready",
    severity: Severity::Warning,
    summary: "pods that run are taken for pods that are ready",
    check,
    source: include_str!("running_is_not_ready.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    in_scripts(context, findings);
    for (id, step, check) in context.checks() {
        let (Some(kube), Some(expect)) = (&check.kube, &check.expect) else { continue };
        let kind = kube.kind.as_str();
        let text = expect.as_str();
        let dense: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let runs = ["phase=='Running'", "phase==\"Running\""].iter().any(|it| dense.contains(it));
        let ready = text.to_ascii_lowercase().contains("ready") || dense.contains("ok&&") || dense.contains("&&ok");
        if runs && !ready && kube.condition.is_none() && ["Pod", "pod", "Pods", "pods"].contains(&kind) {
            let other = kube.ready.is_some() || kube.absent || kube.count.is_some();
            let fix = if other || !only_runs(&dense) { None } else { ask_for_ready(context, id, step, check) };
            findings.push(
                context
                    .finding(&RULE, expect.span(), "expected pods that are ready, found a look at whether they run")
                    .label("a pod that crashes again and again runs, too")
                    .related(context.source, kube.span(), "these pods")
                    .help("use `ready: all`, or `count == ready`")
                    .fix(fix),
            );
        }
    }
}

fn in_scripts(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for reading in context.readings() {
        let looks = reading.commands().filter(|(program, _)| matches!(*program, "kubectl" | "oc"));
        let mut places = looks.filter_map(|(program, command)| phase(&reading.script, program, command)).peekable();
        if places.peek().is_none() || asks_for_ready_elsewhere(reading) {
            continue;
        }
        findings.extend(places.map(|place| {
            context
                .finding_in(&RULE, reading, &place, "expected pods that are ready, found a look at whether they run")
                .label("a pod that crashes again and again runs, too")
                .help("use a `kube` check with `ready: all`, or `kubectl wait --for=condition=Ready`")
        }));
    }
}

/// Whether the script asks for it as well: then the other look is for something else.
fn asks_for_ready_elsewhere(reading: &Reading<'_>) -> bool {
    reading
        .commands()
        .map(|(_, command)| words(command).to_ascii_lowercase())
        .any(|it| it.contains("condition=ready") || it.contains("rollout status"))
}

/// Where a command, or one behind it in its pipeline, looks at the phase of pods.
fn phase(script: &Script, program: &str, command: &Command) -> Option<Range<usize>> {
    let verbs = command.verbs();
    let pods = matches!(verbs.get(1).copied(), Some("po" | "pod" | "pods"));
    if !pods || !matches!(verbs.first().copied(), Some("get" | "wait")) || !script.is(command, program) {
        return None;
    }
    let selector = command.flag(&["--field-selector"]);
    let selector =
        selector.filter(|it| it.value().is_some_and(|it| it.contains("status.phase") && it.contains("Running")));
    let waits = command.flag(&["--for"]);
    let waits = waits.filter(|it| it.value().is_some_and(|it| it.contains("phase") && it.contains("Running")));
    let by_flag = selector.or(waits).and_then(|it| Some(it.word.range.start..it.value_word()?.range.end));
    by_flag.or_else(|| {
        let behind = script.behind_in_pipeline(command);
        let grep = behind.into_iter().find(|it| matches!(it.program(), Some("grep" | "egrep" | "awk")))?;
        words(grep).contains("Running").then(|| grep.range.clone())
    })
}

/// Whether an expression, without its blanks, asks for nothing else.
fn only_runs(dense: &str) -> bool {
    let running = |text: &str, name: &str| {
        let phase = text.strip_prefix(name).and_then(|rest| rest.strip_prefix(".status.phase=="));
        phase.is_some_and(|phase| ["'Running'", "\"Running\""].contains(&phase))
    };
    let each = dense.strip_prefix("objects.all(").and_then(|rest| rest.strip_suffix(')')?.split_once(','));
    running(dense, "object") || each.is_some_and(|(name, text)| running(text, name))
}

fn ask_for_ready(context: &Context<'_>, id: &str, step: &Step, check: &Spanned<Check>) -> Option<Fix> {
    let route = check_route(id, step, check)?;
    let mut edits = context.editor.add(&route.key("kube"), "selector", "ready", "all")?;
    edits.extend(context.editor.remove(&route.key("expect"))?);
    edits.sort_by_key(|edit| edit.span);
    Some(Fix::suggestion("ask for `ready: all`", edits))
}
