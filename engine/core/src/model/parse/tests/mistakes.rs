//! Every mistake is told, once, at its place.

use super::*;

#[test]
fn ten_mistakes_are_told_in_one_go() {
    let text = r#"apiVersion: lifeboat.dev/v2
kind: Runbook
metadata:
  name: Orders!
recovery:
  capability: Orders
  scope: planet
  disaster: region-failure
  objectives: {rpo: 15, rto: 60m}
  level: L5
steps:
  a:
    phase: data
    timout: 5m
    exec: [one]
    shell: two
  b:
    exec: [x]
    idempotent: yes
    title:
  c:
    phase: data
    retry: {attempts: "3", factor: 1000}
    verify:
      - http: {url: "http://x", metod: GET}
      - expect: "true"
  a:
    phase: data
  d:
    phase: data
    velero-restore: {backup: latest}
  e: [1]
"#;
    let parsed = read(text);
    assert_eq!(
        told(&parsed),
        [
            ("unknown-value", 1, "lifeboat.dev/v2"),
            ("missing-key", 3, "metadata"),
            ("bad-name", 4, "Orders!"),
            ("unknown-value", 7, "planet"),
            ("wrong-type", 9, "15"),
            ("unknown-key", 14, "timout"),
            ("two-actions", 16, "shell"),
            ("missing-key", 17, "b"),
            ("wrong-type", 19, "yes"),
            ("missing-value", 20, "title"),
            ("wrong-type", 23, "\"3\""),
            ("invalid-value", 23, "1000"),
            ("unknown-key", 25, "metod"),
            ("empty-check", 26, "expect: \"true\""),
            ("duplicate-key", 27, "a"),
            ("missing-key", 31, "velero-restore"),
            ("wrong-type", 32, "[1]"),
        ]
    );
    let runbook = parsed.runbook.expect("a model of the rest");
    assert_eq!(runbook.steps.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
    assert_eq!(runbook.metadata.name.as_str(), "Orders!");
    let step = |id: &str| Route::new().key("steps").key(id);
    assert!(parsed.damaged.covers(&step("e")) && parsed.damaged.touches(&step("a")));
    assert!(!parsed.damaged.touches(&step("a").key("exec")));
    assert!(parsed.found.iter().any(|found| found.route.to_string() == "steps.c.verify[0].http.url"));
}

fn only(parsed: &Parsed) -> (&'static str, &str, String, &str) {
    assert_eq!(parsed.diagnostics.len(), 1, "{:#?}", parsed.diagnostics);
    let diagnostic = &parsed.diagnostics[0];
    let help = diagnostic.help.as_deref().unwrap_or_default();
    (diagnostic.code, diagnostic.message.as_str(), parsed.source.slice(diagnostic.span).to_owned(), help)
}

/// One mistake in one step.
fn step(text: &str, code: &str, place: &str, message: &str, help: &str) {
    let parsed = steps(&format!("  a: {{phase: data, {text}}}\n"));
    let found = only(&parsed);
    assert_eq!((found.0, found.2.as_str()), (code, place), "{text}: {found:?}");
    assert!(found.1.contains(message) && found.3.contains(help), "{text}: {found:?}");
}

#[test]
fn says_what_to_do() {
    step("exec: [a], timeout: 15", "wrong-type", "15", "a time such as `15m`, found the number `15`", "`15m`");
    step("exec: [a], timeout: 1.5", "wrong-type", "1.5", "found the number `1.5`", "1h30m");
    step("exec: [a], timeout: soon", "invalid-value", "soon", "expected a time", "units");
    step("exec: [a], idempotent: \"true\"", "wrong-type", "\"true\"", "`true` or `false`", "remove the quotes");
    step("exec: [a], idempotent: on", "wrong-type", "on", "found the text `on`", "write `true`");
    step("exec: [a], idempotent: off", "wrong-type", "off", "", "write `false`");
    step("exec: a", "wrong-type", "a", "expected a list, found the text `a`", "write `[a]`");
    step("exec: [a, null]", "wrong-type", "null", "expected a text, found `null`", "`\"null\"`");
    step("exec: [a, [b]]", "wrong-type", "[b]", "expected a text, found a list", "");
    step("exec: [a], needs: {b: c}", "wrong-type", "{b: c}", "expected a list, found a mapping", "");
    step("exec: [a], title: ~", "missing-value", "title", "`title:` has no value", "remove it");
    step("exec: []", "invalid-value", "[]", "an empty list", "program");
    step("shell: ''", "invalid-value", "shell", "an empty text", "command");
    step("exec: [a], effect: read", "unknown-value", "read", "`reads`, `mutates`, found `read`", "write `reads`");
    step("exec: [a], retry: {attempts: 0}", "invalid-value", "0", "from 1 to 1000, found 0", "");
    step("exec: [a], retry: {attempts: -1}", "wrong-type", "-1", "whole number from 0 to 4294967295", "");
    step("exec: [a], retry: {attempts: 2, factor: .nan}", "invalid-value", ".nan", "from 1 to 100, found NaN", "");
    step("exec: [a], retry: {}", "missing-key", "retry", "the key `attempts` in `steps.a.retry`", "add `attempts:`");
    step("exec: [a], approval: {count: 17}", "invalid-value", "17", "from 1 to 16", "");
    step("exec: [a], forEach: {in: x, as: a-b}", "bad-name", "a-b", "a name for the element", "letters");
    step("exec: [a], forEach: {in: x, as: b, parallel: 0}", "invalid-value", "0", "at least 1", "");
    step("exec: [a], env: {1A: x}", "bad-name", "1A", "environment variable", "digit");
    step("exec: [a], on_failure: pause", "unknown-key", "on_failure", "a key of `steps.a`", "write `onFailure`");
    step("exec: [a], colour: red", "unknown-key", "colour", "found `colour`", "the keys here are `phase`");
    step("exec: [a], titl: x, title: y", "unknown-key", "titl", "", "`title` is here already");
    step("title: nothing", "empty-step", "a", "an action or `verify`", "exec, shell");
    step("verify: []", "empty-step", "a", "", "");
    step("exce: [a]", "unknown-key", "exce", "", "write `exec`");
    step("exec: [a], http: {url: x}", "two-actions", "http", "found `http` besides `exec`", "step of its own");
    step(
        "exec: [a], undo: manual",
        "invalid-value",
        "manual",
        "`auto` or a mapping with an action, found the text `manual`",
        "",
    );
    step("exec: [a], undo: {exec: [b], shell: c}", "two-actions", "shell", "one action in an undo", "keep one");
    step("exec: [a], undo: {timeout: 1m}", "empty-undo", "undo", "found none", "exec");
    step("exec: [a], undo: {exec: [b], needs: [c]}", "unknown-key", "needs", "a key of `steps.a.undo`", "");
    step(
        "exec: [a], undo: {exec: [b], retry: {atempts: 3, attempts: 3}}",
        "unknown-key",
        "atempts",
        "`steps.a.undo.retry`",
        "already",
    );
    step("verify: [{exec: [a], shell: b}]", "two-checks", "shell", "one kind of check", "keep one");
    step("verify: [{http: {url: x, verb: GET}}]", "unknown-key", "verb", "`steps.a.verify[0].http`", "");
    step("verify: [{http: {}}]", "missing-key", "http", "the key `url` in `steps.a.verify[0].http`", "");
    step("verify: [{exec: []}]", "invalid-value", "[]", "", "");
    step("exec: [a], outputs: {x: {}}", "empty-output", "x", "a source in `steps.a.outputs.x`", "json");
    step("exec: [a], outputs: {x: {text: true, lines: true}}", "two-sources", "lines", "", "keep one");
    step("exec: [a], outputs: {x: {lines: false}}", "invalid-value", "false", "expected `true`", "remove `lines`");
    step(
        "exec: [a], outputs: {x: {regex: '('}}",
        "invalid-value",
        "'('",
        "found a mistake in it: unclosed group",
        "docs.rs",
    );
    step("exec: [a], outputs: {x-y: {text: true}}", "bad-name", "x-y", "the name of an output", "");
}

#[test]
fn names_what_is_not_in_this_version_yet() {
    let help = "`exec` or `shell`";
    step("dns-update: {x: 1}", "not-yet", "dns-update", "is not in this version of Lifeboat yet", help);
    step("exec: [a], undo: {dns-update: {x: 1}}", "not-yet", "dns-update", "", help);
    step("exec: [a], cluster: b", "not-yet", "cluster", "", "name the cluster in the action");
    step("exec: [a], runsOn: b", "not-yet", "runsOn", "", "");
    for check in ["postgres", "prometheus"] {
        step(&format!("verify: [{{{check}: {{x: 1}}, expect: y}}]"), "not-yet", check, "", "`expect`");
    }
}

#[test]
fn actions_on_clusters_say_what_they_act_on() {
    let c = "cluster: dr, kind: Pod";
    step(
        &format!("delete: {{{c}}}"),
        "missing-key",
        "delete",
        "expected `name` or `selector` in `steps.a.delete`, found neither",
        "add one of name, selector",
    );
    step(&format!("delete: {{{c}, name: x, selector: y}}"), "two-ways", "selector", "besides `name`", "keep one");
    step(&format!("delete: {{{c}, nmae: x}}"), "unknown-key", "nmae", "", "write `name`");
    step(
        &format!("patch: {{{c}, name: x}}"),
        "missing-key",
        "patch",
        "expected `merge` or `strategic` or `json` in `steps.a.patch`, found none",
        "",
    );
    step(&format!("patch: {{{c}, name: x, json: '[]', merge: '{{}}'}}"), "two-ways", "merge", "one kind of patch", "");
    step("apply: {cluster: dr}", "missing-key", "apply", "expected `files` or `manifest` in `steps.a.apply`", "");
    step("apply: {cluster: dr, files: []}", "invalid-value", "[]", "found an empty list", "remove");
    step("exec: [b], undo: {apply: {cluster: dr}}", "missing-key", "apply", "`steps.a.undo.apply`", "");
    step(&format!("exec: [b], undo: {{scale: {{{c}, replicas: 1}}}}"), "missing-key", "scale", "", "add `name:`");
    step("exec: [b], undo: {pause: 1m}", "unknown-key", "pause", "a key of `steps.a.undo`", "");
    step(
        &format!("exec: [b], scale: {{{c}, name: x, replicas: 1}}"),
        "two-actions",
        "scale",
        "found `scale` besides `exec`",
        "",
    );
    let kube = |what: &str| format!("verify: [{{kube: {{{c}, {what}}}}}]");
    step(&kube("ready: all, count: 3"), "two-ways", "count", "found `count` besides `ready`", "keep one");
    step(&kube("absent: true, condition: Ready"), "two-ways", "condition", "", "");
    step(&kube("redy: all"), "unknown-key", "redy", "", "write `ready`");
    for good in ["ready: any, absent: false", "allowZero: true", "condition: Ready"] {
        let parsed = steps(&format!("  a: {{phase: data, {}}}\n", kube(good)));
        assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
    }
}

#[test]
fn a_cluster_is_reached_in_one_way() {
    let good = "steps: {a: {phase: data, exec: [b]}}\n";
    let told = |cluster: &str| -> Vec<(&'static str, String)> {
        let parsed = read(&format!("{HEAD}{good}clusters:\n  dr: {cluster}\n"));
        told(&parsed).into_iter().map(|told| (told.0, told.2.to_owned())).collect()
    };
    let one = |code: &'static str, place: &str| vec![(code, place.to_owned())];
    assert_eq!(told("{context: dr, kubeconfig: ./dr.yaml}"), []);
    assert_eq!(told("{inCluster: true}"), []);
    assert_eq!(told("{inCluster: false, context: dr}"), []);
    assert_eq!(told("{inCluster: true, context: dr}"), one("two-ways", "context"));
    assert_eq!(told("{kubeconfig: x, inCluster: True}"), one("two-ways", "kubeconfig"));
    assert_eq!(told("{contxt: dr}"), one("unknown-key", "contxt"));
    assert_eq!(told("dr"), one("wrong-type", "dr"));
}

#[test]
fn cleanup_is_simple() {
    let text = "steps: {a: {phase: data, exec: [b]}}\ncleanup:\n  c: {exec: [d], phase: data, needs: [a], undo: auto}\n  d: {restores: true}\n";
    let parsed = read(&format!("{HEAD}{text}"));
    let codes: Vec<_> = told(&parsed).into_iter().map(|told| (told.0, told.2)).collect();
    assert_eq!(
        codes,
        [
            ("not-in-cleanup", "phase"),
            ("not-in-cleanup", "needs"),
            ("not-in-cleanup", "undo"),
            ("empty-step", "d"),
            ("not-in-cleanup", "restores"),
        ]
    );
}

#[test]
fn guards_are_checks_that_nobody_has_to_answer() {
    let good = "steps: {a: {phase: data, exec: [b]}}\n";
    let told = |guard: &str| -> Vec<(&'static str, String)> {
        let parsed = read(&format!("{HEAD}{good}guards:\n  - {{{guard}}}\n"));
        told(&parsed).into_iter().map(|told| (told.0, told.2.to_owned())).collect()
    };
    let one = |code: &'static str, place: &str| vec![(code, place.to_owned())];
    assert_eq!(told("name: g, when: 'true', then: abort"), []);
    assert_eq!(told("name: g, check: {shell: x}, every: 1s, failures: 2, for: 1m, during: {from: a}, then: pause"), []);
    assert_eq!(told("name: g, when: 'true', check: {shell: x}, then: abort"), one("two-checks", "check"));
    assert_eq!(told("name: g, check: {shell: x, exec: [y]}, then: abort"), one("two-checks", "exec"));
    assert_eq!(told("name: g, check: {ask: sure?}, then: abort"), one("not-in-guard", "ask"));
    assert_eq!(told("name: g, check: {shell: x, within: 1m}, then: abort"), one("not-in-guard", "within"));
    assert_eq!(told("name: g, check: {expect: 'true'}, then: abort").first().map(|told| told.0), Some("empty-check"));
    assert_eq!(told("name: g, then: abort").first().map(|told| told.0), Some("empty-check"));
    assert_eq!(told("when: 'true', then: abort").first().map(|told| told.0), Some("missing-key"));
    assert_eq!(told("name: g, when: 'true'").first().map(|told| told.0), Some("missing-key"));
    assert_eq!(told("name: g, when: 'true', failures: 0, then: abort"), one("invalid-value", "0"));
    assert_eq!(told("name: ' ', when: 'true', then: abort"), one("bad-name", "' '"));
    let twice = "name: g, when: 'true', then: abort}\n  - {name: g, when: 'false', then: pause";
    assert_eq!(told(twice), one("bad-name", "g"));
}

#[test]
fn names_have_forms() {
    let parsed =
        steps("  A: {phase: data, exec: [b]}\n  cleanup: {phase: data, exec: [b]}\n  1: {phase: data, exec: [b]}\n");
    let codes: Vec<_> = told(&parsed).into_iter().map(|told| (told.0, told.2)).collect();
    assert_eq!(codes, [("bad-name", "A"), ("bad-name", "cleanup")]);
}

#[test]
fn a_step_twice_is_called_that() {
    let parsed = steps("  a: {phase: data, exec: [b]}\n  a: {phase: data, exec: [c]}\n");
    let found = only(&parsed);
    assert_eq!(
        (found.0, found.1),
        ("duplicate-key", "expected every step id once, found `a` as the id of a second step")
    );
    let related = &parsed.diagnostics[0].related[0];
    assert_eq!(parsed.source.position(related.span.start).line, 12);
}

fn input(text: &str, wanted: &[(&str, &str)]) {
    let parsed = read(&format!("{HEAD}inputs:\n  x: {text}\nsteps: {{a: {{phase: data, exec: [b]}}}}\n"));
    let codes: Vec<_> = told(&parsed).into_iter().map(|told| (told.0, told.2)).collect();
    assert_eq!(codes, wanted, "{text}: {:#?}", parsed.diagnostics);
    assert!(parsed.runbook.is_some_and(|runbook| runbook.inputs.contains_key("x")));
}

#[test]
fn inputs_are_of_one_piece() {
    input("{type: string, default: no}", &[]);
    input("{type: strng}", &[("unknown-value", "strng")]);
    input("{description: y}", &[("missing-key", "x")]);
    input("5", &[("wrong-type", "5")]);
    input("{type: string, pattern: '['}", &[("invalid-value", "'['")]);
    input("{type: integer, pattern: 'a'}", &[("not-for-this-type", "pattern")]);
    input("{type: string, from: {env: A}}", &[("not-for-this-type", "from")]);
    input("{type: secret, default: a, enum: [b]}", &[("not-for-this-type", "default"), ("not-for-this-type", "enum")]);
    input("{type: secret, from: {env: A, file: b}}", &[("two-sources", "file")]);
    input("{type: secret, from: {}}", &[("empty-source", "from")]);
    input("{type: secret, from: {env: A-B}}", &[("bad-name", "A-B")]);
    input("{type: secret, from: {vault: A}}", &[("unknown-key", "vault")]);
    input("{type: integer, default: \"5\"}", &[("wrong-type", "\"5\"")]);
    input("{type: integer, default: 1.5}", &[("wrong-type", "1.5")]);
    input("{type: integer, default: 99999999999999999999}", &[("wrong-type", "99999999999999999999")]);
    input("{type: number, default: .inf}", &[("wrong-type", ".inf")]);
    input("{type: boolean, default: yes}", &[("wrong-type", "yes")]);
    input("{type: duration, default: 15}", &[("wrong-type", "15")]);
    input("{type: list, default: a}", &[("wrong-type", "a")]);
    input("{type: list, default: [[a]]}", &[("wrong-type", "[[a]]")]);
    input("{type: string, default: [a]}", &[("wrong-type", "[a]")]);
    input("{type: string, default: }", &[("missing-value", "default")]);
    input("{type: integer, enum: [1, b]}", &[("wrong-type", "b")]);
}

#[test]
fn the_top_can_be_wrong() {
    for (text, wanted) in [
        ("null\n", vec![("wrong-type", "null")]),
        ("- a\n- b\n", vec![("wrong-type", "- a")]),
        ("text\n", vec![("wrong-type", "text")]),
        ("", vec![("empty-document", "")]),
    ] {
        let parsed = read(text);
        let codes: Vec<_> = told(&parsed).into_iter().map(|told| (told.0, told.2)).collect();
        assert_eq!(codes, wanted);
        assert!(parsed.runbook.is_none());
    }
    let parsed = read("steps:\n  a: {phase: data, exec: [b], x: 1}\n");
    let codes: Vec<_> = told(&parsed).into_iter().map(|told| (told.0, told.1)).collect();
    assert_eq!(
        codes,
        [("missing-key", 1), ("missing-key", 1), ("missing-key", 1), ("missing-key", 1), ("unknown-key", 2)]
    );
    let runbook = parsed.runbook.expect("placeholders for the rest");
    assert!(runbook.steps["a"].exec.is_some());
    assert!(parsed.damaged.covers(&Route::new().key("recovery").key("objectives")));
    for part in ["steps", "cleanup", "inputs", "requires", "metadata"] {
        let parsed = read(&format!("{part}: [x]\n"));
        assert!(told(&parsed).contains(&("wrong-type", 1, "[x]")), "{part}: {:?}", told(&parsed));
        assert!(parsed.runbook.is_some());
    }
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let parsed =
        read("apiVersion: lifeboat.dev/v1\nkind: Runbook\nmetadata: {}\nrecovery: {objectives: {}}\nsteps: {}\n");
    let messages: Vec<_> = parsed.diagnostics.iter().map(|d| d.message.split('`').nth(1).unwrap_or_default()).collect();
    let mut sorted = messages.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["capability", "disaster", "level", "name", "owner", "rpo", "rto", "scope"]);
}

