//! What of `lint` is chosen: `--select`, `--ignore`, comments, `lifeboat.toml`; and what it tells about its rules.

use crate::harness::{Ended, Place, repository, runbook_with};

/// A runbook that claims so little that few rules have anything to say.
fn quiet(more: &str, steps: &str) -> String {
    runbook_with(more, steps).replace("level: L2", "level: L1")
}

/// A runbook with an unused input (a warning) and an unknown step (an error).
fn text(end: &str) -> String {
    quiet(
        &format!("inputs:\n  zone: {{type: string}} {end}\n"),
        "  a: {phase: data, needs: [b], exec: [a], restores: true}\n",
    )
}

#[track_caller]
fn codes(ended: &Ended) -> Vec<String> {
    let found = ended.json();
    let found = found["diagnostics"].as_array().expect("diagnostics").iter();
    found.map(|one| one["code"].as_str().unwrap_or_default().to_owned()).collect()
}

fn lint(place: &Place, more: &[&str]) -> Ended {
    place.lifeboat(&[&["lint", "--format", "json"], more].concat())
}

#[test]
fn rules_are_chosen_on_the_command_line() {
    let place = Place::new();
    place.file("r.yaml", text(""));
    assert_eq!(codes(&lint(&place, &["r.yaml", "./r.yaml"]).code(2)), ["unused-input", "unknown-step"]);
    assert_eq!(codes(&lint(&place, &["r.yaml", "--select", "unused-input,no-restores"]).code(0)), ["unused-input"]);
    let less = lint(&place, &["r.yaml", "--ignore", "unknown-step"]).code(0);
    assert_eq!(codes(&less), ["unused-input"]);
    less.says("a run would still refuse what was found by unknown-step");
    lint(&place, &["r.yaml", "--ignore", "unknown-step", "--deny", "warnings"]).code(2);
    let wrong = lint(&place, &["r.yaml", "--select", "unused-inptu"]).code(2);
    wrong.says("expected ids of rules, found `unused-inptu`").says("did you mean `unused-input`?");
    lint(&place, &["r.yaml", "--ignore", "unknown-key"]).code(2).says("it cannot be left out or silenced");
}

#[test]
fn a_comment_silences_for_a_run_as_well() {
    let place = Place::new();
    place.file("r.yaml", text("# lifeboat: ignore[unused-input] it is for later"));
    assert_eq!(codes(&lint(&place, &["r.yaml"]).code(2)), ["unknown-step"]);
    place.file("r.yaml", text("# lifeboat: ignore[unused-input]"));
    assert_eq!(codes(&lint(&place, &["r.yaml"])), ["ignore-without-reason", "unknown-step"]);
    // Mistakes of the text cannot be silenced, and a mistyped comment keeps no run from beginning.
    let rest = "  a: {phase: data, exec: [true], effect: reads, restores: true}\n";
    place.file("r.yaml", quiet("colour: red # lifeboat: ignore[unknown-key] why\n", rest));
    assert_eq!(codes(&lint(&place, &["r.yaml"]).code(2)), ["unknown-key", "unknown-rule"]);
    place.file("r.yaml", quiet("files: [] # lifeboat: ignore[unknown] why\n", rest));
    assert_eq!(codes(&lint(&place, &["r.yaml"]).code(2)), ["unknown-rule"]);
    place.lifeboat(&["plan", "r.yaml"]).code(0);
}

