//! What an author may write for a key.
//!
//! Duty: values only. Those of actions and checks stand with them.

use serde_json::Value;

use crate::{action, check, kube::text};

/// Type, key, value as YAML. The empty name is the runbook itself.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("", "inputs", "zone: {type: string, description: DNS zone to change}"),
    ("", "inputs", "token: {type: secret, from: {env: DNS_TOKEN}}"),
    ("", "clusters", "recovery: {context: \"{{inputs.recoveryContext}}\"}"),
    ("", "files", "[shift.sh, \"infra/**\"]"),
    ("", "roles", "incident-commander: [alice@example.org, bob@example.org]"),
    ("Metadata", "name", "shop-region-failover"),
    ("Metadata", "owner", "team-platform"),
    ("Recovery", "capability", "Customers can order"),
    ("Requires", "tools", "{terraform: \">=1.9\", aws: \"*\"}"),
    ("Requires", "env", "[AWS_PROFILE]"),
    (
        "Requires",
        "access",
        "[{cluster: recovery, verb: create, group: velero.io, resource: restores, namespace: velero}]",
    ),
    ("Requires", "crds", "[{cluster: recovery, name: restores.velero.io, version: v1}]"),
    ("Requires", "checks", "[{name: the backup store can be reached, tcp: {address: \"backups.example.org:443\"}}]"),
    ("Guard", "during", "{from: shift-traffic}"),
    ("Guard", "when", "clock.sinceOutage > duration('3h30m')"),
    ("Guard", "check", "{http: {url: \"https://shop.example.org/errors\"}, expect: json.rate < 0.05}"),
    ("Notify", "on", "[started, approval-needed, failed, aborted, restored, finished]"),
    ("Step", "needs", "[provision-network, restore-secrets]"),
    ("Step", "needs", "[]"),
    ("Step", "when", "inputs.engine == 'aurora'"),
    ("Step", "forEach", "{in: inputs.namespaces, as: namespace, parallel: 4}"),
    ("Step", "locks", "[dns]"),
    ("Step", "env", "{ZONE: \"{{inputs.zone}}\"}"),
    ("Step", "retry", "{attempts: 3, delay: 10s}"),
    (
        "Step",
        "outputs",
        "{address: {json: .lb.value}, orders: {regex: 'orders=([0-9]+)'}, backup: {cel: result.backup}}",
    ),
    ("Step", "recoveryPoint", "result.json.takenAt"),
    ("Step", "undo", "auto"),
    ("Step", "undo", "{exec: [./shift.sh, back], verify: [{exec: [./is-back.sh]}]}"),
    ("Step", "approval", "{by: incident-commander, count: 2, unattended: drill-only, expires: 30m}"),
    (
        "Step",
        "verify",
        "[{name: the shop answers, http: {url: \"https://shop.example.org/health\"}, expect: status == 200, within: 2m}]",
    ),
    ("Check", "name", "no order is lost"),
    ("Check", "expect", "status == 200 && json.ready"),
    ("Manual", "attach", "[answer of the provider]"),
];

/// All of them: type, key, value.
pub(super) fn all() -> Vec<(&'static str, &'static str, Value)> {
    let read = |yaml: &str| text::value(yaml).unwrap_or_default();
    let own = EXAMPLES.iter().map(|(of, key, yaml)| (*of, *key, read(yaml)));
    // What stands beside the action or the check is for readers.
    let actions = action::Kind::ALL.iter().map(|kind| ("Step", kind.facts().name, kind.facts().example));
    let checks = check::Kind::ALL.iter().map(|kind| ("Check", kind.facts().name, kind.facts().example));
    own.chain(actions.chain(checks).map(|(of, key, yaml)| (of, key, read(yaml)[key].take()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diagnostic::{Diagnostic, Severity},
        lint::lint,
        model::parse::parse,
        plan::include::Unreadable,
        source::Source,
    };

    const HEAD: &str = "apiVersion: lifeboat.dev/v1
kind: Runbook
metadata: {name: test, owner: team}
recovery: {capability: It, scope: region, disaster: region-failure, objectives: {rpo: 1m, rto: 10m}, level: L1}
clusters: {recovery: {context: a}, primary: {context: b}}
requires: {tools: {terraform: '*', pg_isready: '*'}}
files: [shift.sh]
roles: {incident-commander: [a@example.org, b@example.org]}
inputs: {zone: {type: string}, target: {type: string}, token: {type: secret, from: {env: T}}}
steps:
  count: {phase: provision, exec: [count], effect: reads, outputs: {rows: {text: true}}}
";

    /// What a runbook with these lines in a step has against it; unknown inputs of others and the like are not asked for.
    fn mistakes(lines: &str) -> Vec<Diagnostic> {
        let parsed = parse(Source::new("example.yaml", format!("{HEAD}  it:\n    phase: data\n{lines}")));
        let mut found = parsed.diagnostics.clone();
        found.extend(
            lint(&parsed, &|_, _| Err(Unreadable::Missing(String::new())))
                .into_iter()
                .filter(|one| one.severity == Severity::Error),
        );
        found
    }

    fn indented(yaml: &str, by: usize) -> String {
        yaml.lines().map(|line| format!("{:by$}{line}\n", "")).collect::<Vec<_>>().concat()
    }

    #[test]
    fn examples_of_actions_can_be_used() {
        for kind in action::Kind::ALL {
            let facts = kind.facts();
            let found = mistakes(&indented(facts.example, 4));
            // The included runbook is not here.
            let found: Vec<_> = found
                .iter()
                .filter(|one| one.code != "include-missing" && !one.message.contains("databaseHost"))
                .collect();
            assert!(found.is_empty(), "{}: {found:#?}", facts.name);
            assert!(text::value(facts.example).is_ok_and(|value| !value[facts.name].is_null()), "{}", facts.name);
        }
    }

    #[test]
    fn examples_of_checks_can_be_used() {
        for kind in check::Kind::ALL {
            let facts = kind.facts();
            let check = indented(facts.example, 8).replacen("       ", "      -", 1);
            let found = mistakes(&format!("    verify:\n{check}"));
            assert!(found.is_empty(), "{}: {found:#?}", facts.name);
            assert!(text::value(facts.example).is_ok_and(|value| !value[facts.name].is_null()), "{}", facts.name);
        }
    }

    #[test]
    fn all_can_be_read() {
        let missing: Vec<_> = all().into_iter().filter(|(_, _, value)| value.is_null()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
