//! The edges of Lifeboat: everything that touches the world.
//!
//! Duty: to do what the machine asks for, and to tell it what came of it. It must not decide anything about a run.
//!
//! - `driver`: the loop between the machine and the world
//! - `process`: the only user of `duct`, and the only sender of signals
//! - `http`, `check`: requests and observations
//! - `cluster`: the only user of `kube`; `action`: what is done in a cluster
//! - `inbox`, `signers`: acts of people at other terminals, and whose they are
//! - `notify`: people elsewhere
//! - `preflight`: what must be true before anything is touched
//! - `store`: run directories, the log, artifacts, verification
//! - `load`, `files`, `manifests`: runbooks, the files they use, and objects to apply; `replace`: a runbook that is mended
//! - `identity`, `clock`: who, where and when

mod action;
pub mod check;
pub mod clock;
pub mod cluster;
pub mod driver;
pub mod files;
pub mod http;
pub mod identity;
pub mod inbox;
pub mod load;
mod manifests;
pub mod notify;
pub mod preflight;
pub mod process;
pub mod replace;
pub mod signers;
pub mod store;
