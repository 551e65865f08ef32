//! What is weaker has a line of its own.

use super::{HEAD, between};

/// A runbook with something to lose.
const OLD: &str = "apiVersion: lifeboat.dev/v1
kind: Runbook
metadata: {name: test, owner: team}
recovery:
  capability: It
  scope: region
  disaster: region-failure
  objectives: {rpo: 1m, rto: 10m, mtd: 1h}
  level: L1
  drillEvery: 90d
requires:
  env: [TOKEN, REGION]
  checks: [{name: quota, exec: [quota]}, {name: rights, exec: [rights]}]
roles: {lead: [l], owner: [o]}
steps:
  fence: {phase: data, exec: [f], undo: {exec: [u]}}
  promote:
    phase: data
    needs: [fence]
    exec: [p]
    irreversible: true
    locks: [database, dns]
    approval: {by: owner, count: 2, expires: 15m}
    verify: [{name: it answers, exec: [look], expect: ok, holds: 1m}]
    undo:
      exec: [back]
      approval: {by: lead, count: 2, expires: 5m}
      verify: [{name: it is back, exec: [look]}, {exec: [more]}]
cleanup:
  tidy: {exec: [t]}
  sweep: {exec: [s], verify: [{exec: [clean]}]}
";

/// What the change of one text in the old runbook is told as.
#[track_caller]
fn told(old: &str, from: &str, to: &str, wanted: &[&str]) {
    let new = old.replacen(from, to, 1);
    assert_ne!(new, old, "{from} is not there");
    assert_eq!(between(old, &new).attention, wanted, "{from} → {to}");
}

#[test]
fn gates() {
    told(
        OLD,
        "{by: owner, count: 2, expires: 15m}",
        "{by: lead, count: 2, expires: 15m}",
        &["`promote` is approved by `lead` now, and was by `owner`"],
    );
    told(
        OLD,
        "{by: owner, count: 2, ",
        "{count: 2, ",
        &["`promote` is approved by whoever commands the run now, and was by `owner`"],
    );
    told(OLD, ", expires: 15m", "", &["the approval of `promote` does not expire any more"]);
    told(
        OLD,
        "      approval: {by: lead, count: 2, expires: 5m}\n",
        "",
        &["the undo of `promote` needs no approval any more"],
    );
    told(
        OLD,
        "{by: lead, count: 2, expires: 5m}",
        "{by: owner}",
        &[
            "the undo of `promote` is approved by `owner` now, and was by `lead`",
            "the undo of `promote` needs fewer people to approve it",
            "the approval of the undo of `promote` does not expire any more",
        ],
    );
    told(OLD, "    irreversible: true\n", "", &["`promote` is not irreversible any more, so that nobody is warned"]);
    // One that is there now, or narrower, is not weaker.
    told(OLD, "{phase: data, exec: [f],", "{phase: data, exec: [f], approval: {},", &[]);
}

#[test]
fn modes() {
    let gone = "`promote` does not run in an incident any more; gone there with it: the approval that it needed, \
                1 check, its undo";
    told(OLD, "    exec: [p]\n", "    exec: [p]\n    only: drill\n", &[gone]);
    let incident = OLD.replace("    exec: [p]\n", "    exec: [p]\n    only: incident\n");
    told(&incident, "only: incident", "only: drill", &[gone]);
    told(
        OLD,
        "    exec: [p]\n",
        "    exec: [p]\n    only: incident\n",
        &["`promote` does not run in a drill any more, so that nobody rehearses it"],
    );
    told(&incident, "    only: incident\n", "", &[]);
}

