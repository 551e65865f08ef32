//! The forms of a plan.

use super::{
    super::{digest, forecast::Forecast, render},
    *,
};
use crate::duration::Duration;

const BODY: &str = "roles: {incident-commander: [alice, bob], dba: [carol]}
inputs:
  zone: {type: string, default: eu-2}
  token: {type: secret, from: {env: TOKEN}}
steps:
  provision-network: {phase: provision, title: Network and cluster from code, exec: [a], estimate: 20m}
  provision-a-very-long-name-indeed-for-a-cluster: {phase: provision, title: 'Something \"quoted\" [and] <b>bold</b> that is long enough to need a second line on the page', exec: [a], estimate: 2m}
  restore-cases: {phase: data, title: Restore the cases, exec: [a], estimate: 22m, locks: [x]}
  drop-old: {phase: data, needs: [restore-cases], irreversible: true, approval: {by: dba, unattended: deny}, exec: [a]}
  shift: {phase: shift-traffic, title: Point DNS at the recovery region, approval: {by: incident-commander, count: 2, unattended: drill-only, expires: 30m}, restores: true, exec: [a], estimate: 90s}
  report: {phase: shift-traffic, needs: [shift], exec: [a], estimate: 50m}
cleanup:
  delete-drill-namespace: {exec: [a], title: Delete what the drill made}
";

fn sample() -> Plan {
    try_plan(Mode::Drill, &[("token", Binding::Secret(String::from("token")))], &[("root.yaml", BODY)])
        .unwrap_or_else(|problems| panic!("{:?}", messages(&problems)))
}

#[test]
fn the_page_of_the_commander() {
    let page = render::text(&sample());
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(page, include_str!("sample.txt"), "\n{page}");
}

#[test]
fn the_forecast_ends_where_the_capability_is_back() {
    let plan = sample();
    let forecast = Forecast::of(&plan);
    assert_eq!(forecast.total, Duration::from_secs(20 * 60 + 22 * 60 + 90));
    let ids: Vec<_> = forecast.critical_path.iter().map(|at| plan.nodes[*at].id.as_str()).collect();
    assert_eq!(ids, ["provision-network", "restore-cases", "drop-old", "shift"]);
}

#[test]
fn the_forecast_begins_with_the_outage_of_a_drill() {
    let body = "steps:
  prepare: {phase: provision, exec: [a], estimate: 10m}
  kill: {phase: bootstrap, exec: [a], injectsOutage: true, estimate: 1m}
  back: {phase: data, exec: [a], restores: true, estimate: 5m}
";
    assert_eq!(Forecast::of(&plan(Mode::Drill, body)).total, Duration::from_secs(6 * 60));
}

#[test]
fn the_frozen_form_has_no_secret_and_is_the_same_every_time() {
    let plan = sample();
    let json = digest::to_json(&plan);
    assert_eq!(json["version"], 1);
    assert_eq!(json["scopes"][0]["inputs"], json!({"zone": "eu-2"}));
    assert_eq!(digest::digest(&plan), digest::digest(&sample()));
    assert_eq!(digest::digest(&plan).len(), 64);
    let shift = json["nodes"].as_array().unwrap().iter().find(|node| node["id"] == "shift").unwrap();
    assert_eq!(
        shift["gate"],
        json!({"by": "incident-commander", "count": 2, "unattended": "drill-only", "expiresMs": 1_800_000})
    );
    assert_eq!(
        (&shift["needs"], &shift["restores"], &shift["estimateMs"]),
        (&json!(["phase:data"]), &json!(true), &json!(90_000))
    );
}

#[test]
fn json_adds_what_can_be_said() {
    let json = render::json(&sample());
    assert_eq!(json["waves"][0], json!(["provision-network", "provision-a-very-long-name-indeed-for-a-cluster"]));
    assert_eq!(json["criticalPath"][1], json!({"id": "restore-cases", "startMs": 1_200_000, "finishMs": 2_520_000}));
    assert_eq!(json["forecastMs"], 2_610_000);
    assert_eq!(json["objectives"]["rtoMs"], 3_600_000);
    assert_eq!(json["pointOfNoReturn"]["steps"], json!(["drop-old"]));
}

#[test]
fn drawings_escape_what_authors_write() {
    let mermaid = render::mermaid(&sample());
    assert!(mermaid.contains("Something #34;quoted#34; #91;and#93; #60;b#62;bold"), "{mermaid}");
    assert!(
        mermaid.contains("n4[\"restore-cases<br/>")
            || mermaid.contains("[\"restore-cases<br/>Restore the cases<br/>22m\"]")
    );
    let dot = render::dot(&sample());
    assert!(dot.contains("Something \\\"quoted\\\" [and]"), "{dot}");
    assert!(dot.contains("peripheries=2"));
}
