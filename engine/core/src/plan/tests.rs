//! Plans of small runbooks, written as authors write them.

use std::{collections::HashMap, sync::Arc};

use indexmap::IndexMap;
use serde_json::json;

use super::{Binding, Loaded, Plan, Request, Unreadable, build};
use crate::{
    diagnostic::Diagnostic,
    model::{Mode, parse::parse},
    source::Source,
};

mod edges;
mod includes;
mod rendering;

/// What stands before `inputs` and `steps` in every runbook here.
const HEAD: &str = "\
apiVersion: lifeboat.dev/v1
kind: Runbook
metadata: {name: test, owner: team, title: Bring it back}
recovery:
  capability: It
  scope: region
  disaster: region-failure
  objectives: {rpo: 15m, rto: 60m, mtd: 4h}
  level: L5
";

fn load(name: &str, body: &str) -> Arc<Loaded> {
    let source = Source::new(name, format!("{HEAD}{body}"));
    let parsed = parse(Arc::clone(&source));
    let messages: Vec<_> = parsed.diagnostics.iter().map(|found| &found.message).collect();
    assert!(messages.is_empty(), "{name}: {messages:?}");
    let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned();
    Arc::new(Loaded { runbook: Arc::new(parsed.runbook.unwrap()), source, directory })
}

/// A plan of the first file; the others can be included.
fn try_plan(mode: Mode, inputs: &[(&str, Binding)], files: &[(&str, &str)]) -> Result<Plan, Vec<Diagnostic>> {
    let loaded: HashMap<String, Arc<Loaded>> =
        files.iter().map(|(name, body)| ((*name).to_owned(), load(name, body))).collect();
    let root = &loaded[files[0].0];
    let inputs: IndexMap<String, Binding> =
        inputs.iter().map(|(name, binding)| ((*name).to_owned(), binding.clone())).collect();
    build(Request {
        runbook: Arc::clone(&root.runbook),
        source: Arc::clone(&root.source),
        mode,
        inputs,
        resolve: &|directory, path| {
            let name = if directory.is_empty() { path.to_owned() } else { format!("{directory}/{path}") };
            loaded.get(&name).cloned().ok_or_else(|| Unreadable::Missing(String::from("no such file")))
        },
    })
}

fn plan(mode: Mode, body: &str) -> Plan {
    try_plan(mode, &[], &[("root.yaml", body)]).unwrap_or_else(|problems| panic!("{:?}", messages(&problems)))
}

fn messages(problems: &[Diagnostic]) -> Vec<String> {
    problems.iter().map(|found| format!("{} {}", found.code, found.message)).collect()
}

/// Node by node: `id < needs ~ after`.
fn edges(plan: &Plan) -> Vec<String> {
    let ids = |nodes: &[usize]| nodes.iter().map(|at| plan.nodes[*at].id.as_str()).collect::<Vec<_>>().join(" ");
    plan.nodes
        .iter()
        .map(|node| {
            let needs = if node.needs.is_empty() { String::new() } else { format!(" < {}", ids(&node.needs)) };
            let after = if node.after.is_empty() { String::new() } else { format!(" ~ {}", ids(&node.after)) };
            format!("{}{needs}{after}", node.id)
        })
        .collect()
}

fn text(value: &str) -> Binding {
    Binding::Value(json!(value))
}
