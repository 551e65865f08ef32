//! What Lifeboat knows about Kubernetes objects.
//!
//! Duty: functions over objects as the API server sends them (`serde_json::Value`), told the time and the objects
//! around them. Nothing in here may talk to a cluster, wait, or know what a runbook is; who reads, writes and watches
//! is the runtime, who decides what follows is the machine.
//!
//! - `object`: names, conditions, generations, and hiding what a Secret holds
//! - `endpoints`: who stands behind a Service
//! - `readiness`: whether an object does what it is for
//! - `set`: whether all objects of a list are ready
//! - `text`: YAML or JSON as a value
//! - `readiness`, `set`, `endpoints`: whether an object, or all of a list, does what it is for
//! - `name`: the names of what a run creates
//! - `manifest`: objects from text, and the order to apply them in
//! - `diff`: what changed of an object, and who else manages it
//! - `judged`, `velero`, `flux`, `argocd`, `children`, `revision`: whether work that a step asked for has ended, and how
//! - `access`, `admission`, `skew`: what to know of a cluster before a run begins
//! - `words`: how messages say lengths of time, counts and what others wrote

pub mod access;
pub mod admission;
pub mod argocd;
pub mod children;
pub mod diff;
pub mod endpoints;
pub mod flux;
pub mod judged;
pub mod manifest;
pub mod name;
pub mod object;
pub mod readiness;
pub mod revision;
pub mod set;
pub mod skew;
pub mod text;
pub mod velero;
pub mod words;
