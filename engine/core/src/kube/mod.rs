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
pub mod readiness {
    #![allow(missing_docs)]
    pub struct Around<'a> {
        pub now: jiff::Timestamp,
        pub storage_classes: Option<&'a [serde_json::Value]>,
        pub endpoint_slices: Option<&'a [serde_json::Value]>,
        pub zero_is_ready: bool,
    }
}
pub mod set {
    #![allow(missing_docs)]
    #[derive(Default)]
    pub struct Verdict {
        pub count: usize,
        pub ready: usize,
        pub waiting: Vec<Waiting>,
        pub failed: Vec<Waiting>,
    }
    pub struct Waiting {
        pub object: String,
        pub why: String,
    }
    pub fn judge(o: &[serde_json::Value], _a: &super::readiness::Around<'_>) -> Verdict {
        Verdict { count: o.len(), ready: o.len(), ..Verdict::default() }
    }
}
