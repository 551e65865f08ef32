//! Every rule, one line each: a new one is added here and nowhere else.

use super::{Rule, rules};

/// Every rule, in the order of the reference.
pub const RULES: &[Rule] = &[
    rules::unknown_step::RULE,
    rules::dependency_cycle::RULE,
    rules::phase_inversion::RULE,
    rules::bad_template::RULE,
    rules::bad_expression::RULE,
    rules::unknown_name::RULE,
    rules::not_a_predecessor::RULE,
    rules::secret_misplaced::RULE,
    rules::unknown_role::RULE,
    rules::quorum_too_large::RULE,
    rules::undo_auto_unsupported::RULE,
    rules::unused_input::RULE,
    rules::no_restores::RULE,
    rules::rto_not_below_mtd::RULE,
    rules::include_missing::RULE,
    rules::include_invalid::RULE,
    rules::include_cycle::RULE,
    rules::unknown_input::RULE,
    rules::missing_input::RULE,
    rules::bad_input::RULE,
    rules::not_on_include::RULE,
    rules::unknown_period::RULE,
    rules::unknown_cluster::RULE,
    rules::cluster_without_context::RULE,
    rules::traffic_before_validation::RULE,
    rules::unverified_mutation::RULE,
    rules::missing_rollback::RULE,
    rules::rollback_unverified::RULE,
    rules::irreversible_without_approval::RULE,
    rules::irreversible_in_drill::RULE,
    rules::disaster_in_incident::RULE,
    rules::retry_of_non_idempotent::RULE,
    rules::estimate_exceeds_timeout::RULE,
    rules::critical_path_exceeds_rto::RULE,
    rules::no_objective_slack::RULE,
    rules::orphan_step::RULE,
    rules::workload_before_identity::RULE,
    rules::workload_before_secrets::RULE,
    rules::data_after_workloads::RULE,
    rules::recovery_point_not_captured::RULE,
    rules::no_data_integrity_check::RULE,
    rules::level_overclaimed::RULE,
    rules::drill_interval_too_long::RULE,
    rules::approval_without_expiry::RULE,
    rules::single_approver_role::RULE,
    rules::manual_step_incomplete::RULE,
    rules::plaintext_secret::RULE,
    rules::literal_under_secret_name::RULE,
    rules::hard_coded_cloud_identity::RULE,
    rules::mutable_image_reference::RULE,
    rules::mutable_git_revision::RULE,
];

/// A rule by its id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}
