//! The integration tests: the binary, real processes, real servers. One binary, so that it is linked once.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why and stops")]

mod cli;
mod crash;
mod drills;
mod evidence;
mod harness;
mod lint;
