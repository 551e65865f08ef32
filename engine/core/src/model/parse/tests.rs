use std::{fmt::Write as _, time::Instant};

use super::*;

mod mistakes;
mod robust;

pub(super) const HEAD: &str = "\
apiVersion: lifeboat.dev/v1
kind: Runbook
metadata: {name: orders, owner: team-platform}
recovery:
  capability: Orders
  scope: region
  disaster: region-failure
  objectives: {rpo: 15m, rto: 60m, mtd: 4h}
  level: L5
  drillEvery: 30d
";

/// A runbook with a little of everything.
pub(super) const FULL: &str = r#"# yaml-language-server: $schema=../schemas/runbook.json
apiVersion: lifeboat.dev/v1
kind: Runbook
metadata:
  name: orders
  title: Fail over "orders"
  owner: team-platform
  labels: {tier: 1.10, on: no}
  links: [{title: Architecture, url: https://git.example.org}]
recovery:
  capability: Orders
  scope: region
  disaster: region-failure
  objectives: {rpo: 15m, rto: 60m, mtd: 4h}
  level: L5
inputs:
  backup: {type: string, default: 1.10, pattern: "^[a-z0-9.-]+$", enum: [1.10, latest]}
  replicas: {type: integer, default: 0x10}
  ratio: {type: number, default: 1}
  spaces: {type: list, default: [a, 2]}
  wait: {type: duration, default: 15m}
  dry: {type: boolean, default: true}
  password: {type: secret, from: {env: PASSWORD}}
requires:
  tools: {terraform: ">=1.9", aws: "*"}
  env: [AWS_PROFILE]
  checks: [{name: store, tcp: {address: "backups.example.org:443"}}]
files: [shift.sh, "infra/**"]
roles:
  commander: [alice@example.org]
defaults: {timeout: 10m, retry: {attempts: 1}}
steps:
  count:
    phase: data
    exec: [printf, "%s\n", y, no, on, 1.10, 0x10]
    effect: reads
    outputs:
      n: {regex: '^(\d+)'}
      all: {lines: true}
  shift:
    phase: shift-traffic
    needs: [count]
    when: inputs.ratio > 0.5
    forEach: {in: inputs.spaces, as: space, parallel: 2}
    approval: {by: commander, count: 2, unattended: drill-only, expires: 30m}
    shell: |
      ./shift.sh "$ZONE"
    env: {ZONE: "{{inputs.backup}}"}
    retry: {attempts: 3, delay: 5s, factor: 1.5, on: [failure]}
    undo:
      http: {url: "https://x/{{inputs.backup}}", method: POST, body: "{{inputs.password}}"}
      verify:
        - expr: "1 == 1"
    verify:
      - dns: {name: "{{inputs.backup}}.example.org", type: A, resolvers: [1.1.1.1]}
        expect: "size(answers) > 0"
        within: 5m
        mustFailFirst: true
    restores: true
cleanup:
  tidy: {exec: [rm, -rf, ./tmp]}
"#;

pub(super) fn read(text: &str) -> Parsed {
    let parsed = parse(Source::new("t.yaml", text));
    for diagnostic in &parsed.diagnostics {
        let spans = diagnostic.related.iter().map(|related| related.span).chain([diagnostic.span]);
        for Span { start, end } in spans {
            assert!(start <= end && end <= text.len(), "{diagnostic:?}");
            assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{diagnostic:?}");
        }
        assert!(!diagnostic.message.ends_with('.') && !diagnostic.message.contains('\n'), "{diagnostic:?}");
        assert!(diagnostic.help.is_some(), "{diagnostic:?}");
        assert!(crate::diagnostic::codes::is_known(diagnostic.code), "{} is not explained", diagnostic.code);
    }
    parsed
}

/// Code, line and what stands at the place, of every diagnostic.
pub(super) fn told(parsed: &Parsed) -> Vec<(&'static str, usize, &str)> {
    let place = |diagnostic: &Diagnostic| parsed.source.position(diagnostic.span.start).line;
    parsed.diagnostics.iter().map(|d| (d.code, place(d), parsed.source.slice(d.span))).collect()
}

/// The same for steps below a good head; lines are counted from the first step's.
pub(super) fn steps(text: &str) -> Parsed {
    read(&format!("{HEAD}steps:\n{text}"))
}

#[test]
fn reads_a_runbook() {
    let parsed = read(FULL);
    assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
    assert!(!parsed.has_errors() && parsed.damaged.is_empty());
    let runbook = parsed.runbook.as_ref().expect("a runbook");
    assert_eq!(runbook.metadata.labels.get("on").map(String::as_str), Some("no"));
    let words: Vec<_> =
        runbook.steps["count"].exec.iter().flat_map(|exec| &exec.0).map(crate::model::Template::as_str).collect();
    assert_eq!(words, ["printf", "%s\n", "y", "no", "on", "1.10", "0x10"]);
    let defaults: Vec<_> = runbook.inputs.values().map(|input| input.default.as_deref().cloned()).collect();
    let wanted = serde_json::json!(["1.10", 16, 1, ["a", "2"], "15m", true]);
    assert_eq!(serde_json::json!(&defaults[..6]), wanted);
    assert_eq!(serde_json::json!(runbook.inputs["backup"].allowed), serde_json::json!(["1.10", "latest"]));
    assert_eq!(parsed.source.slice(runbook.steps["shift"].needs.as_ref().expect("needs")[0].span()), "count");
}

#[test]
fn notes_every_template_and_expression_with_its_place() {
    let parsed = read(FULL);
    let found: Vec<_> = parsed.found.iter().map(|found| (found.kind, found.route.to_string())).collect();
    for wanted in [
        (TextKind::Template, "requires.checks[0].tcp.address"),
        (TextKind::Template, "steps.count.exec[5]"),
        (TextKind::Condition, "steps.shift.when"),
        (TextKind::PlanTime, "steps.shift.forEach.in"),
        (TextKind::SecretTemplate, "steps.shift.env.ZONE"),
        (TextKind::Template, "steps.shift.undo.http.url"),
        (TextKind::SecretTemplate, "steps.shift.undo.http.body"),
        (TextKind::Expectation, "steps.shift.undo.verify[0].expr"),
        (TextKind::Template, "steps.shift.verify[0].dns.resolvers[0]"),
        (TextKind::Expectation, "steps.shift.verify[0].expect"),
        (TextKind::Template, "cleanup.tidy.exec[2]"),
    ] {
        assert_eq!(found.iter().filter(|found| (found.0, found.1.as_str()) == wanted).count(), 1, "{wanted:?}");
    }
    for found in &parsed.found {
        assert_eq!(parsed.span(&found.route), Some(found.span), "{}", found.route);
        let all = locate(&parsed.source, found.span, &found.text, 0..found.text.len());
        assert!(all.start.abs_diff(found.span.start) < 2, "{}", found.route);
    }
    let zone = Route::new().key("steps").key("shift").key("env").key("ZONE");
    assert_eq!(parsed.key_span(&zone).map(|span| parsed.source.slice(span)), Some("ZONE"));
    assert_eq!(parsed.key_span(&Route::new()), None);
}

#[test]
fn a_key_may_be_a_template() {
    let text =
        "  a: {phase: data, velero-restore: {cluster: c, namespaceMapping: {'{{inputs.from}}': '{{run.id}}'}}}\n";
    let parsed = steps(text);
    let found: Vec<_> =
        parsed.found.iter().map(|it| (it.kind, it.text.as_str(), parsed.source.slice(it.span))).collect();
    assert_eq!(
        found,
        [
            (TextKind::Template, "{{inputs.from}}", "'{{inputs.from}}'"),
            (TextKind::Template, "{{run.id}}", "'{{run.id}}'"),
        ]
    );
}

#[test]
fn spans_reach_into_an_undo() {
    let parsed = read(FULL);
    let runbook = parsed.runbook.as_ref().expect("a runbook");
    let undo = runbook.steps["shift"].undo.as_ref().expect("an undo");
    let crate::model::Undo::Action(action) = &**undo else { panic!("an action") };
    let http = action.http.as_ref().expect("http");
    assert!(parsed.source.slice(http.span()).starts_with("{url:"));
    assert_eq!(parsed.source.slice(http.method.as_ref().expect("a method").span()), "POST");
}

#[test]
fn knows_the_keys_of_the_schema() {
    let schema = schemars::schema_for!(Runbook);
    let keys: Vec<_> = schema.as_value()["properties"].as_object().expect("properties").keys().cloned().collect();
    let mut known = KEYS.to_vec();
    known.sort_unstable();
    let mut keys: Vec<_> = keys.iter().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, known);
}

#[test]
fn ten_thousand_steps_are_read_at_once() {
    let mut text = HEAD.to_owned() + "steps:\n";
    for number in 0..10_000 {
        writeln!(text, "  s{number}: {{phase: data, exec: [a], timout: 1m}}").expect("a string takes everything");
    }
    let start = Instant::now();
    let parsed = parse(Source::new("t.yaml", text.replace(", timout: 1m", "")));
    assert!(parsed.diagnostics.is_empty());
    println!("without mistakes: {:?}", start.elapsed());
    let start = Instant::now();
    let parsed = parse(Source::new("t.yaml", text));
    let time = start.elapsed();
    println!("with 10,000 mistakes: {time:?}");
    assert_eq!((parsed.diagnostics.len(), parsed.runbook.map(|runbook| runbook.steps.len())), (10_000, Some(10_000)));
    // Linear takes a second in a debug build on a slow machine; quadratic takes minutes.
    assert!(time.as_secs() < 20, "{time:?}");
}
