//! `plan.json`: the plan as it is frozen at the start of a run, and its digest.
//!
//! Duty: one deterministic form without a secret in it. People's renderings live in `render`.

use serde_json::{Map, Value, json};

use super::{Binding, Node, Plan, PlanScope};
use crate::{
    action,
    evidence::chain,
    model::{Approval, Undo},
};

/// The version of the form.
pub const VERSION: u32 = 1;

/// The plan as JSON. Two plans are equal exactly when these are.
#[must_use]
pub fn to_json(plan: &Plan) -> Value {
    json!({
        "version": VERSION,
        "mode": plan.mode,
        "scopes": plan.scopes.iter().map(scope).collect::<Vec<_>>(),
        "nodes": plan.nodes.iter().map(|one| node(plan, one)).collect::<Vec<_>>(),
    })
}

/// The bytes of `plan.json`: indented, with a line end.
#[must_use]
pub fn to_bytes(plan: &Plan) -> Vec<u8> {
    format!("{:#}\n", to_json(plan)).into_bytes()
}

/// SHA-256 of [`to_bytes`] in lower-case hex.
#[must_use]
pub fn digest(plan: &Plan) -> String {
    chain::digest(&to_bytes(plan))
}

fn scope(scope: &PlanScope) -> Value {
    let mut inputs = Map::new();
    let mut secrets = Vec::new();
    for (name, binding) in &scope.inputs {
        match binding {
            Binding::Value(value) => {
                inputs.insert(name.clone(), value.clone());
            }
            // Which secret it is, and nothing of it.
            Binding::Secret(of) => secrets.push(json!({"name": name, "is": of})),
        }
    }
    let mut json = json!({
        "runbook": scope.runbook.metadata.name,
        "prefix": scope.prefix,
        "directory": scope.directory,
        "inputs": inputs,
        "secrets": secrets,
    });
    if !scope.runbook.guards.is_empty() {
        json["guards"] =
            scope.runbook.guards.iter().map(|guard| json!({"name": guard.name, "then": guard.then})).collect();
    }
    json
}

fn node(plan: &Plan, node: &Node) -> Value {
    let ids = |nodes: &[usize]| nodes.iter().map(|at| plan.nodes[*at].id.as_str()).collect::<Vec<_>>();
    let mut json = Map::new();
    let mut put = |key: &str, value: Value| json.insert(key.to_owned(), value);
    put("id", json!(node.id));
    put("kind", json!(if node.step().is_some() { "step" } else { "barrier" }));
    if let Some(step) = node.step() {
        let spec = &step.spec;
        if let Some(title) = &spec.title {
            put("title", json!(title));
        }
        put("scope", json!(step.scope));
        put("phase", json!(step.phase));
        put("cleanup", json!(step.cleanup));
        put("action", json!(action::of_step(spec)));
        put("estimateMs", step.is_estimated().then(|| node.estimate.as_millis()).into());
        put("timeoutMs", json!(step.timeout.as_millis()));
        if let Some((name, element)) = &step.each {
            put("each", json!({ name: element }));
        }
        if let Some((number, limit)) = step.group {
            put("group", json!({"number": number, "limit": limit}));
        }
        if let Some(condition) = &spec.when {
            put("when", json!(condition));
        }
        if !spec.locks.is_empty() {
            put("locks", json!(spec.locks));
        }
        if let Some(approval) = &spec.approval {
            put("gate", gate(approval));
        }
        let undo = match spec.undo.as_deref() {
            None => Value::Null,
            Some(Undo::Auto(_)) => json!("auto"),
            Some(Undo::Action(undo)) => json!(action::present_in_undo(undo).next()),
        };
        put("undo", undo);
        put("irreversible", json!(spec.irreversible));
        put("restores", json!(spec.restores));
        if spec.injects_outage {
            put("injectsOutage", json!(true));
        }
    }
    put("needs", json!(ids(&node.needs)));
    put("after", json!(ids(&node.after)));
    Value::Object(json)
}

fn gate(approval: &Approval) -> Value {
    json!({
        "by": approval.by,
        "count": approval.count,
        "unattended": approval.unattended,
        "expiresMs": approval.expires.map(crate::duration::Duration::as_millis),
    })
}
