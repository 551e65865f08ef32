//! The integration tests: the binary, as people use it. One test binary, so that it is linked once.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why and stops")]

mod book;
mod cli;
mod crash;
mod drills;
mod files;
mod harness;
mod kube;
mod lint;
mod people;
