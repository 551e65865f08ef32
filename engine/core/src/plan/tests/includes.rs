//! Included runbooks.

use super::*;

const DB: &str = "inputs:
  host: {type: string}
  port: {type: integer, default: 5432}
  password: {type: secret, from: {env: X}}
steps:
  stop: {phase: data, exec: [a, \"{{inputs.host}}\"]}
  promote: {phase: data, needs: [stop], exec: [a]}
  log: {phase: data, needs: [], after: [stop], exec: [a]}
  check: {phase: validate, exec: [a]}
cleanup:
  drop: {exec: [a]}
";

#[test]
fn an_included_runbook_is_one_node_to_what_is_around_it() {
    let root = "inputs:
  name: {type: string}
  secret: {type: secret, from: {env: Y}}
steps:
  net: {phase: provision, exec: [a]}
  db: {phase: data, runbook: {path: db/db.yaml, inputs: {host: \"{{inputs.name}}.example\", password: \"{{ inputs.secret }}\"}}}
  app: {phase: workloads, exec: [a]}
  late: {phase: workloads, needs: [], after: [db], exec: [a]}
cleanup:
  own: {exec: [a]}
";
    let given = [("name", text("pg")), ("secret", Binding::Secret(String::from("secret")))];
    let plan = try_plan(Mode::Drill, &given, &[("root.yaml", root), ("db/db.yaml", DB)])
        .unwrap_or_else(|problems| panic!("{:?}", messages(&problems)));
    assert_eq!(
        edges(&plan),
        [
            "net",
            "phase:provision < net",
            "db/stop < phase:provision",
            "db/promote < db/stop",
            // It needs nothing inside, so it needs what the include needs: it must not run when that failed.
            "db/log < phase:provision ~ db/stop",
            "db/phase:data < db/stop db/promote db/log",
            "db/check < db/phase:data",
            "db < db/stop db/promote db/log db/check",
            "phase:data < db",
            "app < phase:data",
            "db:ended ~ db/stop db/promote db/log db/check",
            "late ~ db:ended",
            "cleanup/own",
            "cleanup/db/drop ~ cleanup/own",
        ]
    );
    let scope = &plan.scopes[1];
    assert_eq!((scope.prefix.as_str(), scope.directory.as_str()), ("db/", "db"));
    assert_eq!(scope.inputs["host"], text("pg.example"));
    assert_eq!(scope.inputs["port"], Binding::Value(json!(5432)));
    assert_eq!(scope.inputs["password"], Binding::Secret(String::from("secret")));
}

#[test]
fn instances_of_an_include() {
    let root = "inputs: {secret: {type: secret, from: {env: Y}}}
steps:
  db:
    phase: data
    forEach: {in: \"['a', 'b']\", as: host}
    runbook: {path: db.yaml, inputs: {host: \"{{each.host}}\", password: \"{{inputs.secret}}\"}}
";
    let given = [("secret", Binding::Secret(String::from("secret")))];
    let plan = try_plan(Mode::Incident, &given, &[("root.yaml", root), ("db.yaml", DB)])
        .unwrap_or_else(|problems| panic!("{:?}", messages(&problems)));
    let edges = edges(&plan);
    assert!(edges.contains(&String::from("db < db[a] db[b]")), "{edges:?}");
    assert!(edges.contains(&String::from("db[b]/promote < db[b]/stop")), "{edges:?}");
    assert_eq!(plan.scopes[2].inputs["host"], text("b"));
}

#[test]
fn inputs_of_an_include_are_checked() {
    let root = "steps:
  db: {phase: data, runbook: {path: db.yaml, inputs: {hots: x, port: many, password: open}}}
";
    let problems = try_plan(Mode::Incident, &[], &[("root.yaml", root), ("db.yaml", DB)]).unwrap_err();
    assert_eq!(messages(&problems), ["bad-input input `port`: expected an integer, found `many`"]);
    let problems =
        try_plan(Mode::Incident, &[], &[("root.yaml", &root.replace("many", "'1'")), ("db.yaml", DB)]).unwrap_err();
    assert_eq!(
        messages(&problems),
        [
            "bad-input expected a secret for the secret input `password`, found a value that everybody can read",
            "missing-input expected a value for the input `host`, found none",
            "unknown-input expected an input that the runbook declares, found `hots`",
        ]
    );
    assert_eq!(problems[2].help.as_deref(), Some("did you mean `host`?"));
}

#[test]
fn what_would_be_ignored_is_refused() {
    let root = "steps:
  x: {phase: data, when: 'true', estimate: 5m, runbook: {path: leaf.yaml}, approval: {}}
";
    let problems =
        try_plan(Mode::Incident, &[], &[("root.yaml", root), ("leaf.yaml", "steps: {a: {phase: data, exec: [a]}}\n")])
            .unwrap_err();
    assert_eq!(problems.len(), 3);
    assert!(problems.iter().all(|found| found.code == "not-on-include"));
}

#[test]
fn runbooks_that_include_themselves() {
    let a = "steps: {b: {phase: data, runbook: {path: b.yaml}}}\n";
    let b = "steps: {a: {phase: data, runbook: {path: root.yaml}}}\n";
    let problems = try_plan(Mode::Incident, &[], &[("root.yaml", a), ("b.yaml", b)]).unwrap_err();
    assert_eq!(
        messages(&problems),
        [
            "include-cycle expected runbooks that do not include themselves, found a cycle: root.yaml → b.yaml → root.yaml"
        ]
    );
    let problems = try_plan(Mode::Incident, &[], &[("root.yaml", a)]).unwrap_err();
    assert_eq!(problems[0].code, "include-missing");
}

#[test]
fn includes_are_not_endlessly_deep() {
    let files: Vec<(String, String)> = (0..20)
        .map(|n| (format!("f{n}.yaml"), format!("steps: {{x: {{phase: data, runbook: {{path: f{}.yaml}}}}}}\n", n + 1)))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, body)| (name.as_str(), body.as_str())).collect();
    let problems = try_plan(Mode::Incident, &[], &files).unwrap_err();
    assert_eq!(messages(&problems).len(), 1);
    assert_eq!(problems[0].code, "include-depth");
}

#[test]
fn a_runbook_without_steps_in_this_mode_keeps_the_order_around_it() {
    let root = "steps:
  a: {phase: provision, exec: [a]}
  b: {phase: data, runbook: {path: leaf.yaml}}
  c: {phase: workloads, exec: [a]}
";
    let leaf = "steps: {a: {phase: data, only: drill, exec: [a]}}\n";
    let plan = try_plan(Mode::Incident, &[], &[("root.yaml", root), ("leaf.yaml", leaf)]).unwrap();
    assert_eq!(edges(&plan), ["a", "phase:provision < a", "b < phase:provision", "phase:data < b", "c < phase:data"]);
}
