//! The engine dies at every moment there is, and nothing is done twice or forgotten.

mod abort;
mod engines;
mod follow;
mod kill;
mod scenario;
mod torn;
