//! `diff`, as a reviewer uses it.

use std::fs;

use crate::harness::{Place, repository, runbook};

#[test]
fn a_review_is_told_what_is_weaker() {
    let place = Place::new();
    let shipped =
        fs::read_to_string(repository().join("runbooks/namespace-accidental-deletion.yaml")).expect("a runbook");
    place.file("old.yaml", &shipped);
    let changed = shipped.replacen("    approval:", "    labels: {approval: none}\n    x-approval:", 1);
    assert_ne!(changed, shipped);
    place.file("new.yaml", changed);
    // It is no runbook any more: that is told where it stands.
    place.lifeboat(&["diff", "old.yaml", "new.yaml"]).code(2).says("x-approval").says("two runbooks that can be read");
    place.file("new.yaml", shipped.replace("rto: 30m", "rto: 60m"));
    let ended = place.lifeboat(&["diff", "old.yaml", "new.yaml"]).code(0);
    ended.says("the RTO is 1h and was 30m: less is promised").says("recovery.objectives.rto: 30m → 1h");
    let page = place.lifeboat(&["diff", "old.yaml", "new.yaml", "--format", "markdown"]).code(0);
    assert!(page.out.starts_with("### Runbook `new.yaml`\n\n**Look at**\n\n- the RTO"), "{page}");
    let told = place.lifeboat(&["diff", "old.yaml", "new.yaml", "--format", "json"]).code(0).json();
    assert_eq!((&told["version"], &told["same"]), (&1.into(), &false.into()));
}

#[test]
fn what_a_run_would_not_notice_is_no_difference() {
    let place = Place::new();
    let text = runbook("  a: {phase: data, exec: [a]}\n  b: {phase: data, exec: [b]}\n");
    place.file("old.yaml", &text);
    place.file("new.yaml", format!("# A comment.\n{}", text.replace("[a]", "[ a ]")));
    place.lifeboat(&["diff", "old.yaml", "new.yaml"]).code(0).says("no difference");
    place
        .lifeboat(&["diff", "old.yaml", "nowhere.yaml"])
        .code(2)
        .says("nowhere.yaml")
        .says("give the path of a runbook");
}
