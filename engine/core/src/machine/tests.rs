//! The machine in a simulated world.

pub(super) mod builder;
mod look;
mod script;
mod world;

mod abort;
mod checks;
mod clusters;
mod crash;
mod failure;
mod flow;
mod gates;
mod guards;
mod oracle;
mod people;
mod property;
mod scale;
mod signals;
