//! A runbook to begin with: written whole, never over anything, and good as it is.

use std::{fs, os::unix::fs::symlink};

use crate::harness::{Place, repository};

/// Every combination of the list.
fn listed(place: &Place) -> Vec<(String, String)> {
    let list = place.lifeboat(&["new", "--list", "--format", "json"]).code(0).json();
    assert_eq!(list["version"], 1);
    let mut all = Vec::new();
    for starter in list["starters"].as_array().expect("starters") {
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        assert!(!text(&starter["about"]).is_empty(), "{starter:#}");
        for scope in starter["scopes"].as_array().expect("scopes") {
            all.push((text(&starter["disaster"]), text(scope)));
        }
    }
    all
}

#[test]
fn every_listed_starter_is_written_and_has_no_findings() {
    let place = Place::new();
    let all = listed(&place);
    assert!(all.len() >= 12, "{all:?}");
    for (disaster, scope) in &all {
        let file = format!("{disaster}-{scope}.yaml");
        let call = ["new", &file, "--disaster", disaster, "--scope", scope, "--owner", "team: \"a\" #1"];
        let written = place.lifeboat(&call).code(0).says(&format!("wrote {file}"));
        assert!(written.out.is_empty(), "{written}");
        let text = fs::read_to_string(place.path(&file)).expect("it was written");
        assert!(text.contains(&format!("\n  name: {disaster}-{scope}\n")), "{text}");
        assert!(text.contains(r#"  owner: "team: \"a\" #1""#), "{text}");
        // Without a file it is the same text, but for the name.
        let printed = place.lifeboat(&["new", "--disaster", disaster, "--scope", scope]).code(0);
        assert_eq!(printed.out.lines().count(), text.lines().count(), "{printed}");
        assert!(printed.out.contains(&format!("\n  name: {disaster}\n")) && printed.err.is_empty(), "{printed}");
    }
    let ended = place.lifeboat(&["lint", ".", "--deny", "warnings", "--format", "json"]).code(0);
    assert_eq!(ended.json()["summary"]["files"], all.len(), "{ended}");
    // As a table, too.
    let table = place.lifeboat(&["new", "--list"]).code(0);
    for (disaster, scope) in &all {
        let row = |line: &str| line.starts_with(disaster.as_str()) && line.contains(scope.as_str());
        assert!(table.out.lines().any(row), "{disaster} of {scope} is not in {table}");
    }
    assert!(table.out.lines().all(|line| line.chars().count() <= 120), "{table}");
}

#[test]
fn what_is_there_is_never_written_over() {
    let place = Place::new();
    place.file("there.yaml", "mine\n");
    symlink("nowhere", place.path("link.yaml")).expect("a link can be made");
    fs::create_dir(place.path("folder.yaml")).expect("a directory can be made");
    for file in ["there.yaml", "link.yaml", "folder.yaml"] {
        place.lifeboat(&["new", file, "--disaster", "supply-chain"]).code(2).says("never writes over anything");
    }
    assert_eq!(fs::read_to_string(place.path("there.yaml")).expect("a file"), "mine\n");
    assert!(!place.path("nowhere").exists(), "a link was followed");
    place.lifeboat(&["new", "no/x.yaml", "--disaster", "supply-chain"]).code(2).says("make the directory first");
}

#[test]
fn a_combination_that_there_is_not_says_which_there_are() {
    let place = Place::new();
    let ended = place.lifeboat(&["new", "x.yaml", "--disaster", "region-failure", "--scope", "provider"]).code(2);
    ended
        .says("expected a starter for `region-failure` of scope `provider`, found none")
        .says("for `region-failure` there is: region, journey")
        .says("of scope `provider` there is: account-failure, dependency-outage");
    assert!(!place.path("x.yaml").exists());
    place.lifeboat(&["new", "--disaster", "flood"]).code(2).says("workload-failure");
}

#[test]
fn nobody_to_ask_is_told_the_choices() {
    let place = Place::new();
    for more in [&[][..], &["--no-input"]] {
        let ended = place.lifeboat(&[&["new", "x.yaml"], more].concat()).code(2).says("--disaster");
        for disaster in ["workload-failure", "secret-compromise", "dependency-outage"] {
            assert!(ended.err.contains(disaster), "no `{disaster}` in {ended}");
        }
    }
    let of_scope = place.lifeboat(&["new", "--scope", "pod"]).code(2).says("choose one of workload-failure;");
    assert!(!of_scope.err.contains("supply-chain"), "{of_scope}");
    assert!(!place.path("x.yaml").exists());
}

#[test]
fn names_and_objectives_are_those_that_were_asked_for() {
    let place = Place::new();
    let call = ["--disaster", "region-failure", "--scope", "journey", "--rpo", "20m", "--rto", "5h"];
    place.lifeboat(&[&["new", "Über uns (2).yaml", "--title", "Back: again"], &call[..]].concat()).code(0);
    let text = fs::read_to_string(place.path("Über uns (2).yaml")).expect("it was written");
    for line in ["  name: ber-uns-2\n", "  title: \"Back: again\"\n", "{rpo: 20m, rto: 5h}", "  scope: journey\n"] {
        assert!(text.contains(line), "no `{line}` in {text}");
    }
    // The oldest backup that will do follows the objective.
    let printed = place.lifeboat(&["new", "--disaster", "account-failure", "--rpo", "6h"]).code(0);
    assert!(printed.out.contains("      maxAge: 6h\n"), "{printed}");
    place
        .lifeboat(&["new", "x.yaml", "--name", "A b", "--disaster", "supply-chain"])
        .code(2)
        .says("`a-b` would be one");
    for (option, value) in
        [("--owner", " "), ("--owner", "a\nb"), ("--title", "a\u{202e}b"), ("--rto", "5"), ("--rpo", "")]
    {
        place.lifeboat(&["new", "x.yaml", "--disaster", "supply-chain", option, value]).code(2).says(option);
    }
    assert!(!place.path("x.yaml").exists());
}

#[test]
fn an_objective_that_cannot_be_met_is_told_and_the_file_is_written() {
    let place = Place::new();
    let call = ["new", "x.yaml", "--disaster", "data-corruption", "--rto", "30m"];
    place.lifeboat(&call).code(0).says("critical-path-exceeds-rto").says("written all the same").says("wrote x.yaml");
    place.lifeboat(&["lint", "x.yaml"]).code(2).says("critical-path-exceeds-rto");
}

#[test]
fn what_comes_next_can_be_typed_as_it_stands() {
    let place = Place::new();
    let written = place.lifeboat(&["new", "it's mine.yaml", "--disaster", "secret-compromise"]).code(0);
    for told in ["protectedUrl", "by the environment variable OLD_CREDENTIAL", "`roles` (security)", "`team-security`"]
    {
        assert!(written.err.contains(told), "no `{told}` in {written}");
    }
    assert!(!written.err.contains("oldCredential="), "a secret has no place on a command line: {written}");
    assert!(written.err.contains(r"lifeboat lint 'it'\''s mine.yaml'"), "{written}");
    place.lifeboat(&["lint", "it's mine.yaml", "--deny", "warnings"]).code(0);
    // With values for what it wants to know, the next command works.
    let inputs = "context: prod\nnamespace: shop\nexternalSecret: api\nstoreKey: shop/api\nconsumers: [api, worker]\n\
                  url: https://shop.example.org/\nprotectedUrl: https://pay.example.org/me\n";
    place.file("inputs.yaml", inputs);
    let plan = place.lifeboat(&["plan", "it's mine.yaml", "--drill", "--inputs", "inputs.yaml"]).code(0);
    assert!(plan.out.contains("restart[worker]") && plan.out.contains("revoke"), "{plan}");
    // The editor's schema is the one that the repository has.
    let text = fs::read_to_string(place.path("it's mine.yaml")).expect("it was written");
    let schema = fs::read_to_string(repository().join("schemas/runbook.json")).expect("the schema");
    let address = text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
    assert!(schema.contains(&format!("\"$id\": \"{}\"", address.expect("a modeline"))), "{text}");
}
