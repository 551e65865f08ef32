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
    rules::bad_ignore::RULE,
    rules::ignore_without_reason::RULE,
    rules::unknown_rule::RULE,
    rules::unused_ignore::RULE,
];

/// A rule by its id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}
