//! The first record of a run: what is run, by whom, where.

use indexmap::IndexMap;
use lifeboat_core::{
    evidence::{
        FORMAT, chain,
        event::{InputRecord, RunCreated, RunbookIdentity},
    },
    model::Runbook,
    plan::{Binding, Plan},
};
use lifeboat_runtime::{files::Files, identity, load::frozen_name};

use super::prepare::Opened;

/// Every file that the runbook is made of, by the name under which it is frozen.
pub(super) fn sources(opened: &Opened) -> Vec<(String, Vec<u8>)> {
    let all = opened.library.all().into_iter();
    all.map(|(name, source)| (frozen_name(&name), source.text().as_bytes().to_vec())).collect()
}

/// The record, without marks and signers.
pub(super) fn created(
    opened: &Opened,
    runbook: &Runbook,
    plan: &Plan,
    run: &str,
    sources: &[(String, Vec<u8>)],
    plan_bytes: &[u8],
    files: &Files,
) -> RunCreated {
    let (commit, dirty) = identity::git(&opened.directory);
    RunCreated {
        format: FORMAT,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        run: run.to_owned(),
        mode: plan.mode,
        runbook: RunbookIdentity {
            name: (*runbook.metadata.name).clone(),
            title: runbook.metadata.title.clone().unwrap_or_else(|| (*runbook.metadata.name).clone()),
            owner: runbook.metadata.owner.clone(),
            capability: runbook.recovery.capability.clone(),
            path: opened.name.clone(),
            digests: sources.iter().map(|(name, bytes)| (name.clone(), chain::digest(bytes))).collect(),
            commit,
            dirty,
        },
        plan_digest: chain::digest(plan_bytes),
        steps: u32::try_from(plan.nodes.iter().filter(|node| node.step().is_some()).count()).unwrap_or(u32::MAX),
        inputs: recorded(&plan.scopes.first().map(|scope| scope.inputs.clone()).unwrap_or_default()),
        files: files.digests(),
        objectives: *runbook.recovery.objectives,
        level: runbook.recovery.level,
        outage_at: None,
        detected_at: None,
        declared_at: None,
        signers: None,
        host: identity::host(),
        user: identity::user(),
        directory: opened.directory.to_string_lossy().into_owned(),
    }
}

fn recorded(inputs: &IndexMap<String, Binding>) -> IndexMap<String, InputRecord> {
    inputs
        .iter()
        .map(|(name, binding)| {
            let record = match binding {
                Binding::Value(value) => InputRecord::Value(value.clone()),
                Binding::Secret(_) => InputRecord::Secret(true),
            };
            (name.clone(), record)
        })
        .collect()
}

/// Two random bytes.
pub(super) fn random() -> [u8; 2] {
    let [first, second, ..] = lifeboat_runtime::identity::random().to_le_bytes();
    [first, second]
}
