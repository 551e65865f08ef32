//! `primary-disabled-before-secondary`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, scripts::Reading},
    script::Command,
};

/// One way in is switched off before the other one is switched on.
///
/// Between the two there is none. When the second command fails, because it is misspelt, throttled, or the network is what it is
/// at two in the morning, it stays like that: the recovery has taken away what was left. The other way round users have two
/// ways in for a moment, and at worst the old one.
///
/// Looked at are endpoints of Traffic Manager, origins of Front Door and routing controls of AWS, in one script and along the order of
/// the steps.
///
/// Bad:
///
/// ```yaml
/// shell: |
///   az network traffic-manager endpoint update -g dr --profile-name shop -n east --type azureEndpoints --endpoint-status Disabled
///   az network traffic-manager endpoint update -g dr --profile-name shop -n west --type azureEndpoints --endpoint-status Enabled
/// ```
///
/// Good:
///
/// ```yaml
/// shell: |
///   az network traffic-manager endpoint update -g dr --profile-name shop -n west --type azureEndpoints --endpoint-status Enabled
///   az network traffic-manager endpoint update -g dr --profile-name shop -n east --type azureEndpoints --endpoint-status Disabled
/// ```
///
/// To fix it, switch the new one on first, see by a check that it is taken (`Online`), and then switch the old one off.
pub const RULE: Rule = Rule {
    id: "primary-disabled-before-secondary",
    severity: Severity::Warning,
    summary: "one way in is switched off before the other one is switched on",
    check,
    source: include_str!("primary_disabled_before_secondary.rs"),
};

/// A program, its subcommand, the flag that switches, and its two values.
type Switch = (&'static str, &'static [&'static str], &'static str, &'static str, &'static str);

const SWITCHES: [Switch; 3] = [
    ("az", &["network", "traffic-manager", "endpoint", "update"], "--endpoint-status", "Disabled", "Enabled"),
    ("az", &["afd", "origin", "update"], "--enabled-state", "Disabled", "Enabled"),
    ("aws", &["route53-recovery-cluster", "update-routing-control-state"], "--routing-control-state", "Off", "On"),
];

/// How many commands are compared with each other: more than anybody writes.
const MOST: usize = 32;

/// A command that switches.
struct Switched<'a, 'b> {
    kind: usize,
    on: bool,
    reading: &'a Reading<'b>,
    command: &'a Command,
    step: usize,
}

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let all: Vec<Switched<'_, '_>> = context
        .commands()
        .filter(|(reading, _, _)| reading.is_action())
        .filter_map(|(reading, _, command)| {
            let (kind, on) = SWITCHES.iter().enumerate().find_map(|(kind, (program, verbs, flag, off, on))| {
                let flag = command.flag(&[flag]).filter(|_| command.does(program, verbs))?;
                let value = flag.value()?;
                let is = |it: &str| value.eq_ignore_ascii_case(it);
                (is(off) || is(on)).then(|| (kind, is(on)))
            })?;
            let step = context.runbook.steps.get_index_of(reading.step?.1)?;
            Some(Switched { kind, on, reading, command, step })
        })
        .take(MOST)
        .collect();
    for off in all.iter().filter(|it| !it.on) {
        let others = || all.iter().filter(|it| it.on && it.kind == off.kind);
        let before = |on: &Switched<'_, '_>| comes_before(context, on, off);
        let Some(later) = others().find(|on| comes_before(context, off, on)).filter(|_| !others().any(before)) else {
            continue;
        };
        let name = |it: &Switched<'_, '_>| context.in_script(it.reading, &it.command.range);
        findings.push(
            context
                .finding(
                    &RULE,
                    name(off),
                    "expected the new way in to be switched on first, found the old one switched off before it",
                )
                .label("from here on there may be none")
                .related(context.source, name(later), "the other one is switched on here")
                .help("change the order, and see by a check that the new one is taken before the old one goes"),
        );
    }
}

/// Whether one command is done before another for sure.
fn comes_before(context: &Context<'_>, first: &Switched<'_, '_>, then: &Switched<'_, '_>) -> bool {
    if first.step == then.step {
        return first.command.range.start < then.command.range.start;
    }
    context
        .sound_orders()
        .next()
        .is_some_and(|sketch| sketch.graph.ancestors([then.step]).get(first.step).copied().unwrap_or(false))
}
