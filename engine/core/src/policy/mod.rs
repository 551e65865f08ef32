//! Decisions that need no state of their own: when to try again, what an action does to the world, what was achieved.

pub mod effect;
pub mod objectives;
pub mod retry;
