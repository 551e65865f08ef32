//! Gateway and the routes of Gateway API.
//!
//! Duty: the conditions of a gateway, of its listeners, and of a route for each of its parents. Every condition says
//! of which generation it speaks, and only the current one counts.

use serde_json::Value;

use super::{Verdict, pending};
use crate::kube::object::{self, Condition};

/// Wants a condition to hold for the current generation; `of` begins the sentence.
fn holds(object: &Value, conditions: &[Value], kind: &str, of: &str) -> Verdict {
    let Some(condition) = object::find(conditions, kind) else {
        return pending(format!("{of}has no condition {kind} yet"));
    };
    if let Some((observed, wanted)) = condition.observed_generation.zip(object::generation(object))
        && observed != wanted
    {
        return pending(format!("{of}has a condition {kind} of generation {observed}, the object is at {wanted}"));
    }
    if condition.is_true() {
        return Ok(());
    }
    let not = match kind {
        "Accepted" => "is not accepted",
        "Programmed" => "is not programmed",
        _ => "refers to what is not there or not allowed",
    };
    pending(format!("{of}{not} ({})", condition.why()))
}

/// A gateway is ready when it and all its listeners are accepted and programmed.
pub(super) fn gateway(object: &Value) -> Verdict {
    let own = object::list(object, "/status/conditions");
    for kind in ["Accepted", "Programmed"] {
        holds(object, own, kind, "")?;
    }
    for listener in object::list(object, "/status/listeners") {
        let of = format!("its listener `{}` ", object::text(listener, "/name"));
        let conditions = object::list(listener, "/conditions");
        for kind in ["Accepted", "ResolvedRefs", "Programmed"] {
            holds(object, conditions, kind, &of)?;
        }
        if let Some(conflict) = object::find(conditions, "Conflicted").filter(Condition::is_true) {
            return pending(format!("{of}is in conflict with another one ({})", conflict.why()));
        }
    }
    Ok(())
}

/// A route is ready when every parent that it names has accepted it and found all that it refers to. Statuses of
/// parents that it no longer names are left out: not every controller takes them away.
pub(super) fn route(object: &Value) -> Verdict {
    let statuses = object::list(object, "/status/parents");
    for parent in object::list(object, "/spec/parentRefs") {
        let name = object::text(parent, "/name");
        let mine: Vec<&Value> = statuses.iter().filter(|status| is_same(object, parent, status)).collect();
        if mine.is_empty() {
            return pending(format!("its parent `{name}` has not taken notice of it"));
        }
        for status in mine {
            let of = format!("for its parent `{name}` it ");
            let conditions = object::list(status, "/conditions");
            for kind in ["Accepted", "ResolvedRefs"] {
                holds(object, conditions, kind, &of)?;
            }
            if let Some(partly) = object::find(conditions, "PartiallyInvalid").filter(Condition::is_true) {
                return pending(format!("{of}is partly invalid ({})", partly.why()));
            }
        }
    }
    Ok(())
}

/// Whether a status is about a parent; absent fields have the defaults of the API.
fn is_same(route: &Value, parent: &Value, status: &Value) -> bool {
    let field = |reference: &Value, pointer: &str, default: &str| {
        reference.pointer(pointer).and_then(Value::as_str).unwrap_or(default).to_owned()
    };
    let Some(theirs) = status.get("parentRef") else { return false };
    let home = object::namespace(route).unwrap_or_default();
    [
        ("/group", "gateway.networking.k8s.io"),
        ("/kind", "Gateway"),
        ("/namespace", home),
        ("/name", ""),
        ("/sectionName", ""),
    ]
    .iter()
    .all(|&(pointer, default)| field(parent, pointer, default) == field(theirs, pointer, default))
        && object::number(parent, "/port") == object::number(theirs, "/port")
}
