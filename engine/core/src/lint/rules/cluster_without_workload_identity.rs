//! `cluster-without-workload-identity`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::is_in, programs::lacking},
    model::Phase,
};

/// A new AKS cluster is made without what workload identities need, and identities are restored into it.
///
/// A federated credential trusts the issuer of one cluster. Without `--enable-oidc-issuer` the new cluster has none that the cloud can
/// ask, and without `--enable-workload-identity` no pod gets a token to show. Everything comes up, and every application that
/// needs a key vault or a database fails at its first request. The runbook has steps of phase `identity`, so it counts on both.
///
/// Bad:
///
/// ```yaml
/// cluster:
///   phase: provision
///   exec: [az, aks, create, -g, dr, -n, dr, --node-count, "3"]
/// ```
///
/// Good:
///
/// ```yaml
/// cluster:
///   phase: provision
///   exec: [az, aks, create, -g, dr, -n, dr, --node-count, "3", --enable-oidc-issuer, --enable-workload-identity]
/// ```
///
/// To fix it, add both options, and trust the new issuer in a step of phase `identity`.
pub const RULE: Rule = Rule {
    id: "cluster-without-workload-identity",
    severity: Severity::Warning,
    summary: "a new AKS cluster lacks what the runbook's identities need",
    check,
    source: include_str!("cluster_without_workload_identity.rs"),
};

const FLAGS: [&str; 2] = ["--enable-oidc-issuer", "--enable-workload-identity"];

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let counts = context.sound_steps().find(|(_, _, step)| is_in(step, &[Phase::Identity]));
    let Some((_, id, step)) = counts else { return };
    for (reading, program, command) in context.commands() {
        if !command.does("az", &["aks", "create"]) || !reading.is_action() {
            continue;
        }
        let Some(missing) = lacking(command, &FLAGS) else { continue };
        let phase = step.phase.as_ref().map_or(step.span(), crate::source::Spanned::span);
        findings.push(
            context
                .finding_in(
                    &RULE,
                    reading,
                    &command.range,
                    format!("expected `{program} aks create` with what identities need, found no {missing}"),
                )
                .label("no pod of this cluster can show the cloud who it is")
                .related(context.source, phase, format!("`{id}` counts on it"))
                .help(format!("add {}", FLAGS.map(|flag| format!("`{flag}`")).join(" and "))),
        );
    }
}
