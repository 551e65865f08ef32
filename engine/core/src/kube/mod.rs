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
//! - `name`: the names of what a run creates
//! - `judged`: how work in a cluster ended
//! - `velero`: backups and restores
//! - `words`: how messages say lengths of time, counts and what others wrote

pub mod diff;
pub mod endpoints;
pub mod judged;
pub mod manifest;
pub mod name;
pub mod object;
pub mod readiness;
pub mod set;
pub mod text;
pub mod velero;
pub mod words;
