//! `implicit-kube-context`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, programs::touches_a_cluster, scripts::Reading},
    script::Command,
};

/// A client that asks whatever cluster the machine happens to point at.
///
/// Without `--context`, `--kubeconfig` or `KUBECONFIG` the current context of whoever runs this decides. At two in the morning
/// that is the cluster somebody looked at last: the restore goes into production, or the deletion into the one that survived.
/// What changes the current context (`kubectl config use-context`, `az aks get-credentials`, `aws eks update-kubeconfig`) changes
/// it for everybody else on the machine, other steps that run at the same time included.
///
/// Bad:
///
/// ```yaml
/// shell: kubectl -n shop rollout restart deployment/shop
/// ```
///
/// Good:
///
/// ```yaml
/// shell: kubectl --context "$CONTEXT" -n shop rollout restart deployment/shop
/// env: {CONTEXT: "{{inputs.context}}"}
/// ```
///
/// To fix it, name the context, or set `KUBECONFIG` in `env` to a file that only this run uses. Actions and checks that name a
/// `cluster` need neither.
pub const RULE: Rule = Rule {
    id: "implicit-kube-context",
    severity: Severity::Warning,
    summary: "a client asks whatever cluster the machine points at",
    check,
    source: include_str!("implicit_kube_context.rs"),
};

/// Flags that say which cluster, in the words of each client.
const EXPLICIT: [&str; 8] =
    ["--context", "--kube-context", "--kubecontext", "--kubeconfig", "--cluster", "--server", "-s", "--kube-apiserver"];

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (reading, program, command) in context.commands() {
        let own_file = reading.sets("KUBECONFIG", command) || command.may_have_more();
        if own_file {
            continue;
        }
        if let Some((what, fix)) = switches(program, command) {
            findings.push(
                context
                    .finding_in(
                        &RULE,
                        reading,
                        &command.range,
                        format!(
                            "expected a kubeconfig of this run's own, found `{what}`, which changes that of the machine"
                        ),
                    )
                    .label("others on this machine are sent to another cluster")
                    .help(fix),
            );
        } else if touches_a_cluster(program, command) && !is_explicit(reading, program, command) {
            let flag = match program {
                "helm" => "--kube-context",
                "velero" => "--kubecontext",
                _ => "--context",
            };
            findings.push(
                context
                    .finding_in(
                        &RULE,
                        reading,
                        &command.name.range,
                        format!(
                            "expected `{program}` to be told which cluster, found neither `{flag}` nor `KUBECONFIG`"
                        ),
                    )
                    .label("asks whatever cluster the machine points at")
                    .help(format!("add `{flag}`, or set `KUBECONFIG` in `env` to a file of this run's own")),
            );
        }
    }
}

fn is_explicit(reading: &Reading<'_>, program: &str, command: &Command) -> bool {
    // `-s` is the silence of others.
    let flags = if program == "kubectl" { &EXPLICIT[..] } else { &EXPLICIT[..6] };
    command.has(flags) || program == "helm" && reading.sets("HELM_KUBECONTEXT", command)
}

/// What changes the current context, and how to do without.
fn switches(program: &str, command: &Command) -> Option<(&'static str, &'static str)> {
    let verbs = command.verbs();
    match (program, verbs.as_slice()) {
        ("kubectl" | "oc", ["config", "use-context" | "set-context", ..]) if !command.has(&["--kubeconfig"]) => {
            let named = verbs.get(1) == Some(&"set-context") && !command.has(&["--current"]);
            (!named).then_some(("kubectl config", "name the context in every command by `--context` instead"))
        }
        ("az", ["aks", "get-credentials", ..]) if !command.has(&["-f", "--file"]) => Some((
            "az aks get-credentials",
            "write it into a file of this run by `--file`, and set `KUBECONFIG` to that",
        )),
        ("aws", ["eks", "update-kubeconfig", ..]) if !command.has(&["--kubeconfig"]) => Some((
            "aws eks update-kubeconfig",
            "write it into a file of this run by `--kubeconfig`, and set `KUBECONFIG` to that",
        )),
        ("gcloud", ["container", "clusters", "get-credentials", ..]) => {
            Some(("gcloud container clusters get-credentials", "set `KUBECONFIG` in `env` to a file of this run's own"))
        }
        ("kubectx" | "kubens", [_, ..]) => {
            Some(("kubectx", "name the context in every command by `--context` instead"))
        }
        _ => None,
    }
}
