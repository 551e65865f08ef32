//! The rules, one a file: its name is the id, its doc comment the page of the book, its fixtures have the same name.

pub mod bad_expression;
pub mod bad_input;
pub mod bad_template;
pub mod cluster_without_context;
pub mod dependency_cycle;
pub mod include_cycle;
pub mod include_invalid;
pub mod include_missing;
pub mod missing_input;
pub mod no_restores;
pub mod not_a_predecessor;
pub mod not_on_include;
pub mod phase_inversion;
pub mod quorum_too_large;
pub mod rto_not_below_mtd;
pub mod secret_misplaced;
pub mod undo_auto_unsupported;
pub mod unknown_cluster;
pub mod unknown_input;
pub mod unknown_name;
pub mod unknown_period;
pub mod unknown_role;
pub mod unknown_step;
pub mod unused_input;
