//! Edges, times and ranks.

use std::fmt::Write as _;

use super::*;
use crate::duration::Duration;

#[test]
fn without_needs_a_step_waits_for_the_nearest_earlier_phase_with_steps() {
    let plan = plan(
        Mode::Incident,
        "steps:
  net: {phase: provision, exec: [a]}
  dns: {phase: provision, exec: [a]}
  db: {phase: data, exec: [a]}
  free: {phase: data, needs: [], exec: [a]}
  app: {phase: workloads, needs: [db], after: [free], exec: [a]}
",
    );
    assert_eq!(
        edges(&plan),
        ["net", "dns", "phase:provision < net dns", "db < phase:provision", "free", "app < db ~ free"]
    );
    assert_eq!(plan.nodes[0].dependents, [2]);
}

#[test]
fn order_goes_on_through_a_step_of_the_other_mode() {
    let body = "steps:
  a: {phase: data, exec: [a]}
  b: {phase: data, needs: [a], only: drill, exec: [a]}
  c: {phase: data, needs: [b], only: drill, exec: [a]}
  d: {phase: data, needs: [c], exec: [a]}
  e: {phase: data, needs: [], after: [c], exec: [a]}
";
    assert_eq!(edges(&plan(Mode::Incident, body)), ["a", "d < a", "e ~ a"]);
    assert_eq!(edges(&plan(Mode::Drill, body)), ["a", "b < a", "c < b", "d < c", "e ~ c"]);
}

#[test]
fn a_phase_without_steps_in_this_mode_is_no_phase() {
    let body = "steps:
  a: {phase: provision, exec: [a]}
  b: {phase: data, only: drill, exec: [a]}
  c: {phase: workloads, exec: [a]}
";
    assert_eq!(edges(&plan(Mode::Incident, body)), ["a", "phase:provision < a", "c < phase:provision"]);
}

#[test]
fn many_edges_through_a_step_of_the_other_mode_meet_at_a_barrier() {
    let mut body = String::from("steps:\n");
    let names: Vec<String> = (0..40).map(|n| format!("a{n}")).collect();
    for name in &names {
        let _ = writeln!(body, "  {name}: {{phase: data, exec: [a]}}");
    }
    let _ = writeln!(body, "  gone: {{phase: data, only: drill, needs: [{}], exec: [a]}}", names.join(", "));
    for n in 0..40 {
        let _ = writeln!(body, "  b{n}: {{phase: data, needs: [gone], after: [gone], exec: [a]}}");
    }
    let plan = plan(Mode::Incident, &body);
    let count: usize = plan.nodes.iter().map(|node| node.needs.len() + node.after.len()).sum();
    assert!(count < 200, "{count} edges");
    assert!(
        edges(&plan).contains(&String::from("b7 < gone")) || edges(&plan).iter().any(|e| e.starts_with("b7 < gone ~"))
    );
}

