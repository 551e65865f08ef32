//! What a review is told.

use std::sync::Arc;

use super::{Diff, Pair, Path, StepChange, diff, json, markdown, text};
use crate::{model::parse::parse, source::Source};

mod cleanup;
mod page;
mod weaker;

const HEAD: &str = "apiVersion: lifeboat.dev/v1
kind: Runbook
metadata: {name: test, owner: team}
recovery: {capability: It, scope: region, disaster: region-failure, objectives: {rpo: 1m, rto: 10m}, level: L1}
";

fn between(old: &str, new: &str) -> Diff {
    let read = |name: &str, text: &str| {
        let text = if text.starts_with("apiVersion") { text.to_owned() } else { format!("{HEAD}{text}") };
        let parsed = parse(Source::new(name, text));
        assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics);
        (parsed.runbook.unwrap(), Arc::clone(&parsed.source))
    };
    let (old, new) = (read("old.yaml", old), read("new.yaml", new));
    diff((&old.0, &old.1), (&new.0, &new.1))
}

fn path(path: Option<&Path>) -> &Path {
    path.expect("an order")
}

fn pair(first: &str, then: &str) -> Pair {
    Pair(first.to_owned(), then.to_owned())
}

#[test]
fn nothing_is_nothing() {
    let steps = "steps:\n  a: {phase: data, exec: [a]}\n";
    let found =
        between(steps, &format!("# A comment.\n{}", steps.replace("[a]", "[  a ]")).replace("# A comment.\n", ""));
    assert!(found.is_empty(), "{found:?}");
    assert!(text(&found).starts_with("no difference"));
    assert_eq!(json(&found)["same"], true);
}

#[test]
fn steps_come_go_and_get_other_names() {
    let found = between(
        "steps:\n  a: {phase: data, exec: [a]}\n  b: {phase: data, exec: [b], verify: [{exec: [look]}]}\n  old: {phase: data, exec: [c]}\n",
        "steps:\n  a: {phase: data, exec: [a, more]}\n  new: {phase: data, exec: [c]}\n  d: {phase: data, exec: [d], irreversible: true}\n",
    );
    assert_eq!(found.steps.len(), 4, "{found:#?}");
    assert!(matches!(&found.steps[0], StepChange::Changed { id, changes } if id == "a" && changes[0].what == "exec"));
    assert_eq!(found.steps[1], StepChange::Renamed { old: "old".into(), new: "new".into() });
    assert_eq!(found.steps[2..], [StepChange::Added("d".into()), StepChange::Removed("b".into())]);
    assert_eq!(found.attention, ["`b` is gone, and 1 check", "`d` is new, and irreversible"]);
}

#[test]
fn order_that_is_gone_is_told_even_if_it_went_through_a_step_that_is_gone() {
    let found = between(
        "steps:\n  a: {phase: data, exec: [a]}\n  b: {phase: data, needs: [a], exec: [b]}\n  c: {phase: data, needs: [b], exec: [c]}\n",
        "steps:\n  a: {phase: data, exec: [a]}\n  c: {phase: data, needs: [], exec: [c]}\n",
    );
    assert_eq!(found.orders[0].lost, [pair("a", "c")]);
    assert!(found.attention.contains(&"`c` does not wait for `a` any more".to_owned()), "{found:#?}");
    // What still has an order by another way has not lost it.
    let found = between(
        "steps:\n  a: {phase: data, exec: [a]}\n  b: {phase: data, needs: [a], exec: [b]}\n  c: {phase: data, needs: [a, b], exec: [c]}\n",
        "steps:\n  a: {phase: data, exec: [a]}\n  b: {phase: data, needs: [a], exec: [b]}\n  c: {phase: data, needs: [b], exec: [c]}\n",
    );
    assert_eq!((found.orders[0].lost.len(), found.orders[0].gained.len()), (0, 0));
}

#[test]
fn order_that_is_turned_round_is_told_once() {
    let found = between(
        "steps:\n  new-on: {phase: shift-traffic, exec: [a]}\n  old-off: {phase: shift-traffic, needs: [new-on], exec: [b]}\n",
        "steps:\n  new-on: {phase: shift-traffic, needs: [old-off], exec: [a]}\n  old-off: {phase: shift-traffic, exec: [b]}\n",
    );
    let order = &found.orders[0];
    assert_eq!(
        (order.turned.as_slice(), order.lost.len(), order.gained.len()),
        ([pair("old-off", "new-on")].as_slice(), 0, 0)
    );
    assert!(found.attention[0].contains("it was the other way round"), "{:?}", found.attention);
}

#[test]
fn gates_checks_and_undos_that_are_gone_are_told_first() {
    let old = "steps:\n  a:\n    phase: data\n    exec: [a]\n    approval: {count: 2}\n    undo: {exec: [back]}\n    verify: [{name: it answers, exec: [look]}, {exec: [more]}]\n";
    let new = "steps:\n  a:\n    phase: data\n    exec: [a]\n";
    let found = between(old, new);
    for wanted in [
        "`a` needs no approval any more",
        "`a` has no undo any more",
        "`a` lost the check `\"it answers\"`",
        "`a` lost the check `#2`",
    ] {
        assert!(found.attention.iter().any(|told| told == wanted), "{wanted}: {:?}", found.attention);
    }
    let fewer = between(old, &old.replace("count: 2", "count: 1"));
    assert_eq!(fewer.attention, ["`a` needs fewer people to approve it"]);
}

