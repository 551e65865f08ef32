//! Tables of objects, each with its verdict and the exact words that a commander reads.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Around, Readiness, readiness};

mod all;
mod extensions;
mod gitops;
mod networks;
mod operators;
mod pods;
mod storage;
mod velero;
mod workloads;

/// The time of all tests.
fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn ready() -> Readiness {
    Readiness::Ready
}

fn pending(why: &str) -> Readiness {
    Readiness::Pending(why.to_owned())
}

fn failed(why: &str) -> Readiness {
    Readiness::Failed(why.to_owned())
}

/// An object of a kind, at generation 4, with a status of that generation.
fn object(api_version: &str, kind: &str, spec: Value, mut status: Value) -> Value {
    if let Some(status) = status.as_object_mut() {
        status.entry("observedGeneration").or_insert_with(|| 4.into());
    }
    json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"name": "api", "namespace": "shop", "generation": 4},
        "spec": spec, "status": status
    })
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message})
}

#[track_caller]
fn check(object: &Value, around: &Around<'_>, wanted: &Readiness) {
    assert_eq!(&readiness(object, around), wanted, "{}", serde_json::to_string_pretty(object).unwrap());
}

#[track_caller]
fn check_all(cases: impl IntoIterator<Item = (Value, Readiness)>) {
    for (object, wanted) in cases {
        check(&object, &Around::alone(now()), &wanted);
    }
}
