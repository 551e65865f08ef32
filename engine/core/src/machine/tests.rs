//! The machine in a simulated world.

mod builder;
mod world;

mod checks;
mod failure;
mod flow;