#[test]
fn the_nearest_configuration_counts_until_a_repository_ends() {
    let place = Place::new();
    place.file("lifeboat.toml", "[lint]\nignore = [\"unused-input\"]\n");
    place.file("r.yaml", text(""));
    place.file("repo/.git/HEAD", "");
    place.file("repo/r.yaml", text(""));
    place.file("repo/sub/lifeboat.toml", "[lint.rules]\n\"unused-input\" = \"error\"\n\"unknown-step\" = \"off\"\n[[lint.paths]]\nmatch = \"drills/**\"\nrules = {\"unused-input\" = \"warning\"}\n");
    place.file("repo/sub/deep/r.yaml", text(""));
    place.file("repo/sub/drills/deep/r.yaml", text(""));
    assert_eq!(codes(&lint(&place, &["r.yaml"]).code(2)), ["unknown-step"]);
    assert_eq!(codes(&lint(&place, &["repo/r.yaml"]).code(2)), ["unused-input", "unknown-step"]);
    let ended = lint(&place, &["repo/sub/deep/r.yaml"]).code(2);
    assert_eq!(codes(&ended), ["unused-input"]);
    ended.says("a run would still refuse what was found by unknown-step");
    lint(&place, &["repo/sub/drills/deep/r.yaml"]).code(0);
    lint(&place, &["repo/sub/drills"]).code(0);
    // The configuration is for `lint`; a run judges by all that it needs.
    place.lifeboat(&["plan", "repo/sub/deep/r.yaml"]).code(2).says("expected the id of a step, found `b`");
}

#[test]
fn mistakes_in_the_configuration_are_findings() {
    let place = Place::new();
    place.file("lifeboat.toml", "[lint]\nselcet = [\"unused-input\"]\nignore = [\"unused-inptu\"]\n");
    place.file("r.yaml", text(""));
    let ended = place.lifeboat(&["lint", "r.yaml"]).code(2);
    let ended = ended.says("found `selcet`").says("did you mean `select`?").says("lifeboat.toml:2:1");
    ended.says("lifeboat.toml:3:11").says("did you mean `unused-input`?");
    place.file("lifeboat.toml", "[lint\n");
    place.lifeboat(&["lint", "r.yaml"]).code(2).says("expected TOML, found a mistake");
}

#[test]
fn rules_are_listed_and_explained() {
    let place = Place::new();
    let list = place.lifeboat(&["lint", "--rules"]).code(0);
    let json = place.lifeboat(&["lint", "--rules", "--format", "json"]).code(0).json();
    let rules = json["rules"].as_array().expect("rules");
    assert_eq!(list.out.lines().count(), rules.len());
    for rule in rules {
        let id = rule["id"].as_str().unwrap_or_default();
        assert!(list.out.contains(id));
        let page = place.lifeboat(&["explain", id]).code(0);
        assert!(page.out.starts_with(id) && page.out.contains("Bad:\n\n    ") && !page.out.contains("```"), "{page}");
        assert!(
            page.out.lines().all(|line| line.starts_with("    ") || line.chars().count() <= 80 || line.contains("://"))
        );
    }
    place.lifeboat(&["lint", "--rules", "--format", "sarif"]).code(2);
    place.lifeboat(&["explain", "duplicate-key"]).code(0).says("It cannot be silenced.");
    place.lifeboat(&["explain", "unusd-input"]).code(2).says("did you mean `unused-input`?");
}

/// What an organisation decided counts for every runbook below its file, and a run does not ask for it.
#[test]
fn an_organisation_decides_for_all_runbooks() {
    let place = Place::new();
    let folder = repository().join("tests/fixtures/lint/image-from-foreign-registry");
    let runbook = std::fs::read_to_string(folder.join("bad.yaml")).expect("a fixture");
    place.file("runbooks/deep/r.yaml", &runbook);
    place.lifeboat(&["lint", "runbooks", "--deny", "warnings"]).code(0);
    place.file("lifeboat.toml", "[organisation]\nregistries = [\"registry.example.org\", \"ghcr.io/example\"]\n");
    let ended = place.lifeboat(&["lint", "runbooks", "--deny", "warnings"]).code(2);
    let ended = ended.says("expected an image from `registry.example.org`, `ghcr.io/example`, found `busybox@sha256:");
    assert_eq!(ended.err.matches("expected an image from").count(), 2, "{ended}");
    place.lifeboat(&["plan", "runbooks/deep/r.yaml"]).code(0);
}
