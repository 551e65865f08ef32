//! A log becomes something that people and tools can read.
//!
//! Duty: projections of the log and nothing else. A report must not decide anything, feed anything back, or need the
//! runbook or the machine of the run: what is not in the records (and, for titles and order, in the frozen
//! `plan.json`) cannot be in a report. Secrets are masked in the log already.
//!
//! - `story`: what happened, from any sequence of records
//! - `sentences`: what all reports say in the same words: verdict, objectives, decisions, what to do next
//! - `text`, `markdown`, `json`: one form a file

pub mod json;
pub mod markdown;
pub mod sentences;
pub mod story;
pub mod text;

#[cfg(test)]
pub(crate) mod tests;

pub use markdown::markdown;
pub use story::Story;
pub use text::{summary, text};
