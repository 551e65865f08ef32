//! What Lifeboat knows about Kubernetes objects.
//!
//! Duty: functions over objects as the API server sends them (`serde_json::Value`), told the time and the objects
//! around them. Nothing in here may talk to a cluster, wait, or know what a runbook is; who reads, writes and watches
//! is the runtime, who decides what follows is the machine.
//!
//! - `name`: names that are the same whenever they are asked for
//! - `object`: names, conditions, generations, and hiding what a Secret holds
//! - `words`: how messages say lengths of time, counts and what others wrote

pub mod name;
pub mod object;
pub mod words;
