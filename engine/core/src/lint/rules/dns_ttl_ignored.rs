//! `dns-ttl-ignored`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::is_in, scripts::Role},
    model::Phase,
    script::Command,
};

/// Names are changed for users, and nothing waits until resolvers have noticed.
///
/// A resolver keeps the old answer for as long as the record said before it was changed. Until then users go to the lost side,
/// whatever the provider shows. A run that ends right behind the change tells a recovery time that no user has seen, and the next
/// step meets half of the users on either side. What waits is a `dns` check with `within`, a `pause`, or a request that polls.
/// Looked at are commands of `aws`, `az`, `gcloud` and `nsupdate` in phase `shift-traffic`.
///
/// Bad:
///
/// ```yaml
/// shift:
///   phase: shift-traffic
///   exec: [aws, route53, change-resource-record-sets, --hosted-zone-id, "{{inputs.zone}}", --change-batch, "file://shift.json"]
/// ```
///
/// Good:
///
/// ```yaml
/// shift:
///   phase: shift-traffic
///   exec: [aws, route53, change-resource-record-sets, --hosted-zone-id, "{{inputs.zone}}", --change-batch, "file://shift.json"]
///   verify:
///     - dns: {name: shop.example.org, resolvers: [1.1.1.1, 8.8.8.8]}
///       expect: agreed && answers == ['192.0.2.10']
///       within: 10m
/// ```
///
/// To fix it, add a `dns` check whose `within` is longer than the time to live that the record had before.
pub const RULE: Rule = Rule {
    id: "dns-ttl-ignored",
    severity: Severity::Warning,
    summary: "names are changed for users, and nothing waits until resolvers have noticed",
    check,
    source: include_str!("dns_ttl_ignored.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let steps = &context.runbook.steps;
    let shifts = |at: usize| steps.get_index(at).is_some_and(|(_, step)| is_in(step, &[Phase::ShiftTraffic]));
    if context.includes_others() || context.is_damaged(&["steps"]) || !(0..steps.len()).any(shifts) {
        return;
    }
    // Whoever waits anywhere behind the change has thought of it; who waits for how long cannot be known here.
    let waits = steps.values().filter(|step| is_in(step, &[Phase::ShiftTraffic])).any(|step| {
        step.pause.is_some()
            || step.manual.is_some()
            || step.verify.iter().any(|check| check.within.is_some() || check.holds.is_some() || check.ask.is_some())
    });
    if waits {
        return;
    }
    let found = context.commands().find(|(reading, program, command)| {
        let step = reading.step.and_then(|(room, id, _)| (room == "steps").then(|| steps.get_index_of(id)).flatten());
        reading.role == Role::Action && step.is_some_and(shifts) && changes_names(program, command)
    });
    let Some((reading, program, command)) = found else { return };
    // A script that looks or sleeps by itself waits as well.
    let own =
        reading.commands().any(|(name, _)| matches!(name, "sleep" | "dig" | "host" | "nslookup" | "delv" | "drill"));
    if own || reading.commands().any(|(_, it)| it.does("aws", &["route53", "wait"])) {
        return;
    }
    findings.push(
        context
            .finding_in(
                &RULE,
                reading,
                &command.range,
                format!("expected something that waits for resolvers behind `{program}`, found nothing"),
            )
            .label("resolvers keep the old answer for its time to live")
            .help("add a `dns` check with a `within` that is longer than the time to live of the old record"),
    );
}

/// Whether a command changes what resolvers answer.
fn changes_names(program: &str, command: &Command) -> bool {
    let does = |verbs: &[&str]| command.does(program, verbs);
    match program {
        "nsupdate" => true,
        "aws" => does(&["route53", "change-resource-record-sets"]),
        "gcloud" => {
            does(&["dns", "record-sets", "update"])
                || does(&["dns", "record-sets", "create"])
                || does(&["dns", "record-sets", "transaction", "execute"])
        }
        "az" => {
            does(&["network", "traffic-manager", "endpoint", "update"])
                || does(&["network", "dns", "record-set"])
                    && command
                        .verbs()
                        .last()
                        .is_some_and(|verb| matches!(*verb, "add-record" | "set-record" | "update"))
        }
        _ => false,
    }
}
