//! What authors write, as types: the single source of the decoder, of `schemas/runbook.json` and of the book's pages.
//!
//! Duty: shapes and their documentation. It must not judge (that is `lint`), expand (that is `plan`) or read files.

pub mod approval;
pub mod check;
pub mod claim;
pub mod cluster;
pub mod guard;
pub mod input;
pub mod notify;
pub mod parse;
pub mod recovery;
pub mod requires;
pub mod runbook;
pub mod step;
pub mod text;
pub mod yaml;

pub use approval::{Approval, Unattended};
pub use check::Check;
pub use cluster::Cluster;
pub use guard::{During, Guard, Then};
pub use input::{Input, InputType, SecretSource};
pub use notify::{Notify, Occasion};
pub use recovery::{Disaster, Level, Objectives, Phase, Recovery, Scope};
pub use requires::{Access, Crd, Requirement, Requires};
pub use runbook::{ApiVersion, Defaults, Kind, Link, Metadata, Runbook};
pub use step::{Effect, ForEach, Mode, OnFailure, Output, OutputFrom, Retry, RetryOn, Step, Undo, UndoAction};
pub use text::{Condition, Expectation, Extraction, PlanTime, SecretTemplate, Template, TextKind};
