//! The machine in a simulated world.

mod builder;
mod world;

mod abort;
mod checks;
mod failure;
mod flow;
mod gates;
mod people;
mod signals;
