//! The edges of Lifeboat: what the machine asks for is done here, and what happened is told back.
//!
//! - `process`: the only user of `duct`, the only sender of signals
//! - `http`: one request
//! - `check`: looking, one kind a file
//! - `preflight`: tools and environment, before anything is touched
//!
//! Nothing in here decides: that is `lifeboat_core::machine`.

pub mod check;
pub mod http;
pub mod preflight;
pub mod process;