/// A name may look like anything, and two checks may have the same one.
#[test]
fn a_check_is_lost_whatever_its_name_is() {
    let with = |checks: &str| format!("steps:\n  a: {{phase: data, exec: [a], verify: [{checks}]}}\n");
    let one = "{name: 'pods #1', exec: [look]}, ";
    let two = r#"{name: 'it says "yes" now', exec: [look]}, "#;
    let (same, twin) = ("{name: same, exec: [look]}, ", "{name: same, exec: [more]}");
    let old = with(&format!("{one}{two}{same}{twin}"));
    for (new, told) in [
        (with(&format!("{two}{same}{twin}")), r#"`a` lost the check `"pods #1"`"#),
        (with(&format!("{one}{same}{twin}")), r#"`a` lost the check `"it says \"yes\" now"`"#),
        (with(&format!("{one}{two}{same}")), r#"`a` lost the check `"same" (2)`"#),
    ] {
        assert_eq!(between(&old, &new).attention, [told], "{new}");
    }
    let other = between(&with(one), &with(&one.replace("look", "look, more"))).attention;
    assert_eq!(other, [r#"`a`: the check `"pods #1"` is another one now"#]);
}

/// A pause takes its time by itself; nobody has to estimate it.
#[test]
fn a_pause_is_as_long_as_it_says() {
    let old = "steps:\n  wait: {phase: data, pause: 4m}\n";
    let found = between(old, &old.replace("4m", "5m"));
    let order = &found.orders[0];
    assert_eq!((path(order.old.as_ref()).millis, path(order.new.as_ref()).millis), (240_000, 300_000));
    assert_eq!((path(order.old.as_ref()).without_estimate, path(order.new.as_ref()).without_estimate), (0, 0));
}

/// What cannot run has no critical path; it can be compared all the same, and is no different from itself.
#[test]
fn steps_without_an_order_can_be_compared() {
    let straight = "steps:\n  a: {phase: data, needs: [], exec: [a]}\n  b: {phase: data, needs: [a], exec: [b]}\n";
    let circle = straight.replace("needs: []", "needs: [b]");
    let inverted = "steps:\n  a: {phase: data, needs: [c], exec: [a]}\n  b: {phase: data, exec: [b]}\n  \
                    c: {phase: validate, exec: [c]}\n";
    for broken in [circle.as_str(), inverted] {
        let same = between(broken, broken);
        assert!(same.is_empty() && same.attention.is_empty(), "{same:?}");
        let found = between(straight, broken);
        assert!(found.orders[0].new.is_none() && found.orders[0].old.is_some());
        assert!(found.attention.iter().any(|told| told.contains("cannot be put in order any more")), "{found:?}");
        assert!(text(&found).contains("after   none: the steps cannot be put in order"), "{}", text(&found));
        assert!(markdown(&found).contains("| after | none |"), "{}", markdown(&found));
        assert!(json(&found)["orders"][0]["criticalPath"]["new"].is_null());
        let mended = between(broken, straight);
        assert!(!mended.is_empty(), "{mended:?}");
        assert!(text(&mended).contains("before  none"), "{}", text(&mended));
    }
}

#[test]
fn promises_and_time_are_told() {
    let steps = "steps:\n  a: {phase: data, exec: [a], estimate: 4m, restores: true}\n";
    let whole = format!("{HEAD}{steps}");
    let found = between(&whole, &whole.replace("estimate: 4m", "estimate: 20m").replace("rpo: 1m", "rpo: 1h"));
    assert_eq!(
        (path(found.orders[0].old.as_ref()).millis, path(found.orders[0].new.as_ref()).millis),
        (240_000, 1_200_000)
    );
    assert_eq!(
        found.attention,
        ["by its estimates it takes 20m now, longer than the RTO of 10m", "the RPO is 1h and was 1m: less is promised"]
    );
}

#[test]
fn modes_with_other_steps_are_compared_each() {
    let found = between(
        "steps:\n  a: {phase: data, exec: [a]}\n  b: {phase: validate, only: drill, exec: [b]}\n",
        "steps:\n  a: {phase: data, exec: [a]}\n  b: {phase: validate, needs: [], only: drill, exec: [b]}\n",
    );
    assert_eq!(found.orders.len(), 2);
    assert!(found.orders[0].is_same() && found.orders[1].lost == [pair("a", "b")], "{found:#?}");
}

/// What others write does not become a part of the page.
#[test]
fn no_text_breaks_the_table() {
    let old = "steps:\n  a: {phase: data, title: one, exec: [a]}\n";
    let new = "steps:\n  a: {phase: data, title: \"x | `y` \\n| z\\e[31m\", exec: [a]}\n";
    let page = markdown(&between(old, new));
    let row = page.lines().find(|line| line.starts_with("| `a`")).unwrap();
    assert!(row.contains("x \\| 'y'") && row.matches(" | ").count() == 1 && !page.contains('\u{1b}'), "{page}");
}

#[test]
fn pages() {
    let old = "steps:\n  restore: {phase: data, exec: [a], estimate: 5m}\n  look: {phase: validate, verify: [{name: it answers, exec: [look]}]}\n  shift: {phase: shift-traffic, exec: [c], approval: {}, restores: true, estimate: 1m}\n";
    let new = old.replace("approval: {}, ", "needs: [restore], ").replace("estimate: 5m", "estimate: 7m");
    let found = between(old, &new);
    insta::assert_snapshot!("text", text(&found));
    insta::assert_snapshot!("markdown", markdown(&found));
}