#[test]
fn instances_are_needed_together() {
    let body = "inputs: {spaces: {type: list, default: [pay, auth]}}
steps:
  first: {phase: provision, exec: [a]}
  restore: {phase: data, forEach: {in: inputs.spaces, as: ns, parallel: 1}, exec: [a, \"{{each.ns}}\"]}
  check: {phase: data, needs: [restore], exec: [a]}
  log: {phase: data, needs: [], after: [restore], exec: [a]}
";
    let plan = plan(Mode::Incident, body);
    assert_eq!(
        edges(&plan),
        [
            "first",
            "phase:provision < first",
            "restore[pay] < phase:provision",
            "restore[auth] < phase:provision",
            "restore < restore[pay] restore[auth]",
            "check < restore",
            "restore:ended ~ restore[pay] restore[auth]",
            "log ~ restore:ended",
        ]
    );
    let step = plan.nodes[3].step().unwrap();
    assert_eq!(step.each, Some((String::from("ns"), json!("auth"))));
    assert_eq!(step.group, Some((0, 1)));
}

#[test]
fn one_instance_needs_no_barrier() {
    let body = "steps:
  restore: {phase: data, forEach: {in: \"['x']\", as: ns}, exec: [a]}
  check: {phase: data, needs: [restore], exec: [a]}
";
    assert_eq!(edges(&plan(Mode::Incident, body)), ["restore[x]", "check < restore[x]"]);
}

#[test]
fn elements_are_part_of_an_id() {
    for (list, message) in [
        ("[]", "expected a list with elements, found an empty one"),
        ("['a', 'a']", "expected every element once, found `a` again at 1"),
        ("['a]']", "expected elements that can be part of a step's id, found \"a]\" at 0"),
        ("[true]", "expected strings or numbers in the list, found `true` at 0"),
        ("inputs.no", ""),
    ] {
        let body = format!(
            "inputs: {{no: {{type: string, default: x}}}}\nsteps:\n  r: {{phase: data, forEach: {{in: \"{list}\", as: e}}, exec: [a]}}\n"
        );
        let problems = try_plan(Mode::Drill, &[], &[("root.yaml", &body)]).unwrap_err();
        assert_eq!(problems[0].code, "bad-for-each");
        assert!(problems[0].message.contains(message), "{:?}", messages(&problems));
    }
}

#[test]
fn cleanup_runs_in_file_order() {
    let plan = plan(
        Mode::Drill,
        "steps:
  a: {phase: data, exec: [a]}
cleanup:
  z: {exec: [a]}
  y: {exec: [a], only: incident}
  x: {exec: [a]}
",
    );
    assert_eq!(edges(&plan), ["a", "cleanup/z", "cleanup/x ~ cleanup/z"]);
    assert!(plan.nodes[1].step().unwrap().cleanup);
}

#[test]
fn times_and_ranks() {
    let plan = plan(
        Mode::Incident,
        "defaults: {timeout: 3m}
steps:
  short: {phase: data, exec: [a], estimate: 1m}
  long: {phase: data, exec: [a], estimate: 5m}
  soak: {phase: data, needs: [short], pause: 30m}
  hands: {phase: data, manual: {instructions: do it}}
  early: {phase: provision, exec: [a], timeout: 7m}
",
    );
    let node = |id: &str| plan.nodes.iter().find(|node| node.id == id).unwrap();
    let minutes = |id: &str| node(id).step().unwrap().timeout.as_millis() / 60_000;
    assert_eq!(["short", "soak", "hands", "early"].map(minutes), [3, 31, 24 * 60, 7]);
    assert_eq!(node("short").tail, Duration::from_secs(31 * 60));
    let mut ranked: Vec<_> = plan.nodes.iter().collect();
    ranked.sort_by_key(|node| node.rank);
    let ids: Vec<_> = ranked.iter().filter(|node| node.step().is_some()).map(|node| node.id.as_str()).collect();
    assert_eq!(ids, ["early", "short", "soak", "long", "hands"]);
}

#[test]
fn ranks_follow_the_file_and_not_the_search() {
    let plan = plan(
        Mode::Incident,
        "steps:
  last: {phase: data, needs: [b], exec: [a]}
  c: {phase: data, exec: [a]}
  b: {phase: data, exec: [a]}
",
    );
    let mut ids: Vec<_> = plan.nodes.iter().map(|node| (node.rank, node.id.as_str())).collect();
    ids.sort_unstable();
    assert_eq!(ids.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), ["last", "c", "b"]);
}

#[test]
fn a_cycle_is_told_whole() {
    let problems = try_plan(
        Mode::Incident,
        &[],
        &[(
            "root.yaml",
            "steps:
  a: {phase: data, needs: [c], exec: [a]}
  b: {phase: data, needs: [a], exec: [a]}
  c: {phase: data, needs: [b], exec: [a]}
",
        )],
    )
    .unwrap_err();
    assert_eq!(messages(&problems), ["dependency-cycle expected an order, found a cycle: a → c → b → a"]);
    assert_eq!(problems[0].related.len(), 2);
    assert_eq!(problems[0].source.slice(problems[0].span), "c");
}

#[test]
fn a_cycle_through_a_phase_is_told_as_the_inversion_that_it_is() {
    let problems = try_plan(
        Mode::Incident,
        &[],
        &[(
            "root.yaml",
            "steps:
  a: {phase: provision, needs: [b], exec: [a]}
  b: {phase: data, exec: [a]}
  c: {phase: workloads, needs: [nowhere], exec: [a]}
",
        )],
    )
    .unwrap_err();
    let codes: Vec<_> = problems.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["phase-inversion", "unknown-step"]);
}

#[test]
fn a_cycle_through_a_phase_by_after_is_a_cycle() {
    let problems = try_plan(
        Mode::Incident,
        &[],
        &[(
            "root.yaml",
            "steps:
  a: {phase: provision, after: [b], exec: [a]}
  b: {phase: data, exec: [a]}
",
        )],
    )
    .unwrap_err();
    assert_eq!(messages(&problems), ["dependency-cycle expected an order, found a cycle: a → b → phase provision → a"]);
}

#[test]
fn a_hundred_thousand_steps() {
    let mut body = String::from("steps:\n");
    for n in 0..100_000_usize {
        let phase = ["provision", "data", "workloads"][n / 33_334];
        let needs = if n % 33_334 == 0 { String::new() } else { format!("needs: [s{}], ", n - 1) };
        let _ = writeln!(body, "  s{n}: {{phase: {phase}, {needs}exec: [a], estimate: 1s}}");
    }
    let source = Source::new("big.yaml", body.as_str());
    let mut runbook = (*load("small.yaml", "steps: {}\n").runbook).clone();
    // Straight into the model: that many lines are more than one file may hold.
    for (n, line) in body.lines().skip(1).enumerate() {
        let step = crate::model::Step {
            phase: Some(crate::source::Spanned::new(
                if line.contains("provision") {
                    crate::model::Phase::Provision
                } else if line.contains("data") {
                    crate::model::Phase::Data
                } else {
                    crate::model::Phase::Workloads
                },
                crate::source::Span::default(),
            )),
            needs: line
                .contains("needs")
                .then(|| vec![crate::source::Spanned::new(format!("s{}", n - 1), crate::source::Span::default())]),
            estimate: Some(Duration::from_secs(1)),
            ..crate::model::Step::default()
        };
        runbook.steps.insert(format!("s{n}"), crate::source::Spanned::new(step, crate::source::Span::default()));
    }
    let plan = build(Request {
        runbook: Arc::new(runbook),
        source,
        mode: Mode::Incident,
        inputs: IndexMap::new(),
        resolve: &|_, _| Err(Unreadable::Missing(String::new())),
    })
    .unwrap();
    assert_eq!(plan.nodes.len(), 100_002);
    assert_eq!(plan.nodes[0].tail, Duration::from_secs(100_000));
    assert_eq!(super::super::forecast::Forecast::of(&plan).waves.len(), 100_000);
}
