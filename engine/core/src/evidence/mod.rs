//! The evidence of a run: what is recorded, and how records hang together.
//!
//! Duty: the vocabulary and the chain. Writing and reading files is the runtime's.

pub mod chain;
pub mod event;
pub mod verify;

pub use chain::{Record, Stamp};
pub use event::Event;

/// The version of the log's format. A newer engine reads every older one; an older engine refuses a newer one by name.
pub const FORMAT: u32 = 1;
