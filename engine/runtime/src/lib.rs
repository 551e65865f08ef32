//! The edges of Lifeboat: everything that touches the world, for the machine in `lifeboat-core`.

pub mod store;
