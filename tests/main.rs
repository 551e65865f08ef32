//! The integration tests: the binary, as people use it. One test binary, so that it is linked once.

mod cli;
mod crash;
mod drills;
mod files;
mod harness;
mod lint;
