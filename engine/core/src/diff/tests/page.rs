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

/// A comment that is too long is not taken, and nobody is told anything.
#[test]
fn a_comment_is_never_too_long() {
    let evil = "ü | <img> ".repeat(40);
    let steps = |labels: &str, more: &str| -> String {
        let labels = |at| if at == 0 { labels } else { "x: y" };
        let one =
            |at| format!("  step-{at}: {{phase: data, needs: [], exec: [a], labels: {{{}}}{more}}}\n", labels(at));
        (0..1_600).map(one).collect()
    };
    let labels = (0..100).map(|at| format!("\"{at} {evil}\": \"{evil}\", ")).collect::<Vec<_>>().concat();
    let old = format!("{HEAD}steps:\n{}", steps("x: y", ", approval: {}"));
    let new = format!("{HEAD}steps:\n{}", steps(&labels, &format!(", title: \"{evil}\"")));
    let found = between(&old, &new);
    assert_eq!(found.attention.len(), 1_600);
    let page = markdown(&found);
    assert!(page.chars().count() < 65_536, "{}", page.chars().count());
    let bullets: Vec<&str> = page.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!((bullets.len(), bullets[30]), (31, "- and 1570 more, which `--format text` shows"));
    assert!(page.contains("<br>and 83 more |") && page.contains(" more, which `--format text` shows | |"), "{page}");
    assert_eq!(text(&found).matches("needs no approval any more").count(), 1_600);
}
