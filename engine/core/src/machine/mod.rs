//! The machine: (state, input, now) → commands.

pub mod command;
pub mod input;
