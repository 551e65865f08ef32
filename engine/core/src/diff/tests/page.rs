//! What the pages make of what others write.

use super::{HEAD, between};
use crate::diff::{markdown, text};

/// The page without what stands between back-ticks.
fn outside_of_code(page: &str) -> String {
    page.split('`').step_by(2).collect()
}

/// A comment mentions nobody, links nowhere and loads nothing that a runbook names.
#[test]
fn no_text_gets_out_of_a_comment() {
    let evil = r"<img src=https://evil/x.png> @org/oncall [approve](https://evil) **OK** ` #1 `` \\| <b>\n# x";
    let old = format!(
        "{HEAD}roles: {{\"{evil}\": [a]}}\nsteps:\n  a: {{phase: data, exec: [a], verify: [{{name: \"{evil}\", exec: [x], \
         mustFailFirst: true}}, {{name: \"{evil} 2\", exec: [x]}}, {{exec: [y]}}]}}\n"
    );
    let new = format!(
        "{HEAD}roles: {{\"{evil}\": [b]}}\nsteps:\n  a: {{phase: data, exec: [a], title: \"{evil}\", labels: {{\"{evil}\": \
         \"{evil}\"}}, verify: [{{name: \"{evil}\", exec: [x]}}]}}\n"
    );
    let found = between(&old, &new);
    let page = markdown(&found);
    for word in ["evil", "@", "**OK", "<img", "<b>", "#1", "#2", "#3"] {
        assert!(!outside_of_code(&page).contains(word), "{word}: {page}");
    }
    assert!(page.lines().all(|line| line.matches('`').count() % 2 == 0), "{page}");
    assert!(found.attention.iter().any(|told| told.starts_with("`a` lost the check `\"<img")), "{:?}", found.attention);
    assert!(text(&found).lines().all(|line| !line.starts_with("# x")), "{}", text(&found));
}