#[test]
fn a_broken_part_does_not_hide_its_neighbours() {
    let parsed = steps(
        "  a:\n    phase: data\n    http: {url: [], headers: {A: \"{{b}}\"}, nope: 1}\n    env: {A: [], B: \"{{c}}\"}\n    verify: [5, {expr: d}]\n",
    );
    let codes: Vec<_> = told(&parsed).into_iter().map(|told| (told.0, told.1, told.2)).collect();
    assert_eq!(
        codes,
        [("wrong-type", 14, "[]"), ("unknown-key", 14, "nope"), ("wrong-type", 15, "[]"), ("wrong-type", 16, "5")]
    );
    let routes: Vec<_> = parsed.found.iter().map(|found| found.route.to_string()).collect();
    assert_eq!(routes, ["steps.a.http.headers.A", "steps.a.env.B", "steps.a.verify[1].expr"]);
}

#[test]
fn a_mistake_behind_an_anchor_is_told_for_every_way_to_it() {
    let parsed = steps(
        "  a: {phase: data, http: &h {url: x, nope: 1}}\n  b: {phase: data, http: *h}\n  c: {phase: data, http: *gone}\n",
    );
    let codes: Vec<_> = told(&parsed).into_iter().map(|told| (told.0, told.2)).collect();
    // Once for each way to it, because the ways have different names.
    assert_eq!(codes, [("unknown-key", "nope"), ("unknown-key", "nope"), ("unknown-anchor", "*gone")]);
}

#[test]
fn a_long_block_is_told_at_its_key() {
    let parsed =
        steps("  a:\n    phase: data\n    exec:\n      b: 1\n      c: 2\n    verify:\n      - - x\n        - y\n");
    let codes: Vec<_> = told(&parsed).into_iter().map(|told| (told.0, told.2)).collect();
    assert_eq!(codes, [("wrong-type", "exec"), ("wrong-type", "- x")]);
}

/// A number that ends in a full stop is no end of a sentence.
#[test]
fn numbers_stand_in_quotes() {
    for step in ["exec: [a], timeout: 15.", "exec: [a], retry: {attempts: 1.}", "exec: [a], idempotent: 0."] {
        let parsed = steps(&format!("  a: {{phase: data, {step}}}\n"));
        assert!(parsed.has_errors(), "{step}");
    }
}