#[test]
fn checks() {
    let other = ["`promote`: the check `\"it answers\"` is another one now"];
    told(OLD, "exec: [look], expect: ok", "exec: ['true'], expect: ok", &other);
    told(OLD, "exec: [look], expect: ok", "tcp: {address: 'a:1'}", &other);
    told(OLD, "expect: ok", "expect: 'true'", &other);
    told(OLD, ", expect: ok", "", &other);
    told(OLD, ", holds: 1m", "", &["`promote`: the check `\"it answers\"` does not have to last any more"]);
    told(OLD, ", holds: 1m", ", holds: 1m, within: 5m", &[]);
    told(
        OLD,
        "      verify: [{name: it is back, exec: [look]}, {exec: [more]}]\n",
        "",
        &["the undo of `promote` lost the check `\"it is back\"`", "the undo of `promote` lost the check `#2`"],
    );
    told(
        OLD,
        "{name: it is back, exec: [look]}",
        "{name: it is back, exec: ['true']}",
        &["the undo of `promote`: the check `\"it is back\"` is another one now"],
    );
    told(OLD, "{name: quota, exec: [quota]}, ", "", &["`requires` lost the check `\"quota\"`"]);
    told(
        OLD,
        "  checks: [{name: quota, exec: [quota]}, {name: rights, exec: [rights]}]\n",
        "",
        &["`requires` lost the check `\"quota\"`", "`requires` lost the check `\"rights\"`"],
    );
    told(OLD, "[rights]", "['true']", &["`requires`: the check `\"rights\"` is another one now"]);
    told(OLD, "[TOKEN, REGION]", "[TOKEN]", &["less is asked for before the start: `requires.env`"]);
    told(OLD, "[TOKEN, REGION]", "[REGION, TOKEN, MORE]", &[]);
}

/// An undo by another way loses what the old one had.
#[test]
fn an_undo_that_becomes_auto_loses_its_gate_and_checks() {
    let old = format!(
        "{HEAD}clusters: {{c: {{}}}}\nsteps:\n  a:\n    phase: data\n    scale: {{cluster: c, kind: Deployment, namespace: n, \
         name: x, replicas: 1}}\n    undo: {{exec: [back], approval: {{}}, verify: [{{name: it is back, exec: [look]}}]}}\n"
    );
    let from = "{exec: [back], approval: {}, verify: [{name: it is back, exec: [look]}]}";
    told(
        &old,
        from,
        "auto",
        &["the undo of `a` needs no approval any more", "the undo of `a` lost the check `\"it is back\"`"],
    );
}

#[test]
fn steps_that_are_gone() {
    let lone = "  fence: {phase: data, exec: [f], undo: {exec: [u]}}\n";
    let old = OLD.replace("    needs: [fence]\n", "");
    told(&old, lone, "", &["`fence` is gone, and its undo"]);
    told(OLD, "  tidy: {exec: [t]}\n", "", &["`cleanup/tidy` is gone, and what it cleaned up stays"]);
    told(OLD, "  sweep: {exec: [s], verify: [{exec: [clean]}]}\n", "", &["`cleanup/sweep` is gone, and 1 check"]);
    let at = OLD.find("cleanup:").unwrap();
    told(
        OLD,
        &OLD[at..],
        "",
        &[
            "`cleanup/sweep` is gone, and 1 check",
            "`cleanup` is gone: nothing is cleaned up after a drill or an abort any more",
        ],
    );
}

#[test]
fn order() {
    told(OLD, "needs: [fence]", "after: [fence]", &["`promote` goes on now when `fence` has failed"]);
    told(OLD, "    locks: [database, dns]\n", "", &["`promote` may run while others hold `database`, `dns`"]);
    told(OLD, "[database, dns]", "[dns, database, more]", &[]);
    // Through a step that is in between, and by the phases.
    let steps = "steps:\n  a: {phase: provision, exec: [a]}\n  b: {phase: data, exec: [b]}\n  c: {phase: data, needs: [b], exec: [c]}\n";
    told(steps, "needs: [b]", "needs: [], after: [b]", &["`c` goes on now when `b` has failed"]);
    told(
        steps,
        "{phase: data, exec: [b]}",
        "{phase: data, needs: [], after: [a], exec: [b]}",
        &["`b` goes on now when `a` has failed"],
    );
    told(steps, "needs: [b]", "needs: [b], after: [a]", &[]);
}

#[test]
fn promises() {
    told(OLD, ", mtd: 1h", "", &["the MTD is gone, it was 1h: less is promised"]);
    told(OLD, "drillEvery: 90d", "drillEvery: 180d", &["it has to be drilled every 180d only, and was every 90d"]);
    told(OLD, "  drillEvery: 90d\n", "", &["it does not have to be drilled any more, and had to be every 90d"]);
    told(OLD, "drillEvery: 90d", "drillEvery: 30d", &[]);
}
